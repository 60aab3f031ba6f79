import { type EntreeIndex, IndexArchives } from '../../archives/index-archives.ts';
import { cheminsParticuliers } from '../../postgres/journaux/index-archives.ts';
import type { Pool } from '../../postgres/pool.ts';

/**
 * Makes the index beside the archives say what the database says, where a process died between the two (or the
 * archives are older than the index).
 *
 * @returns how many paths had to be noted
 */
export async function reconcilierIndex(pool: Pool, archives: string): Promise<number> {
  const index = new IndexArchives(archives);
  const known = new Map((await index.lire()).map((path) => [`${path.centre}\n${path.chemin}`, path]));
  const entrees: EntreeIndex[] = [];
  const seen = new Set<string>();
  for (const { centre, chemin, actives, remplacees } of await cheminsParticuliers(pool)) {
    const key = `${centre}\n${chemin}`;
    seen.add(key);
    const path = known.get(key);
    const same =
      actives.every((sha) => path?.liens.has(sha) && !path.remplacees.has(sha)) &&
      remplacees.every((sha) => path?.remplacees.has(sha));
    if (!same) entrees.push({ genre: 'etats', centre, chemin, actives, remplacees });
  }
  for (const [key, { centre, chemin, remplacees }] of known) {
    // Noted, then rolled back: nothing is put aside there.
    if (remplacees.size > 0 && !seen.has(key))
      entrees.push({ genre: 'etats', centre, chemin, actives: [...remplacees], remplacees: [] });
  }
  await index.ajouter(entrees);
  return entrees.length;
}
