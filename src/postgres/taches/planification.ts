import type { NomTache } from '../../base/config/planification.ts';
import type { Client, Queryable } from '../pool.ts';

/** Where the schedule of a task stands. Instants are milliseconds since the epoch. */
export interface Planification {
  readonly tache: NomTache;
  readonly horaire: string;
  readonly fuseau: string;
  readonly derniereEcheance: number;
  readonly prochaineEcheance: number;
  readonly echeancesManquees: number;
}

const COLUMNS = `tache, horaire, fuseau, echeances_manquees AS "echeancesManquees",
  (extract(epoch FROM derniere_echeance) * 1000)::bigint AS "derniereEcheance",
  (extract(epoch FROM prochaine_echeance) * 1000)::bigint AS "prochaineEcheance"`;

/** The clock that ticks are measured by: that of the database, the same for all workers (milliseconds). */
export async function horlogeBase(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ t: number }>(
    `SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS t`,
  );
  return rows[0]!.t;
}

export async function lirePlanifications(db: Queryable): Promise<Planification[]> {
  const { rows } = await db.query<Planification>(`SELECT ${COLUMNS} FROM planification ORDER BY tache`);
  return rows;
}

/**
 * The schedule of a task, locked until the transaction ends; undefined when it has none yet. Somebody who holds it for
 * long was stopped in the middle: the server ends his transaction.
 */
export async function verrouillerPlanification(
  client: Client,
  tache: NomTache,
): Promise<Planification | undefined> {
  await client.query(`SET LOCAL lock_timeout = '10s'; SET LOCAL idle_in_transaction_session_timeout = '10s'`);
  const { rows } = await client.query<Planification>(
    `SELECT ${COLUMNS} FROM planification WHERE tache = $1 FOR UPDATE`,
    [tache],
  );
  return rows[0];
}

/** Writes the schedule of a task; of two that make the first row at once one does. */
export async function ecrirePlanification(client: Client, p: Planification): Promise<void> {
  await client.query(
    `INSERT INTO planification AS p (tache, horaire, fuseau, derniere_echeance, prochaine_echeance, echeances_manquees)
     VALUES ($1, $2, $3, to_timestamp($4::double precision / 1000), to_timestamp($5::double precision / 1000), $6)
     ON CONFLICT (tache) DO UPDATE SET horaire = excluded.horaire, fuseau = excluded.fuseau,
       derniere_echeance = excluded.derniere_echeance, prochaine_echeance = excluded.prochaine_echeance,
       echeances_manquees = excluded.echeances_manquees, date_modification = now()
     WHERE excluded.derniere_echeance >= p.derniere_echeance`,
    [p.tache, p.horaire, p.fuseau, p.derniereEcheance, p.prochaineEcheance, p.echeancesManquees],
  );
}

/** Forgets the schedule of a task that is switched off. */
export async function oublierPlanification(db: Queryable, tache: NomTache): Promise<void> {
  await db.query('DELETE FROM planification WHERE tache = $1', [tache]);
}
