import type { Client, Queryable } from '../pool.ts';

/** Advisory lock of purging: any constant that nobody else uses. */
const LOCK = 4_711_000_007;

/** Takes the right to purge, for as long as the connection lives; false when somebody else is purging. */
export async function verrouillerPurge(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ pris: boolean }>('SELECT pg_try_advisory_lock($1) AS pris', [LOCK]);
  return rows[0]!.pris;
}

export async function deverrouillerPurge(client: Client): Promise<void> {
  await client.query('SELECT pg_advisory_unlock($1)', [LOCK]);
}

/** Begins the record of what a run purges of one kind. @param coupure ms since the epoch */
export async function commencerPurge(
  db: Queryable,
  executionId: number,
  categorie: string,
  coupure: number,
): Promise<number> {
  const { rows } = await db.query<{ id: number }>(
    'INSERT INTO purge (execution_id, categorie, coupure) VALUES ($1, $2, $3) RETURNING id',
    [executionId, categorie, new Date(coupure)],
  );
  return rows[0]!.id;
}

/** Adds to a record, in the transaction that deletes: what is counted is gone, and what is gone is counted. */
export async function compterPurge(client: Client, id: number, lignes: number): Promise<void> {
  await client.query('UPDATE purge SET lignes = lignes + $2 WHERE id = $1', [id, lignes]);
}

export async function finirPurge(db: Queryable, id: number): Promise<void> {
  await db.query('UPDATE purge SET fin = now() WHERE id = $1', [id]);
}
