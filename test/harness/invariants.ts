import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import type { Archive } from '../../src/archives/archive.ts';
import { REQUETES } from '../../src/postgres/mesures.ts';
import type { Pool } from '../../src/postgres/pool.ts';

/** What must be empty after every finished import, whatever happened before; each query finds offenders. */
const OFFENDERS: Readonly<Record<string, string>> = {
  'days left to recompute': 'SELECT centre_usinage_id, jour::text FROM jour_a_recalculer',
  'archives left to erase': 'SELECT centre_usinage_id FROM archive_perimee',
  ...Object.fromEntries(
    ['job_profil', 'periode_attente', 'periode_arret', 'piece_production'].map((table) => [
      `orphans in ${table}`,
      `SELECT d.id FROM ${table} d LEFT JOIN session_production s
           ON s.id = d.session_id AND s.centre_usinage_id = d.centre_usinage_id WHERE s.id IS NULL`,
    ]),
  ),
  'pieces with the profile of another session': `SELECT p.id FROM piece_production p
      LEFT JOIN job_profil j ON j.id = p.job_profil_id AND j.session_id = p.session_id
     WHERE p.job_profil_id IS NOT NULL AND j.id IS NULL`,
  'sessions whose figures are not those of their rows': `SELECT s.id FROM session_production s
     WHERE s.origine = 'log' AND s.total_pieces <> (SELECT count(*) FROM piece_production p WHERE p.session_id = s.id)
       AND NOT EXISTS (SELECT FROM jour_gele g WHERE (g.centre_usinage_id, g.jour) = (s.centre_usinage_id, s.date_production)
                          AND g.details_purges_le IS NOT NULL)`,
  'L7: bytes or lines that are not accounted for': `SELECT v.id FROM fichier_log_version v
     WHERE v.taille <> v.octets_evenements + v.octets_autres + v.octets_rejetes + v.octets_ignores
        OR v.lignes <> v.lignes_evenements + v.lignes_autres + v.lignes_rejetees + v.lignes_ignorees`,
  'L7: quarantine that is not what was counted': `SELECT v.id FROM fichier_log_version v
      LEFT JOIN ligne_rejetee r ON r.version_id = v.id GROUP BY v.id
     HAVING count(r.ligne) + v.rejets_purges <> v.lignes_rejetees
         OR coalesce(sum(r.longueur), 0) + v.octets_rejets_purges <> v.octets_rejetes`,
  'E: quarantine that /metrics tells otherwise than it is': `SELECT m.nom, m.rejets, r.nombre FROM (${REQUETES[0]}) m
      JOIN centre_usinage c ON c.nom = m.nom
      CROSS JOIN LATERAL (SELECT count(*) AS nombre FROM ligne_rejetee r WHERE r.centre_usinage_id = c.id) r
     WHERE m.rejets <> r.nombre`,
  'L7: events that no day has': `SELECT v.id FROM fichier_log_version v
      LEFT JOIN fichier_log_jour j ON j.version_id = v.id WHERE v.ecartee IS NULL GROUP BY v.id
     HAVING coalesce(sum(j.evenements), 0) <> v.lignes_evenements`,
  'versions whose mark is not that of their paths': `SELECT v.id FROM fichier_log_version v
     WHERE v.active <> EXISTS (SELECT 1 FROM fichier_log_contenu c WHERE c.version_id = v.id AND c.etat = 'active')`,
  'sources that are no version any more': `SELECT p.id FROM piece_production p
      JOIN session_production s ON s.id = p.session_id AND s.origine = 'log'
      LEFT JOIN fichier_log_version v ON v.id = p.fichier_log_version_id
     WHERE v.id IS NULL OR NOT (v.active OR EXISTS (SELECT FROM jour_gele g
             WHERE (g.centre_usinage_id, g.jour) = (s.centre_usinage_id, s.date_production)))`,
  'purged details that came back': `SELECT s.id FROM session_production s
      JOIN jour_gele g ON (g.centre_usinage_id, g.jour) = (s.centre_usinage_id, s.date_production)
     WHERE g.session_purgee_le IS NOT NULL OR g.details_purges_le IS NOT NULL AND (
        EXISTS (SELECT FROM piece_production d WHERE d.session_id = s.id) OR EXISTS (SELECT FROM job_profil d WHERE d.session_id = s.id)
        OR EXISTS (SELECT FROM periode_attente d WHERE d.session_id = s.id) OR EXISTS (SELECT FROM periode_arret d WHERE d.session_id = s.id))`,
  'purged quarantine that came back': `SELECT r.version_id FROM ligne_rejetee r
      JOIN jour_gele g ON (g.centre_usinage_id, g.jour) = (r.centre_usinage_id, r.jour) WHERE g.quarantaine_purgee_le IS NOT NULL`,
  'days whose bytes were purged, but that are not frozen': `SELECT v.id FROM fichier_log_version v
      JOIN fichier_log_jour j ON j.version_id = v.id WHERE v.archive_purgee_le IS NOT NULL AND NOT EXISTS (
        SELECT FROM jour_gele g WHERE (g.centre_usinage_id, g.jour) = (j.centre_usinage_id, j.jour) AND g.archives_purgees_le IS NOT NULL)`,
};
const ALL_OFFENDERS = Object.entries(OFFENDERS)
  .map(
    ([what, sql]) =>
      `SELECT '${what.replaceAll("'", "''")}' AS what, to_json(x)::text AS row FROM (${sql}) x`,
  )
  .join(' UNION ALL ');

/** Asserts what holds after every finished import. */
export async function checkInvariants(pool: Pool, archive: Archive): Promise<void> {
  expect((await pool.query(ALL_OFFENDERS)).rows).toEqual([]);
  await checkArchives(pool, archive);
}

/** Every byte ever registered can be had again (of versions whole, of less full states as their beginning with NULs), unless purged. */
async function checkArchives(pool: Pool, archive: Archive): Promise<void> {
  const { rows } = await pool.query<{
    centre: number;
    sha: string;
    taille: number;
    prefixes: { sha: string; taille: number; trous: [number, number][] }[];
    purgee: boolean;
  }>(
    `SELECT v.centre_usinage_id AS centre, encode(v.sha256, 'hex') AS sha, v.taille, v.archive_purgee_le IS NOT NULL AS purgee,
            coalesce(json_agg(json_build_object('sha', encode(p.sha256, 'hex'), 'taille', p.taille, 'trous', (
                       SELECT coalesce(json_agg(json_build_array(lower(r), upper(r))), '[]') FROM unnest(p.trous) r)))
                       FILTER (WHERE p.taille IS NOT NULL), '[]') AS prefixes
       FROM fichier_log_version v LEFT JOIN fichier_log_prefixe p ON p.version_id = v.id GROUP BY v.id`,
  );
  for (const { centre, sha, taille, prefixes, purgee } of rows) {
    if (purgee) {
      expect(await archive.has(centre, sha), 'archive of purged bytes').toBe(false);
      continue;
    }
    const pieces: Buffer[] = [];
    for await (const piece of archive.read(centre, sha)) pieces.push(Buffer.from(piece));
    const bytes = Buffer.concat(pieces);
    expect([bytes.length, sha256(bytes)], 'archive of a version').toEqual([taille, sha]);
    for (const prefix of prefixes) {
      const own = Buffer.from(bytes.subarray(0, prefix.taille));
      for (const [debut, fin] of prefix.trous) own.fill(0, debut, fin);
      expect(sha256(own), 'bytes of a prefix').toBe(prefix.sha);
    }
  }
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
