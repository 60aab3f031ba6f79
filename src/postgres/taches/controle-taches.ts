import { derniereExecution, FINIES, TACHES_CONNUES } from '../alertes/faits.ts';
import type { Queryable } from '../pool.ts';

/** What the database tells of the workers and of what they should have done. */
export interface EtatWorkers {
  /** connections of workers that are there now */
  readonly presents: number;
  /** whether a worker has ever planned anything here */
  readonly planifie: boolean;
  /** tasks whose time came more than ten minutes ago and that nobody put into the queue */
  readonly enRetard: readonly string[];
  /** tasks whose last run failed, with its error */
  readonly echouees: readonly { readonly tache: string; readonly erreur: string | null }[];
  /** jobs that were given up */
  readonly abandons: number;
}

/** Looks; takes no lock. */
export async function etatWorkers(db: Queryable): Promise<EtatWorkers> {
  const { rows: present } = await db.query<{ nombre: number }>(
    `SELECT count(*) AS nombre FROM pg_stat_activity
      WHERE datname = current_database() AND application_name = 'atelier-file'`,
  );
  const { rows: planned } = await db.query<{ tache: string; retard: boolean }>(
    `SELECT tache, prochaine_echeance < now() - interval '10 minutes' AS retard FROM planification ORDER BY tache`,
  );
  const { rows: failed } = await db.query<{ tache: string; erreur: string | null }>(
    `${TACHES_CONNUES}
     SELECT t.tache, d.erreur FROM t CROSS JOIN LATERAL ${derniereExecution(FINIES)} d
      WHERE d.etat = 'echouee' ORDER BY t.tache`,
  );
  const { rows: given } = await db.query<{ nombre: number }>(
    `SELECT count(*) AS nombre FROM pgboss.job WHERE name = 'abandons' AND state < 'completed'`,
  );
  return {
    presents: present[0]!.nombre,
    planifie: planned.length > 0,
    enRetard: planned.filter(({ retard }) => retard).map(({ tache }) => tache),
    echouees: failed,
    abandons: given[0]!.nombre,
  };
}
