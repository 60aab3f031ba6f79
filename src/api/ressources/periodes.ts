import { PERIODES_ARRET, PERIODES_ATTENTE } from '../../postgres/lecture/tables.ts';
import { de } from '../inclusions.ts';
import type { Ressource } from '../ressource.ts';
import { periodeArret, periodeAttente } from '../schemas/periodes.ts';
import { dansLeTemps, FILTRES_DE_DETAIL } from './details.ts';

export const RESSOURCE_PERIODES_ATTENTE: Ressource = {
  nom: 'periodes-attente',
  libelle: 'Une attente',
  pluriel: 'attentes',
  nature: 'pseudonymise',
  table: PERIODES_ATTENTE,
  lu: de('periodes-attente', periodeAttente),
  filtres: FILTRES_DE_DETAIL,
  triDefaut: [{ colonne: 'id', sens: 'asc' }],
  triRestreint: dansLeTemps('timestamp_debut'),
};

export const RESSOURCE_PERIODES_ARRET: Ressource = {
  nom: 'periodes-arret',
  libelle: 'Un arrêt',
  pluriel: 'arrêts',
  nature: 'pseudonymise',
  table: PERIODES_ARRET,
  lu: de('periodes-arret', periodeArret),
  filtres: FILTRES_DE_DETAIL,
  triDefaut: [{ colonne: 'id', sens: 'asc' }],
  triRestreint: dansLeTemps('timestamp_debut'),
};
