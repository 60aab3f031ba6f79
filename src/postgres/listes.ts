import type { Trous } from '../domain/journal/masques.ts';
import { trousEnJson } from './lecture/fichiers.ts';
import type { Queryable } from './pool.ts';

/** Conditions of a listing; absent ones do not restrict. Dates are `YYYY-MM-DD`, both ends included. */
export interface Filtre {
  readonly centre?: string | undefined;
  readonly du?: string | undefined;
  readonly au?: string | undefined;
  readonly raison?: string | undefined;
  readonly chemin?: string | undefined;
  readonly limite: number;
}

/** Instants are in seconds since the epoch, null when there is none. */
export interface SessionListee {
  readonly id: number;
  readonly centre: string;
  readonly date_production: string;
  readonly heure_premiere_piece: number | null;
  readonly heure_derniere_piece: number | null;
  readonly total_pieces: number;
  readonly duree_production_totale: string;
  readonly temps_attente: string;
  readonly temps_arret_volontaire: string;
  readonly temps_production_effectif: string;
  readonly taux_occupation: string;
  readonly taux_attente: string;
  readonly taux_arret_volontaire: string;
  readonly fichier_log_source: string | null;
}

/** Sessions, latest day first. */
export async function listSessions(db: Queryable, filtre: Filtre): Promise<SessionListee[]> {
  const { rows } = await db.query<SessionListee>(
    `SELECT s.id, c.nom AS centre, s.date_production,
            extract(epoch FROM s.heure_premiere_piece)::float8 AS heure_premiere_piece,
            extract(epoch FROM s.heure_derniere_piece)::float8 AS heure_derniere_piece,
            s.total_pieces, s.duree_production_totale, s.temps_attente, s.temps_arret_volontaire,
            s.temps_production_effectif, s.taux_occupation, s.taux_attente, s.taux_arret_volontaire,
            s.fichier_log_source
       FROM session_production s JOIN centre_usinage c ON c.id = s.centre_usinage_id
      WHERE ($1::text IS NULL OR c.nom = $1)
        AND ($2::date IS NULL OR s.date_production >= $2) AND ($3::date IS NULL OR s.date_production <= $3)
      ORDER BY s.date_production DESC, c.nom, s.id LIMIT $4`,
    [filtre.centre ?? null, filtre.du ?? null, filtre.au ?? null, filtre.limite],
  );
  return rows;
}

export interface RejetListe {
  readonly centre: string;
  readonly chemin: string;
  readonly sha256: string;
  readonly ligne: number;
  readonly octet: number;
  readonly raison: string;
  readonly texte: string;
}

/** Lines in quarantine, by file and line. */
export async function listRejets(db: Queryable, filtre: Filtre): Promise<RejetListe[]> {
  const { rows } = await db.query<RejetListe>(
    `SELECT c.nom AS centre, f.chemin, encode(v.sha256, 'hex') AS sha256, r.ligne, r.octet, r.raison, r.texte
       FROM ligne_rejetee r
       JOIN fichier_log_version v ON v.id = r.version_id AND v.active
       JOIN centre_usinage c ON c.id = r.centre_usinage_id
       JOIN LATERAL (SELECT min(f.chemin) AS chemin FROM fichier_log_contenu k
                       JOIN fichier_log f ON f.id = k.fichier_log_id
                      WHERE k.version_id = v.id AND k.etat = 'active') f ON true
      WHERE ($1::text IS NULL OR c.nom = $1) AND ($2::text IS NULL OR r.raison = $2)
        AND ($3::text IS NULL OR f.chemin = $3)
      ORDER BY c.nom, f.chemin, r.version_id, r.ligne LIMIT $4`,
    [filtre.centre ?? null, filtre.raison ?? null, filtre.chemin ?? null, filtre.limite],
  );
  return rows;
}

export interface RejetsParRaison {
  readonly centre: string;
  readonly raison: string;
  readonly nombre: number;
}

/** How many lines of each centre are in quarantine for which reason. */
export async function countRejets(db: Queryable, centre: string | undefined): Promise<RejetsParRaison[]> {
  const { rows } = await db.query<RejetsParRaison>(
    `SELECT c.nom AS centre, r.raison, count(*) AS nombre
       FROM ligne_rejetee r JOIN fichier_log_version v ON v.id = r.version_id AND v.active
       JOIN centre_usinage c ON c.id = r.centre_usinage_id
      WHERE $1::text IS NULL OR c.nom = $1
      GROUP BY c.nom, r.raison ORDER BY c.nom, nombre DESC`,
    [centre ?? null],
  );
  return rows;
}

export interface FichierListe {
  readonly centre: string;
  readonly chemin: string;
  readonly etat: string;
  readonly taille: number;
  readonly lignes: number | null;
  readonly evenements: number | null;
  readonly rejets: number | null;
  readonly encodage: string | null;
  readonly versions: number;
  readonly sha256: string | null;
  readonly derniere_lecture: number;
  readonly erreur: string | null;
}

/** LOG files as they were last seen. */
export async function listFichiers(db: Queryable, filtre: Filtre): Promise<FichierListe[]> {
  const { rows } = await db.query<FichierListe>(
    `SELECT c.nom AS centre, f.chemin,
            CASE WHEN f.etat = 'erreur' THEN 'erreur' WHEN v.ecartee IS NOT NULL THEN 'écarté'
                 WHEN f.taille < v.taille THEN 'préfixe'
                 WHEN NOT EXISTS (SELECT 1 FROM fichier_log_contenu k
                        WHERE k.fichier_log_id = f.id AND k.version_id = v.id AND k.etat = 'active') THEN 'remplacé'
                 ELSE 'lu' END AS etat,
            f.taille, v.lignes, v.lignes_evenements AS evenements, v.lignes_rejetees AS rejets, v.encodage,
            (SELECT count(*) FROM fichier_log_contenu k WHERE k.fichier_log_id = f.id)::int AS versions,
            encode(v.sha256, 'hex') AS sha256, extract(epoch FROM f.derniere_lecture)::float8 AS derniere_lecture,
            coalesce(f.erreur, v.ecartee) AS erreur
       FROM fichier_log f JOIN centre_usinage c ON c.id = f.centre_usinage_id
       LEFT JOIN fichier_log_version v ON v.id = f.version_id
      WHERE ($1::text IS NULL OR c.nom = $1) AND ($2::text IS NULL OR f.chemin = $2)
      ORDER BY c.nom, f.chemin LIMIT $3`,
    [filtre.centre ?? null, filtre.chemin ?? null, filtre.limite],
  );
  return rows;
}

/** Where the bytes with a given hash are: whole in an archive, or the first bytes of one with NULs in `trous`. */
export async function findOctets(
  db: Queryable,
  sha256: string,
): Promise<
  { centreId: number; archive: string; taille: number; trous: Trous; purgeeLe: Date | null } | undefined
> {
  const { rows } = await db.query<{
    centreId: number;
    archive: string;
    taille: number;
    trous: Trous;
    purgeeLe: Date | null;
  }>(
    `SELECT centre_usinage_id AS "centreId", encode(sha256, 'hex') AS archive, taille, '[]'::json AS trous,
            archive_purgee_le AS "purgeeLe"
       FROM fichier_log_version WHERE sha256 = $1
     UNION ALL
     SELECT v.centre_usinage_id, encode(v.sha256, 'hex'), p.taille, ${trousEnJson('p.trous')}, v.archive_purgee_le
       FROM fichier_log_prefixe p JOIN fichier_log_version v ON v.id = p.version_id WHERE p.sha256 = $1
     ORDER BY "purgeeLe" NULLS FIRST LIMIT 1`,
    [Buffer.from(sha256, 'hex')],
  );
  return rows[0];
}
