import { lockCentre } from '../../postgres/journaux/fichiers.ts';
import { takeStaleArchives } from '../../postgres/journaux/versions.ts';
import { type Client, transaction } from '../../postgres/pool.ts';
import { peutEffacerArchives } from '../../postgres/sauvegarde/verrous.ts';
import type { IngestContext } from './context.ts';

/**
 * Erases archives whose bytes are in a longer one, or past their retention period. One that stays keeps no other from going.
 *
 * @throws AtelierError ATL_L203, the first of those that could not be erased: they are tried again next time
 */
export async function eraseArchives(
  ctx: Pick<IngestContext, 'archive'>,
  client: Client,
  centreId: number,
): Promise<void> {
  await transaction(client, async () => {
    await lockCentre(client, centreId);
    if (!(await peutEffacerArchives(client))) return;
    const echecs: unknown[] = [];
    for (const sha256 of await takeStaleArchives(client, centreId))
      await ctx.archive.remove(centreId, sha256).catch((error: unknown) => echecs.push(error));
    if (echecs.length > 0) throw echecs[0];
  });
}
