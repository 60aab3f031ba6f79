/**
 * Who may call which route (spec: REST API, « Who may do what »): the whole table, by hand. It does not look at what
 * the routes say of themselves; a route without a row fails, and so does a row without a route (S12).
 */

import { OTHER_PASSWORD } from '../../harness/mots-de-passe.ts';

/** Whoever calls, in the order of the columns. */
export const QUI = [
  'personne',
  'jeton expiré',
  'jeton forgé',
  'lecteur',
  'gestionnaire',
  'admin',
  'autre compte',
  'clé avec la portée',
  'clé sans la portée',
  'clé d’un lecteur',
  'clé révoquée',
  'compte désactivé',
  'clé sans ce qui est inclus',
  'clé expirée',
  'clé d’un compte désactivé',
  'jeton d’avant un autre mot de passe',
  'jeton d’un compte supprimé',
] as const;
export type Qui = (typeof QUI)[number];

/** Statuses in the order of {@link QUI}. */
export type Attendus = readonly number[];

export interface Regle {
  readonly attendus: Attendus;
  /** scope that the key of the column « clé avec la portée » has, and the one « sans » lacks */
  readonly portee?: string;
  /** scopes of what the answer includes beyond that: the key of « clé avec la portée » has them, too */
  readonly inclus?: readonly string[];
  /** a body that the route takes; a number makes it unlike any other */
  readonly corps?: (n: number) => Record<string, unknown>;
  /** where `{id}` and the like come from: a row that may be used up, or one that imports made */
  readonly cible?: Cible;
}
export type Cible =
  | 'centre'
  | 'session'
  | 'profil'
  | 'attente'
  | 'arret'
  | 'piece'
  | 'commande'
  | 'compte'
  | 'cle'
  | 'fichier'
  | 'rejet'
  | 'execution'
  | 'alerte'
  | 'statut';

// The account « autre compte » is a gestionnaire, as is the owner of the first two keys.
const ouvert = (ok: number): Attendus => QUI.map(() => ok);
/** The last four: what was good once. */
const MORTS: Attendus = [401, 401, 401, 401];
const lecture: Attendus = [401, 401, 401, 200, 200, 200, 200, 200, 403, 200, 401, 401, 200, ...MORTS];
/** The same, where something of another resource comes along: a key without its scope does not get it. */
const avecInclus: Attendus = [401, 401, 401, 200, 200, 200, 200, 200, 403, 200, 401, 401, 403, ...MORTS];
const ecriture = (ok: number): Attendus => [
  401,
  401,
  401,
  403,
  ok,
  ok,
  ok,
  ok,
  403,
  403,
  401,
  401,
  ok,
  ...MORTS,
];
const compte = (ok: number): Attendus => [
  401,
  401,
  401,
  ok,
  ok,
  ok,
  ok,
  403,
  403,
  403,
  401,
  401,
  403,
  ...MORTS,
];
const admin = (ok: number): Attendus => [
  401,
  401,
  401,
  403,
  403,
  ok,
  403,
  403,
  403,
  403,
  401,
  401,
  403,
  ...MORTS,
];
/** Somebody's key: for others there is none, but for an admin; it belongs to « gestionnaire ». */
const saCle = (ok: number): Attendus => [
  401,
  401,
  401,
  404,
  ok,
  ok,
  404,
  403,
  403,
  403,
  401,
  401,
  403,
  ...MORTS,
];

const INSTANT = '2031-05-28T06:12:00+02:00';
const FIN = '2031-05-28T06:14:27+02:00';
/** Figures of a day far from what imports bring. */
const jour = (n: number): string => Temporal.PlainDate.from('2031-01-01').add({ days: n }).toString();

/** Bodies of `POST`, which also make the rows that the other requests are about. */
export const CORPS = {
  centre: (n: number) => ({ nom: `MATRICE-${n}` }),
  session: (n: number) => ({ centre_usinage_id: 1, date_production: jour(n) }),
  profil: (_: number) => ({ session_id: 1, reference: '215023', longueur: 3359, timestamp_debut: INSTANT }),
  periode: (_: number) => ({ session_id: 1, timestamp_debut: INSTANT, timestamp_fin: FIN }),
  piece: (_: number) => ({ session_id: 1, timestamp_production: INSTANT }),
  commande: (n: number) => ({
    numero_commande: `M${n}`,
    status: 'Planifiée',
    date_modification: '2031-05-28',
    coffre: 'CF180',
  }),
  compte: (n: number) => ({
    username: `matrice-${n}`,
    email: `matrice-${n}@exemple.test`,
    password: OTHER_PASSWORD,
  }),
  cle: (n: number) => ({ nom: `Matrice ${n}`, portees: ['centres:lire'] }),
} as const;

const lire = (portee: string, cible?: Cible): Regle => ({
  attendus: lecture,
  portee: `${portee}:lire`,
  ...(cible ? { cible } : {}),
});
/** An answer that includes rows, or lines of logs, of other resources. */
const lireAvec = (portee: string, inclus: readonly string[], cible?: Cible): Regle => ({
  ...lire(portee, cible),
  attendus: avecInclus,
  inclus: inclus.map((nom) => `${nom}:lire`),
});
/** The three writes of a resource. */
function ecritures(
  nom: string,
  cible: Cible,
  corps: (n: number) => Record<string, unknown>,
  changement: (n: number) => Record<string, unknown>,
): Record<string, Regle> {
  const portee = `${nom}:ecrire`;
  return {
    [`POST /${nom}/`]: { attendus: ecriture(201), portee, corps },
    [`PUT /${nom}/{id}`]: { attendus: ecriture(200), portee, corps: changement, cible },
    [`DELETE /${nom}/{id}`]: { attendus: ecriture(204), portee, cible },
  };
}

export const MATRICE: Readonly<Record<string, Regle>> = {
  'GET /health': { attendus: ouvert(200) },
  'GET /health/live': { attendus: ouvert(200) },
  'GET /health/ready': { attendus: ouvert(200) },
  // Without METRICS_JETON there is none; with it, neither accounts nor keys open it.
  'GET /metrics': { attendus: ouvert(404) },
  'POST /token': { attendus: ouvert(200) },
  // Without its cookie, whoever asks.
  'POST /token/refresh': { attendus: ouvert(401) },
  'POST /token/revoke': { attendus: ouvert(204) },

  'POST /users/': { attendus: admin(201), corps: CORPS.compte },
  'GET /users/': { attendus: admin(200) },
  'GET /users/me': { attendus: compte(200) },
  'PUT /users/me': { attendus: compte(200), corps: (n) => ({ username: `renomme-${n}` }) },
  'DELETE /users/me': { attendus: compte(204) },
  'GET /users/me/export': { attendus: compte(200) },
  'GET /users/{id}': { attendus: admin(200), cible: 'compte' },
  'PUT /users/{id}': { attendus: admin(200), corps: () => ({ role: 'gestionnaire' }), cible: 'compte' },
  'DELETE /users/{id}': { attendus: admin(204), cible: 'compte' },

  'GET /cles/': { attendus: compte(200) },
  'POST /cles/': { attendus: compte(201), corps: CORPS.cle },
  'GET /cles/{id}': { attendus: saCle(200), cible: 'cle' },
  'DELETE /cles/{id}': { attendus: saCle(204), cible: 'cle' },

  'GET /centres/': lire('centres'),
  'GET /centres/{id}': lire('centres', 'centre'),
  ...ecritures('centres', 'centre', CORPS.centre, () => ({ description: 'changé' })),

  'GET /sessions/': lire('sessions'),
  'GET /sessions/{id}': lire('sessions', 'session'),
  'GET /sessions/{id}?inclure=job_profils': lireAvec('sessions', ['job-profils'], 'session'),
  'GET /sessions/{id}?inclure=periodes_attente': lireAvec('sessions', ['periodes-attente'], 'session'),
  'GET /sessions/{id}?inclure=periodes_arret': lireAvec('sessions', ['periodes-arret'], 'session'),
  'GET /sessions/{id}?inclure=pieces_production': lireAvec('sessions', ['pieces-production'], 'session'),
  'GET /sessions/{id}?inclure=job_profils,pieces_production': lireAvec(
    'sessions',
    ['job-profils', 'pieces-production'],
    'session',
  ),
  'GET /sessions/{id}/explication': lireAvec(
    'sessions',
    ['fichiers', 'periodes-arret', 'periodes-attente'],
    'session',
  ),
  ...ecritures('sessions', 'session', CORPS.session, () => ({ total_pieces: 3 })),

  'GET /job-profils/': lire('job-profils'),
  'GET /job-profils/{id}': lire('job-profils', 'profil'),
  'GET /job-profils/{id}/origine': lireAvec('job-profils', ['fichiers'], 'profil'),
  ...ecritures('job-profils', 'profil', CORPS.profil, () => ({ couleur: '7016' })),

  'GET /periodes-attente/': lire('periodes-attente'),
  'GET /periodes-attente/{id}': lire('periodes-attente', 'attente'),
  'GET /periodes-attente/{id}/origine': lireAvec('periodes-attente', ['fichiers'], 'attente'),
  ...ecritures('periodes-attente', 'attente', CORPS.periode, () => ({ timestamp_debut: INSTANT })),

  'GET /periodes-arret/': lire('periodes-arret'),
  'GET /periodes-arret/{id}': lire('periodes-arret', 'arret'),
  'GET /periodes-arret/{id}/origine': lireAvec('periodes-arret', ['fichiers'], 'arret'),
  ...ecritures('periodes-arret', 'arret', CORPS.periode, () => ({ timestamp_debut: INSTANT })),

  'GET /pieces-production/': lire('pieces-production'),
  'GET /pieces-production/{id}': lire('pieces-production', 'piece'),
  'GET /pieces-production/{id}/origine': lireAvec('pieces-production', ['fichiers'], 'piece'),
  ...ecritures('pieces-production', 'piece', CORPS.piece, () => ({ details: 'A1' })),

  'GET /commandes-volets/': lire('commandes-volets'),
  'GET /commandes-volets/by-numero/{numero}': lire('commandes-volets', 'commande'),
  'GET /commandes-volets/by-status/{status}': lire('commandes-volets', 'statut'),
  'GET /commandes-volets/{id}': lire('commandes-volets', 'commande'),
  ...ecritures('commandes-volets', 'commande', CORPS.commande, () => ({ status: 'Fabriquée' })),

  'GET /stats/production-summary': lire('stats'),
  'GET /stats/production-by-centre/{id}': lire('stats', 'centre'),

  'GET /fichiers/': lire('fichiers'),
  'GET /fichiers/{id}': lire('fichiers', 'fichier'),
  'GET /fichiers/{id}/versions': lire('fichiers', 'fichier'),
  // As they were received: names may stand in them, which are masked for everybody else.
  'GET /fichiers/{id}/octets': { ...lire('fichiers', 'fichier'), attendus: admin(200) },
  'GET /rejets/': lire('rejets'),
  'GET /rejets/par-raison': lire('rejets'),
  'GET /rejets/{id}': lire('rejets', 'rejet'),

  'GET /executions/': lire('executions'),
  'GET /executions/{id}': lire('executions', 'execution'),
  'POST /executions/': {
    attendus: admin(202),
    portee: 'executions:ecrire',
    corps: () => ({ tache: 'sync' }),
  },
  'GET /planification/': lire('executions'),
  'GET /alertes/': lire('alertes'),
  'GET /alertes/{id}': lire('alertes', 'alerte'),
  'POST /alertes/{id}/acquittement': {
    attendus: ecriture(200),
    portee: 'alertes:ecrire',
    cible: 'alerte',
  },
  // Of nothing else there is anything to tell.
  'GET /evenements': lireAvec('evenements', ['sessions']),
  'GET /evenements?tables=sessions': lireAvec('evenements', ['sessions']),
  'GET /evenements?tables=alertes,executions': lireAvec('evenements', ['alertes', 'executions']),
};
