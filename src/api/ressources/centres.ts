import { CENTRES } from '../../postgres/lecture/tables.ts';
import { de } from '../inclusions.ts';
import type { Ressource } from '../ressource.ts';
import { centreUsinage } from '../schemas/centres.ts';
import { FILTRES } from '../schemas/listes.ts';

export const RESSOURCE_CENTRES: Ressource = {
  nom: 'centres',
  libelle: 'Un centre d’usinage',
  pluriel: 'centres d’usinage',
  nature: 'sans_personne',
  table: CENTRES,
  lu: de('centres', centreUsinage),
  filtres: { type_cu: FILTRES.type_cu, actif: FILTRES.actif },
  triDefaut: [{ colonne: 'id', sens: 'asc' }],
};
