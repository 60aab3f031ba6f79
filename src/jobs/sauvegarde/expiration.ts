import { type Depot, instantDe } from '../../archives/sauvegarde/depot.ts';
import type { SauvegardeConfig } from '../../base/config/sauvegarde.ts';

const DAY = 24 * 3600 * 1000;

/**
 * Removes backups that are too old or too many (SAUVEGARDE_CONSERVATION, SAUVEGARDES_GARDEES), and archives that no
 * other one needs. The newest stays, however old it is. Of those that are too old the oldest go, a part of all at a time: a
 * clock that jumped finds all of them too old, and this gives a person days to see it.
 *
 * @param options `garder`: a name that stays whatever happens; `maintenant`: ms since 1970; `part`: 0 to 1
 * @returns names of the removed ones, oldest first; how many are too old and stay for now
 */
export async function expirerSauvegardes(
  depot: Depot,
  regles: Pick<SauvegardeConfig, 'conservation' | 'gardees'>,
  options: { garder?: string; maintenant: number; part: number },
): Promise<{ effacees: string[]; retenues: number }> {
  const noms = await depot.noms();
  const old = noms.filter(
    (nom, i) =>
      i < noms.length - 1 &&
      nom !== options.garder &&
      options.maintenant - instantDe(nom) > regles.conservation * DAY,
  );
  const now = new Set(old.slice(0, Math.max(1, Math.floor(options.part * noms.length))));
  const doomed = noms.filter(
    (nom, i) =>
      nom !== options.garder && i < noms.length - 1 && (noms.length - i > regles.gardees || now.has(nom)),
  );
  for (const nom of doomed) await depot.effacer(nom);
  if (doomed.length > 0) await depot.degager();
  return { effacees: doomed, retenues: old.filter((nom) => !doomed.includes(nom)).length };
}
