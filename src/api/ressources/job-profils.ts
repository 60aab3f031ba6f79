import { JOB_PROFILS } from '../../postgres/lecture/tables.ts';
import { de } from '../inclusions.ts';
import type { Ressource } from '../ressource.ts';
import { jobProfil } from '../schemas/job-profils.ts';
import { FILTRES } from '../schemas/listes.ts';
import { dansLeTemps, FILTRES_DE_DETAIL } from './details.ts';

export const RESSOURCE_JOB_PROFILS: Ressource = {
  nom: 'job-profils',
  libelle: 'Une barre de profilé chargée',
  pluriel: 'barres de profilé chargées',
  nature: 'pseudonymise',
  table: JOB_PROFILS,
  lu: de('job-profils', jobProfil),
  filtres: { ...FILTRES_DE_DETAIL, reference: FILTRES.reference, couleur: FILTRES.couleur },
  triDefaut: [{ colonne: 'id', sens: 'asc' }],
  triRestreint: dansLeTemps('timestamp_debut'),
};
