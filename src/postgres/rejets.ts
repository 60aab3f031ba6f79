import type { Rejet } from '../domain/journal/events.ts';
import { type Column, copyRows } from './copy.ts';
import type { Client } from './pool.ts';

const COLUMNS: readonly Column[] = [
  { name: 'version_id', kind: 'int4' },
  { name: 'centre_usinage_id', kind: 'int4' },
  { name: 'ligne', kind: 'int8' },
  { name: 'octet', kind: 'int8' },
  { name: 'raison', kind: 'text' },
  { name: 'texte', kind: 'text' },
  { name: 'longueur', kind: 'int8' },
];

/** Puts lines into quarantine, by one COPY. */
export async function copyRejets(
  client: Client,
  centreId: number,
  rejets: AsyncIterable<readonly [versionId: number, rejet: Rejet]>,
): Promise<void> {
  await copyRows(client, 'ligne_rejetee', COLUMNS, async (write) => {
    for await (const [versionId, rejet] of rejets) {
      const { ligne, octet, raison, texte, longueur } = rejet;
      await write([versionId, centreId, ligne, octet, raison, texte, longueur]);
    }
  });
}

/** Takes lines of a version out of quarantine, from a line number on. */
export async function deleteRejets(client: Client, versionId: number, fromLine: number): Promise<void> {
  await client.query('DELETE FROM ligne_rejetee WHERE version_id = $1 AND ligne >= $2', [
    versionId,
    fromLine,
  ]);
}
