import type { Client, Queryable } from '../pool.ts';

/** What is stored of a kind, as SQL that counts it. */
const EN_TOUT = {
  details: `SELECT count(*) AS nombre FROM (SELECT DISTINCT s.centre_usinage_id, s.date_production FROM session_production s
     WHERE NOT EXISTS (SELECT FROM jour_gele g WHERE g.centre_usinage_id = s.centre_usinage_id
                          AND g.jour = s.date_production AND g.details_purges_le IS NOT NULL)) j`,
  sessions: `SELECT count(*) AS nombre
     FROM (SELECT DISTINCT centre_usinage_id, date_production FROM session_production) j`,
  archives: 'SELECT count(*) AS nombre FROM fichier_log_version WHERE archive_purgee_le IS NULL',
  quarantaine: 'SELECT count(*) AS nombre FROM fichier_log_version WHERE lignes_rejetees > rejets_purges',
  depot: `SELECT count(*) AS nombre FROM fichier_log WHERE etat = 'lu'`,
  comptesActifs: 'SELECT count(*) AS nombre FROM "user" WHERE actif',
  comptes: 'SELECT count(*) AS nombre FROM "user"',
} as const;

/** How much is stored of a kind: days, files, accounts. */
export async function compterEnTout(db: Queryable, quoi: keyof typeof EN_TOUT): Promise<number> {
  const { rows } = await db.query<{ nombre: number }>(EN_TOUT[quoi]);
  return rows[0]!.nombre;
}

/**
 * The last thing that happened before a purge, as far as is stored: the end of the last purge that finished a kind, or else
 * the latest reception or run. What is dated later than the present says nothing.
 *
 * @param execution the run of this purge, which is not meant
 * @param maintenant ms since the epoch
 * @returns ms since the epoch; undefined: nothing is stored
 */
export async function dernierSigne(
  client: Client,
  execution: number,
  maintenant: number,
): Promise<{ quand: number; purge: boolean } | undefined> {
  const { rows } = await client.query<{ purge: number | null; autre: number | null }>(
    `SELECT (SELECT (extract(epoch FROM p.fin) * 1000)::float8 FROM purge p
              WHERE p.fin <= $2 AND p.execution_id <> $1 ORDER BY p.id DESC LIMIT 1) AS purge,
            (extract(epoch FROM greatest(
               (SELECT e.debut FROM execution e WHERE e.debut <= $2 AND e.id <> $1 ORDER BY e.debut DESC LIMIT 1),
               (SELECT max(r.derniere_reception) FROM centre_usinage c CROSS JOIN LATERAL (
                  SELECT v.derniere_reception FROM fichier_log_version v
                   WHERE v.centre_usinage_id = c.id AND v.derniere_reception <= $2
                   ORDER BY v.derniere_reception DESC LIMIT 1) r))) * 1000)::float8 AS autre`,
    [execution, new Date(maintenant)],
  );
  const { purge, autre } = rows[0]!;
  if (purge !== null) return { quand: purge, purge: true };
  return autre === null ? undefined : { quand: autre, purge: false };
}
