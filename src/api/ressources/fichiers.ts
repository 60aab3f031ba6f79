import { FICHIERS, REJETS } from '../../postgres/lecture/tables-fichiers.ts';
import { de } from '../inclusions.ts';
import type { Ressource } from '../ressource.ts';
import { idTexte } from '../schemas/commun.ts';
import { FILTRES_FICHIERS, fichierLog, ligneRejetee } from '../schemas/fichiers.ts';
import { FILTRES } from '../schemas/listes.ts';

export const RESSOURCE_FICHIERS: Ressource = {
  nom: 'fichiers',
  libelle: 'Un fichier LOG',
  pluriel: 'fichiers LOG',
  nature: 'pseudonymise',
  table: FICHIERS,
  lu: de('fichiers', fichierLog),
  filtres: {
    centre_usinage_id: FILTRES.centre_usinage_id,
    type_cu: FILTRES.type_cu,
    etat: FILTRES_FICHIERS.etat,
    chemin: FILTRES_FICHIERS.chemin,
  },
  triDefaut: [{ colonne: 'id', sens: 'asc' }],
};

export const RESSOURCE_REJETS: Ressource = {
  nom: 'rejets',
  libelle: 'Une ligne en quarantaine',
  pluriel: 'lignes en quarantaine',
  nature: 'pseudonymise',
  table: REJETS,
  lu: de('rejets', ligneRejetee),
  texteDeJournal: true,
  filtres: {
    centre_usinage_id: FILTRES.centre_usinage_id,
    type_cu: FILTRES.type_cu,
    raison: FILTRES_FICHIERS.raison,
    fichier_id: idTexte.meta({ description: 'Seulement les lignes de ce fichier' }),
  },
  triDefaut: [{ colonne: 'id', sens: 'asc' }],
};
