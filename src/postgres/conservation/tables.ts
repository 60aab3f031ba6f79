import { type Client, type Queryable, transaction } from '../pool.ts';

/** A table whose rows go by their age. */
interface TableDatee {
  readonly table: string;
  /** SQL: row `t` is older than `$1` */
  readonly echue: string;
}

/** Tables by kind of retention. */
export const TABLES_DATEES = {
  executions: [{ table: 'execution', echue: 'coalesce(t.fin, t.debut) < $1' }],
  commandes: [{ table: 'commande_historique', echue: 't.date_changement < $1' }],
  audit: [{ table: 'journal_audit', echue: 't.instant < $1' }],
  // An open alert stays, however old it is.
  alertes: [{ table: 'alerte', echue: 't.fin < $1' }],
  connexions: [
    { table: 'tentative_connexion', echue: 't.dernier_echec < $1' },
    { table: 'jeton_rafraichissement', echue: 't.expire < $1' },
  ],
  // Of a key that was revoked, the revocation is its end.
  cles: [{ table: 'cle_api', echue: 'least(t.date_fin, t.revoquee) < $1' }],
} as const satisfies Readonly<Record<string, readonly TableDatee[]>>;
export type CategorieDatee = keyof typeof TABLES_DATEES;

/** How many rows of a kind are older than an instant (ms since the epoch). */
export async function compterAnciens(
  db: Queryable,
  categorie: CategorieDatee,
  avant: number,
): Promise<number> {
  let nombre = 0;
  for (const { table, echue } of TABLES_DATEES[categorie]) {
    const { rows } = await db.query<{ nombre: number }>(
      `SELECT count(*) AS nombre FROM ${table} t WHERE ${echue}`,
      [new Date(avant)],
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
  for (const { table, echue } of TABLES_DATEES[categorie]) {
    for (let last = lot; last === lot; ) {
      last = await transaction(client, async () => {
        // The audit log lets nothing go but what retention asks for.
        await client.query("SELECT set_config('atelier.purge', 'oui', true)");
        const { rowCount } = await client.query(
          `DELETE FROM ${table} WHERE ctid = ANY (ARRAY(SELECT t.ctid FROM ${table} t WHERE ${echue} LIMIT $2))`,
          [new Date(avant), lot],
        );
        const gone = rowCount ?? 0;
        if (gone > 0) await chaque(gone);
        return gone;
      });
      nombre += last;
    }
  }
  return nombre;
}
