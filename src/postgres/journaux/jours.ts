import { formatDay, parseDay } from '../../base/time.ts';
import { GELE } from '../conservation/jours-geles.ts';
import type { Client, Queryable } from '../pool.ts';

/**
 * Notes which production days each version touches, with the number of its events there. A day that has as many as before
 * was received when it was; another one, now.
 */
export async function insertJours(
  client: Client,
  centreId: number,
  rows: readonly { versionId: number; jours: ReadonlyMap<number, number> }[],
): Promise<void> {
  const versions: number[] = [];
  const jours: string[] = [];
  const evenements: number[] = [];
  for (const row of rows) {
    for (const [jour, count] of row.jours) {
      versions.push(row.versionId);
      jours.push(formatDay(jour));
      evenements.push(count);
    }
  }
  if (versions.length === 0) return;
  await client.query(
    `INSERT INTO fichier_log_jour (version_id, centre_usinage_id, jour, evenements)
     SELECT v, $1, j, e FROM unnest($2::int[], $3::date[], $4::int[]) u (v, j, e)
     ON CONFLICT (version_id, jour) DO UPDATE SET evenements = excluded.evenements, recu_le = now()
      WHERE fichier_log_jour.evenements <> excluded.evenements`,
    [centreId, versions, jours, evenements],
  );
}

/** A version does not touch any other days than these (day numbers). */
export async function deleteAutresJours(
  client: Client,
  versionId: number,
  jours: Iterable<number>,
): Promise<void> {
  await client.query('DELETE FROM fichier_log_jour WHERE version_id = $1 AND jour <> ALL ($2::date[])', [
    versionId,
    [...jours].map(formatDay),
  ]);
}

/** Marks every production day that the given versions touch for recomputation; returns those days. */
export async function markVersionsDays(client: Client, versionIds: readonly number[]): Promise<number[]> {
  if (versionIds.length === 0) return [];
  const { rows } = await client.query<{ jour: string }>(
    `INSERT INTO jour_a_recalculer (centre_usinage_id, jour)
     SELECT DISTINCT centre_usinage_id, jour FROM fichier_log_jour WHERE version_id = ANY($1::int[])
     RETURNING jour`,
    [versionIds],
  );
  return rows.map((row) => parseDay(row.jour));
}

/** Days left to recompute, oldest first (after a crash, or while others import). */
export async function pendingDays(db: Queryable): Promise<{ centreId: number; jours: number[] }[]> {
  const { rows } = await db.query<{ centre_usinage_id: number; jours: string[] }>(
    `SELECT centre_usinage_id, array_agg(DISTINCT jour::text ORDER BY jour::text) AS jours
       FROM jour_a_recalculer GROUP BY centre_usinage_id ORDER BY centre_usinage_id`,
  );
  return rows.map((row) => ({ centreId: row.centre_usinage_id, jours: row.jours.map(parseDay) }));
}

/**
 * Takes production days of a centre for this transaction. Always in the same order, so that two imports
 * wait for each other but never in a ring.
 *
 * @returns marks still there: days that somebody else recomputed meanwhile have none; those of frozen days are to be
 * taken away like the others, but nothing is computed
 */
export async function claimDays(
  client: Client,
  centreId: number,
  jours: readonly number[],
): Promise<{ marks: number[]; jours: number[]; geles: number[] }> {
  await client.query(
    'SELECT pg_advisory_xact_lock($1::int, jour) FROM (SELECT unnest($2::int[]) AS jour ORDER BY 1) j',
    [centreId, jours],
  );
  const { rows } = await client.query<{ id: number; jour: string; gele: boolean }>(
    `SELECT m.id, m.jour, EXISTS (SELECT FROM jour_gele g WHERE g.centre_usinage_id = m.centre_usinage_id
                                     AND g.jour = m.jour AND ${GELE}) AS gele
       FROM jour_a_recalculer m WHERE m.centre_usinage_id = $1 AND m.jour = ANY($2::date[])`,
    [centreId, jours.map(formatDay)],
  );
  const distinct = (gele: boolean): number[] =>
    [...new Set(rows.filter((row) => row.gele === gele).map((row) => parseDay(row.jour)))].sort(
      (a, b) => a - b,
    );
  return { marks: rows.map((row) => row.id), jours: distinct(false), geles: distinct(true) };
}

export async function deleteMarks(client: Client, marks: readonly number[]): Promise<void> {
  await client.query('DELETE FROM jour_a_recalculer WHERE id = ANY($1::bigint[])', [marks]);
}

/** A version that counts on some production day, and the paths that hold it. */
export interface VersionActive {
  readonly versionId: number;
  readonly sha256: string;
  readonly encodage: string;
  readonly chemins: readonly string[];
  /** production day → number of events */
  readonly jours: Map<number, number>;
}

/** The versions to unite for the given days. */
export async function activeVersions(
  client: Client,
  centreId: number,
  jours: readonly number[],
): Promise<VersionActive[]> {
  const { rows } = await client.query<{
    version_id: number;
    sha: string;
    encodage: string;
    jour: string;
    evenements: number;
    chemins: string[];
  }>(
    `SELECT j.version_id, encode(v.sha256, 'hex') AS sha, v.encodage, j.jour, j.evenements,
            ARRAY(SELECT f.chemin FROM fichier_log_contenu c JOIN fichier_log f ON f.id = c.fichier_log_id
                   WHERE c.version_id = v.id AND c.etat = 'active') AS chemins
       FROM fichier_log_jour j JOIN fichier_log_version v ON v.id = j.version_id
      WHERE j.centre_usinage_id = $1 AND j.jour = ANY($2::date[]) AND v.active`,
    [centreId, jours.map(formatDay)],
  );
  const versions = new Map<number, VersionActive>();
  for (const row of rows) {
    let version = versions.get(row.version_id);
    if (!version) {
      version = {
        versionId: row.version_id,
        sha256: row.sha,
        encodage: row.encodage,
        chemins: row.chemins,
        jours: new Map(),
      };
      versions.set(row.version_id, version);
    }
    version.jours.set(parseDay(row.jour), row.evenements);
  }
  return [...versions.values()];
}
