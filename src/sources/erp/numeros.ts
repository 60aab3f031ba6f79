import type { Code } from '../../base/errors.ts';

/** MariaDB and MySQL gave the same numbers to different errors, from 1900 and from 3000 on. */
export type Famille = 'mariadb' | 'mysql';

/** What an error number means: its code, and in French what it is and whose it is to mend. */
export interface Sens {
  readonly code: Code;
  readonly dit?: string;
}

const ADMIN = 'c’est à l’administrateur de l’ERP de';
const VERROUILLE: Sens = {
  code: 'ATL_E413',
  dit: `le compte est verrouillé ; ${ADMIN} le déverrouiller (ALTER USER … ACCOUNT UNLOCK)`,
};
const BLOQUE: Sens = {
  code: 'ATL_E413',
  dit: `le compte est bloqué après trop de mots de passe faux ; corrigez MYSQL_PASSWORD, puis ${ADMIN} le débloquer (MariaDB : FLUSH PRIVILEGES ; MySQL : ALTER USER … ACCOUNT UNLOCK)`,
};
const EXPIRE: Sens = {
  code: 'ATL_E413',
  dit: `le mot de passe du compte a expiré ; ${ADMIN} le renouveler (ALTER USER … PASSWORD EXPIRE NEVER pour un compte de service)`,
};
const PLEIN: Sens = {
  code: 'ATL_E414',
  dit: `le serveur n’accepte plus de connexion ; la suivante passera peut-être, sinon ${ADMIN} voir qui les tient (SHOW PROCESSLIST, max_connections)`,
};
const LIMITE: Sens = {
  code: 'ATL_E414',
  dit: `le compte a atteint sa limite de connexions ou de requêtes ; ${ADMIN} la relever, ou à vous de voir qui d’autre emploie ce compte`,
};
const ACCES: Sens = {
  code: 'ATL_E402',
  dit: 'utilisateur ou mot de passe faux, ou compte qui n’est pas permis d’ici ou exige TLS ; vérifiez MYSQL_USER, MYSQL_PASSWORD et MYSQL_TLS',
};
const ANCIEN: Sens = {
  code: 'ATL_E413',
  dit: `le compte a un mot de passe d’un format périmé ; ${ADMIN} le refaire (mysql_native_password ou caching_sha2_password)`,
};
const TLS_EXIGE: Sens = {
  code: 'ATL_E402',
  dit: 'le serveur exige une connexion chiffrée ; mettez MYSQL_TLS=oui',
};
const DELAI: Sens = {
  code: 'ATL_E405',
  dit: `le serveur a arrêté la requête à sa limite de temps ; augmentez SYNC_DELAI_MAX, ou, si le compte ou le serveur a sa propre limite, ${ADMIN} la relever`,
};
const VERROU: Sens = {
  code: 'ATL_E405',
  dit: 'une table est tenue par un autre (ALTER TABLE, LOCK TABLES ?) ; relancez quand il a fini',
};
const COUPE: Sens = { code: 'ATL_E404', dit: 'la connexion est perdue' };
const TUE: Sens = {
  code: 'ATL_E404',
  dit: 'la session a été arrêtée de l’autre côté (KILL) ; demandez à l’administrateur de l’ERP pourquoi',
};
const ARRET: Sens = { code: 'ATL_E404', dit: 'le serveur s’arrête ; relancez quand il est revenu' };
const INCONNUE: Sens = { code: 'ATL_E403', dit: 'une table ou une colonne n’existe pas (ou plus)' };
const INTERDITE: Sens = { code: 'ATL_E403', dit: `un droit de lecture manque ; ${ADMIN} le donner` };
const VUE: Sens = { code: 'ATL_E403', dit: `une vue ne marche plus ; ${ADMIN} la refaire` };
const PLUGIN_SERVEUR: Sens = {
  code: 'ATL_E413',
  dit: `le serveur n’a pas chargé le greffon d’authentification de ce compte ; ${ADMIN} l’installer ou de donner au compte un mot de passe ordinaire`,
};
const RESSOURCES: Sens = {
  code: 'ATL_E407',
  dit: `le serveur manque de mémoire, de place ou de fichiers ; ${ADMIN} y voir`,
};
const ABIMEE: Sens = { code: 'ATL_E407', dit: `une table est abîmée ; ${ADMIN} la réparer` };
const INITIALISATION: Sens = {
  code: 'ATL_E402',
  dit: `le serveur renvoie à la connexion (init_connect en erreur ?) ; ${ADMIN} le corriger`,
};

/** The same in both families. */
const COMMUNS: Readonly<Record<number, Sens>> = {
  1021: RESSOURCES,
  1037: RESSOURCES,
  1038: RESSOURCES,
  1040: PLEIN,
  1041: RESSOURCES,
  1044: {
    code: 'ATL_E402',
    dit: `le compte n’a aucun droit sur cette base ; vérifiez MYSQL_DB, sinon ${ADMIN} donner les droits de demo/init.sql`,
  },
  1045: ACCES,
  1046: { code: 'ATL_E402', dit: 'aucune base choisie ; vérifiez MYSQL_DB' },
  1049: { code: 'ATL_E402', dit: 'cette base n’existe pas sur ce serveur ; vérifiez MYSQL_DB' },
  1053: ARRET,
  1054: INCONNUE,
  1077: ARRET,
  1079: ARRET,
  1114: RESSOURCES,
  1129: {
    code: 'ATL_E414',
    dit: `le serveur bloque notre machine après des connexions ratées ; ${ADMIN} la débloquer (FLUSH HOSTS, ou mariadb-admin flush-hosts)`,
  },
  1130: {
    code: 'ATL_E402',
    dit: `notre machine n’a pas le droit de se connecter ; ${ADMIN} créer le compte pour son adresse`,
  },
  1135: RESSOURCES,
  1142: INTERDITE,
  1143: INTERDITE,
  1146: INCONNUE,
  1152: COUPE,
  1153: {
    code: 'ATL_E407',
    dit: `un texte dépasse max_allowed_packet du serveur ; ${ADMIN} l’augmenter`,
  },
  1158: COUPE,
  1159: COUPE,
  1160: COUPE,
  1161: COUPE,
  1184: INITIALISATION,
  1194: ABIMEE,
  1195: ABIMEE,
  1203: LIMITE,
  1205: VERROU,
  1213: VERROU,
  1226: LIMITE,
  1251: ANCIEN,
  1275: ANCIEN,
  1317: TUE,
  1356: VUE,
  1412: {
    code: 'ATL_E404',
    dit: 'une table a été modifiée (ALTER TABLE) pendant la lecture ; relancez',
  },
  1449: VUE,
  1524: PLUGIN_SERVEUR,
  1698: {
    code: 'ATL_E402',
    dit: `accès refusé sans égard au mot de passe (compte de la machine du serveur seulement, unix_socket ?) ; ${ADMIN} donner un compte à mot de passe`,
  },
  1820: EXPIRE,
  1862: EXPIRE,
};

const PAR_FAMILLE: Readonly<Record<Famille, Readonly<Record<number, Sens>>>> = {
  mariadb: {
    1927: TUE,
    1969: DELAI,
    1970: { code: 'ATL_E404', dit: 'la connexion a été arrêtée par le serveur' },
    4150: BLOQUE,
    4151: VERROUILLE,
  },
  // After the manuals and the sources of MySQL 8; no MySQL server was at hand to try them.
  mysql: {
    3024: DELAI,
    3032: ARRET,
    3118: VERROUILLE,
    3159: TLS_EXIGE,
    3169: TUE,
    3955: BLOQUE,
    3572: VERROU,
    4031: {
      code: 'ATL_E404',
      dit: 'le serveur a fermé une connexion restée trop longtemps sans rien demander',
    },
  },
};

/** By SQLSTATE class, for numbers that are not above. */
const CLASSES: readonly (readonly [RegExp, Code])[] = [
  [/^08/, 'ATL_E404'],
  [/^28/, 'ATL_E402'],
];

/**
 * What a server's error number means.
 *
 * @param famille undefined while the server has not introduced itself: numbers that both families share
 * @returns ATL_E407 (refused, the server's own words say why) for what is not known
 */
export function sensDuNumero(numero: number, famille: Famille | undefined, sqlState = ''): Sens {
  const own = famille === undefined ? undefined : PAR_FAMILLE[famille][numero];
  const code = CLASSES.find(([state]) => state.test(sqlState))?.[1] ?? 'ATL_E407';
  return own ?? COMMUNS[numero] ?? { code };
}

/** The family by the version that a server introduces itself with (`5.5.5-10.11.4-MariaDB`, `8.0.36`). */
export function familleDe(version: string): Famille {
  return /mariadb/i.test(version) || version.startsWith('5.5.5-') ? 'mariadb' : 'mysql';
}
