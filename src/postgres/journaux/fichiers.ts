import type { Trous } from '../../domain/journal/masques.ts';
import type { ContenuConnu } from '../../domain/journal/versions.ts';
import type { Client, Queryable } from '../pool.ts';

/** A path as it was left by the last import. */
export interface FichierConnu {
  readonly id: number;
  readonly chemin: string;
  readonly etat: 'lu' | 'erreur';
  readonly signature: string | null;
  /** sizes of the contents seen there, bytes */
  readonly tailles: readonly number[];
  /** of the bytes that this process read there last, while it follows */
  readonly lu?: { readonly sha256: string; readonly etat: string | undefined };
}

/** All that is known of the files of a centre: one query at the start of an import. */
export async function loadFichiers(db: Queryable, centreId: number): Promise<FichierConnu[]> {
  const { rows } = await db.query<FichierConnu>(
    `SELECT f.id, f.chemin, f.etat, f.signature,
            coalesce(array_agg(v.taille::float8) FILTER (WHERE v.id IS NOT NULL), '{}') AS tailles
       FROM fichier_log f
       LEFT JOIN fichier_log_contenu c ON c.fichier_log_id = f.id
       LEFT JOIN fichier_log_version v ON v.id = c.version_id
      WHERE f.centre_usinage_id = $1
      GROUP BY f.id`,
    [centreId],
  );
  return rows;
}

/** SHA-256 of every version of a centre, and of every known prefix. */
export async function loadShas(db: Queryable, centreId: number): Promise<Set<string>> {
  const { rows } = await db.query<{ sha: string }>(
    `SELECT encode(sha256, 'hex') AS sha FROM fichier_log_version WHERE centre_usinage_id = $1
     UNION ALL
     SELECT encode(p.sha256, 'hex') FROM fichier_log_prefixe p
       JOIN fichier_log_version v ON v.id = p.version_id WHERE v.centre_usinage_id = $1`,
    [centreId],
  );
  return new Set(rows.map((row) => row.sha));
}

/** Lets one import at a time register files of a centre; held until the end of the (short) transaction. */
export async function lockCentre(client: Client, centreId: number): Promise<void> {
  await client.query("SELECT pg_advisory_xact_lock(hashtextextended('atelier:centre', $1))", [centreId]);
}

/** Makes the rows of the given paths; returns their ids by path. */
export async function ensureFichiers(
  client: Client,
  centreId: number,
  chemins: readonly string[],
): Promise<Map<string, number>> {
  const { rows } = await client.query<{ id: number; chemin: string }>(
    `INSERT INTO fichier_log (centre_usinage_id, chemin, etat, taille)
     SELECT $1, chemin, 'lu', 0 FROM unnest($2::text[]) chemin
     ON CONFLICT (centre_usinage_id, chemin) DO UPDATE SET etat = fichier_log.etat
     RETURNING id, chemin`,
    [centreId, chemins],
  );
  return new Map(rows.map((row) => [row.chemin, row.id]));
}

/** Contents of the given paths, by path id. */
export async function loadContenus(
  client: Client,
  fichierIds: readonly number[],
): Promise<Map<number, ContenuConnu[]>> {
  const { rows } = await client.query<ContenuConnu & { fichierId: number }>(
    `SELECT c.fichier_log_id AS "fichierId", c.version_id AS "versionId", encode(v.sha256, 'hex') AS sha256,
            v.taille, c.etat, v.contient_nul AS nuls, v.archive_purgee_le IS NOT NULL AS purgee
       FROM fichier_log_contenu c JOIN fichier_log_version v ON v.id = c.version_id
      WHERE c.fichier_log_id = ANY($1::int[])`,
    [fichierIds],
  );
  const contenus = new Map<number, ContenuConnu[]>();
  for (const { fichierId, ...contenu } of rows) {
    const list = contenus.get(fichierId);
    if (list) list.push(contenu);
    else contenus.set(fichierId, [contenu]);
  }
  return contenus;
}

/** Known prefixes among the given hashes: by path id, then hash, the version that contains them. */
export async function loadPrefixes(
  client: Client,
  fichierIds: readonly number[],
  shas: readonly string[],
): Promise<Map<number, Map<string, number>>> {
  const { rows } = await client.query<{ fichier_log_id: number; sha: string; version_id: number }>(
    `SELECT fichier_log_id, encode(sha256, 'hex') AS sha, version_id FROM fichier_log_prefixe
      WHERE fichier_log_id = ANY($1::int[]) AND sha256 = ANY($2::bytea[])`,
    [fichierIds, shas.map(toBytes)],
  );
  const prefixes = new Map<number, Map<string, number>>();
  for (const { fichier_log_id, sha, version_id } of rows) {
    const known = prefixes.get(fichier_log_id) ?? new Map<string, number>();
    prefixes.set(fichier_log_id, known.set(sha, version_id));
  }
  return prefixes;
}

export interface FichierLuRow {
  readonly fichierId: number;
  readonly versionId: number;
  readonly taille: number;
  readonly signature: string | undefined;
}

/** Notes what was read at each path, and as which version. */
export async function saveLectures(client: Client, rows: readonly FichierLuRow[]): Promise<void> {
  await client.query(
    `UPDATE fichier_log f
        SET etat = 'lu', erreur = NULL, version_id = r.version_id, taille = r.taille, signature = r.signature,
            derniere_lecture = now()
       FROM unnest($1::int[], $2::int[], $3::bigint[], $4::text[]) r (id, version_id, taille, signature)
      WHERE f.id = r.id`,
    [
      rows.map((row) => row.fichierId),
      rows.map((row) => row.versionId),
      rows.map((row) => row.taille),
      rows.map((row) => row.signature ?? null),
    ],
  );
}

/** Notes that a path could not be read, and why; its contents stay. */
export async function saveErreur(
  db: Queryable,
  centreId: number,
  chemin: string,
  erreur: string,
): Promise<void> {
  await db.query(
    `INSERT INTO fichier_log (centre_usinage_id, chemin, etat, erreur, taille) VALUES ($1, $2, 'erreur', $3, 0)
     ON CONFLICT (centre_usinage_id, chemin)
     DO UPDATE SET etat = 'erreur', erreur = excluded.erreur, signature = NULL`,
    [centreId, chemin, erreur],
  );
}

/**
 * Ends the errors of paths: those that were never read are forgotten (folders that can be looked into again, files that are
 * gone); what was read of the others counts on.
 */
export async function leverErreurs(
  db: Queryable,
  centreId: number,
  chemins: readonly string[],
): Promise<void> {
  await db.query(
    `DELETE FROM fichier_log f
      WHERE f.centre_usinage_id = $1 AND f.chemin = ANY ($2) AND f.etat = 'erreur' AND f.version_id IS NULL
        AND NOT EXISTS (SELECT FROM fichier_log_contenu c WHERE c.fichier_log_id = f.id)
        AND NOT EXISTS (SELECT FROM fichier_log_prefixe p WHERE p.fichier_log_id = f.id)`,
    [centreId, chemins],
  );
  await db.query(
    `UPDATE fichier_log SET etat = 'lu', erreur = NULL, signature = NULL
      WHERE centre_usinage_id = $1 AND chemin = ANY ($2) AND etat = 'erreur'`,
    [centreId, chemins],
  );
}

/** All paths that could not be read, of all centres. */
export async function cheminsEnErreur(db: Queryable): Promise<{ centreId: number; chemin: string }[]> {
  const { rows } = await db.query<{ centreId: number; chemin: string }>(
    `SELECT centre_usinage_id AS "centreId", chemin FROM fichier_log WHERE etat = 'erreur'`,
  );
  return rows;
}

export interface Lien {
  readonly fichierId: number;
  readonly versionId: number;
}

export async function addContenus(client: Client, liens: readonly Lien[]): Promise<void> {
  if (liens.length === 0) return;
  await client.query(
    `INSERT INTO fichier_log_contenu (fichier_log_id, version_id, etat)
     SELECT f, v, 'active' FROM unnest($1::int[], $2::int[]) u (f, v)
     ON CONFLICT (fichier_log_id, version_id) DO NOTHING`,
    [liens.map((lien) => lien.fichierId), liens.map((lien) => lien.versionId)],
  );
}

/**
 * A content says nothing beside the fuller one that its path has now: it goes from the contents to the prefixes. When
 * `versionId` is the version that it was itself, this must come before the others that go into it.
 */
export async function absorbContenu(
  client: Client,
  fichierId: number,
  absorbe: { versionId: number; sha256: string; taille: number },
  versionId: number,
  trous: Trous,
): Promise<void> {
  // What its own prefixes lacked, and what it lacked itself, they lack now.
  if (absorbe.versionId !== versionId || trous.length > 0)
    await client.query(
      `UPDATE fichier_log_prefixe
          SET version_id = $3, trous = (trous + $4::int8multirange) * int8multirange(int8range(0, taille))
        WHERE fichier_log_id = $1 AND version_id = $2`,
      [fichierId, absorbe.versionId, versionId, toMultirange(trous)],
    );
  if (absorbe.versionId !== versionId) {
    await client.query('DELETE FROM fichier_log_contenu WHERE fichier_log_id = $1 AND version_id = $2', [
      fichierId,
      absorbe.versionId,
    ]);
    await client.query('UPDATE fichier_log SET version_id = NULL WHERE id = $1 AND version_id = $2', [
      fichierId,
      absorbe.versionId,
    ]);
  }
  await addPrefixe(client, fichierId, absorbe, versionId, trous);
}

export async function addPrefixe(
  client: Client,
  fichierId: number,
  octets: { sha256: string; taille: number },
  versionId: number,
  trous: Trous,
): Promise<void> {
  await client.query(
    `INSERT INTO fichier_log_prefixe (fichier_log_id, sha256, taille, version_id, trous)
     VALUES ($1, $2, $3, $4, $5::int8multirange)
     ON CONFLICT (fichier_log_id, sha256) DO NOTHING`,
    [fichierId, toBytes(octets.sha256), octets.taille, versionId, toMultirange(trous)],
  );
}

/** Puts every content of a path but one aside; returns the versions that this concerns. */
export async function replaceContenus(client: Client, fichierId: number, keep: number): Promise<number[]> {
  const { rows } = await client.query<{ version_id: number }>(
    `UPDATE fichier_log_contenu SET etat = 'remplacee'
      WHERE fichier_log_id = $1 AND version_id <> $2 AND etat = 'active' RETURNING version_id`,
    [fichierId, keep],
  );
  await client.query(
    `UPDATE fichier_log_contenu SET etat = 'active'
      WHERE fichier_log_id = $1 AND version_id = $2 AND etat = 'remplacee'`,
    [fichierId, keep],
  );
  return rows.map((row) => row.version_id);
}

function toMultirange(trous: Trous): string {
  return `{${trous.map(([debut, fin]) => `[${debut},${fin})`).join(',')}}`;
}

export function toBytes(sha256: string): Buffer {
  return Buffer.from(sha256, 'hex');
}
