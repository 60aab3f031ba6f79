import { formatDay } from '../../base/time.ts';
import type { Client } from '../pool.ts';
import { type DetailRows, insertSql, PIECE_PRODUCTION } from '../production/details.ts';
import { type SessionEcrite, updateSql } from '../production/sessions.ts';
import { toBytes } from './fichiers.ts';
import { VERSION_VALUES, type VersionEcrite, type VersionRow, versionArrays } from './versions.ts';

// A line that is followed costs these statements and no others: they are prepared once a connection, for planning them
// takes longer than running them.

/** Begins the transaction of a line. */
export async function beginAppend(client: Client): Promise<void> {
  // A plan for these very values takes as long as the writing, and is the same one.
  await client.query('BEGIN; SET LOCAL plan_cache_mode = force_generic_plan');
}

/**
 * Locks a centre and some of its production days until the transaction ends; the centre first, as everybody who takes
 * both does, then the days in their order.
 */
export async function lockAppend(client: Client, centreId: number, jours: readonly number[]): Promise<void> {
  await client.query({
    name: 'append_lock',
    text: `SELECT pg_advisory_xact_lock(hashtextextended('atelier:centre', $1::int)), (
             SELECT count(pg_advisory_xact_lock($1::int, jour)::text) FROM unnest($2::int[]) jour)`,
    values: [centreId, [...jours].sort((a, b) => a - b)],
  });
}

/** What is stored of a path whose file grew. */
export interface Appendable extends VersionRow {
  readonly fichierId: number;
}

/**
 * What a path holds, provided that only these rows are concerned when it grows.
 *
 * @param sha256 of the longer bytes
 * @param jours days whose events change with them
 * @returns undefined when more is to be looked at: several contents, paths or versions, days frozen or left to be computed
 */
export async function loadAppendable(
  client: Client,
  centreId: number,
  chemin: string,
  sha256: string,
  jours: readonly number[],
): Promise<Appendable | undefined> {
  const { rows } = await client.query<Appendable & { alone: boolean }>({
    name: 'append_state',
    text: `SELECT f.id AS "fichierId", v.id, encode(v.sha256, 'hex') AS sha256, v.taille, v.encodage, v.lignes,
                  v.lignes_rejetees, v.rejets_purges, v.autres_evenements, v.active, false AS purgee,
                  c.etat = 'active' AND v.active AND v.archive_purgee_le IS NULL AND v.ecartee IS NULL
                  AND NOT EXISTS (SELECT FROM fichier_log_contenu o WHERE o.version_id = v.id AND o.fichier_log_id <> f.id)
                  AND NOT EXISTS (SELECT FROM fichier_log_version o WHERE o.centre_usinage_id = $1 AND o.sha256 = $3)
                  AND NOT EXISTS (SELECT FROM jour_gele g WHERE g.centre_usinage_id = $1 AND g.jour = ANY ($4::date[]))
                  AND NOT EXISTS (SELECT FROM jour_a_recalculer m WHERE m.centre_usinage_id = $1 AND m.jour = ANY ($4::date[]))
                  AND NOT EXISTS (SELECT FROM fichier_log_jour j JOIN fichier_log_version o ON o.id = j.version_id
                                   WHERE j.centre_usinage_id = $1 AND j.jour = ANY ($4::date[])
                                     AND j.version_id <> v.id AND o.active) AS alone
             FROM fichier_log f
             JOIN fichier_log_contenu c ON c.fichier_log_id = f.id
             JOIN fichier_log_version v ON v.id = c.version_id
            WHERE f.centre_usinage_id = $1 AND f.chemin = $2 LIMIT 2`,
    values: [centreId, chemin, toBytes(sha256), jours.map(formatDay)],
  });
  return rows.length === 1 && rows[0]!.alone ? rows[0] : undefined;
}

/** What a file that grew makes of the rows of its path. */
export interface AppendRows {
  readonly centreId: number;
  readonly before: Appendable;
  readonly version: VersionEcrite;
  readonly signature: string | undefined;
  /** production days that change, and their events */
  readonly jours: ReadonlyMap<number, number>;
}

/** A session that gets pieces and figures, in the same statement. */
export interface AppendedPieces {
  readonly session: SessionEcrite;
  readonly id: number;
  /** mark of its row, as it is believed to be */
  readonly jeton: string;
  readonly rows: DetailRows;
  /** pieces that are there */
  readonly from: number;
}

/**
 * Lets the version of a path become the longer one that continues it: its row, its days, its former bytes, the path;
 * and the session of its day, where that gets pieces and nothing else.
 *
 * @returns the session's new mark, when there are pieces
 * @throws the server's `division_by_zero` when the session is another one than believed: nothing of this may be kept,
 *   and a COMMIT that was sent behind it keeps nothing
 */
export async function writeAppend(
  client: Client,
  { centreId, before, version, signature, jours }: AppendRows,
  pieces?: AppendedPieces,
): Promise<string | undefined> {
  const values: unknown[] = versionArrays([version]);
  const arrays = VERSION_VALUES.arrays(1);
  const add = (value: unknown, type: string): string => `$${values.push(value)}::${type}`;
  const [centre, id] = [add(centreId, 'int'), add(before.id, 'int')];
  const [path, sha] = [add(before.fichierId, 'int'), add(toBytes(before.sha256), 'bytea')];
  const days = [add([...jours.keys()].map(formatDay), 'date[]'), add([...jours.values()], 'int[]')];
  const write = `WITH u AS MATERIALIZED (SELECT * FROM unnest(${arrays}) u (${VERSION_VALUES.names})),
    grown AS (
      UPDATE fichier_log_version v
         SET (${VERSION_VALUES.names}, derniere_reception) = (SELECT ${VERSION_VALUES.values}, now() FROM u)
       WHERE v.id = ${id}),
    days AS (
      INSERT INTO fichier_log_jour (version_id, centre_usinage_id, jour, evenements)
      SELECT ${id}, ${centre}, j, e FROM unnest(${days.join(', ')}) d (j, e)
      ON CONFLICT (version_id, jour) DO UPDATE SET evenements = excluded.evenements, recu_le = now()
       WHERE fichier_log_jour.evenements <> excluded.evenements),
    shorter AS (
      INSERT INTO fichier_log_prefixe (fichier_log_id, sha256, taille, version_id)
      VALUES (${path}, ${sha}, ${add(before.taille, 'bigint')}, ${id}) ON CONFLICT (fichier_log_id, sha256) DO NOTHING),
    stale AS (
      INSERT INTO archive_perimee (centre_usinage_id, sha256) VALUES (${centre}, ${sha}) ON CONFLICT DO NOTHING),
    path AS (
      UPDATE fichier_log f
         SET etat = 'lu', erreur = NULL, version_id = ${id}, taille = ${add(version.taille, 'bigint')},
             signature = ${add(signature ?? null, 'text')}, derniere_lecture = now()
       WHERE f.id = ${path})`;
  if (!pieces) {
    await client.query({ name: 'append_write', text: `${write} SELECT`, values });
    return undefined;
  }
  const insert = insertSql(values, PIECE_PRODUCTION, pieces.rows, pieces.from);
  const update = updateSql(values, centreId, pieces.id, pieces.session, pieces.jeton);
  const text = `${write}, pieces AS (${insert}), session AS (${update})
    SELECT (SELECT jeton FROM session) AS jeton, 1 / (SELECT count(*) FROM session)`;
  const { rows } = await client.query<{ jeton: string }>({ name: 'append_pieces', text, values });
  return rows[0]?.jeton;
}

/** Signatures of files whose bytes, read again, are those that are registered. */
export interface Confirmation {
  readonly centreId: number;
  readonly chemin: string;
  readonly sha256: string;
  readonly signature: string;
}

/** Notes them, so that no later import has to read these files again. */
export async function saveConfirmations(client: Client, rows: readonly Confirmation[]): Promise<void> {
  if (rows.length === 0) return;
  await client.query(
    `UPDATE fichier_log f SET signature = u.signature, derniere_lecture = now()
       FROM unnest($1::int[], $2::text[], $3::bytea[], $4::text[]) u (centre, chemin, sha256, signature), fichier_log_version v
      WHERE f.centre_usinage_id = u.centre AND f.chemin = u.chemin AND f.etat = 'lu'
        AND v.id = f.version_id AND v.sha256 = u.sha256 AND v.taille = f.taille`,
    [
      rows.map((row) => row.centreId),
      rows.map((row) => row.chemin),
      rows.map((row) => toBytes(row.sha256)),
      rows.map((row) => row.signature),
    ],
  );
}
