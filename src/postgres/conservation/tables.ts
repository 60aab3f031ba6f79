import { type Client, type Queryable, transaction } from '../pool.ts';

/** A table whose rows go by their age. */
interface TableDatee {
  readonly table: string;
  /** SQL: from when row `t` ages; it is to go once this is before the cut-off. NULL: it stays */
  readonly quand: string;
}

/** Tables by kind of retention. */
export const TABLES_DATEES = {
  executions: [{ table: 'execution', quand: 'coalesce(t.fin, t.debut)' }],
  commandes: [{ table: 'commande_historique', quand: 't.date_changement' }],
  audit: [{ table: 'journal_audit', quand: 't.instant' }],
  // An open alert stays, however old it is.
  alertes: [{ table: 'alerte', quand: 't.fin' }],
  connexions: [
    { table: 'tentative_connexion', quand: 't.dernier_echec' },
    { table: 'jeton_rafraichissement', quand: 't.expire' },
  ],
  // Of a key that was revoked, the revocation is its end; one that was made with an end in the past has just been made.
  cles: [{ table: 'cle_api', quand: 'greatest(least(t.date_fin, t.revoquee), t.date_creation)' }],
} as const satisfies Readonly<Record<string, readonly TableDatee[]>>;
export type CategorieDatee = keyof typeof TABLES_DATEES;

/** How many rows of a kind are older than an instant (ms since the epoch). */
export async function compterAnciens(
  db: Queryable,
  categorie: CategorieDatee,
  avant: number,
): Promise<number> {
  let nombre = 0;
  for (const { table, quand } of TABLES_DATEES[categorie]) {
    const { rows } = await db.query<{ nombre: number }>(
      `SELECT count(*) AS nombre FROM ${table} t WHERE ${quand} < $1`,
      [new Date(avant)],
    );
    nombre += rows[0]!.nombre;
  }
  return nombre;
}

/**
 * On how many days rows of a kind that are older than an instant were written: a day with many counts as one.
 *
 * @param avant ms since the epoch; undefined: rows of any age
 */
export async function joursDates(
  db: Queryable,
  categorie: CategorieDatee,
  avant: number | undefined,
): Promise<number> {
  let nombre = 0;
  for (const { table, quand } of TABLES_DATEES[categorie]) {
    const { rows } = await db.query<{ nombre: number }>(
      `SELECT count(DISTINCT (${quand} AT TIME ZONE 'UTC')::date) AS nombre FROM ${table} t
        WHERE $1::timestamptz IS NULL OR ${quand} < $1`,
      [avant === undefined ? null : new Date(avant)],
    );
    nombre += rows[0]!.nombre;
  }
  return nombre;
}

/**
 * Deletes rows of a kind that are older than an instant, one short transaction at a time.
 *
 * @param avant ms since the epoch
 * @param lot rows a transaction
 * @param chaque called inside each transaction with what it deleted
 * @returns number of rows
 */
export async function supprimerAnciens(
  client: Client,
  categorie: CategorieDatee,
  avant: number,
  lot: number,
  chaque: (nombre: number) => Promise<void>,
): Promise<number> {
  let nombre = 0;
  for (const { table, quand } of TABLES_DATEES[categorie]) {
    for (let last = lot; last === lot; ) {
      last = await transaction(client, async () => {
        const gone = await supprimerLot(client, table, quand, new Date(avant), lot);
        if (gone > 0) await chaque(gone);
        return gone;
      });
      nombre += last;
    }
  }
  return nombre;
}

/** The audit log lets go of its lines through its own door alone, which keeps the chain of the others whole. */
async function supprimerLot(
  client: Client,
  table: string,
  quand: string,
  avant: Date,
  lot: number,
): Promise<number> {
  if (table === 'journal_audit') {
    const { rows } = await client.query<{ nombre: number }>('SELECT purger_audit($1, $2) AS nombre', [
      avant,
      lot,
    ]);
    return rows[0]!.nombre;
  }
  const { rowCount } = await client.query(
    `DELETE FROM ${table} WHERE ctid = ANY (ARRAY(SELECT t.ctid FROM ${table} t WHERE ${quand} < $1 LIMIT $2))`,
    [avant, lot],
  );
  return rowCount ?? 0;
}
