import type { CommandeVoletRoulant } from '../domain/commandes/commande.ts';
import { type Column, copyRows } from './copy.ts';
import type { Client, Queryable } from './pool.ts';

const COLUMNS: readonly Column[] = [
  { name: 'numero_commande', kind: 'text' },
  { name: 'extension', kind: 'text' },
  { name: 'status', kind: 'text' },
  { name: 'date_modification', kind: 'date' },
  { name: 'coffre', kind: 'text' },
  { name: 'coffres', kind: 'text[]' },
  { name: 'gestion_en_stock', kind: 'int2' },
];
const CONTENT = 'status, date_modification, coffre, coffres, gestion_en_stock';
/** Wait for writers of the table (ms); readers are never waited for, nor do they wait. */
const LOCK_TIMEOUT = 5_000;

/** Takes the lock that lets one synchronisation run at a time, for as long as the connection lives; false: another has it. */
export async function lockSync(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ pris: boolean }>(
    "SELECT pg_try_advisory_lock(hashtextextended('atelier:sync', 0)) AS pris",
  );
  return rows[0]!.pris;
}

export async function unlockSync(client: Client): Promise<void> {
  await client.query("SELECT pg_advisory_unlock(hashtextextended('atelier:sync', 0))");
}

/** Puts what the ERP gave beside the stored orders, in a table that this transaction alone sees and that goes with it. */
export async function stageCommandes(
  client: Client,
  commandes: readonly CommandeVoletRoulant[],
): Promise<void> {
  await client.query(
    `CREATE TEMPORARY TABLE commande_arrivee (
       numero_commande text NOT NULL, extension text NOT NULL, status text NOT NULL, date_modification date NOT NULL,
       coffre text NOT NULL, coffres text[] NOT NULL, gestion_en_stock smallint NOT NULL) ON COMMIT DROP`,
  );
  await copyRows(client, 'commande_arrivee', COLUMNS, async (write) => {
    for (const c of commandes) {
      await write([
        c.numero_commande,
        c.extension,
        c.status,
        c.date_modification,
        c.coffre,
        c.coffres,
        c.gestion_en_stock,
      ]);
    }
  });
}

/** Number of orders copied from the ERP that are stored now. */
export async function countCommandesErp(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ nombre: number }>(
    "SELECT count(*) AS nombre FROM commandes_volets_roulants WHERE origine = 'erp'",
  );
  return rows[0]!.nombre;
}

export interface ChangementCommande {
  readonly numero_commande: string;
  readonly extension: string;
  readonly motif: 'ajoutee' | 'modifiee' | 'retiree' | 'remplace_manuel';
  readonly ancien_status: string | null;
  readonly nouveau_status: string | null;
}

/** Counts of a merge; those entered by hand that the ERP does not know are in none of them. */
export interface BilanCommandes {
  readonly ajoutees: number;
  readonly modifiees: number;
  readonly retirees: number;
  readonly inchangees: number;
  /** orders entered by hand whose place the ERP's took (also counted in `modifiees`) */
  readonly remplacees: number;
  /** the first changes, by kind and number */
  readonly exemples: readonly ChangementCommande[];
}

/**
 * Makes the stored orders those staged, by key: rows that are the same are not touched, changed ones keep id and
 * date of creation, those entered by hand stay. Readers see the old set until the transaction commits.
 *
 * @param options `examples`: how many changes to return; `apply: false` only compares, and locks nothing
 */
export async function mergeCommandes(
  client: Client,
  options: {
    readonly executionId: number | undefined;
    readonly examples: number;
    readonly apply: boolean;
  },
): Promise<BilanCommandes> {
  if (options.apply) await lockTable(client);
  await client.query(
    `CREATE TEMPORARY TABLE commande_changement ON COMMIT DROP AS
     SELECT c.id AS commande_id, coalesce(a.numero_commande, c.numero_commande) AS numero_commande,
            coalesce(a.extension, c.extension) AS extension,
            CASE WHEN c.id IS NULL THEN 'ajoutee' WHEN a.numero_commande IS NULL THEN 'retiree'
                 WHEN c.origine = 'manuel' THEN 'remplace_manuel' ELSE 'modifiee' END AS motif,
            c.status AS ancien_status, a.status AS nouveau_status
       FROM commande_arrivee a
       FULL JOIN commandes_volets_roulants c ON c.numero_commande = a.numero_commande AND c.extension = a.extension
      WHERE c.id IS NULL
         OR (a.numero_commande IS NULL AND c.origine = 'erp')
         OR (a.numero_commande IS NOT NULL AND (c.origine = 'manuel'
             OR (c.status, c.date_modification, c.coffre, c.coffres, c.gestion_en_stock)
                IS DISTINCT FROM (a.status, a.date_modification, a.coffre, a.coffres, a.gestion_en_stock)))`,
  );
  if (options.apply) {
    await applyChanges(client, options.executionId);
  }
  return await summarise(client, options.examples);
}

/** Against writers only: an order that the API adds now must not slip between comparison and insertion. */
async function lockTable(client: Client): Promise<void> {
  await client.query(`SET LOCAL lock_timeout = ${LOCK_TIMEOUT}`);
  await client.query('LOCK TABLE commandes_volets_roulants IN SHARE ROW EXCLUSIVE MODE');
}

async function applyChanges(client: Client, executionId: number | undefined): Promise<void> {
  await client.query(
    `DELETE FROM commandes_volets_roulants c USING commande_changement g
      WHERE g.motif = 'retiree' AND c.id = g.commande_id`,
  );
  await client.query(
    `UPDATE commandes_volets_roulants c
        SET (${CONTENT}, origine, date_synchronisation) =
            (a.status, a.date_modification, a.coffre, a.coffres, a.gestion_en_stock, 'erp', now())
       FROM commande_changement g JOIN commande_arrivee a USING (numero_commande, extension)
      WHERE g.motif IN ('modifiee', 'remplace_manuel') AND c.id = g.commande_id`,
  );
  await client.query(
    `INSERT INTO commande_historique (execution_id, commande_id, numero_commande, extension, motif, ancien_status, nouveau_status)
     SELECT $1::bigint, commande_id, numero_commande, extension, motif, ancien_status, nouveau_status
       FROM commande_changement WHERE motif <> 'ajoutee'`,
    [executionId ?? null],
  );
  // The ids of added orders are known only once they are there.
  await client.query(
    `WITH ajoutees AS (
       INSERT INTO commandes_volets_roulants (numero_commande, extension, ${CONTENT}, origine, date_synchronisation)
       SELECT a.numero_commande, a.extension, ${CONTENT}, 'erp', now()
         FROM commande_changement g JOIN commande_arrivee a USING (numero_commande, extension)
        WHERE g.motif = 'ajoutee'
       RETURNING id, numero_commande, extension, status)
     INSERT INTO commande_historique (execution_id, commande_id, numero_commande, extension, motif, nouveau_status)
     SELECT $1::bigint, id, numero_commande, extension, 'ajoutee', status FROM ajoutees`,
    [executionId ?? null],
  );
}

async function summarise(client: Client, examples: number): Promise<BilanCommandes> {
  const counts = await client.query<Omit<BilanCommandes, 'exemples'>>(
    `SELECT count(*) FILTER (WHERE motif = 'ajoutee') AS ajoutees,
            count(*) FILTER (WHERE motif IN ('modifiee', 'remplace_manuel')) AS modifiees,
            count(*) FILTER (WHERE motif = 'retiree') AS retirees,
            count(*) FILTER (WHERE motif = 'remplace_manuel') AS remplacees,
            (SELECT count(*) FROM commande_arrivee) - count(*) FILTER (WHERE motif <> 'retiree') AS inchangees
       FROM commande_changement`,
  );
  const { rows } = await client.query<ChangementCommande>(
    `SELECT numero_commande, extension, motif, ancien_status, nouveau_status FROM commande_changement
      ORDER BY motif DESC, numero_commande, extension LIMIT $1`,
    [examples],
  );
  return { ...counts.rows[0]!, exemples: rows };
}

export interface CommandeListee extends CommandeVoletRoulant {
  readonly id: number;
  readonly origine: string;
}

/** Stored orders, latest first. */
export async function listCommandes(
  db: Queryable,
  filtre: { readonly status?: string | undefined; readonly limite: number },
): Promise<CommandeListee[]> {
  const { rows } = await db.query<CommandeListee>(
    `SELECT id, numero_commande, extension, status, date_modification, coffre, coffres, gestion_en_stock, origine
       FROM commandes_volets_roulants WHERE $1::text IS NULL OR status = $1
      ORDER BY date_modification DESC, id DESC LIMIT $2`,
    [filtre.status ?? null, filtre.limite],
  );
  return rows;
}

/** When a synchronisation last succeeded (seconds since the epoch), null: never. */
export async function lastSync(db: Queryable): Promise<number | null> {
  const { rows } = await db.query<{ fin: number | null }>(
    "SELECT extract(epoch FROM max(fin))::float8 AS fin FROM execution WHERE tache = 'sync' AND etat = 'reussie'",
  );
  return rows[0]!.fin;
}
