/** The tables of the contract as the API reads them (spec: REST API, « Resources » and « Lists »). */
import type { Filtre, TableLue } from './table-lue.ts';

export const egal = (colonne: string, type: string): Filtre => ({ sql: `t.${colonne} = $::${type}` });
export const tri = (...colonnes: string[]): Record<string, { sql: string }> =>
  Object.fromEntries(colonnes.map((nom) => [nom, { sql: `t.${nom}` }]));
const nullable = (...colonnes: string[]): Record<string, { sql: string; nullable: true }> =>
  Object.fromEntries(colonnes.map((nom) => [nom, { sql: `t.${nom}`, nullable: true as const }]));
/** A column of type numeric without the zeros at its end, which its type has it show: 31, not 31.000000. */
const decimal = (nom: string): readonly [string, string] => [nom, `trim_scale(t.${nom})`];
/** Centres of a type are few: they are found first, then their rows by index. */
export const TYPE_CU: Filtre = {
  sql: 't.centre_usinage_id = ANY (ARRAY(SELECT c.id FROM centre_usinage c WHERE c.type_cu = $::text))',
  surCentre: 'c.type_cu = $::text',
};
export const CENTRE = egal('centre_usinage_id', 'bigint');
/** From an instant on, and up to one: the bound is included, the start of the day after a date is not. */
const instants = (colonne: string): Record<string, Filtre> => ({
  date_debut: { sql: `t.${colonne} >= $::timestamptz` },
  date_fin: { sql: `t.${colonne} <= $::timestamptz` },
  date_fin_exclue: { sql: `t.${colonne} < $::timestamptz` },
});
const dates = (colonne: string): Record<string, Filtre> => ({
  date_debut: { sql: `t.${colonne} >= $::date` },
  date_fin: { sql: `t.${colonne} <= $::date` },
});

export const CENTRES: TableLue = {
  nom: 'centre_usinage',
  from: 'centre_usinage t',
  colonnes: [['id'], ['nom'], ['type_cu'], ['description'], ['actif'], ['date_creation']],
  filtres: { type_cu: egal('type_cu', 'text'), actif: egal('actif', 'boolean') },
  tri: tri('id', 'nom', 'type_cu', 'actif', 'date_creation'),
};

export const SESSIONS: TableLue = {
  nom: 'session_production',
  from: 'session_production t',
  colonnes: [
    ['id'],
    ['centre_usinage_id'],
    ['date_production'],
    ['heure_premiere_piece'],
    ['heure_derniere_piece'],
    ['heure_premier_machine_start'],
    ['heure_dernier_machine_stop'],
    ['total_pieces'],
    decimal('duree_production_totale'),
    decimal('temps_attente'),
    decimal('temps_arret_volontaire'),
    decimal('temps_production_effectif'),
    decimal('taux_occupation'),
    decimal('taux_attente'),
    decimal('taux_arret_volontaire'),
    ['fichier_log_source'],
    ['origine'],
    ['date_creation'],
  ],
  filtres: {
    centre_usinage_id: CENTRE,
    type_cu: TYPE_CU,
    ...dates('date_production'),
    origine: egal('origine', 'text'),
  },
  tri: {
    ...tri(
      'id',
      'centre_usinage_id',
      'date_production',
      'total_pieces',
      'duree_production_totale',
      'temps_attente',
      'temps_arret_volontaire',
      'temps_production_effectif',
      'taux_occupation',
      'taux_attente',
      'taux_arret_volontaire',
      'origine',
      'date_creation',
    ),
    ...nullable('heure_premiere_piece', 'heure_derniere_piece'),
  },
};

const ORIGINE = '(SELECT s.origine FROM session_production s WHERE s.id = t.session_id)';
const DETAIL = {
  session_id: egal('session_id', 'bigint'),
  centre_usinage_id: CENTRE,
  type_cu: TYPE_CU,
  origine: {
    sql: `${ORIGINE} = $::text`,
    // Rows that come from no log are few among many, and an index has just those: the session has the last word, but
    // only on them.
    parValeur: {
      manuel: `(t.fichier_log_version_id IS NULL AND ${ORIGINE} = 'manuel')`,
      log: `(t.fichier_log_version_id IS NOT NULL OR ${ORIGINE} = 'log')`,
    },
  },
} as const satisfies Record<string, Filtre>;

export const JOB_PROFILS: TableLue = {
  nom: 'job_profil',
  from: 'job_profil t',
  colonnes: [
    ['id'],
    ['session_id'],
    ['reference'],
    decimal('longueur'),
    ['couleur'],
    ['timestamp_debut'],
    ['date_creation'],
  ],
  filtres: {
    ...DETAIL,
    reference: egal('reference', 'text'),
    couleur: egal('couleur', 'text'),
    ...instants('timestamp_debut'),
  },
  tri: tri('id', 'session_id', 'reference', 'timestamp_debut'),
  instantParCentre: 'timestamp_debut',
};

const periode = (nom: string): TableLue => ({
  nom,
  from: `${nom} t`,
  colonnes: [
    ['id'],
    ['session_id'],
    ['timestamp_debut'],
    ['timestamp_fin'],
    decimal('duree_secondes'),
    ['date_creation'],
  ],
  filtres: { ...DETAIL, ...instants('timestamp_debut') },
  tri: tri('id', 'session_id', 'timestamp_debut', 'duree_secondes'),
  instantParCentre: 'timestamp_debut',
});
export const PERIODES_ATTENTE = periode('periode_attente');
export const PERIODES_ARRET = periode('periode_arret');

export const PIECES: TableLue = {
  nom: 'piece_production',
  from: 'piece_production t',
  colonnes: [
    ['id'],
    ['session_id'],
    ['numero_piece'],
    ['timestamp_production'],
    ['details'],
    ['job_profil_id'],
    ['date_creation'],
  ],
  filtres: { ...DETAIL, ...instants('timestamp_production') },
  // Only what an index carries: sorting five million rows for a page would not be a page.
  tri: tri('id', 'session_id', 'timestamp_production'),
  instantParCentre: 'timestamp_production',
};

export const COMMANDES: TableLue = {
  nom: 'commandes_volets_roulants',
  from: 'commandes_volets_roulants t',
  colonnes: [
    ['id'],
    ['numero_commande'],
    ['extension'],
    ['status'],
    ['date_modification'],
    ['coffre'],
    ['coffres'],
    ['gestion_en_stock'],
    ['origine'],
    ['date_creation'],
    ['date_synchronisation'],
  ],
  filtres: {
    numero_commande: egal('numero_commande', 'text'),
    extension: egal('extension', 'text'),
    status: egal('status', 'text'),
    coffre: { sql: 't.coffres @> ARRAY[$::text]' },
    gestion_en_stock: egal('gestion_en_stock', 'smallint'),
    origine: egal('origine', 'text'),
    ...dates('date_modification'),
  },
  tri: {
    ...tri(
      'id',
      'numero_commande',
      'extension',
      'status',
      'date_modification',
      'coffre',
      'gestion_en_stock',
      'origine',
      'date_creation',
    ),
    ...nullable('date_synchronisation'),
  },
};

export const EXECUTIONS: TableLue = {
  nom: 'execution',
  from: 'execution t',
  colonnes: [
    ['id'],
    ['tache'],
    ['etat'],
    ['debut'],
    ['fin'],
    ['duree_secondes', 'trim_scale(extract(epoch FROM t.fin - t.debut)::numeric(16, 3))'],
    ['compteurs'],
    ['erreur'],
    ['declencheur'],
    ['echeance'],
    ['travail'],
    ['tentative'],
    ['tentatives_max'],
  ],
  filtres: {
    tache: egal('tache', 'text'),
    etat: egal('etat', 'text'),
    declencheur: egal('declencheur', 'text'),
    travail: egal('travail', 'uuid'),
    ...instants('debut'),
  },
  tri: tri('id', 'debut', 'tache', 'etat'),
};
