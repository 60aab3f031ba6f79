import { formatDay, parseDay } from '../../base/time.ts';
import type { Client, Queryable } from '../pool.ts';

/** Which days of a centre are past a period. Instants in ms since the epoch, days as day numbers. */
export interface JoursEchus {
  readonly centreId: number;
  /** last production day that is wholly past */
  readonly dernier: number;
  /** today: a later day is a machine's wrong clock; like any other, it counts from when it was received */
  readonly aujourdhui: number;
  readonly avant: number;
}

/** A centre as purging needs it. */
export interface CentrePurge {
  readonly id: number;
  readonly nom: string;
  /** when its row was made, ISO 8601, UTC */
  readonly cree: string;
}

export async function listerCentres(db: Queryable): Promise<CentrePurge[]> {
  const { rows } = await db.query<CentrePurge>(
    `SELECT id, nom, to_char(date_creation AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS cree
       FROM centre_usinage ORDER BY id`,
  );
  return rows;
}

/** SQL: by its date, day `jour` may be past; with {@link values} as parameters. */
export const date = (jour: string): string => `(${jour} <= $2::date OR ${jour} > $3::date)`;
/**
 * SQL: something of day `jour` was received since the cut-off. Age is the later of a day and its reception: a controller that
 * was reset to 2000 writes of today.
 */
export const recemmentRecu = (jour: string): string => `EXISTS (
  SELECT FROM fichier_log_jour rj
   WHERE rj.centre_usinage_id = $1 AND rj.jour = ${jour} AND rj.recu_le >= $4::timestamptz)`;
/** SQL: the day of session `s` is past: none of its files came since the cut-off, nor was one entered by hand. */
const JOUR_ECHU = `${date('s.date_production')} AND NOT ${recemmentRecu('s.date_production')}
        AND NOT EXISTS (SELECT FROM session_production m WHERE m.centre_usinage_id = $1
                           AND m.date_production = s.date_production AND m.origine = 'manuel' AND m.date_creation >= $4::timestamptz)`;
/** The first four parameters of what asks for days that are past. */
export const values = ({ centreId, dernier, aujourdhui, avant }: JoursEchus): unknown[] => [
  centreId,
  formatDay(dernier),
  formatDay(aujourdhui),
  new Date(avant),
];

/** Tables of rows that hang on a session; pieces go before the profiles that they refer to. */
const DETAILS = ['piece_production', 'job_profil', 'periode_attente', 'periode_arret'] as const;
/** One look at an index for each session: without OFFSET the planner reads all details of all days into memory. */
const A_DES_DETAILS = DETAILS.map(
  (table) =>
    `EXISTS (SELECT FROM ${table} d WHERE d.session_id = s.id AND d.centre_usinage_id = $1 OFFSET 0)`,
).join(' OR ');

/** Days whose details are to go, oldest first: rows that are there, and computed days that are not frozen yet. */
export async function joursAvecDetails(db: Queryable, echeance: JoursEchus): Promise<number[]> {
  const { rows } = await db.query<{ jour: string }>(
    `SELECT DISTINCT s.date_production AS jour FROM session_production s
      WHERE s.centre_usinage_id = $1 AND ${JOUR_ECHU}
        AND ((s.origine = 'log' AND NOT EXISTS (SELECT FROM jour_gele g WHERE g.centre_usinage_id = $1
                AND g.jour = s.date_production AND g.details_purges_le IS NOT NULL)) OR ${A_DES_DETAILS})
      ORDER BY 1`,
    values(echeance),
  );
  return rows.map((row) => parseDay(row.jour));
}

/** Days whose figures are to go, oldest first. */
export async function joursAvecSession(db: Queryable, echeance: JoursEchus): Promise<number[]> {
  const { rows } = await db.query<{ jour: string }>(
    `SELECT DISTINCT s.date_production AS jour FROM session_production s
      WHERE s.centre_usinage_id = $1 AND ${JOUR_ECHU} ORDER BY 1`,
    values(echeance),
  );
  return rows.map((row) => parseDay(row.jour));
}

/** How many detail rows days have. */
export async function compterDetails(
  db: Queryable,
  centreId: number,
  jours: readonly number[],
): Promise<number> {
  const counts = DETAILS.map(
    (table) => `(SELECT count(*) FROM ${table} d WHERE d.centre_usinage_id = $1 AND d.session_id = ANY (
       SELECT s.id FROM session_production s WHERE s.centre_usinage_id = $1 AND s.date_production = ANY ($2::date[])))`,
  );
  const { rows } = await db.query<{ nombre: number }>(`SELECT ${counts.join(' + ')} AS nombre`, [
    centreId,
    jours.map(formatDay),
  ]);
  return rows[0]!.nombre;
}

/** Deletes the details of days. @returns number of rows */
export async function supprimerDetails(
  client: Client,
  centreId: number,
  jours: readonly number[],
): Promise<number> {
  let nombre = 0;
  for (const table of DETAILS) {
    const { rowCount } = await client.query(
      `DELETE FROM ${table} WHERE centre_usinage_id = $1 AND session_id = ANY (ARRAY(
         SELECT s.id FROM session_production s WHERE s.centre_usinage_id = $1 AND s.date_production = ANY ($2::date[])))`,
      [centreId, jours.map(formatDay)],
    );
    nombre += rowCount ?? 0;
  }
  return nombre;
}

/** How many sessions days have. */
export async function compterSessions(
  db: Queryable,
  centreId: number,
  jours: readonly number[],
): Promise<number> {
  const { rows } = await db.query<{ nombre: number }>(
    'SELECT count(*) AS nombre FROM session_production WHERE centre_usinage_id = $1 AND date_production = ANY ($2::date[])',
    [centreId, jours.map(formatDay)],
  );
  return rows[0]!.nombre;
}

/** Deletes the sessions of days, details and all. @returns number of sessions */
export async function supprimerSessions(
  client: Client,
  centreId: number,
  jours: readonly number[],
): Promise<number> {
  const { rowCount } = await client.query(
    'DELETE FROM session_production WHERE centre_usinage_id = $1 AND date_production = ANY ($2::date[])',
    [centreId, jours.map(formatDay)],
  );
  return rowCount ?? 0;
}

/**
 * SQL: the latest thing that version `v` tells of happened before the cut-off, and was received before it; one without any
 * counts from its last reading. `$5` is the present.
 */
export const VERSION_ECHUE = `
  v.derniere_reception < $4::timestamptz
  AND NOT EXISTS (SELECT FROM fichier_log_jour j WHERE j.version_id = v.id
                     AND (NOT ${date('j.jour')} OR ${recemmentRecu('j.jour')}))
  AND CASE WHEN v.dernier_instant IS NULL OR v.dernier_instant > $5::timestamptz THEN l.lu ELSE v.dernier_instant END < $4::timestamptz`;
/** SQL: `l.lu`, when version `v` was last read. */
export const DERNIERE_LECTURE = `CROSS JOIN LATERAL (
  SELECT greatest(v.date_creation, max(f.derniere_lecture)) AS lu
    FROM fichier_log_contenu k JOIN fichier_log f ON f.id = k.fichier_log_id WHERE k.version_id = v.id) l`;

/** A version whose bytes are to leave the archive. */
export interface VersionEchue {
  readonly id: number;
  readonly sha256: string;
  /** production days that it touches */
  readonly jours: readonly number[];
}

/**
 * Versions all of whose days are past the period: the bytes of a file that holds a later day, too, stay whole.
 *
 * @param maintenant ms since the epoch
 * @param parmi looks at these only
 */
export async function versionsEchues(
  db: Queryable,
  echeance: JoursEchus,
  maintenant: number,
  parmi?: readonly number[],
): Promise<VersionEchue[]> {
  const { rows } = await db.query<{ id: number; sha: string; jours: string[] }>(
    `SELECT v.id, encode(v.sha256, 'hex') AS sha,
            ARRAY(SELECT j.jour::text FROM fichier_log_jour j WHERE j.version_id = v.id ORDER BY j.jour) AS jours
       FROM fichier_log_version v ${DERNIERE_LECTURE}
      WHERE v.centre_usinage_id = $1 AND v.archive_purgee_le IS NULL AND ${VERSION_ECHUE}
        ${parmi ? 'AND v.id = ANY ($6::int[])' : ''} ORDER BY v.id`,
    [...values(echeance), new Date(maintenant), ...(parmi ? [parmi] : [])],
  );
  return rows.map(({ id, sha, jours }) => ({ id, sha256: sha, jours: jours.map(parseDay) }));
}

/** Versions of a centre by SHA-256 whose bytes are still said to be in the archive. */
export async function versionsParSha(
  client: Client,
  centreId: number,
  shas: readonly string[],
): Promise<VersionEchue[]> {
  const { rows } = await client.query<{ id: number; sha: string; jours: string[] }>(
    `SELECT v.id, encode(v.sha256, 'hex') AS sha,
            ARRAY(SELECT j.jour::text FROM fichier_log_jour j WHERE j.version_id = v.id ORDER BY j.jour) AS jours
       FROM fichier_log_version v
      WHERE v.centre_usinage_id = $1 AND v.sha256 = ANY ($2::bytea[]) AND v.archive_purgee_le IS NULL`,
    [centreId, shas.map((sha) => Buffer.from(sha, 'hex'))],
  );
  return rows.map(({ id, sha, jours }) => ({ id, sha256: sha, jours: jours.map(parseDay) }));
}

/** Notes that the bytes of versions leave the archive; their rows stay, so that the bytes stay known. */
export async function noterArchivesPurgees(
  client: Client,
  ids: readonly number[],
  le: number,
): Promise<void> {
  await client.query('UPDATE fichier_log_version SET archive_purgee_le = $2 WHERE id = ANY ($1::int[])', [
    ids,
    new Date(le),
  ]);
}

/**
 * Forgets shorter states of files: those seen before `avant`, and those of versions whose bytes left the archive. A file
 * that is followed has one for each look at it; what they were can still be read from the version that contains them.
 * The state that a path is in stays.
 *
 * @param avant ms since the epoch
 * @returns number of states, at most `limite`
 */
export async function oublierPrefixes(
  client: Client,
  centreId: number,
  avant: number,
  limite: number,
): Promise<number> {
  const { rowCount } = await client.query(
    `DELETE FROM fichier_log_prefixe WHERE ctid = ANY (ARRAY(
       SELECT p.ctid FROM fichier_log f JOIN fichier_log_prefixe p ON p.fichier_log_id = f.id
         JOIN fichier_log_version v ON v.id = p.version_id
        WHERE f.centre_usinage_id = $1 AND (p.premiere_vue < $2 OR v.archive_purgee_le IS NOT NULL)
          AND (f.version_id, f.taille) IS DISTINCT FROM (p.version_id, p.taille) LIMIT $3))`,
    [centreId, new Date(avant), limite],
  );
  return rowCount ?? 0;
}

/** Paths whose bytes, as they were last read, hold only days past the period. */
export async function fichiersEchus(
  db: Queryable,
  echeance: JoursEchus,
  maintenant: number,
): Promise<{ chemin: string; taille: number }[]> {
  const { rows } = await db.query<{ chemin: string; taille: number }>(
    `SELECT q.chemin, q.taille
       FROM fichier_log q JOIN fichier_log_version v ON v.id = q.version_id ${DERNIERE_LECTURE}
      WHERE q.centre_usinage_id = $1 AND q.etat = 'lu' AND ${VERSION_ECHUE} ORDER BY q.chemin`,
    [...values(echeance), new Date(maintenant)],
  );
  return rows;
}
