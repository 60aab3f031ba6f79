import { sync } from '../sync.ts';
import type { Tache } from './tache.ts';

/** Orders from the ERP. */
export const tacheSync: Tache = {
  nom: 'sync',
  manque: (config) =>
    config.erp === undefined ? 'aucun ERP n’est réglé (MYSQL_URL ou MYSQL_HOST)' : undefined,
  async executer(ctx) {
    const result = await sync(ctx, { force: ctx.options.force ?? false });
    if (result.etat === 'ignoree') return { etat: 'ignoree', compteurs: {} };
    const { etat, exemples: _, ...compteurs } = result;
    return { etat, compteurs };
  },
};
