import { type Depot, instantDe } from '../../archives/sauvegarde/depot.ts';
import type { SauvegardeConfig } from '../../base/config/sauvegarde.ts';

const DAY = 24 * 3600 * 1000;

/**
 * Removes backups that are too old or too many (SAUVEGARDE_CONSERVATION, SAUVEGARDES_GARDEES), and archives that no
 * other one needs. The newest stays, however old it is.
 *
 * @param options `garder`: a name that stays whatever happens; `maintenant`: ms since 1970
 * @returns names of the removed ones, oldest first
 */
export async function expirerSauvegardes(
  depot: Depot,
  regles: Pick<SauvegardeConfig, 'conservation' | 'gardees'>,
  options: { garder?: string; maintenant: number },
): Promise<string[]> {
  const noms = await depot.noms();
  const doomed = aEffacer(noms, regles, options.maintenant).filter((nom) => nom !== options.garder);
  for (const nom of doomed) await depot.effacer(nom);
  if (doomed.length > 0) await depot.degager();
  return doomed;
}

/** Which of the backups, oldest first, have had their time. */
function aEffacer(
  noms: readonly string[],
  regles: Pick<SauvegardeConfig, 'conservation' | 'gardees'>,
  maintenant: number,
): string[] {
  return noms.filter(
    (nom, i) =>
      i < noms.length - 1 &&
      (noms.length - i > regles.gardees || maintenant - instantDe(nom) > regles.conservation * DAY),
  );
}
