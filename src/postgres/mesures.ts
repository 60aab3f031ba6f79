import { codeOf } from '../base/errors.ts';
import { derniereExecution } from './alertes/faits.ts';
import type { Queryable } from './pool.ts';

/** What the database says of the installation at one moment; instants in seconds since the epoch. */
export interface Mesures {
  readonly centres: readonly MesuresCentre[];
  readonly taches: readonly MesuresTache[];
  /** orders that came from the ERP */
  readonly commandes: number;
  readonly file: readonly { readonly file: string; readonly etat: string; readonly nombre: number }[];
  /** alerts that are open, by rule */
  readonly alertes: readonly { readonly regle: string; readonly nombre: number }[];
}

export interface MesuresCentre {
  readonly nom: string;
  /** quarantined lines */
  readonly rejets: number;
  /** production days that wait for their figures */
  readonly jours: number;
  /** instant of its last line; never in the future, whatever a machine's clock says; null when it has none */
  readonly derniere_ligne: number | null;
}

export interface MesuresTache {
  readonly tache: string;
  readonly derniere_reussite: number | null;
  readonly dernier_echec: number | null;
}

/**
 * Every part is carried by an index, none looks at a table of details: it is asked every few seconds, of a database
 * that may have hundreds of millions of pieces (`test/integration/metriques-plans.test.ts` reads the plans).
 *
 * Quarantine is not counted line by line: each version knows how many of its lines were rejected and how many of those
 * were purged since, and the index has only versions that have some left.
 */
const CENTRES = `
  SELECT c.nom,
         (SELECT coalesce(sum(v.lignes_rejetees - v.rejets_purges), 0)::bigint FROM fichier_log_version v
           WHERE v.centre_usinage_id = c.id AND v.lignes_rejetees > v.rejets_purges) AS rejets,
         (SELECT count(*) FROM jour_a_recalculer j WHERE j.centre_usinage_id = c.id) AS jours,
         (SELECT extract(epoch FROM max(LEAST(v.dernier_instant, (d.jour + 2)::timestamptz, now())))::float8
            FROM fichier_log_jour d JOIN fichier_log_version v ON v.id = d.version_id
           WHERE d.centre_usinage_id = c.id
             AND d.jour = (SELECT max(jour) FROM fichier_log_jour
                            WHERE centre_usinage_id = c.id AND jour <= current_date + 1)) AS derniere_ligne
    FROM centre_usinage c WHERE c.actif ORDER BY c.id`;

const TACHES = `
  SELECT t.tache,
         (SELECT extract(epoch FROM e.fin)::float8 FROM ${derniereExecution("'reussie', 'partielle'")} e) AS derniere_reussite,
         (SELECT extract(epoch FROM e.fin)::float8 FROM ${derniereExecution("'echouee'")} e) AS dernier_echec
    FROM unnest(ARRAY['ingest', 'sync', 'purge', 'sauvegarde']) t (tache)`;

const COMMANDES = `SELECT count(*) AS nombre FROM commandes_volets_roulants WHERE origine = 'erp'`;

const FILE = `
  SELECT name AS file, state::text AS etat, count(*) AS nombre
    FROM pgboss.job WHERE state < 'completed' GROUP BY 1, 2 ORDER BY 1, 2`;

const ALERTES = `SELECT regle, count(*) AS nombre FROM alerte WHERE etat = 'ouverte' GROUP BY 1 ORDER BY 1`;

/** Reads all measures. @throws what the driver throws */
export async function mesurer(db: Queryable): Promise<Mesures> {
  const centres = await db.query<MesuresCentre>(CENTRES);
  const taches = await db.query<MesuresTache>(TACHES);
  const commandes = await db.query<{ nombre: number }>(COMMANDES);
  return {
    centres: centres.rows,
    taches: taches.rows,
    commandes: commandes.rows[0]!.nombre,
    file: await ifAllowed(db.query<Mesures['file'][number]>(FILE)),
    alertes: await ifAllowed(db.query<Mesures['alertes'][number]>(ALERTES)),
  };
}

/** Rows, or none when the account of this process may not read them: an API may have fewer rights than a worker. */
async function ifAllowed<T>(query: Promise<{ rows: T[] }>): Promise<T[]> {
  try {
    return (await query).rows;
  } catch (error) {
    if (codeOf(error) === '42501') return [];
    throw error;
  }
}

/** Statements of {@link mesurer}, for the test that reads their plans. */
export const REQUETES: readonly string[] = [CENTRES, TACHES, COMMANDES, FILE, ALERTES];
