import { formatDay, parseDay } from '../base/time.ts';
import type { Client, Queryable } from './pool.ts';

/** Which days of a centre are past a period. Instants in ms since the epoch, days as day numbers. */
export interface JoursEchus {
  readonly centreId: number;
  /** last production day that is wholly past */
  readonly dernier: number;
  /** today: a later day is a machine's wrong clock, and counts from when it was received */
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

const echus = (jour: string, recu: string): string =>
  `(${jour} <= $2::date OR (${jour} > $3::date AND ${recu} < $4::timestamptz))`;
const values = ({ centreId, dernier, aujourdhui, avant }: JoursEchus): unknown[] => [
  centreId,
  formatDay(dernier),
  formatDay(aujourdhui),
  new Date(avant),
];

/** Tables of rows that hang on a session; pieces go before the profiles that they refer to. */
const DETAILS = ['piece_production', 'job_profil', 'periode_attente', 'periode_arret'] as const;
const A_DES_DETAILS = DETAILS.map(
  (table) => `EXISTS (SELECT FROM ${table} d WHERE d.session_id = s.id AND d.centre_usinage_id = $1)`,
).join(' OR ');

/** Days whose details are to go, oldest first: rows that are there, and computed days that are not frozen yet. */
export async function joursAvecDetails(db: Queryable, echeance: JoursEchus): Promise<number[]> {
  const { rows } = await db.query<{ jour: string }>(
    `SELECT DISTINCT s.date_production AS jour FROM session_production s
      WHERE s.centre_usinage_id = $1 AND ${echus('s.date_production', 's.date_creation')}
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
      WHERE s.centre_usinage_id = $1 AND ${echus('s.date_production', 's.date_creation')} ORDER BY 1`,
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

/** SQL: the latest thing that version `v` tells of happened before the cut-off; one without any counts from its last reading. */
const VERSION_ECHUE = `
  NOT EXISTS (SELECT FROM fichier_log_jour j WHERE j.version_id = v.id AND NOT ${echus('j.jour', 'l.lu')})
  AND CASE WHEN v.dernier_instant IS NULL OR v.dernier_instant > $5::timestamptz THEN l.lu ELSE v.dernier_instant END < $4::timestamptz`;
const DERNIERE_LECTURE = `CROSS JOIN LATERAL (
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
 */
export async function versionsEchues(
  db: Queryable,
  echeance: JoursEchus,
  maintenant: number,
  limite: number,
): Promise<VersionEchue[]> {
  const { rows } = await db.query<{ id: number; sha: string; jours: string[] }>(
    `SELECT v.id, encode(v.sha256, 'hex') AS sha,
            ARRAY(SELECT j.jour::text FROM fichier_log_jour j WHERE j.version_id = v.id ORDER BY j.jour) AS jours
       FROM fichier_log_version v ${DERNIERE_LECTURE}
      WHERE v.centre_usinage_id = $1 AND v.archive_purgee_le IS NULL AND ${VERSION_ECHUE}
      ORDER BY v.id LIMIT $6`,
    [...values(echeance), new Date(maintenant), limite],
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

const REJET_ECHU = `(CASE WHEN r.jour IS NOT NULL THEN ${echus('r.jour', 'l.lu')} ELSE ${VERSION_ECHUE} END)`;
const DE_REJETS = `FROM ligne_rejetee r JOIN fichier_log_version v ON v.id = r.version_id ${DERNIERE_LECTURE}
  WHERE r.centre_usinage_id = $1 AND ${REJET_ECHU}`;

/** Days of rejected lines that are to go, and how many lines; day undefined: lines that belong to no day. */
export async function rejetsEchus(
  db: Queryable,
  echeance: JoursEchus,
  maintenant: number,
): Promise<{ jours: number[]; nombre: number }> {
  const { rows } = await db.query<{ jour: string | null; nombre: number }>(
    `SELECT r.jour, count(*) AS nombre ${DE_REJETS} GROUP BY r.jour ORDER BY r.jour`,
    [...values(echeance), new Date(maintenant)],
  );
  return {
    jours: rows.flatMap((row) => (row.jour === null ? [] : [parseDay(row.jour)])),
    nombre: rows.reduce((sum, row) => sum + row.nombre, 0),
  };
}

const COMPTER = `
  UPDATE fichier_log_version v
     SET rejets_purges = v.rejets_purges + p.nombre, octets_rejets_purges = v.octets_rejets_purges + p.octets
    FROM (SELECT version_id, count(*) AS nombre, sum(longueur) AS octets FROM parties GROUP BY version_id) p
   WHERE v.id = p.version_id`;

/** Deletes rejected lines that are past the period, and counts them in their versions. @returns number, at most `limite` */
export async function supprimerRejetsEchus(
  client: Client,
  echeance: JoursEchus,
  maintenant: number,
  limite: number,
): Promise<number> {
  const { rows } = await client.query<{ nombre: number }>(
    `WITH echues AS (SELECT r.version_id, r.ligne ${DE_REJETS} LIMIT $6),
          parties AS (DELETE FROM ligne_rejetee q USING echues e
                       WHERE q.version_id = e.version_id AND q.ligne = e.ligne RETURNING q.version_id, q.longueur),
          compte AS (${COMPTER})
     SELECT count(*) AS nombre FROM parties`,
    [...values(echeance), new Date(maintenant), limite],
  );
  return rows[0]!.nombre;
}

/** Deletes the rejected lines of days, and counts them in their versions. @returns number of lines */
export async function supprimerRejetsDe(
  client: Client,
  centreId: number,
  jours: readonly number[],
): Promise<number> {
  const { rows } = await client.query<{ nombre: number }>(
    `WITH parties AS (DELETE FROM ligne_rejetee q WHERE q.centre_usinage_id = $1 AND q.jour = ANY ($2::date[])
                      RETURNING q.version_id, q.longueur),
          compte AS (${COMPTER})
     SELECT count(*) AS nombre FROM parties`,
    [centreId, jours.map(formatDay)],
  );
  return rows[0]!.nombre;
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
