import { lstat, realpath, unlink } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { codeOf } from '../../base/errors.ts';
import { fichiersEchus, listerCentres } from '../../postgres/conservation/jours.ts';
import type { Passage } from './contexte.ts';

/**
 * The machines' own files under LOGS_DIR, only when CONSERVATION_DEPOT asks for it: those that were read whole, whose
 * days are all past, and that nobody has touched since. What does not look exactly as it was read stays.
 */
export async function purgerDepot(passage: Passage): Promise<void> {
  const { client, ctx } = passage;
  const root = await realpath(ctx.config.logsDir).catch(() => undefined);
  if (root === undefined) return;
  await passage.chacun(await listerCentres(client), async (centre) => {
    const past = await fichiersEchus(client, passage.echeance(centre), passage.maintenant);
    for (const { chemin, taille } of past) {
      passage.continuer();
      const path = join(root, chemin);
      const stat = await lstat(path).catch(() => undefined);
      if (!stat?.isFile() || stat.size !== taille || stat.mtimeMs >= passage.avant) continue;
      // A folder on the way may have become a link to somewhere else.
      const real = await realpath(path).catch(() => undefined);
      if (real === undefined || !real.startsWith(root + sep)) continue;
      if (passage.aBlanc) {
        await passage.compter(1);
        continue;
      }
      try {
        await unlink(path);
      } catch (error) {
        if (codeOf(error) === 'ENOENT') continue;
        ctx.logger.warn({ fichier: chemin, erreur: codeOf(error) }, 'fichier du dépôt impossible à effacer');
        continue;
      }
      await passage.compter(1);
      passage.etape('apres_lot');
    }
  });
}
