import type { AutreEvenement } from '../../domain/journal/events.ts';
import type { Reading } from '../../domain/journal/parser.ts';
import type { Client, Queryable } from '../pool.ts';
import { toBytes } from './fichiers.ts';

/** A version to be written: its bytes by hash, and what was read in them. */
export interface VersionEcrite {
  readonly sha256: string;
  readonly taille: number;
  /** whether its bytes hold NULs */
  readonly nuls: boolean;
  readonly encodage: string;
  readonly reading: Reading;
  /** settings with which it was read */
  readonly regles: string;
  readonly ecartee: string | undefined;
}

export interface VersionRow {
  readonly id: number;
  readonly sha256: string;
  readonly taille: number;
  readonly encodage: string;
  readonly lignes: number;
  readonly lignes_rejetees: number;
  /** rejected lines that left the quarantine, its retention period being over */
  readonly rejets_purges: number;
  readonly autres_evenements: Record<string, [number, number, number]>;
  readonly active: boolean;
  /** whether its bytes left the archive, their retention period being over */
  readonly purgee: boolean;
}

/** Versions by id. */
export async function loadVersions(db: Queryable, ids: readonly number[]): Promise<VersionRow[]> {
  if (ids.length === 0) return [];
  return await selectVersions(db, 'id = ANY($1::int[])', [ids]);
}

export async function findVersions(
  db: Queryable,
  centreId: number,
  shas: readonly string[],
): Promise<VersionRow[]> {
  return await selectVersions(db, 'centre_usinage_id = $1 AND sha256 = ANY($2::bytea[])', [
    centreId,
    shas.map(toBytes),
  ]);
}

/** Versions that were read with other settings than today's; without their bytes they stay as they were read. */
export async function findOutdated(db: Queryable, centreId: number, regles: string): Promise<VersionRow[]> {
  return await selectVersions(
    db,
    'centre_usinage_id = $1 AND regles <> $2 AND archive_purgee_le IS NULL ORDER BY id',
    [centreId, regles],
  );
}

async function selectVersions(db: Queryable, where: string, values: unknown[]): Promise<VersionRow[]> {
  const { rows } = await db.query<VersionRow>(
    `SELECT id, encode(sha256, 'hex') AS sha256, taille, encodage, lignes, lignes_rejetees, rejets_purges,
            autres_evenements, active, archive_purgee_le IS NOT NULL AS purgee
       FROM fichier_log_version WHERE ${where}`,
    values,
  );
  return rows;
}

// One list for both statements: a column that one forgets cannot be forgotten by the other.
const COLUMNS = [
  ['sha256', 'bytea'],
  ['taille', 'bigint'],
  ['regles', 'text'],
  ['encodage', 'text'],
  ['lignes', 'bigint'],
  ['lignes_evenements', 'bigint'],
  ['lignes_autres', 'bigint'],
  ['lignes_rejetees', 'bigint'],
  ['lignes_ignorees', 'bigint'],
  ['octets_evenements', 'bigint'],
  ['octets_autres', 'bigint'],
  ['octets_rejetes', 'bigint'],
  ['octets_ignores', 'bigint'],
  ['autres_evenements', 'jsonb'],
  ['premier_instant', 'float8'],
  ['dernier_instant', 'float8'],
  ['ecartee', 'text'],
  ['contient_nul', 'boolean'],
] as const;
const NAMES = COLUMNS.map(([name]) => name).join(', ');
const VALUES = COLUMNS.map(([name]) =>
  name.endsWith('_instant') ? `to_timestamp(u.${name})` : `u.${name}`,
).join(', ');

/** The computed columns, for other statements: names, their values from rows `u`, parameters from `$first` on. */
export const VERSION_VALUES = {
  names: NAMES,
  values: VALUES,
  arrays: (first: number): string => COLUMNS.map(([, type], i) => `$${i + first}::${type}[]`).join(', '),
} as const;

/** Writes new versions; returns their ids in the same order. */
export async function insertVersions(
  client: Client,
  centreId: number,
  versions: readonly VersionEcrite[],
): Promise<number[]> {
  if (versions.length === 0) return [];
  const { rows } = await client.query<{ id: number; sha: string }>(
    `INSERT INTO fichier_log_version (centre_usinage_id, active, ${NAMES})
     SELECT $1, true, ${VALUES} FROM unnest(${VERSION_VALUES.arrays(2)}) u (${NAMES})
     RETURNING id, encode(sha256, 'hex') AS sha`,
    [centreId, ...versionArrays(versions)],
  );
  const ids = new Map(rows.map((row) => [row.sha, row.id]));
  return versions.map((version) => ids.get(version.sha256)!);
}

/**
 * Lets a version become another one (longer bytes, or the same read with other settings); it keeps its id. Its bytes
 * are in the archive. Longer bytes have just been received.
 */
export async function updateVersion(client: Client, id: number, version: VersionEcrite): Promise<void> {
  await client.query(
    `UPDATE fichier_log_version v
        SET (${NAMES}, derniere_reception) =
              (SELECT ${VALUES}, CASE WHEN v.sha256 = u.sha256 THEN v.derniere_reception ELSE now() END
                 FROM unnest(${VERSION_VALUES.arrays(2)}) u (${NAMES})),
            archive_purgee_le = NULL
      WHERE v.id = $1`,
    [id, ...versionArrays([version])],
  );
}

/** A parameter for each computed column. */
export function versionArrays(versions: readonly VersionEcrite[]): unknown[][] {
  const rows = versions.map(({ sha256, taille, nuls, encodage, reading, regles, ecartee }) => {
    const { compte } = reading;
    return [
      toBytes(sha256),
      taille,
      regles,
      encodage,
      compte.lignes,
      compte.lignesEvenements,
      compte.lignesAutres,
      compte.lignesRejetees,
      compte.lignesIgnorees,
      compte.octetsEvenements,
      compte.octetsAutres,
      compte.octetsRejetes,
      compte.octetsIgnores,
      JSON.stringify(
        Object.fromEntries([...reading.autres].map(([nom, e]) => [nom, [e.nombre, e.premier, e.dernier]])),
      ),
      reading.premier ?? null,
      reading.dernier ?? null,
      ecartee ?? null,
      nuls,
    ];
  });
  return COLUMNS.map((_, i) => rows.map((row) => row[i]));
}

/** Whether exactly one path holds a version. */
export async function isHeldOnce(client: Client, versionId: number): Promise<boolean> {
  const { rowCount } = await client.query('SELECT 1 FROM fichier_log_contenu WHERE version_id = $1 LIMIT 2', [
    versionId,
  ]);
  return rowCount === 1;
}

/**
 * Sets `active` of the given versions from their paths, and deletes those that no path holds any more (their bytes
 * are in a longer version).
 *
 * @returns ids of those that began or ceased to count and are still there, and of the deleted ones
 */
export async function settleVersions(
  client: Client,
  centreId: number,
  ids: readonly number[],
): Promise<{ flipped: number[]; deleted: number[] }> {
  if (ids.length === 0) return { flipped: [], deleted: [] };
  const flipped = await client.query<{ id: number }>(
    `UPDATE fichier_log_version v SET active = NOT v.active
      WHERE v.id = ANY($1::int[])
        AND v.active <> EXISTS (SELECT 1 FROM fichier_log_contenu c WHERE c.version_id = v.id AND c.etat = 'active')
      RETURNING id`,
    [ids],
  );
  const deleted = await client.query<{ id: number; sha: string }>(
    `DELETE FROM fichier_log_version v
      WHERE v.id = ANY($1::int[])
        AND NOT EXISTS (SELECT 1 FROM fichier_log_contenu c WHERE c.version_id = v.id)
      RETURNING id, encode(sha256, 'hex') AS sha`,
    [ids],
  );
  await markArchivesStale(
    client,
    centreId,
    deleted.rows.map((row) => row.sha),
  );
  const gone = deleted.rows.map((row) => row.id);
  return { flipped: flipped.rows.map((row) => row.id).filter((id) => !gone.includes(id)), deleted: gone };
}

/** Remembers archives whose bytes are now in a longer one; they are erased from the disk later. */
export async function markArchivesStale(
  client: Client,
  centreId: number,
  shas: readonly string[],
): Promise<void> {
  if (shas.length === 0) return;
  await client.query(
    `INSERT INTO archive_perimee (centre_usinage_id, sha256) SELECT $1, sha FROM unnest($2::bytea[]) sha
     ON CONFLICT DO NOTHING`,
    [centreId, shas.map(toBytes)],
  );
}

/**
 * Takes the archives that may be erased from the list: their bytes are in a longer one, or past their retention
 * period; those that are needed again since are left out.
 * Call it with the centre locked, erase, then commit.
 */
export async function takeStaleArchives(client: Client, centreId: number): Promise<string[]> {
  const { rows } = await client.query<{ sha: string; needed: boolean }>(
    `DELETE FROM archive_perimee p WHERE p.centre_usinage_id = $1
     RETURNING encode(p.sha256, 'hex') AS sha,
       EXISTS (SELECT 1 FROM fichier_log_version v
                WHERE v.centre_usinage_id = p.centre_usinage_id AND v.sha256 = p.sha256
                  AND v.archive_purgee_le IS NULL) AS needed`,
    [centreId],
  );
  return rows.filter((row) => !row.needed).map((row) => row.sha);
}

/** Recomputes the catalogue of other events from the versions that count, for the names given. */
export async function refreshTypesEvenement(
  client: Client,
  centreId: number,
  noms: readonly string[],
): Promise<void> {
  if (noms.length === 0) return;
  await client.query(
    `WITH actuel AS (
       SELECT e.key AS nom, sum((e.value ->> 0)::bigint) AS nombre,
              to_timestamp(min((e.value ->> 1)::float8)) AS premiere_vue,
              to_timestamp(max((e.value ->> 2)::float8)) AS derniere_vue
         FROM fichier_log_version v, jsonb_each(v.autres_evenements) e
        WHERE v.centre_usinage_id = $1 AND v.active AND e.key = ANY($2::text[])
        GROUP BY e.key),
     partis AS (
       DELETE FROM type_evenement t WHERE t.centre_usinage_id = $1 AND t.nom = ANY($2::text[])
          AND NOT EXISTS (SELECT 1 FROM actuel a WHERE a.nom = t.nom))
     INSERT INTO type_evenement (centre_usinage_id, nom, nombre, premiere_vue, derniere_vue)
     SELECT $1, nom, nombre, premiere_vue, derniere_vue FROM actuel
     ON CONFLICT (centre_usinage_id, nom) DO UPDATE
        SET nombre = excluded.nombre, premiere_vue = excluded.premiere_vue, derniere_vue = excluded.derniere_vue`,
    [centreId, noms],
  );
}

/** Adds what new or longer versions bring to the catalogue of other events; `nombre` is what is added. */
export async function addTypesEvenement(
  client: Client,
  centreId: number,
  autres: ReadonlyMap<string, AutreEvenement>,
): Promise<void> {
  if (autres.size === 0) return;
  const entries = [...autres].sort(([a], [b]) => (a < b ? -1 : 1));
  await client.query(
    `INSERT INTO type_evenement AS t (centre_usinage_id, nom, nombre, premiere_vue, derniere_vue)
     SELECT $1, nom, nombre, to_timestamp(premier), to_timestamp(dernier)
       FROM unnest($2::text[], $3::bigint[], $4::float8[], $5::float8[]) u (nom, nombre, premier, dernier)
     ON CONFLICT (centre_usinage_id, nom) DO UPDATE
        SET nombre = t.nombre + excluded.nombre,
            premiere_vue = least(t.premiere_vue, excluded.premiere_vue),
            derniere_vue = greatest(t.derniere_vue, excluded.derniere_vue)`,
    [
      centreId,
      entries.map(([nom]) => nom),
      entries.map(([, e]) => e.nombre),
      entries.map(([, e]) => e.premier),
      entries.map(([, e]) => e.dernier),
    ],
  );
}
