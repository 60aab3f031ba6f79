import { estPartiel } from '../ingest/compteurs.ts';
import { ingest } from '../ingest.ts';
import type { Tache } from './tache.ts';

/** The daily import: following keeps up all day, this one finds what it may have missed (F27). */
export const tacheIngest: Tache = {
  nom: 'ingest',
  async executer(ctx) {
    const { centre } = ctx.options;
    const compteurs = await ingest(ctx, centre === undefined ? {} : { centre });
    return { etat: estPartiel(compteurs) ? 'partielle' : 'reussie', compteurs };
  },
};
