import { PIECES } from '../../postgres/lecture/tables.ts';
import { de } from '../inclusions.ts';
import type { Ressource } from '../ressource.ts';
import { pieceProduction } from '../schemas/pieces.ts';
import { dansLeTemps, FILTRES_DE_DETAIL } from './details.ts';

export const RESSOURCE_PIECES: Ressource = {
  nom: 'pieces-production',
  libelle: 'Une pièce',
  pluriel: 'pièces',
  nature: 'pseudonymise',
  table: PIECES,
  lu: de('pieces-production', pieceProduction),
  filtres: FILTRES_DE_DETAIL,
  triDefaut: [{ colonne: 'id', sens: 'asc' }],
  triRestreint: dansLeTemps('timestamp_production'),
};
