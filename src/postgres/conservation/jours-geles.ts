import { formatDay, parseDay } from '../../base/time.ts';
import type { Client } from '../pool.ts';

/** What a day lost; all but the quarantine freezes its figures. */
export type MotifGel = 'details' | 'session' | 'archives' | 'quarantaine';

const COLUMN: Readonly<Record<MotifGel, string>> = {
  details: 'details_purges_le',
  session: 'session_purgee_le',
  archives: 'archives_purgees_le',
  quarantaine: 'quarantaine_purgee_le',
};

/** SQL: day `g` is not recomputed any more. */
export const GELE =
  '(g.details_purges_le IS NOT NULL OR g.session_purgee_le IS NOT NULL OR g.archives_purgees_le IS NOT NULL)';

/**
 * Freezes days of a centre: whatever is sent again, what they lost does not come back. To be called with the days
 * locked (`claimDays`); the first instant noted stays.
 *
 * @param le ms since the epoch
 */
export async function geler(
  client: Client,
  centreId: number,
  jours: readonly number[],
  motif: MotifGel,
  le: number,
): Promise<void> {
  if (jours.length === 0) return;
  const column = COLUMN[motif];
  await client.query(
    `INSERT INTO jour_gele AS g (centre_usinage_id, jour, ${column})
     SELECT $1, jour, $3::timestamptz FROM unnest($2::date[]) jour
     ON CONFLICT (centre_usinage_id, jour) DO UPDATE SET ${column} = coalesce(g.${column}, excluded.${column})`,
    [centreId, jours.map(formatDay), new Date(le)],
  );
}

/** Days of a centre whose rejected lines were purged: they are counted, but not put into quarantine again. */
export async function joursSansQuarantaine(client: Client, centreId: number): Promise<Set<number>> {
  const { rows } = await client.query<{ jour: string }>(
    'SELECT jour FROM jour_gele WHERE centre_usinage_id = $1 AND quarantaine_purgee_le IS NOT NULL',
    [centreId],
  );
  return new Set(rows.map((row) => parseDay(row.jour)));
}

const TABLES = [
  ['piece_production', 'fichier_log_version_id'],
  ['job_profil', 'fichier_log_version_id'],
  ['periode_attente', 'fichier_log_version_id'],
  ['periode_arret', 'fichier_log_version_id'],
  ['periode_arret', 'fichier_log_version_fin_id'],
] as const;

/**
 * Lets rows of frozen days come from the longer version that took another one's place: its first lines are the same.
 * Of other days recomputation does it.
 */
export async function suivreVersion(
  client: Client,
  centreId: number,
  de: number,
  vers: number,
): Promise<void> {
  const { rows } = await client.query<{ id: number }>(
    `SELECT s.id FROM jour_gele g
       JOIN session_production s ON s.centre_usinage_id = g.centre_usinage_id AND s.date_production = g.jour
      WHERE g.centre_usinage_id = $1 AND ${GELE} AND s.origine = 'log'`,
    [centreId],
  );
  if (rows.length === 0) return;
  for (const [table, column] of TABLES) {
    await client.query(
      `UPDATE ${table} SET ${column} = $3
        WHERE centre_usinage_id = $1 AND ${column} = $2 AND session_id = ANY ($4::bigint[])`,
      [centreId, de, vers, rows.map((row) => row.id)],
    );
  }
}
