import type { ArchiveSauvegardee, Depot } from '../../archives/sauvegarde/depot.ts';
import { codeOf, messageOf } from '../../base/errors.ts';

/** What became of the archives that a backup needs. */
export interface ArchivesCopiees {
  readonly liste: readonly ArchiveSauvegardee[];
  /** bytes of all of them, as they lie in the pool */
  readonly octets: number;
  /** how many were not in the pool yet */
  readonly copiees: number;
  /** that are missing, damaged, or encrypted with a key that is not at hand: why, by SHA-256 */
  readonly manquantes: ReadonlyMap<string, string>;
}

/** What concerns one archive, and keeps no other from being saved. */
const DE_L_ARCHIVE = new Set(['ATL_B902', 'ATL_L209', 'ENOENT']);

/**
 * Copies archives into the pool of a folder of backups, unless they are there; their names are on the disk when this
 * returns.
 *
 * @param attendues SHA-256 by centre
 * @param onArchive told how many were looked at, and of how many
 * @throws AtelierError ATL_B903; the file system's error when the pool cannot be written
 */
export async function copierArchives(
  depot: Depot,
  archivesDir: string,
  attendues: ReadonlyMap<number, readonly string[]>,
  onArchive: (fait: number, total: number) => void,
): Promise<ArchivesCopiees> {
  const total = [...attendues.values()].reduce((sum, shas) => sum + shas.length, 0);
  const liste: ArchiveSauvegardee[] = [];
  const manquantes = new Map<string, string>();
  const touches = new Set<number>();
  let [octets, copiees] = [0, 0];
  for (const [centre, shas] of [...attendues].sort(([a], [b]) => a - b)) {
    for (const sha256 of shas.toSorted()) {
      const found = await depot.deposer(archivesDir, { centre, sha256 }).catch((error: unknown) => {
        if (!DE_L_ARCHIVE.has(codeOf(error) ?? '')) throw error;
        manquantes.set(sha256, messageOf(error));
        return undefined;
      });
      if (found) {
        octets += found.octets;
        if (found.copies > 0) touches.add(centre);
        copiees += found.copies > 0 ? 1 : 0;
      }
      liste.push({ centre, sha256, fichier: found?.fichier });
      onArchive(liste.length, total);
    }
  }
  await depot.synchroniserReserve(touches);
  return { liste, octets, copiees, manquantes };
}
