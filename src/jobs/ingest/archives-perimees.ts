import { lockCentre } from '../../postgres/journaux/fichiers.ts';
import { takeStaleArchives } from '../../postgres/journaux/versions.ts';
import { type Client, transaction } from '../../postgres/pool.ts';
import { peutEffacerArchives } from '../../postgres/sauvegarde/verrous.ts';
import type { IngestContext } from './context.ts';

/** Erases archives whose bytes are in a longer one, or past their retention period. */
export async function eraseArchives(
  ctx: Pick<IngestContext, 'archive'>,
  client: Client,
  centreId: number,
): Promise<void> {
  await transaction(client, async () => {
    await lockCentre(client, centreId);
    if (!(await peutEffacerArchives(client))) return;
    for (const sha256 of await takeStaleArchives(client, centreId))
      await ctx.archive.remove(centreId, sha256);
  });
}
