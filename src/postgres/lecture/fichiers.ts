/** Contents that a path carried, and where their bytes are. */
import type { Trous } from '../../domain/journal/masques.ts';
import type { Queryable } from '../pool.ts';

/** A path that holds a version. */
export interface CheminDeVersion {
  readonly id: number;
  readonly chemin: string;
}

/** SQL: the paths that hold version `v`, as a JSON array of `CheminDeVersion`. */
export const CHEMINS_DE_VERSION = `(SELECT coalesce(json_agg(json_build_object('id', f.id, 'chemin', f.chemin) ORDER BY f.chemin), '[]')
     FROM fichier_log_contenu k JOIN fichier_log f ON f.id = k.fichier_log_id
    WHERE k.version_id = v.id AND k.etat = 'active')`;

/**
 * Every content of path `$1`: versions, and less full states, which are the first bytes of a version but for NULs. `courante` is
 * the one that was there when the path was last read.
 */
const CONTENUS = `
  SELECT v.sha256, v.taille, k.etat, v.id AS version_id, v.sha256 AS archive, v.centre_usinage_id, k.premiere_vue,
         NULL::bytea AS contenue_dans, v.archive_purgee_le, '{}'::int8multirange AS trous
    FROM fichier_log_contenu k JOIN fichier_log_version v ON v.id = k.version_id WHERE k.fichier_log_id = $1::bigint
  UNION ALL
  SELECT p.sha256, p.taille, 'prefixe', v.id, v.sha256, v.centre_usinage_id, p.premiere_vue, v.sha256, v.archive_purgee_le, p.trous
    FROM fichier_log_prefixe p JOIN fichier_log_version v ON v.id = p.version_id WHERE p.fichier_log_id = $1::bigint`;
// Of states of one size the fullest, which is the version.
const COURANTE = `coalesce(f.version_id = c.version_id AND f.taille = c.taille
    AND (c.contenue_dans IS NULL OR c.taille < (SELECT w.taille FROM fichier_log_version w WHERE w.id = c.version_id)), false)`;
/** SQL: ranges as a JSON array of pairs. */
export const trousEnJson = (multirange: string): string =>
  `(SELECT coalesce(json_agg(json_build_array(lower(r), upper(r)) ORDER BY lower(r)), '[]') FROM unnest(${multirange}) r)`;

/** A page of the contents that a path carried, the present one first, then the latest, as JSON text; undefined when there is no such path. */
export async function lireVersions(
  db: Queryable,
  fichierId: number,
  page: { readonly skip: number; readonly limit: number },
): Promise<{ json: string; total: number } | undefined> {
  const { rows } = await db.query<{ json: string; total: number }>({
    name: 'lecture_versions',
    text: `SELECT (SELECT count(*) FROM (${CONTENUS}) c) AS total,
            (SELECT coalesce(json_agg(p), '[]')::text FROM (
               SELECT encode(c.sha256, 'hex') AS sha256, c.taille, c.etat, ${COURANTE} AS courante,
                      encode(c.contenue_dans, 'hex') AS contenue_dans, c.premiere_vue
                 FROM (${CONTENUS}) c ORDER BY courante DESC, c.premiere_vue DESC, c.taille DESC, c.sha256
                LIMIT $2::bigint OFFSET $3::bigint) p) AS json
       FROM fichier_log f WHERE f.id = $1::bigint`,
    values: [fichierId, page.limit, page.skip],
  });
  return rows[0];
}

/** Bytes as the archive has them: the first `taille` of an archived version, with NULs in `trous`. */
export interface OctetsArchives {
  readonly chemin: string;
  readonly centreId: number;
  /** name of the archive, hexadecimal */
  readonly archive: string;
  /** of the bytes asked for, hexadecimal */
  readonly sha256: string;
  /** bytes */
  readonly taille: number;
  readonly trous: Trous;
  /** when they left the archive, their retention period being over (ISO 8601); null: they are there */
  readonly purgeeLe: string | null;
}

/**
 * Where the bytes of a path are: those with the given hash, or those it held when it was last read.
 *
 * @returns `'fichier'` when there is no such path, `'octets'` when it never carried such bytes
 */
export async function trouverOctets(
  db: Queryable,
  fichierId: number,
  sha256: string | undefined,
): Promise<OctetsArchives | 'fichier' | 'octets'> {
  const { rows } = await db.query<{ [K in keyof OctetsArchives]: OctetsArchives[K] | null }>({
    name: 'lecture_octets',
    text: `SELECT f.chemin, c.centre_usinage_id AS "centreId", encode(c.archive, 'hex') AS archive,
            encode(c.sha256, 'hex') AS sha256, c.taille, ${trousEnJson('c.trous')} AS trous,
            to_json(c.archive_purgee_le) #>> '{}' AS "purgeeLe"
       FROM fichier_log f
       LEFT JOIN LATERAL (${CONTENUS}) c
         ON CASE WHEN $2::text IS NULL THEN ${COURANTE} ELSE c.sha256 = decode($2::text, 'hex') END
      WHERE f.id = $1::bigint LIMIT 1`,
    values: [fichierId, sha256 ?? null],
  });
  const [row] = rows;
  if (!row) return 'fichier';
  return row.sha256 === null ? 'octets' : (row as OctetsArchives);
}
