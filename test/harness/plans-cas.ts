/** What is asked of the API where plans are looked at: every list with every filter, and every other route that reads. */
import { CENTRES } from './usine.ts';

const C = CENTRES;
/** Values of a parameter: frequent, rare, at either end of the table, and none at all. */
const LIEU = {
  centre_usinage_id: [C.ancien, C.courant, C.second, C.nouveau, C.vide, 99],
  type_cu: ['PVC', 'ALU', 'HYBRIDE', 'INCONNU', 'AUCUN'],
};
const DATES = {
  date_debut: ['2018-01-01', '2022-10-01', '2024-01-29', '2040-01-01'],
  date_fin: ['2010-01-01', '2018-01-02', '2022-10-01', '2040-01-01'],
};
const DETAIL = {
  ...LIEU,
  ...DATES,
  session_id: [1, 3_000, 100_001, 999_999],
  origine: ['log', 'manuel'],
};
const PAIRES_DE_DETAIL = [
  'date_debut=2024-01-25&date_fin=2024-01-25',
  'date_debut=2019-01-01&date_fin=2023-12-31',
  `date_debut=2023-12-01&date_fin=2024-01-31&centre_usinage_id=${C.courant}`,
  // When this machine ran, and when it had not run for long.
  `date_debut=2018-01-01&date_fin=2018-01-31&centre_usinage_id=${C.ancien}`,
  `date_debut=2023-01-01&centre_usinage_id=${C.ancien}`,
  'date_debut=2019-01-01&type_cu=HYBRIDE',
  'date_debut=2019-01-01&origine=manuel',
  `centre_usinage_id=${C.nouveau}&origine=log`,
  `centre_usinage_id=${C.ancien}&origine=manuel`,
  'type_cu=ALU&origine=manuel',
  'session_id=3000&date_debut=2019-01-01&origine=log',
];

export interface Liste {
  /** values of each filter; all that the document names are here */
  readonly filtres: Readonly<Record<string, readonly (string | number)[]>>;
  readonly paires?: readonly string[];
}

/** Every list of the API. */
export const LISTES: Readonly<Record<string, Liste>> = {
  '/centres': { filtres: { type_cu: LIEU.type_cu, actif: ['true', 'false'] } },
  '/sessions': {
    filtres: { ...LIEU, ...DATES, origine: DETAIL.origine },
    paires: [`centre_usinage_id=${C.ancien}&date_debut=2020-01-01&tri=-date_production,total_pieces`],
  },
  '/job-profils': {
    filtres: { ...DETAIL, reference: ['21503', 'aucune'], couleur: ['7016', 'aucune'] },
    paires: [...PAIRES_DE_DETAIL, 'reference=21503&date_debut=2024-01-01'],
  },
  '/periodes-attente': {
    filtres: DETAIL,
    paires: [...PAIRES_DE_DETAIL, 'date_debut=2024-01-29&tri=-duree_secondes'],
  },
  '/periodes-arret': {
    filtres: DETAIL,
    paires: [...PAIRES_DE_DETAIL, 'date_debut=2024-01-29&tri=-duree_secondes'],
  },
  '/pieces-production': { filtres: DETAIL, paires: PAIRES_DE_DETAIL },
  '/commandes-volets': {
    filtres: {
      ...{
        numero_commande: ['250010', 'aucun'],
        extension: ['A', 'aucune'],
        status: ['Planifiée', 'Bloquée'],
      },
      ...{ coffre: ['CF3', 'aucun'], gestion_en_stock: [0, 1], origine: ['erp', 'manuel'], ...DATES },
    },
  },
  '/commandes-volets/by-numero/250010': { filtres: {} },
  '/commandes-volets/by-status/Planifi%C3%A9e': { filtres: {} },
  '/executions': {
    filtres: {
      ...{ tache: ['ingest', 'sync', 'purge'], etat: ['reussie', 'echouee', 'en_cours'], ...DATES },
      declencheur: ['planifie', 'demande', 'suivi', 'cli'],
      travail: ['00000000-0000-4000-8000-000000000000'],
    },
  },
  '/alertes': {
    filtres: {
      ...{ regle: ['machine_silencieuse', 'disque_court', 'lignes_rejetees'], objet: ['C2', 'aucun'] },
      ...{ gravite: ['attention', 'critique'], etat: ['ouverte', 'resolue'], ...DATES },
    },
  },
  '/fichiers': {
    filtres: {
      ...{ ...LIEU, etat: ['lu', 'erreur', 'ecarte', 'prefixe', 'remplace'] },
      chemin: ['C2/3000.LOG', 'aucun'],
    },
  },
  '/rejets': {
    filtres: {
      ...{ ...LIEU, raison: ['sans_separateur', 'ligne_trop_longue', 'profil_incomplet'] },
      fichier_id: [1, 5_000, 99_999],
    },
    paires: [
      `raison=sans_separateur&centre_usinage_id=${C.ancien}`,
      `raison=ligne_trop_longue&centre_usinage_id=${C.nouveau}`,
    ],
  },
  '/users': { filtres: {} },
  '/cles': { filtres: { user_id: ['00000000-0000-4000-8000-000000000000'] } },
};

/** Lists that grow with every piece, or with every line of a log. */
export const GROSSES = /pieces|profils|periodes|rejets/;

/** Every other route that reads. */
export const AUTRES: readonly string[] = [
  ...[
    '/centres/1',
    '/commandes-volets/1000',
    '/executions/1000',
    '/alertes/1000',
    '/planification',
    '/fichiers/3000',
    '/rejets/3000-100',
  ],
  ...[
    '/job-profils/400000',
    '/periodes-attente/200000',
    '/periodes-arret/200000',
    '/pieces-production/4000000',
  ],
  ...['/job-profils/400000/origine', '/periodes-attente/200000/origine', '/periodes-arret/200000/origine'],
  ...['/pieces-production/4000000/origine', '/fichiers/3000/versions', '/fichiers/3000/octets'],
  '/sessions/3000?inclure=job_profils,periodes_attente,periodes_arret,pieces_production',
  ...[
    '/sessions/3000/explication',
    '/stats/production-summary',
    '/stats/production-summary?date_debut=2023-01-01',
  ],
  ...[
    '/stats/production-by-centre/2',
    '/stats/production-by-centre/2?date_debut=2023-01-01&date_fin=2023-12-31',
  ],
  ...['/users/me', '/users/me/export', '/users/{compte}', '/cles/00000000-0000-4000-8000-000000000000'],
];
/** It counts the whole quarantine: no rows of it are looked up. */
export const COMPTES = [
  '/rejets/par-raison',
  '/rejets/par-raison?centre_usinage_id=4',
  '/rejets/par-raison?type_cu=PVC',
];
/** Routes that read no table, or one row of it. */
export const SANS_LECTURE = /^GET \/(health|metrics|docs|openapi\.json|evenements)/;
