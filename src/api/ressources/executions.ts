import { EXECUTIONS } from '../../postgres/lecture/tables.ts';
import { de } from '../inclusions.ts';
import type { Ressource } from '../ressource.ts';
import { executionLue } from '../schemas/executions.ts';
import { FILTRES } from '../schemas/listes.ts';

export const RESSOURCE_EXECUTIONS: Ressource = {
  nom: 'executions',
  libelle: 'Un passage de tâche',
  pluriel: 'passages des tâches',
  nature: 'pseudonymise',
  table: EXECUTIONS,
  lu: de('executions', executionLue),
  filtres: {
    tache: FILTRES.tache,
    etat: FILTRES.etat_execution,
    declencheur: FILTRES.declencheur,
    travail: FILTRES.travail,
    date_debut: FILTRES.instant_debut,
    date_fin: FILTRES.instant_fin,
  },
  // Whoever looks at runs looks at the last ones.
  triDefaut: [{ colonne: 'debut', sens: 'desc' }],
};
