import { type Lien, modeVers, protectionDe, readModeTls, type Situer } from './liens.ts';
import { entier, nombre, type Texte } from './nombres.ts';
import type { Setting } from './setting.ts';

/** How the connection to the ERP is protected. */
export interface ErpTls {
  /** `oui` checks the server's certificate and its name; `sans-verification` only encrypts */
  readonly mode: 'non' | 'oui' | 'sans-verification';
  /** file of the certification authority (PEM), or undefined: those of the system */
  readonly ca: string | undefined;
}

/** Where the ERP is and how long reading it may take. */
export interface ErpConfig {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly tls: ErpTls;
  /** whole read, seconds, after which the server is given up */
  readonly delaiMax: number;
  /** IANA zone in which an instant of the ERP is dated */
  readonly fuseau: string;
  /** smallest accepted share of the stored orders, 0 to 1 (guard against a half-empty ERP) */
  readonly seuilBaisse: number;
}

export const ERP_SETTINGS: readonly Setting[] = [
  {
    name: 'MYSQL_URL',
    doc: 'ERP (MySQL ou MariaDB, en lecture seule) : une adresse complète (mysql://utilisateur:motdepasse@hote:3306/base).\nVide, et MYSQL_HOST vide : pas d’ERP.',
    default: '',
    secret: true,
    processes: ['worker', 'maintenance'],
  },
  {
    name: 'MYSQL_HOST',
    doc: 'ERP : ou bien ses parties, une par une.',
    default: '',
    processes: ['worker', 'maintenance'],
  },
  { name: 'MYSQL_PORT', doc: 'Port de l’ERP.', default: '3306' },
  { name: 'MYSQL_DB', doc: 'Base de l’ERP.', default: 'erp' },
  {
    name: 'MYSQL_USER',
    doc: 'Utilisateur de lecture (demo/init.sql montre ses droits, colonne par colonne).',
    default: 'atelier_lecture',
  },
  {
    name: 'MYSQL_PASSWORD',
    doc: 'Son mot de passe.',
    default: '',
    secret: true,
    processes: ['worker', 'maintenance'],
  },
  {
    name: 'MYSQL_TLS',
    doc: 'Chiffrement vers l’ERP : auto (oui, sauf vers cette machine et RESEAUX_PRIVES), oui (certificat et nom vérifiés),\nsans-verification ou non.',
    default: 'auto',
  },
  {
    name: 'MYSQL_TLS_CA',
    doc: 'Fichier PEM de l’autorité qui a signé le certificat de l’ERP (vide : celles du système).',
    default: '',
  },
  {
    name: 'SYNC_DELAI_MAX',
    doc: 'Durée maximale de la lecture de l’ERP, en secondes ; au-delà elle est abandonnée.',
    default: '300',
  },
  {
    name: 'SYNC_SEUIL_BAISSE',
    doc: 'Part minimale (0 à 1) des commandes enregistrées que l’ERP doit rendre pour que la liste soit remplacée sans --force.',
    default: '0.5',
  },
];

/**
 * Reads the settings of the ERP. Adds one line to `problems` for each that is wrong.
 *
 * @param text the trimmed value of a setting, or its default
 * @param liens gets the link to the ERP
 * @returns undefined when no ERP is set (neither MYSQL_URL nor MYSQL_HOST)
 */
export function readErp(
  text: Texte,
  problems: string[],
  situer: Situer,
  liens: Lien[],
): ErpConfig | undefined {
  const server = text('MYSQL_URL') ? readUrl(text, problems) : readParts(text, problems);
  const lieu = situer(server?.host ?? '');
  const mode = modeVers(readModeTls('MYSQL_TLS', text, problems), lieu);
  if (server)
    liens.push({
      reglage: text('MYSQL_URL') ? 'MYSQL_URL' : 'MYSQL_HOST',
      hote: server.host,
      lieu,
      protection: protectionDe(mode),
    });
  const common = {
    tls: { mode, ca: text('MYSQL_TLS_CA') || undefined },
    delaiMax: nombre('SYNC_DELAI_MAX', text, problems, 1, 86_400),
    fuseau: text('FUSEAU'),
    seuilBaisse: nombre('SYNC_SEUIL_BAISSE', text, problems, 0, 1),
  };
  return server && { ...server, ...common };
}

type Server = Pick<ErpConfig, 'host' | 'port' | 'user' | 'password' | 'database'>;

function readUrl(text: Texte, problems: string[]): Server | undefined {
  const value = text('MYSQL_URL');
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const database = url?.pathname.slice(1) ?? '';
  if (!url || !/^(mysql|mariadb):$/.test(url.protocol) || !url.hostname || !database) {
    // The value holds a password: it is never repeated.
    problems.push('MYSQL_URL : attendu mysql://utilisateur:motdepasse@hote:port/base');
    return undefined;
  }
  if (url.port === '0') problems.push('MYSQL_URL : le port va de 1 à 65535');
  if (url.search !== '' || url.hash !== '') {
    // Options there would be passed over in silence, and one of them asks for encryption.
    problems.push(
      'MYSQL_URL : rien ne se met après « ? » ou « # » (chiffrement : MYSQL_TLS ; dans un mot de passe : %3F, %23)',
    );
  }
  try {
    return {
      host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: url.port ? Number(url.port) : 3306,
      user: decodeURIComponent(url.username) || text('MYSQL_USER'),
      password: decodeURIComponent(url.password) || text('MYSQL_PASSWORD'),
      database: decodeURIComponent(database),
    };
  } catch {
    problems.push('MYSQL_URL : un signe % doit être suivi de deux chiffres hexadécimaux (« % » s’écrit %25)');
    return undefined;
  }
}

function readParts(text: Texte, problems: string[]): Server | undefined {
  const port = entier('MYSQL_PORT', text, problems, 1, 65_535);
  const host = text('MYSQL_HOST');
  if (!host) return undefined;
  return {
    host,
    port,
    user: text('MYSQL_USER'),
    password: text('MYSQL_PASSWORD'),
    database: text('MYSQL_DB'),
  };
}
