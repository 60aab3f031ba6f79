import { suivreTache } from '../../base/tache-suivie.ts';
import { purger } from '../purge.ts';
import type { Tache } from './tache.ts';

/** The nightly purge (R10). */
export const tachePurge: Tache = {
  nom: 'purge',
  async executer(ctx) {
    const { etat, categories } = await suivreTache(
      { job: 'purge', execution: ctx.execution },
      () => purger(ctx, { force: ctx.options.force ?? false }),
      (bilan) => bilan.etat,
    );
    return { etat, compteurs: Object.fromEntries(categories.map((c) => [c.categorie, c.lignes])) };
  },
};
