import type { Archive, ArchiveEnAttente } from '../../archives/archive.ts';
import { exigerCleEnUsage } from '../../archives/cle-en-usage.ts';
import type { ArchiveSauvegardee, Depot } from '../../archives/sauvegarde/depot.ts';
import { verifierArchive } from '../../archives/sauvegarde/fichiers.ts';
import type { BaseContext } from '../../base/context.ts';
import { AtelierError, codeOf, messageOf } from '../../base/errors.ts';

/** Archives that get their names together: each time the folder must reach the disk. */
const LOT = 50;

/**
 * Brings back to ARCHIVES_DIR the archives that are not there, or not whole, in the form that archives have now. Those of
 * other versions stay: they are in nobody's way. One that is lost keeps nothing else from coming back.
 *
 * @param onArchive told how many were looked at
 * @returns how many were copied; those that can be had whole nowhere, by SHA-256
 * @throws AtelierError ATL_L203 when ARCHIVES_DIR cannot be written, ATL_L209 when a key of archives is not at hand:
 *   then nothing was touched
 */
export async function ramenerArchives(
  ctx: BaseContext & { readonly archive: Archive },
  depot: Depot,
  archives: readonly ArchiveSauvegardee[],
  onArchive: (fait: number) => void,
): Promise<{ copiees: number; manquantes: string[] }> {
  depot.exigerClesArchives(archives);
  await exigerCleEnUsage(ctx.archive.root, ctx.archive.cles);
  const manquantes: string[] = [];
  let copiees = 0;
  let batch: { sha256: string; waiting: ArchiveEnAttente }[] = [];
  const settle = async (centre: number): Promise<void> => {
    await ctx.archive.place(centre, batch);
    copiees += batch.length;
    batch = [];
  };
  try {
    for (const [i, archive] of archives.entries()) {
      ctx.shutdown.signal.throwIfAborted();
      onArchive(i + 1);
      try {
        if (!(await entiere(ctx.archive, archive)))
          batch.push({ sha256: archive.sha256, waiting: await copier(depot, archive, ctx.archive) });
      } catch (error) {
        if (codeOf(error) !== 'ATL_B902') throw error;
        ctx.logger.error({ archive: archive.sha256, erreur: messageOf(error) }, 'archive perdue');
        manquantes.push(archive.sha256);
      }
      const { centre } = archive;
      if (batch.length >= LOT || archives[i + 1]?.centre !== centre) await settle(centre);
    }
  } catch (error) {
    // What waits for its name has none yet: it would only take room.
    for (const { waiting } of batch) await ctx.archive.discard(waiting).catch(() => undefined);
    throw error;
  }
  return { copiees, manquantes };
}

/** @throws AtelierError ATL_B902 when the backup does not have it whole, ATL_L203 when it cannot be written */
async function copier(depot: Depot, saved: ArchiveSauvegardee, archive: Archive): Promise<ArchiveEnAttente> {
  const { sha256, fichier } = saved;
  if (fichier === undefined)
    throw new AtelierError('ATL_B902', `Archive ${sha256} : elle manquait déjà à la sauvegarde.`);
  await verifierArchive(depot.lireArchive(saved, true), sha256);
  return await archive.writeCompressed(sha256, depot.lireArchive(saved, false), sha256);
}

/** Whether an archive lies there, and is what its name says. @throws AtelierError ATL_L209: it may be */
async function entiere(archive: Archive, { centre, sha256 }: ArchiveSauvegardee): Promise<boolean> {
  try {
    await verifierArchive(archive.read(centre, sha256), sha256);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ATL_L209') throw error;
    return false;
  }
}
