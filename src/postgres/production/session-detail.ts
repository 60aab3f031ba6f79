import type { SessionListee } from '../listes.ts';
import type { Queryable } from '../pool.ts';

/** A period with its lineage; instants in seconds since the epoch (fractions for waits that end at a stamp). */
export interface PeriodeLue {
  readonly timestamp_debut: number;
  readonly timestamp_fin: number;
  /** seconds, decimal text */
  readonly duree_secondes: string;
  readonly sha256: string | null;
  readonly ligne: number | null;
  /** of a stop: where its `MachineStart` stands */
  readonly ligne_fin: number | null;
}

export interface ProfilLu {
  readonly numero: number;
  readonly reference: string;
  readonly longueur: string;
  readonly couleur: string | null;
  readonly timestamp_debut: number;
  readonly pieces: number;
  readonly ligne: number | null;
}

/** A version that rows of a session come from. */
export interface SourceLue {
  readonly sha256: string;
  readonly chemins: string[];
  readonly lignes: number;
}

export interface SessionDetail {
  readonly session: SessionListee & {
    readonly heure_premier_machine_start: number | null;
    readonly heure_dernier_machine_stop: number | null;
    /** when the purge took pieces and periods away; the figures stay as they were */
    readonly details_purges_le: number | null;
  };
  readonly attentes: readonly PeriodeLue[];
  readonly arrets: readonly PeriodeLue[];
  readonly profils: readonly ProfilLu[];
  readonly sources: readonly SourceLue[];
}

/** Finds a session by id (`12`) or by centre and day (`DEM12/2025-05-28`); returns its id. */
export async function findSession(db: Queryable, key: string): Promise<number | undefined> {
  const byDay = /^(.+)\/(\d{4}-\d\d-\d\d)$/.exec(key);
  if (!byDay && !/^\d{1,15}$/.test(key)) return undefined;
  const { rows } = byDay
    ? await db.query<{ id: number }>(
        `SELECT s.id FROM session_production s JOIN centre_usinage c ON c.id = s.centre_usinage_id
          WHERE c.nom = $1 AND s.date_production = $2 ORDER BY s.origine LIMIT 1`,
        [byDay[1], byDay[2]],
      )
    : await db.query<{ id: number }>('SELECT id FROM session_production WHERE id = $1', [key]);
  return rows[0]?.id;
}

/** A session with its periods, profiles and the versions they come from. */
export async function loadSessionDetail(db: Queryable, id: number): Promise<SessionDetail> {
  const session = await db.query(
    `SELECT s.id, c.nom AS centre, s.date_production, s.total_pieces, s.fichier_log_source,
            extract(epoch FROM s.heure_premiere_piece)::float8 AS heure_premiere_piece,
            extract(epoch FROM s.heure_derniere_piece)::float8 AS heure_derniere_piece,
            extract(epoch FROM s.heure_premier_machine_start)::float8 AS heure_premier_machine_start,
            extract(epoch FROM s.heure_dernier_machine_stop)::float8 AS heure_dernier_machine_stop,
            s.duree_production_totale, s.temps_attente, s.temps_arret_volontaire, s.temps_production_effectif,
            s.taux_occupation, s.taux_attente, s.taux_arret_volontaire,
            (SELECT extract(epoch FROM g.details_purges_le)::float8 FROM jour_gele g
              WHERE g.centre_usinage_id = s.centre_usinage_id AND g.jour = s.date_production) AS details_purges_le
       FROM session_production s JOIN centre_usinage c ON c.id = s.centre_usinage_id WHERE s.id = $1`,
    [id],
  );
  const period = (table: string, end: string): Promise<{ rows: PeriodeLue[] }> =>
    db.query<PeriodeLue>(
      `SELECT extract(epoch FROM p.timestamp_debut)::float8 AS timestamp_debut,
              extract(epoch FROM p.timestamp_fin)::float8 AS timestamp_fin, p.duree_secondes,
              encode(v.sha256, 'hex') AS sha256, p.ligne, ${end} AS ligne_fin
         FROM ${table} p LEFT JOIN fichier_log_version v ON v.id = p.fichier_log_version_id
        WHERE p.session_id = $1 ORDER BY p.numero`,
      [id],
    );
  const attentes = await period('periode_attente', 'NULL::bigint');
  const arrets = await period('periode_arret', 'p.ligne_fin');
  const profils = await db.query<ProfilLu>(
    `SELECT j.numero, j.reference, j.longueur, j.couleur, j.ligne,
            extract(epoch FROM j.timestamp_debut)::float8 AS timestamp_debut,
            (SELECT count(*) FROM piece_production p WHERE p.job_profil_id = j.id) AS pieces
       FROM job_profil j WHERE j.session_id = $1 ORDER BY j.numero`,
    [id],
  );
  const sources = await db.query<SourceLue>(
    `SELECT encode(v.sha256, 'hex') AS sha256, l.lignes,
            ARRAY(SELECT f.chemin FROM fichier_log_contenu k JOIN fichier_log f ON f.id = k.fichier_log_id
                   WHERE k.version_id = v.id ORDER BY f.chemin) AS chemins
       FROM (SELECT version, count(*) AS lignes FROM (
               SELECT fichier_log_version_id AS version FROM piece_production WHERE session_id = $1
               UNION ALL SELECT fichier_log_version_id FROM job_profil WHERE session_id = $1
               UNION ALL SELECT fichier_log_version_id FROM periode_attente WHERE session_id = $1
               UNION ALL SELECT fichier_log_version_id FROM periode_arret WHERE session_id = $1) u
             GROUP BY version) l
       JOIN fichier_log_version v ON v.id = l.version ORDER BY l.lignes DESC`,
    [id],
  );
  return {
    session: session.rows[0],
    attentes: attentes.rows,
    arrets: arrets.rows,
    profils: profils.rows,
    sources: sources.rows,
  };
}
