import type { Queryable } from '../pool.ts';
import { CHEMINS_DE_VERSION, type CheminDeVersion } from './fichiers.ts';

/** Tables whose rows come from lines of logs. */
export type TableDeDetail = 'piece_production' | 'job_profil' | 'periode_attente' | 'periode_arret';

/** A line that a row comes from. */
export interface LigneDOrigine {
  /** a stop comes from two lines: the one that begins it, the one that ends it */
  readonly role: 'ligne' | 'debut' | 'fin';
  /** number in the version, from 1 */
  readonly ligne: number;
  readonly centreId: number;
  /** of the version, hexadecimal: the name of its archive */
  readonly sha256: string;
  /** as `formatEncoding` writes it */
  readonly encodage: string;
  /** when its bytes left the archive (ISO 8601); null: they are there */
  readonly purgeeLe: string | null;
  /** paths that hold the version */
  readonly fichiers: readonly CheminDeVersion[];
}

export interface Origine {
  readonly origine: 'log' | 'manuel';
  readonly lignes: readonly LigneDOrigine[];
}

const LIGNE = "(1, 'ligne', d.fichier_log_version_id, d.ligne)";
const LIGNES: Readonly<Record<TableDeDetail, string>> = {
  piece_production: LIGNE,
  job_profil: LIGNE,
  periode_attente: LIGNE,
  periode_arret: `(1, 'debut', d.fichier_log_version_id, d.ligne), (2, 'fin', d.fichier_log_version_fin_id, d.ligne_fin)`,
};

/** Which lines of which versions a row comes from; undefined when there is no such row. */
export async function lireOrigine(
  db: Queryable,
  table: TableDeDetail,
  id: number,
): Promise<Origine | undefined> {
  const { rows } = await db.query<Origine>({
    name: `lecture_origine_${table}`,
    text: `SELECT s.origine, coalesce(json_agg(json_build_object(
              'role', l.role, 'ligne', l.ligne, 'centreId', v.centre_usinage_id,
              'sha256', encode(v.sha256, 'hex'), 'encodage', v.encodage,
              'purgeeLe', v.archive_purgee_le, 'fichiers', ${CHEMINS_DE_VERSION})
              ORDER BY l.rang) FILTER (WHERE v.id IS NOT NULL), '[]') AS lignes
       FROM ${table} d
       JOIN session_production s ON s.id = d.session_id AND s.centre_usinage_id = d.centre_usinage_id
       CROSS JOIN LATERAL (VALUES ${LIGNES[table]}) l (rang, role, version_id, ligne)
       LEFT JOIN fichier_log_version v ON v.id = l.version_id
      WHERE d.id = $1::bigint GROUP BY s.origine`,
    values: [id],
  });
  return rows[0];
}
