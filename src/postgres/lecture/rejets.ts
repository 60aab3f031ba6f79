import type { Queryable } from '../pool.ts';
import { colonnesSql } from './table-lue.ts';
import { REJETS } from './tables-fichiers.ts';

/** One line in quarantine as JSON text; undefined when there is none, or its version counts no more. */
export async function lireRejet(
  db: Queryable,
  versionId: string,
  ligne: string,
): Promise<string | undefined> {
  const { rows } = await db.query<{ json: string }>({
    name: 'lecture_rejet',
    text: `SELECT row_to_json(p)::text AS json FROM (
             SELECT ${colonnesSql(REJETS)} FROM ${REJETS.from}
              WHERE t.version_id = $1::bigint AND t.ligne = $2::bigint) p`,
    values: [versionId, ligne],
  });
  return rows[0]?.json;
}

/**
 * How many lines of each centre are in quarantine for which reason, as JSON text. Counted by version first, which an
 * index alone answers, then added up by centre.
 */
export async function compterRejets(
  db: Queryable,
  filtre: { readonly centreId: number | undefined; readonly typeCu: string | undefined },
): Promise<string> {
  const { rows } = await db.query<{ json: string }>({
    name: 'lecture_rejets_par_raison',
    text: `SELECT coalesce(json_agg(p), '[]')::text AS json FROM (
             SELECT v.centre_usinage_id, r.raison, sum(r.nombre)::bigint AS nombre
               FROM (SELECT version_id, raison, count(*) AS nombre FROM ligne_rejetee GROUP BY raison, version_id) r
               JOIN fichier_log_version v ON v.id = r.version_id AND v.active
               JOIN centre_usinage c ON c.id = v.centre_usinage_id
              WHERE ($1::bigint IS NULL OR c.id = $1) AND ($2::text IS NULL OR c.type_cu = $2)
              GROUP BY 1, 2 ORDER BY 1, 3 DESC, 2) p`,
    values: [filtre.centreId ?? null, filtre.typeCu ?? null],
  });
  return rows[0]!.json;
}
