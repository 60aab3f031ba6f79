/** What alerts are made of: a few figures of each centre and each task. Instants are seconds since the epoch. */
import type { FaitsCentre, FaitsTache } from '../domain/alertes/evaluer.ts';
import type { Queryable } from './pool.ts';

/**
 * Centres in use. Their recent files are those read within a day before the last one that was read: a weekend does not make a
 * bad day good. What was seen and could not be read is no sign of life.
 */
export async function faitsDesCentres(db: Queryable): Promise<FaitsCentre[]> {
  const { rows } = await db.query<FaitsCentre>(
    `WITH f AS (
       SELECT k.centre_usinage_id, max(k.derniere_lecture) AS reception
         FROM fichier_log k WHERE k.version_id IS NOT NULL GROUP BY 1),
     v AS (
       SELECT w.centre_usinage_id, max(w.dernier_instant) AS ligne FROM fichier_log_version w WHERE w.active GROUP BY 1),
     r AS (
       SELECT w.centre_usinage_id, sum(w.lignes) AS lignes, sum(w.lignes_rejetees) AS rejetees
         FROM fichier_log_version w
        WHERE w.active AND w.id IN (SELECT k.version_id FROM fichier_log k JOIN f USING (centre_usinage_id)
                                     WHERE k.derniere_lecture > f.reception - interval '24 hours')
        GROUP BY 1)
     SELECT c.nom, extract(epoch FROM v.ligne)::float8 AS "derniereLigne",
            extract(epoch FROM f.reception)::float8 AS "derniereReception",
            coalesce(r.lignes, 0)::bigint AS lignes, coalesce(r.rejetees, 0)::bigint AS rejetees
       FROM centre_usinage c
       LEFT JOIN f ON f.centre_usinage_id = c.id
       LEFT JOIN v ON v.centre_usinage_id = c.id
       LEFT JOIN r ON r.centre_usinage_id = c.id
      WHERE c.actif
      ORDER BY c.nom`,
  );
  return rows;
}

const FINIE = (alias: string): string => `${alias}.etat IN ('reussie', 'partielle', 'echouee')`;

/**
 * Tasks that have run. Runs that did nothing because another one was under way tell nothing. Each figure is at one end of an
 * index: this is asked twice a minute by every worker.
 */
export async function faitsDesTaches(db: Queryable): Promise<Omit<FaitsTache, 'attendue'>[]> {
  const { rows } = await db.query<Omit<FaitsTache, 'attendue'>>(
    `WITH RECURSIVE t (tache) AS (
       (SELECT tache FROM execution ORDER BY tache LIMIT 1)
       UNION ALL
       SELECT (SELECT e.tache FROM execution e WHERE e.tache > t.tache ORDER BY e.tache LIMIT 1)
         FROM t WHERE t.tache IS NOT NULL)
     SELECT t.tache, d.etat, d.erreur, d.abandonnee AND d.etat = 'echouee' AS abandonnee,
            CASE WHEN d.etat <> 'reussie' THEN
              (SELECT extract(epoch FROM min(coalesce(e.fin, e.debut)))::float8 FROM execution e
                WHERE e.tache = t.tache AND e.etat = d.etat
                  AND e.id > coalesce((SELECT a.id FROM execution a
                                        WHERE a.tache = t.tache AND a.etat <> d.etat AND ${FINIE('a')}
                                        ORDER BY a.id DESC LIMIT 1), 0)) END AS depuis,
            (SELECT extract(epoch FROM coalesce(e.fin, e.debut))::float8 FROM execution e
              WHERE e.tache = t.tache AND e.etat IN ('reussie', 'partielle')
              ORDER BY e.id DESC LIMIT 1) AS "dernierSucces",
            (SELECT extract(epoch FROM e.debut)::float8 FROM execution e
              WHERE e.tache = t.tache AND ${FINIE('e')} ORDER BY e.id LIMIT 1) AS "premierPassage"
       FROM t CROSS JOIN LATERAL (
         SELECT e.etat, e.erreur, coalesce(e.tentative >= e.tentatives_max, false) AS abandonnee
           FROM execution e WHERE e.tache = t.tache AND ${FINIE('e')} ORDER BY e.id DESC LIMIT 1) d
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
            EXISTS (SELECT FROM execution e
                     WHERE e.tache = p.tache AND e.etat <> 'en_attente' AND e.debut >= p.derniere_echeance)
              OR EXISTS (SELECT FROM execution e
                          WHERE e.tache = p.tache AND e.etat <> 'en_attente' AND e.echeance = p.derniere_echeance) AS passee
       FROM planification p ORDER BY p.tache`,
  );
  return rows;
}
