import type { Queryable } from '../pool.ts';

/** Detail tables, and the columns by which their rows hang on others. */
const LINKS: readonly (readonly [table: string, column: string, parent: string])[] = [
  ['job_profil', 'session_id', 'session_production'],
  ['periode_attente', 'session_id', 'session_production'],
  ['periode_arret', 'session_id', 'session_production'],
  ['piece_production', 'session_id', 'session_production'],
  ['piece_production', 'job_profil_id', 'job_profil'],
  ['job_profil', 'fichier_log_version_id', 'fichier_log_version'],
  ['periode_attente', 'fichier_log_version_id', 'fichier_log_version'],
  ['periode_arret', 'fichier_log_version_id', 'fichier_log_version'],
  ['periode_arret', 'fichier_log_version_fin_id', 'fichier_log_version'],
  ['piece_production', 'fichier_log_version_id', 'fichier_log_version'],
];

export interface Orphelins {
  readonly table: string;
  readonly colonne: string;
  readonly nombre: number;
}

/** Rows that refer to something that is not there. There must be none. */
export async function findOrphans(db: Queryable): Promise<Orphelins[]> {
  const found: Orphelins[] = [];
  for (const [table, colonne, parent] of LINKS) {
    const { rows } = await db.query<{ nombre: number }>(
      `SELECT count(*) AS nombre FROM ${table} t
        WHERE t.${colonne} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM ${parent} p WHERE p.id = t.${colonne})`,
    );
    if (rows[0]!.nombre > 0) found.push({ table, colonne, nombre: rows[0]!.nombre });
  }
  return found;
}

export interface ServeurEtat {
  /** for example 180004 */
  readonly version: number;
  readonly encodage: string;
  /** seconds by which the server's clock is ahead of ours */
  readonly avance: number;
}

/** Version, encoding and clock of the server. */
export async function serverState(db: Queryable): Promise<ServeurEtat> {
  const before = Date.now();
  const { rows } = await db.query<{ version: string; encodage: string; horloge: number }>(
    `SELECT current_setting('server_version_num') AS version, current_setting('server_encoding') AS encodage,
            extract(epoch FROM clock_timestamp())::float8 AS horloge`,
  );
  const now = (before + Date.now()) / 2;
  const row = rows[0]!;
  return { version: Number(row.version), encodage: row.encodage, avance: row.horloge - now / 1000 };
}

/** Archives that must be on the disk, by centre id: those of versions whose bytes were not purged. */
export async function expectedArchives(db: Queryable): Promise<Map<number, string[]>> {
  const { rows } = await db.query<{ centre_usinage_id: number; shas: string[] }>(
    `SELECT centre_usinage_id, array_agg(encode(sha256, 'hex')) AS shas FROM fichier_log_version
      WHERE archive_purgee_le IS NULL GROUP BY 1`,
  );
  return new Map(rows.map((row) => [row.centre_usinage_id, row.shas]));
}

/** Sessions whose number of pieces is not the number of their rows, unless these were purged. There must be none. */
export async function findMiscounted(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ nombre: number }>(
    `SELECT count(*) AS nombre FROM session_production s
      WHERE s.origine = 'log'
        AND s.total_pieces <> (SELECT count(*) FROM piece_production p WHERE p.session_id = s.id)
        AND NOT EXISTS (SELECT FROM jour_gele g WHERE g.centre_usinage_id = s.centre_usinage_id
                           AND g.jour = s.date_production AND g.details_purges_le IS NOT NULL)`,
  );
  return rows[0]!.nombre;
}
