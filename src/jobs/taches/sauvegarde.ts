import { suivreTache } from '../../base/tache-suivie.ts';
import { sauvegarder } from '../sauvegarde.ts';
import type { Tache } from './tache.ts';

/** The backup (O15). */
export const tacheSauvegarde: Tache = {
  nom: 'sauvegarde',
  async executer(ctx) {
    const { etat, ...compteurs } = await suivreTache(
      { job: 'sauvegarde', execution: ctx.execution },
      () => sauvegarder(ctx),
      (bilan) => bilan.etat,
    );
    return { etat, compteurs };
  },
};
