import { ALERTES } from '../../postgres/lecture/tables-alertes.ts';
import { de } from '../inclusions.ts';
import type { Ressource } from '../ressource.ts';
import { alerteLue, FILTRES_ALERTES } from '../schemas/alertes.ts';
import { FILTRES } from '../schemas/listes.ts';

export const RESSOURCE_ALERTES: Ressource = {
  nom: 'alertes',
  libelle: 'Une alerte',
  pluriel: 'alertes',
  nature: 'pseudonymise',
  table: ALERTES,
  lu: de('alertes', alerteLue),
  filtres: { ...FILTRES_ALERTES, date_debut: FILTRES.instant_debut, date_fin: FILTRES.instant_fin },
  // Whoever looks at alerts looks at the last ones.
  triDefaut: [{ colonne: 'debut', sens: 'desc' }],
};
