import { mkdir, rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import type { ArchiveSauvegardee, Depot } from '../../archives/sauvegarde/depot.ts';
import {
  cheminArchive,
  ecrire,
  lire,
  synchroniserDossier,
  verifierArchive,
} from '../../archives/sauvegarde/fichiers.ts';
import type { BaseContext } from '../../base/context.ts';
import { AtelierError, codeOf, messageOf } from '../../base/errors.ts';

/**
 * Brings back to ARCHIVES_DIR the archives that are not there, or not whole. Those of other versions stay: they are in
 * nobody's way. One that is lost keeps nothing else from coming back.
 *
 * @param onArchive told how many were looked at
 * @returns how many were copied; those that can be had whole nowhere, by SHA-256
 * @throws AtelierError ATL_L203 when ARCHIVES_DIR cannot be written
 */
export async function ramenerArchives(
  ctx: BaseContext,
  depot: Depot,
  archives: readonly ArchiveSauvegardee[],
  onArchive: (fait: number) => void,
): Promise<{ copiees: number; manquantes: string[] }> {
  const root = ctx.config.archivesDir;
  const touches = new Set<string>();
  const manquantes: string[] = [];
  let copiees = 0;
  for (const [i, archive] of archives.entries()) {
    ctx.shutdown.signal.throwIfAborted();
    onArchive(i + 1);
    const target = cheminArchive(root, archive.centre, archive.sha256);
    if (await entiere(target, archive.sha256)) continue;
    try {
      await copier(depot, archive, root, target);
    } catch (error) {
      if (codeOf(error) !== 'ATL_B902') throw error;
      ctx.logger.error({ archive: archive.sha256, erreur: messageOf(error) }, 'archive perdue');
      manquantes.push(archive.sha256);
      continue;
    }
    touches.add(dirname(target));
    copiees++;
  }
  for (const folder of touches) await synchroniserDossier(folder);
  return { copiees, manquantes };
}

/** @throws AtelierError ATL_B902 when the backup does not have it whole, ATL_L203 when it cannot be written */
async function copier(
  depot: Depot,
  archive: ArchiveSauvegardee,
  root: string,
  target: string,
): Promise<void> {
  if (archive.fichier === undefined)
    throw new AtelierError('ATL_B902', `Archive ${archive.sha256} : elle manquait déjà à la sauvegarde.`);
  // The same names as those of waiting archives: what a killed restoration leaves is swept up with them.
  const waiting = join(root, 'en-attente');
  const draft = join(waiting, `${hostname()}~${process.pid}~restauration-${archive.sha256}.zst`);
  await verifierArchive(depot.lireArchive(archive, true), archive.sha256);
  try {
    await mkdir(waiting, { recursive: true, mode: 0o700 });
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    const clear = { compresser: false, cle: undefined, nom: archive.sha256 };
    await ecrire(draft, depot.lireArchive(archive, false), clear);
    await rename(draft, target);
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined);
    if (error instanceof AtelierError) throw error;
    throw new AtelierError('ATL_L203', `Écriture de l’archive ${target} : ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** Whether an archive lies there, and is what its name says. */
async function entiere(path: string, sha256: string): Promise<boolean> {
  const clear = { compresse: true, chiffre: false, cles: [], nom: sha256 };
  return await verifierArchive(lire(path, clear), sha256).then(
    () => true,
    () => false,
  );
}
