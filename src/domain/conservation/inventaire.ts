/** Why personal data is kept: each purpose has its entry in the register (docs/rgpd.md). */
export const FINALITES = {
  authentification: 'Authentification et droits d’accès',
  tracabilite: 'Traçabilité et sécurité',
  freinage: 'Protection contre la devinette de mots de passe',
  exploitation: 'Exploitation des tâches et des alertes',
} as const;
export type Finalite = keyof typeof FINALITES;

/** On what ground (RGPD, article 6). */
export const BASES = {
  interet: 'Intérêt légitime (article 6.1.f) : sécurité du système et pilotage de la production',
  obligation: 'Obligation légale (article 6.1.c et article 32) : sécurité du traitement',
} as const;
export type BaseLegale = keyof typeof BASES;

/** Name of a retention period in the configuration. */
type DureeDe = 'audit' | 'alertes' | 'connexions' | 'cles' | 'comptes' | 'executions';

/** A column that holds something about a person, or that leads to one. */
export interface ColonnePersonnelle {
  readonly table: string;
  readonly colonne: string;
  readonly quoi: string;
  readonly finalite: Finalite;
  readonly base: BaseLegale;
  /** goes with this period, or with the row that it hangs on */
  readonly conservation: DureeDe;
  /** where the export of article 15 has it, as a path in its JSON; otherwise why it is not there */
  readonly export: readonly string[] | { readonly absente: string };
}

const SECRET = 'secret ou empreinte : rien de plus à en dire à la personne, et le donner l’affaiblirait';
const LIEN = 'lien interne entre lignes : l’export est celui d’une seule personne';

const compte = (
  colonne: string,
  quoi: string,
  exporte: ColonnePersonnelle['export'],
): ColonnePersonnelle => ({
  ...{ table: 'user', colonne, quoi, finalite: 'authentification', base: 'interet' },
  ...{ conservation: 'comptes', export: exporte },
});
const compteCle = (
  colonne: string,
  quoi: string,
  exporte: ColonnePersonnelle['export'],
): ColonnePersonnelle => ({
  ...{ table: 'compte_cle', colonne, quoi, finalite: 'authentification', base: 'interet' },
  ...{ conservation: 'comptes', export: exporte },
});
const cle = (colonne: string, quoi: string, exporte: ColonnePersonnelle['export']): ColonnePersonnelle => ({
  ...{ table: 'cle_api', colonne, quoi, finalite: 'authentification', base: 'interet' },
  ...{ conservation: 'cles', export: exporte },
});
const jeton = (colonne: string, quoi: string, exporte: ColonnePersonnelle['export']): ColonnePersonnelle => ({
  ...{ table: 'jeton_rafraichissement', colonne, quoi, finalite: 'authentification', base: 'interet' },
  ...{ conservation: 'connexions', export: exporte },
});
const audit = (colonne: string, quoi: string, exporte: ColonnePersonnelle['export']): ColonnePersonnelle => ({
  ...{ table: 'journal_audit', colonne, quoi, finalite: 'tracabilite', base: 'obligation' },
  ...{ conservation: 'audit', export: exporte },
});
const tentative = (colonne: string, quoi: string): ColonnePersonnelle => ({
  ...{ table: 'tentative_connexion', colonne, quoi, finalite: 'freinage', base: 'obligation' },
  conservation: 'connexions',
  export: {
    absente: 'empreinte à clé d’un nom essayé ou d’une adresse réseau : ne désigne personne de connu',
  },
});

const reseau = (colonne: string, quoi: string): ColonnePersonnelle => ({
  ...{ table: 'reseau_connu', colonne, quoi, finalite: 'freinage', base: 'obligation' },
  conservation: 'comptes',
  export: { absente: 'empreinte à clé d’un réseau : ne se relit pas ; les réseaux en clair sont au journal' },
});

/**
 * Every column with personal data (R1). A test compares it with the database: a new text column of these tables, or a
 * column elsewhere that refers to an account, has to be listed here, and so in the register and in the export.
 */
export const INVENTAIRE: readonly ColonnePersonnelle[] = [
  compte('id', 'identifiant tiré au hasard', ['compte.id']),
  compte('username_chiffre', 'nom d’utilisateur, chiffré', ['compte.username']),
  compte('username_index', 'empreinte à clé du nom', { absente: SECRET }),
  compte('email_chiffre', 'adresse électronique, chiffrée', ['compte.email']),
  compte('email_index', 'empreinte à clé de l’adresse', { absente: SECRET }),
  compte('cle_id', 'clé de chiffrement de la ligne', { absente: SECRET }),
  compte('mot_de_passe', 'empreinte argon2id du mot de passe', { absente: SECRET }),
  compte('role', 'droits', ['compte.role']),
  compte('actif', 'peut se connecter ou non', ['compte.actif']),
  compte('version', 'nombre de modifications', ['compte.version']),
  compte('version_jetons', 'compteur de révocation', { absente: SECRET }),
  compte('derniere_connexion', 'dernière connexion', ['compte.derniere_connexion']),
  compteCle('user_id', 'compte', { absente: LIEN }),
  compteCle('cle', 'identifiant de la clé du compte', { absente: SECRET }),
  compteCle('enveloppe', 'clé du compte, chiffrée', { absente: SECRET }),
  compteCle('date_creation', 'création de la clé', { absente: SECRET }),
  compte('reactive_le', 'dernière réactivation', ['compte.reactive_le']),
  compte('date_creation', 'création du compte', ['compte.date_creation']),
  cle('id', 'identifiant de la clé', ['cles.id']),
  cle('user_id', 'compte de la clé', { absente: LIEN }),
  cle('nom', 'à quoi elle sert, écrit par la personne', ['cles.nom']),
  cle('empreinte', 'empreinte du secret', { absente: SECRET }),
  cle('portees', 'droits de la clé', ['cles.portees']),
  cle('date_fin', 'fin de validité', ['cles.date_fin']),
  cle('revoquee', 'révocation', ['cles.revoquee']),
  cle('derniere_utilisation', 'dernière utilisation', ['cles.derniere_utilisation']),
  cle('date_creation', 'création', ['cles.date_creation']),
  jeton('id', 'identifiant du jeton', { absente: LIEN }),
  jeton('user_id', 'compte', { absente: LIEN }),
  jeton('famille', 'suite de jetons d’une connexion', { absente: LIEN }),
  jeton('empreinte', 'empreinte du jeton', { absente: SECRET }),
  jeton('version_jetons', 'compteur de révocation', { absente: SECRET }),
  jeton('expire', 'fin de la connexion', ['connexions.expire']),
  jeton('utilise', 'renouvellements', ['connexions.renouvellements']),
  jeton('date_creation', 'début de la connexion', ['connexions.date_creation']),
  audit('id', 'numéro d’ordre', { absente: LIEN }),
  audit('instant', 'quand', ['journal.instant']),
  audit('evenement', 'quoi', ['journal.evenement']),
  audit('user_id', 'compte qui a agi', ['journal.par']),
  audit('cle_id', 'clé dont il s’est servi', { absente: LIEN }),
  audit('cible', 'sur quoi', ['journal.cible']),
  audit('adresse', 'adresse réseau, tronquée (/24, /48)', ['journal.adresse']),
  audit('requete', 'numéro de la requête', { absente: LIEN }),
  audit('details', 'suite', ['journal.details']),
  audit('sel', 'tiré au hasard, pour la chaîne d’empreintes', { absente: LIEN }),
  tentative('cle', 'empreinte à clé du nom essayé ou de l’adresse réseau'),
  tentative('genre', 'nom ou adresse'),
  tentative('echecs', 'nombre d’échecs'),
  tentative('refus', 'essais refusés sans être vérifiés'),
  tentative('refus_total', 'essais refusés, parmi les échecs'),
  tentative('dernier_echec', 'dernier échec'),
  tentative('bloquee_jusqua', 'fin du délai'),
  reseau('user_id', 'compte'),
  reseau('reseau', 'empreinte à clé d’un réseau (/24, /48) d’où le compte s’est connecté'),
  reseau('vu_le', 'dernière connexion de là'),
  {
    ...{ table: 'execution', colonne: 'demandeur', quoi: 'compte qui a demandé la tâche par l’API' },
    ...{
      finalite: 'exploitation',
      base: 'interet',
      conservation: 'executions',
      export: ['demandes.instant'],
    },
  },
  {
    ...{ table: 'alerte', colonne: 'acquittee_par', quoi: 'compte qui a acquitté l’alerte' },
    ...{
      finalite: 'exploitation',
      base: 'interet',
      conservation: 'alertes',
      export: ['acquittements.instant'],
    },
  },
];

/** Tables all of whose columns are listed: what they hold is about persons. */
export const TABLES_PERSONNELLES = [
  'user',
  'compte_cle',
  'cle_api',
  'jeton_rafraichissement',
  'journal_audit',
  'tentative_connexion',
  'reseau_connu',
] as const;
