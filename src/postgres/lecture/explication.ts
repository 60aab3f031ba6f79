import type { Queryable } from '../pool.ts';
import { CHEMINS_DE_VERSION, type CheminDeVersion } from './fichiers.ts';

/** An instant that may have a fraction: seconds since the epoch, and microseconds (0 to 999,999). */
export interface InstantExact {
  readonly secondes: number;
  readonly micros: number;
}

export interface PeriodeExacte {
  readonly id: number;
  readonly debut: InstantExact;
  /** microseconds */
  readonly duree: number;
}

/** Figures of a session as they are stored, decimals as text. */
export interface ChiffresStockes {
  readonly total_pieces: number;
  readonly duree_production_totale: string;
  readonly temps_production_effectif: string;
  readonly temps_attente: string;
  readonly temps_arret_volontaire: string;
  readonly taux_occupation: string;
  readonly taux_attente: string;
  readonly taux_arret_volontaire: string;
}

/** A version that rows of a session come from. */
export interface SourceDeSession {
  readonly sha256: string;
  /** paths that hold it */
  readonly fichiers: readonly CheminDeVersion[];
  /** lines of it that the session's rows come from */
  readonly lignes: number;
}

export interface SessionAExpliquer extends ChiffresStockes {
  readonly id: number;
  readonly centre_usinage_id: number;
  readonly date_production: string;
  readonly origine: 'log' | 'manuel';
  readonly premiere: InstantExact | null;
  readonly derniere: InstantExact | null;
  /** when its pieces and periods were erased, their retention period being over (ISO 8601); null: they are there */
  readonly purgeeLe: string | null;
  /** rows in `piece_production` */
  readonly pieces: number;
  /** in the order of their number; at most `MAX_PERIODES` + 1 */
  readonly arrets: readonly PeriodeExacte[];
  readonly attentes: readonly PeriodeExacte[];
  /** most lines first */
  readonly sources: readonly SourceDeSession[];
}

const exact = (instant: string): string =>
  `json_build_object('secondes', floor(extract(epoch FROM ${instant}))::bigint,
                     'micros', extract(microseconds FROM ${instant})::bigint % 1000000)`;
/** More periods of a kind than any real day has: an answer with all of them would hold the process up. */
export const MAX_PERIODES = 10_000;
const periodes = (table: string): string =>
  `(SELECT coalesce(json_agg(json_build_object('id', d.id, 'debut', ${exact('d.timestamp_debut')},
              'duree', (extract(epoch FROM d.timestamp_fin - d.timestamp_debut) * 1000000)::bigint) ORDER BY d.numero), '[]')
      FROM (SELECT * FROM ${table} p WHERE p.session_id = s.id ORDER BY p.numero LIMIT ${MAX_PERIODES + 1}) d)`;
const lignes = (table: string, suffixe = ''): string =>
  `SELECT d.fichier_log_version${suffixe}_id AS version_id FROM ${table} d WHERE d.session_id = s.id`;

/** All that the figures of a session are made of, in one statement, hence of one moment; undefined without such a session. */
export async function lireSessionAExpliquer(
  db: Queryable,
  id: number,
): Promise<SessionAExpliquer | undefined> {
  const { rows } = await db.query<SessionAExpliquer>({
    name: 'lecture_explication',
    text: `SELECT s.id, s.centre_usinage_id, s.date_production, s.origine, s.total_pieces,
            s.duree_production_totale, s.temps_production_effectif, s.temps_attente, s.temps_arret_volontaire,
            s.taux_occupation, s.taux_attente, s.taux_arret_volontaire,
            (SELECT to_json(g.details_purges_le) #>> '{}' FROM jour_gele g
              WHERE g.centre_usinage_id = s.centre_usinage_id AND g.jour = s.date_production) AS "purgeeLe",
            CASE WHEN s.heure_premiere_piece IS NOT NULL THEN ${exact('s.heure_premiere_piece')} END AS premiere,
            CASE WHEN s.heure_derniere_piece IS NOT NULL THEN ${exact('s.heure_derniere_piece')} END AS derniere,
            (SELECT count(*) FROM piece_production d WHERE d.session_id = s.id) AS pieces,
            ${periodes('periode_arret')} AS arrets, ${periodes('periode_attente')} AS attentes,
            (SELECT coalesce(json_agg(json_build_object('sha256', encode(v.sha256, 'hex'), 'fichiers',
                      ${CHEMINS_DE_VERSION},
                      'lignes', l.lignes) ORDER BY l.lignes DESC, v.sha256), '[]')
               FROM (SELECT u.version_id, count(*) AS lignes FROM (
                       ${lignes('piece_production')} UNION ALL ${lignes('job_profil')}
                       UNION ALL ${lignes('periode_attente')} UNION ALL ${lignes('periode_arret')}
                       UNION ALL ${lignes('periode_arret', '_fin')}) u GROUP BY u.version_id) l
               JOIN fichier_log_version v ON v.id = l.version_id) AS sources
       FROM session_production s WHERE s.id = $1::bigint`,
    values: [id],
  });
  return rows[0];
}
