/** Texts of logs that are stored, to be rewritten where their line is not read again (rules of masking). */
import { GELE } from '../conservation/jours-geles.ts';
import type { Client, Queryable } from '../pool.ts';

/** A version whose stored texts are to be looked at. */
export interface VersionAMasquer {
  readonly id: number;
  readonly centreId: number;
}

/** Rejected lines that are read at once; each may have 2,000 characters. */
const LOT = 2_000;

/** Versions of which neither of these is the end of the settings that they were read with. */
export async function versionsAMasquer(db: Queryable, fins: readonly string[]): Promise<VersionAMasquer[]> {
  const { rows } = await db.query<VersionAMasquer>(
    `SELECT id, centre_usinage_id AS "centreId" FROM fichier_log_version v
      WHERE NOT EXISTS (SELECT FROM unnest($1::text[]) f WHERE right(v.regles, length(f)) = f) ORDER BY id`,
    [fins],
  );
  return rows;
}

/**
 * Locks a version, and gives what is known of its other events.
 *
 * @returns undefined when it is gone, or another process has done it
 */
export async function prendreVersion(
  client: Client,
  id: number,
  fins: readonly string[],
): Promise<{ regles: string; autres: Record<string, [number, number, number]> } | undefined> {
  const { rows } = await client.query<{ regles: string; autres: Record<string, [number, number, number]> }>(
    `SELECT regles, autres_evenements AS autres FROM fichier_log_version v WHERE id = $1
        AND NOT EXISTS (SELECT FROM unnest($2::text[]) f WHERE right(v.regles, length(f)) = f) FOR UPDATE`,
    [id, fins],
  );
  return rows[0];
}

/** Notes how the stored texts of a version stand, and its other events. */
export async function noterVersion(
  client: Client,
  id: number,
  regles: string,
  autres: Readonly<Record<string, readonly [number, number, number]>>,
): Promise<void> {
  await client.query('UPDATE fichier_log_version SET regles = $2, autres_evenements = $3 WHERE id = $1', [
    id,
    regles,
    JSON.stringify(autres),
  ]);
}

/** Rewrites the lines of a version in quarantine. */
export async function reecrireRejets(
  client: Client,
  versionId: number,
  texte: (avant: string) => string,
): Promise<void> {
  for (let after = 0; ; ) {
    const { rows } = await client.query<{ ligne: number; texte: string }>(
      'SELECT ligne, texte FROM ligne_rejetee WHERE version_id = $1 AND ligne > $2 ORDER BY ligne LIMIT $3',
      [versionId, after, LOT],
    );
    if (rows.length === 0) return;
    after = rows.at(-1)!.ligne;
    const changed = rows
      .map((row) => ({ ligne: row.ligne, avant: row.texte, apres: texte(row.texte) }))
      .filter(({ avant, apres }) => avant !== apres);
    if (changed.length === 0) continue;
    await client.query(
      `UPDATE ligne_rejetee r SET texte = u.texte FROM unnest($2::bigint[], $3::text[]) u (ligne, texte)
        WHERE r.version_id = $1 AND r.ligne = u.ligne`,
      [versionId, changed.map(({ ligne }) => ligne), changed.map(({ apres }) => apres)],
    );
  }
}

export interface ProfilGarde {
  readonly reference: string;
  readonly couleur: string | null;
}

/**
 * Rewrites the texts of pieces and profiles that come from a version.
 *
 * @param geles only those of frozen days, which are not computed again
 */
export async function reecrireDetails(
  client: Client,
  { id, centreId }: VersionAMasquer,
  geles: boolean,
  reecrire: { details(avant: string): string; profil(avant: ProfilGarde): ProfilGarde },
): Promise<void> {
  const sessions = `s.id IN (SELECT p.id FROM session_production p
       JOIN fichier_log_jour j ON j.version_id = $1 AND j.jour = p.date_production
      WHERE p.centre_usinage_id = $2 AND p.origine = 'log' ${
        geles
          ? `AND EXISTS (SELECT FROM jour_gele g WHERE g.centre_usinage_id = $2 AND g.jour = p.date_production AND ${GELE})`
          : ''
      })`;
  const from = (table: string): string =>
    `FROM session_production s JOIN ${table} d ON d.session_id = s.id AND d.centre_usinage_id = $2
      WHERE s.centre_usinage_id = $2 AND d.fichier_log_version_id = $1 AND ${sessions}`;
  const pieces = await client.query<{ id: number; details: string }>(
    `SELECT d.id, d.details ${from('piece_production')} AND d.details IS NOT NULL ORDER BY d.id`,
    [id, centreId],
  );
  const changed = pieces.rows
    .map((row) => ({ ...row, apres: reecrire.details(row.details) }))
    .filter(({ details, apres }) => details !== apres);
  if (changed.length > 0)
    await client.query(
      `UPDATE piece_production d SET details = u.details FROM unnest($2::bigint[], $3::text[]) u (id, details)
        WHERE d.centre_usinage_id = $1 AND d.id = u.id`,
      [centreId, changed.map((row) => row.id), changed.map(({ apres }) => apres)],
    );
  const profils = await client.query<ProfilGarde & { id: number }>(
    `SELECT d.id, d.reference, d.couleur ${from('job_profil')} ORDER BY d.id`,
    [id, centreId],
  );
  const others = profils.rows
    .map((row) => ({ row, apres: reecrire.profil(row) }))
    .filter(({ row, apres }) => row.reference !== apres.reference || row.couleur !== apres.couleur);
  if (others.length === 0) return;
  await client.query(
    `UPDATE job_profil d SET reference = u.reference, couleur = u.couleur
       FROM unnest($2::bigint[], $3::text[], $4::text[]) u (id, reference, couleur)
      WHERE d.centre_usinage_id = $1 AND d.id = u.id`,
    [
      centreId,
      others.map(({ row }) => row.id),
      others.map(({ apres }) => apres.reference),
      others.map(({ apres }) => apres.couleur),
    ],
  );
}

/** A version whose lines can be read in the archive. */
export interface VersionLisible {
  readonly centreId: number;
  readonly sha256: string;
  readonly encodage: string;
}

/** The versions that count and were received last, newest first. */
export async function versionsRecentes(
  db: Queryable,
  centre: string | undefined,
  limite: number,
): Promise<VersionLisible[]> {
  const { rows } = await db.query<VersionLisible>(
    `SELECT v.centre_usinage_id AS "centreId", encode(v.sha256, 'hex') AS sha256, v.encodage
       FROM fichier_log_version v JOIN centre_usinage c ON c.id = v.centre_usinage_id
      WHERE v.active AND v.archive_purgee_le IS NULL AND ($1::text IS NULL OR c.nom = $1)
      ORDER BY v.derniere_reception DESC, v.id DESC LIMIT $2`,
    [centre ?? null, limite],
  );
  return rows;
}

/** How many versions have texts that other rules than these masked, or none. */
export async function compterAMasquer(db: Queryable, fins: readonly string[]): Promise<number> {
  const { rows } = await db.query<{ nombre: number }>(
    `SELECT count(*)::int AS nombre FROM fichier_log_version v
      WHERE NOT EXISTS (SELECT FROM unnest($1::text[]) f WHERE right(v.regles, length(f)) = f)`,
    [fins],
  );
  return rows[0]!.nombre;
}
