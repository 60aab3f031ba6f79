import { isIP } from 'node:net';
import { AtelierError } from '../errors.ts';
import { ANY_HOST, normalizeName } from '../hosts.ts';
import { PASSERELLE } from '../passerelle.ts';
import { devinee, FAIRE_CLE, lireCle } from './cles.ts';
import { entier, type Texte } from './nombres.ts';
import type { Setting } from './setting.ts';

/** Settings of the API server. Keys are checked by {@link exigerCles}: other commands do without them. */
export interface ApiConfig {
  readonly host: string;
  readonly port: number;
  /** signs new tokens; the one before it still checks old ones */
  readonly secretKey: string | undefined;
  readonly secretKeyPrecedente: string | undefined;
  /** encrypts names and addresses of accounts; the one before it still reads old rows */
  readonly cleChiffrement: string | undefined;
  readonly cleChiffrementPrecedente: string | undefined;
  /** origins of other sites whose pages may call the API; none by default */
  readonly corsOrigines: readonly string[];
  /** addresses (or networks) of reverse proxies whose `X-Forwarded-For` is believed */
  readonly proxys: readonly string[];
  /** names of this installation beside those that it knows itself (src/base/hosts.ts): exact, endings, `*` */
  readonly hotes: readonly string[];
  /** life of an access token, seconds */
  readonly dureeJeton: number;
  /** database for reading lists (a replica), or undefined: the main one */
  readonly databaseReadUrl: string | undefined;
  /** seconds that what is read there may be old */
  readonly replicaRetardMax: number;
  /** the main database through a pooler, or undefined: straight */
  readonly databaseApiUrl: string | undefined;
  /** connections to PostgreSQL at most */
  readonly connexions: number;
}

/** The keys of a server that may start. */
export interface Cles {
  /** first the one that signs; each at least 32 bytes */
  readonly signature: readonly Buffer[];
  /** first the one that encrypts; each exactly 32 bytes */
  readonly chiffrement: readonly Buffer[];
}

const MAKE_SECRET = `node -p "crypto.randomBytes(48).toString('base64url')"`;

export const API_SETTINGS: readonly Setting[] = [
  {
    name: 'HOST',
    doc: 'API : adresse d’écoute (127.0.0.1 : cette machine seule ; 0.0.0.0 dans un conteneur ou derrière un proxy).',
    default: '127.0.0.1',
  },
  { name: 'PORT', doc: 'API : port d’écoute.', default: '8000' },
  {
    name: 'SECRET_KEY',
    doc: `API : clé de signature des jetons, au moins 32 octets. Pour en faire une :\n  ${MAKE_SECRET}`,
    default: '',
    secret: true,
    processes: ['api'],
  },
  {
    name: 'SECRET_KEY_PRECEDENTE',
    doc: 'API : ancienne clé de signature, encore acceptée pendant un changement de clé.',
    default: '',
    secret: true,
    processes: ['api'],
  },
  {
    name: 'CLE_CHIFFREMENT',
    doc: `API : clé de chiffrement des comptes (noms, adresses), 32 octets en hexadécimal ou base64. À garder hors de la base\net à sauvegarder à part : sans elle les comptes sont perdus. Pour en faire une :\n  ${FAIRE_CLE}`,
    default: '',
    secret: true,
    processes: ['api'],
  },
  {
    name: 'CLE_CHIFFREMENT_PRECEDENTE',
    doc: 'API : ancienne clé de chiffrement, encore lue tant que `atelier user rotation` n’a pas tout rechiffré.',
    default: '',
    secret: true,
    processes: ['api'],
  },
  {
    name: 'CORS_ORIGINES',
    doc: 'API : origines d’autres sites dont les pages peuvent l’appeler (https://bi.exemple.fr), séparées par des virgules.',
    default: '',
  },
  {
    name: 'PROXYS_DE_CONFIANCE',
    doc: 'API : adresses ou réseaux des proxys dont X-Forwarded-For est cru (10.0.0.2,172.16.0.0/12), séparés par des virgules.\nDans un conteneur, un proxy de la machine hôte est « passerelle ».',
    default: '',
  },
  {
    name: 'HOTES',
    doc: 'API : noms par lesquels on l’appelle (atelier.usine.lan, .usine.lan : tout ce qui finit ainsi), séparés par des virgules ;\nun autre nom reçoit 421 : la page d’un autre site pourrait s’en servir (DNS rebinding). Ses adresses, localhost, HOST et le\nnom de cette machine vont toujours. Vide : un proxy de PROXYS_DE_CONFIANCE peut aussi transmettre tout nom sans port. * : tous.',
    default: '',
  },
  { name: 'DUREE_JETON', doc: 'API : durée de vie d’un jeton d’accès, en minutes (1 à 30).', default: '15' },
  {
    name: 'DATABASE_READ_URL',
    doc: 'API : réplica PostgreSQL (réplication en flux) où lire les listes et les exports (vide : la base principale).',
    default: '',
    secret: true,
    processes: ['api'],
  },
  {
    name: 'REPLICA_RETARD_MAX',
    doc: 'API : secondes de retard au plus du réplica (1 à 3600) ; au-delà, tout se lit sur la base principale.',
    default: '10',
  },
  {
    name: 'DATABASE_API_URL',
    doc: 'API : la base principale par un pooler de connexions (PgBouncer, aussi en mode transaction). DATABASE_URL (ou\nPOSTGRES_*) reste l’adresse du serveur lui-même : écoute des changements, worker et commandes en ont besoin.',
    default: '',
    secret: true,
    processes: ['api'],
  },
  {
    name: 'API_CONNEXIONS',
    doc: 'API : connexions à PostgreSQL au plus. Un tiers (3 au plus) est gardé pour la santé et la connexion des comptes ;\nun compte occupe au plus la moitié des autres.',
    default: '10',
  },
];

export function readApi(text: Texte, problems: string[]): ApiConfig {
  const optional = (name: string): string | undefined => text(name) || undefined;
  const base = (name: string): string | undefined => {
    const url = optional(name);
    if (url === undefined || (URL.canParse(url) && /^postgres(ql)?:$/.test(new URL(url).protocol)))
      return url;
    problems.push(`${name} : attendu postgresql://utilisateur:motdepasse@hote:port/base`);
    return undefined;
  };
  const corsOrigines = list(text('CORS_ORIGINES'));
  for (const origin of corsOrigines) {
    if (!URL.canParse(origin) || new URL(origin).origin !== origin) {
      problems.push(
        `CORS_ORIGINES : « ${origin} » n’est pas une origine (https://nom ou https://nom:port, sans rien derrière)`,
      );
    }
  }
  const proxys = list(text('PROXYS_DE_CONFIANCE'));
  for (const proxy of proxys) {
    if (proxy !== PASSERELLE && !/^[0-9a-f.:]+(\/\d{1,3})?$/i.test(proxy)) {
      problems.push(
        `PROXYS_DE_CONFIANCE : « ${proxy} » n’est ni une adresse ni un réseau (10.0.0.2, 10.0.0.0/8, ${PASSERELLE})`,
      );
    }
  }
  return {
    host: text('HOST'),
    port: entier('PORT', text, problems, 0, 65_535),
    secretKey: optional('SECRET_KEY'),
    secretKeyPrecedente: optional('SECRET_KEY_PRECEDENTE'),
    cleChiffrement: optional('CLE_CHIFFREMENT'),
    cleChiffrementPrecedente: optional('CLE_CHIFFREMENT_PRECEDENTE'),
    corsOrigines,
    proxys,
    hotes: readHosts(text('HOTES'), problems),
    dureeJeton: entier('DUREE_JETON', text, problems, 1, 30) * 60,
    databaseReadUrl: base('DATABASE_READ_URL'),
    replicaRetardMax: entier('REPLICA_RETARD_MAX', text, problems, 1, 3600),
    databaseApiUrl: base('DATABASE_API_URL'),
    connexions: entier('API_CONNEXIONS', text, problems, 2, 500),
  };
}

function readHosts(value: string, problems: string[]): string[] {
  return list(value).flatMap((entry) => {
    if (entry === ANY_HOST || isIP(entry.replace(/^\[(.*)\]$/, '$1')) !== 0) return [entry];
    const name = normalizeName(entry.replace(/^\./, ''));
    if (name !== undefined) return [entry.startsWith('.') ? `.${name}` : name];
    problems.push(
      `HOTES : « ${entry} » n’est pas un nom d’hôte (atelier.usine.lan, .usine.lan ou *, sans port ni http://)`,
    );
    return [];
  });
}

/**
 * The keys that signing in and reading accounts need.
 * @throws AtelierError ATL_C102 that says what is missing or too short and how to make it; never shows a key
 */
export function exigerCles(api: ApiConfig): Cles {
  const problems: string[] = [];
  const signature: Buffer[] = [];
  const chiffrement: Buffer[] = [];
  for (const [name, value, required] of [
    ['SECRET_KEY', api.secretKey, true],
    ['SECRET_KEY_PRECEDENTE', api.secretKeyPrecedente, false],
  ] as const) {
    if (value === undefined) {
      if (required) problems.push(`${name} manque. Pour en faire une : ${MAKE_SECRET}`);
      continue;
    }
    const bytes = Buffer.from(value, 'utf8');
    if (bytes.length < 32 || new Set(value).size < 8) {
      problems.push(
        `${name} : ${bytes.length} octets${bytes.length < 32 ? '' : ' trop répétitifs'}, il en faut au moins 32 tirés au hasard. Pour en faire une : ${MAKE_SECRET}`,
      );
    } else if (devinee(value)) {
      problems.push(
        `${name} est un texte d’exemple ou un motif répété, que n’importe qui essaie d’abord. Pour en faire une : ${MAKE_SECRET}`,
      );
    }
    signature.push(bytes);
  }
  for (const [name, value, required] of [
    ['CLE_CHIFFREMENT', api.cleChiffrement, true],
    ['CLE_CHIFFREMENT_PRECEDENTE', api.cleChiffrementPrecedente, false],
  ] as const) {
    if (value === undefined) {
      if (required) problems.push(`${name} manque. Pour en faire une : ${FAIRE_CLE}`);
      continue;
    }
    const cle = lireCle(value);
    if (Buffer.isBuffer(cle)) chiffrement.push(cle);
    else problems.push(`${name} : ${cle.defaut}`);
  }
  if (problems.length > 0) {
    throw new AtelierError(
      'ATL_C102',
      `Clés de l’API manquantes ou trop faibles :\n${problems.map((p) => `  - ${p}`).join('\n')}`,
    );
  }
  return { signature, chiffrement };
}

function list(value: string): string[] {
  return value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
