import { SESSIONS } from '../../postgres/lecture/tables.ts';
import { de } from '../inclusions.ts';
import type { Ressource } from '../ressource.ts';
import { FILTRES } from '../schemas/listes.ts';
import { sessionProduction } from '../schemas/sessions.ts';

export const RESSOURCE_SESSIONS: Ressource = {
  nom: 'sessions',
  libelle: 'Une session de production',
  pluriel: 'sessions de production',
  nature: 'agrege',
  table: SESSIONS,
  lu: de('sessions', sessionProduction),
  filtres: {
    centre_usinage_id: FILTRES.centre_usinage_id,
    type_cu: FILTRES.type_cu,
    date_debut: FILTRES.date_debut,
    date_fin: FILTRES.date_fin,
    origine: FILTRES.origine,
  },
  triDefaut: [{ colonne: 'id', sens: 'asc' }],
};
