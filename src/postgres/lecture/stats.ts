import type { Queryable } from '../pool.ts';

/** What statistics are made of; absent conditions do not restrict, dates are `YYYY-MM-DD`, both included. */
export interface FiltreDeStats {
  readonly date_debut?: string | undefined;
  readonly date_fin?: string | undefined;
  readonly origine?: 'log' | 'manuel' | undefined;
  readonly type_cu?: string | undefined;
}

const SESSIONS = `session_production s ON s.centre_usinage_id = c.id
        AND ($1::date IS NULL OR s.date_production >= $1) AND ($2::date IS NULL OR s.date_production <= $2)
        AND ($3::text IS NULL OR s.origine = $3)`;

/**
 * Per centre: times are added up, then divided; rates are never averaged. What has no denominator is NULL. A day has at
 * most one session of each origin, so sessions beyond the days are days that have both.
 */
const SOMMES = `c.id AS centre_usinage_id, c.nom, c.type_cu, count(s.id) AS nombre_sessions,
            count(s.id) - count(DISTINCT s.date_production) AS jours_avec_deux_origines,
            coalesce(sum(s.total_pieces), 0) AS total_pieces,
            trim_scale(coalesce(sum(s.duree_production_totale), 0)) AS duree_production_totale,
            trim_scale(coalesce(sum(s.temps_production_effectif), 0)) AS temps_production_effectif,
            trim_scale(coalesce(sum(s.temps_attente), 0)) AS temps_attente,
            trim_scale(coalesce(sum(s.temps_arret_volontaire), 0)) AS temps_arret_volontaire,
            trim_scale(round(100 * sum(s.temps_production_effectif) / nullif(sum(s.duree_production_totale), 0), 2))
              AS taux_occupation_moyen`;

/** Figures of every centre, also of those without a session, as a JSON array. */
export async function resumerProduction(db: Queryable, filtre: FiltreDeStats): Promise<string> {
  const { rows } = await db.query<{ json: string }>({
    name: 'lecture_stats',
    text: `SELECT coalesce(json_agg(p), '[]')::text AS json FROM (
             SELECT ${SOMMES} FROM centre_usinage c LEFT JOIN ${SESSIONS}
              WHERE $4::text IS NULL OR c.type_cu = $4 GROUP BY c.id ORDER BY c.id) p`,
    values: [...valeurs(filtre), filtre.type_cu ?? null],
  });
  return rows[0]!.json;
}

/** Figures of one centre and its sessions by day, as a JSON object; undefined when there is no such centre. */
export async function resumerCentre(
  db: Queryable,
  centreId: number,
  filtre: FiltreDeStats,
): Promise<string | undefined> {
  const { rows } = await db.query<{ json: string }>({
    name: 'lecture_stats_centre',
    text: `SELECT row_to_json(p)::text AS json FROM (
             SELECT ${SOMMES},
                    coalesce(json_agg(json_build_object(
                      'date_production', s.date_production, 'origine', s.origine, 'session_id', s.id,
                      'total_pieces', s.total_pieces, 'duree_production_totale', trim_scale(s.duree_production_totale),
                      'temps_production_effectif', trim_scale(s.temps_production_effectif),
                      'temps_attente', trim_scale(s.temps_attente),
                      'temps_arret_volontaire', trim_scale(s.temps_arret_volontaire),
                      'taux_occupation', CASE WHEN s.duree_production_totale > 0 OR s.taux_occupation > 0
                                              THEN trim_scale(s.taux_occupation) END)
                      ORDER BY s.date_production, s.origine) FILTER (WHERE s.id IS NOT NULL), '[]') AS par_jour
               FROM centre_usinage c LEFT JOIN ${SESSIONS}
              WHERE c.id = $4::bigint GROUP BY c.id) p`,
    values: [...valeurs(filtre), centreId],
  });
  return rows[0]?.json;
}

function valeurs({ date_debut, date_fin, origine }: FiltreDeStats): (string | null)[] {
  return [date_debut ?? null, date_fin ?? null, origine ?? null];
}
