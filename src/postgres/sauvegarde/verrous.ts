import { type Client, type Pool, withClient } from '../pool.ts';

/** Advisory locks: one backup at a time, and no archive is erased while one runs. */
const SAUVEGARDE = `hashtextextended('atelier:sauvegarde', 0)`;
const ARCHIVES = `hashtextextended('atelier:effacement-archives', 0)`;

/**
 * Runs `work` while no other backup runs in this database and no archive is erased. The locks belong to a transaction
 * of a connection of their own, so that they hold behind a pooler too, and before a snapshot is taken.
 *
 * @returns undefined when another backup is running
 */
export async function pendantSauvegarde<T>(pool: Pool, work: () => Promise<T>): Promise<T | undefined> {
  return await withClient(pool, async (client) => {
    await client.query('BEGIN');
    try {
      await client.query('SET LOCAL idle_in_transaction_session_timeout = 0');
      const { rows } = await client.query<{ seul: boolean }>(
        `SELECT pg_try_advisory_xact_lock(${SAUVEGARDE}) AS seul`,
      );
      if (!rows[0]!.seul) return undefined;
      await client.query(`SELECT pg_advisory_xact_lock(${ARCHIVES})`);
      return await work();
    } finally {
      await client.query('ROLLBACK').catch(() => undefined);
    }
  });
}

/**
 * Whether archives may be erased from the disk until the end of this transaction: no, while a backup runs that may
 * still need them. What is marked as no longer needed stays marked; the next import or purge erases it.
 */
export async function peutEffacerArchives(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ libre: boolean }>(
    `SELECT pg_try_advisory_xact_lock_shared(${ARCHIVES}) AS libre`,
  );
  return rows[0]!.libre;
}
