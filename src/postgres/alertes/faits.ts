/** What alerts are made of: a few figures of each centre and each task. Instants are seconds since the epoch. */
import type { FaitsCentre, FaitsTache } from '../../domain/alertes/evaluer.ts';
import type { Queryable } from '../pool.ts';

/** Files of a centre that tell how good its lines are: the last ones, of a day at most, and so many at most. */
const RECENTS = 100;

/**
 * Centres in use. What is received is bytes that were not known: a file that is read or sent once more is no sign of life.
 * Recent files are those received within a day before the last one: a weekend does not make a bad day good. The last line
 * is one of them, or of the last day that any file tells of. All this is asked twice a minute by every worker: each figure
 * is at one end of an index, whatever the number of files (`test/integration/metriques-plans.test.ts`).
 */
export async function faitsDesCentres(db: Queryable): Promise<FaitsCentre[]> {
  const { rows } = await db.query<FaitsCentre>(
    `SELECT c.nom, extract(epoch FROM greatest(d.ligne, r.ligne))::float8 AS "derniereLigne",
            extract(epoch FROM f.reception)::float8 AS "derniereReception",
            extract(epoch FROM f.dernier)::float8 AS "dernierRecu",
            coalesce(r.lignes, 0)::bigint AS lignes, coalesce(r.rejetees, 0)::bigint AS rejetees
       FROM centre_usinage c
       LEFT JOIN LATERAL (
         SELECT w.derniere_reception AS reception, w.dernier_instant AS dernier FROM fichier_log_version w
          WHERE w.centre_usinage_id = c.id ORDER BY w.derniere_reception DESC, w.id DESC LIMIT 1) f ON true
      CROSS JOIN LATERAL (
         SELECT max(w.dernier_instant) AS ligne FROM fichier_log_jour j JOIN fichier_log_version w ON w.id = j.version_id
          WHERE j.centre_usinage_id = c.id AND w.active
            AND j.jour = (SELECT max(k.jour) FROM fichier_log_jour k WHERE k.centre_usinage_id = c.id)) d
      CROSS JOIN LATERAL (
         SELECT max(x.dernier_instant) AS ligne, sum(x.lignes) AS lignes, sum(x.lignes_rejetees) AS rejetees
           FROM (SELECT w.* FROM fichier_log_version w
                  WHERE w.centre_usinage_id = c.id AND w.active
                    AND w.derniere_reception > f.reception - interval '24 hours'
                  ORDER BY w.derniere_reception DESC, w.id DESC LIMIT ${RECENTS}) x) r
      WHERE c.actif
      ORDER BY c.nom`,
  );
  return rows;
}

/** Ways in which a run that did something comes to its end, as SQL. */
export const FINIES = "'reussie', 'partielle', 'echouee'";

/**
 * SQL of the last run (or the first one) of task `t.tache` that ended in one of some ways: a row of `execution`, or none. By
 * one look into an index for each way, as a task that never fails, or always does, has no such run in all its history: rows
 * are compared as a whole so that no other index will do, however common PostgreSQL thinks that this way is.
 *
 * @param etats SQL literals, separated by commas
 */
export function derniereExecution(etats: string, ordre: 'ASC' | 'DESC' = 'DESC', condition = 'true'): string {
  const borne = ordre === 'DESC' ? ['<=', '9223372036854775807'] : ['>=', '0'];
  return `(SELECT x.* FROM unnest(ARRAY[${etats}]) s (etat)
             CROSS JOIN LATERAL (SELECT * FROM execution y
                                  WHERE (y.tache, y.etat, y.id) ${borne[0]} (t.tache, s.etat, ${borne[1]}::bigint)
                                  ORDER BY y.tache ${ordre}, y.etat ${ordre}, y.id ${ordre} LIMIT 1) x
            WHERE x.tache = t.tache AND x.etat = s.etat AND ${condition} ORDER BY x.id ${ordre} LIMIT 1)`;
}

/** SQL of all tasks that have ever run, as `t (tache)`: one look into an index for each. */
export const TACHES_CONNUES = `
  WITH RECURSIVE t (tache) AS (
    (SELECT tache FROM execution ORDER BY tache LIMIT 1)
    UNION ALL
    SELECT (SELECT e.tache FROM execution e WHERE e.tache > t.tache ORDER BY e.tache LIMIT 1)
      FROM t WHERE t.tache IS NOT NULL)`;

/**
 * Tasks that have run. Runs that did nothing because another one was under way tell nothing. Each figure is at one end of an
 * index: this is asked twice a minute by every worker.
 */
export async function faitsDesTaches(db: Queryable): Promise<Omit<FaitsTache, 'attendue'>[]> {
  const { rows } = await db.query<Omit<FaitsTache, 'attendue'>>(
    `${TACHES_CONNUES}
     SELECT t.tache, d.etat, d.erreur,
            d.etat = 'echouee' AND coalesce(d.tentative >= d.tentatives_max, false) AS abandonnee,
            CASE WHEN d.etat <> 'reussie' THEN
              (SELECT extract(epoch FROM coalesce(e.fin, e.debut))::float8 FROM execution e
                WHERE (e.tache, e.etat, e.id) > (t.tache, d.etat, coalesce(
                  (SELECT a.id FROM ${derniereExecution(FINIES, 'DESC', 's.etat <> d.etat')} a), 0))
                ORDER BY e.tache, e.etat, e.id LIMIT 1) END AS depuis,
            (SELECT extract(epoch FROM coalesce(e.fin, e.debut))::float8
               FROM ${derniereExecution("'reussie', 'partielle'")} e) AS "dernierSucces",
            (SELECT extract(epoch FROM e.debut)::float8 FROM ${derniereExecution(FINIES, 'ASC')} e) AS "premierPassage"
       FROM t CROSS JOIN LATERAL ${derniereExecution(FINIES)} d
      ORDER BY t.tache`,
  );
  return rows;
}

/** When a planned task was due, and is; as the planner has noted it. */
export interface EcheanceNotee {
  readonly tache: string;
  readonly horaire: string;
  readonly fuseau: string;
  /** milliseconds since the epoch */
  readonly derniere: number;
  readonly prochaine: number;
  /** whether a run has begun since the last one */
  readonly passee: boolean;
}

export async function echeances(db: Queryable): Promise<EcheanceNotee[]> {
  const { rows } = await db.query<EcheanceNotee>(
    `SELECT p.tache, p.horaire, p.fuseau,
            (extract(epoch FROM p.derniere_echeance) * 1000)::float8 AS derniere,
            (extract(epoch FROM p.prochaine_echeance) * 1000)::float8 AS prochaine,
            coalesce((SELECT e.debut FROM execution e WHERE e.tache = p.tache AND e.etat <> 'en_attente'
                       ORDER BY e.debut DESC LIMIT 1) >= p.derniere_echeance, false)
              OR EXISTS (SELECT FROM execution e
                          WHERE e.tache = p.tache AND e.echeance = p.derniere_echeance AND e.etat <> 'en_attente') AS passee
       FROM planification p ORDER BY p.tache`,
  );
  return rows;
}
