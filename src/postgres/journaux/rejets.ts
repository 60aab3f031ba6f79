import { formatDay } from '../../base/time.ts';
import type { Rejet } from '../../domain/journal/events.ts';
import { type Column, copyRows } from '../copy.ts';
import type { Client } from '../pool.ts';

const COLUMNS: readonly Column[] = [
  { name: 'version_id', kind: 'int4' },
  { name: 'centre_usinage_id', kind: 'int4' },
  { name: 'ligne', kind: 'int8' },
  { name: 'octet', kind: 'int8' },
  { name: 'raison', kind: 'text' },
  { name: 'texte', kind: 'text' },
  { name: 'longueur', kind: 'int8' },
  { name: 'jour', kind: 'date' },
];

/** A reject with the production day (day number) that it belongs to, undefined when nobody knows. */
export type RejetAGarder = Rejet & { readonly jour: number | undefined };

/**
 * Puts lines into quarantine, by one COPY. Those of days whose quarantine was purged are counted in their version
 * (`rejets_purges`), not kept: they must not come back with a file that is sent again.
 *
 * @param purges production days whose quarantine was purged
 */
export async function copyRejets(
  client: Client,
  centreId: number,
  rejets: AsyncIterable<readonly [versionId: number, rejet: RejetAGarder]>,
  purges: ReadonlySet<number>,
): Promise<void> {
  const ecartes = new Map<number, { nombre: number; octets: number }>();
  await copyRows(client, 'ligne_rejetee', COLUMNS, async (write) => {
    for await (const [versionId, rejet] of rejets) {
      const { ligne, octet, raison, texte, longueur, jour } = rejet;
      if (jour !== undefined && purges.has(jour)) {
        const sum = ecartes.get(versionId) ?? { nombre: 0, octets: 0 };
        ecartes.set(versionId, { nombre: sum.nombre + 1, octets: sum.octets + longueur });
        continue;
      }
      const day = jour === undefined ? null : formatDay(jour);
      await write([versionId, centreId, ligne, octet, raison, texte, longueur, day]);
    }
  });
  if (ecartes.size === 0) return;
  await client.query(
    `UPDATE fichier_log_version v
        SET rejets_purges = v.rejets_purges + e.nombre, octets_rejets_purges = v.octets_rejets_purges + e.octets
       FROM unnest($1::int[], $2::bigint[], $3::bigint[]) e (id, nombre, octets) WHERE v.id = e.id`,
    [
      [...ecartes.keys()],
      [...ecartes.values()].map((sum) => sum.nombre),
      [...ecartes.values()].map((sum) => sum.octets),
    ],
  );
}

/** Takes lines of a version out of quarantine, from a line number on; from the first, also what was purged is forgotten. */
export async function deleteRejets(client: Client, versionId: number, fromLine: number): Promise<void> {
  await client.query('DELETE FROM ligne_rejetee WHERE version_id = $1 AND ligne >= $2', [
    versionId,
    fromLine,
  ]);
  if (fromLine > 1) return;
  await client.query(
    `UPDATE fichier_log_version SET rejets_purges = 0, octets_rejets_purges = 0
      WHERE id = $1 AND rejets_purges > 0`,
    [versionId],
  );
}

/**
 * Counts again what is purged of versions that have grown: their last line, which may have been purged, was read anew.
 */
export async function recompterPurges(client: Client, versionIds: readonly number[]): Promise<void> {
  if (versionIds.length === 0) return;
  await client.query(
    `UPDATE fichier_log_version v
        SET rejets_purges = v.lignes_rejetees - r.nombre, octets_rejets_purges = v.octets_rejetes - r.octets
       FROM (SELECT w.id, count(q.ligne) AS nombre, coalesce(sum(q.longueur), 0) AS octets
               FROM fichier_log_version w LEFT JOIN ligne_rejetee q ON q.version_id = w.id
              WHERE w.id = ANY ($1::int[]) AND w.rejets_purges > 0 GROUP BY w.id) r
      WHERE v.id = r.id`,
    [versionIds],
  );
}
