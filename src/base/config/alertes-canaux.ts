import { type Lien, protectionDe, type Situer } from './liens.ts';
import { entier, type Texte } from './nombres.ts';
import type { Setting } from './setting.ts';

/** Where alerts are posted to. */
export interface WebhookConfig {
  readonly url: string;
  /** bytes that sign what is sent */
  readonly secret: Buffer;
}

/** How alerts are mailed. */
export interface MailConfig {
  readonly a: readonly string[];
  readonly de: string;
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte (465); otherwise STARTTLS, demanded unless `tls` is `non` */
  readonly secure: boolean;
  /** `oui` checks the certificate and its name; `sans-verification` only encrypts */
  readonly tls: 'oui' | 'sans-verification' | 'non';
  readonly user: string | undefined;
  readonly password: string | undefined;
}

export const CANAUX_SETTINGS: readonly Setting[] = [
  {
    name: 'ALERTE_WEBHOOK_URL',
    doc: 'Alertes par webhook : adresse à laquelle chaque avis est envoyé (POST, JSON, signé). Vide : pas de webhook.\nhttps, sauf vers cette machine et RESEAUX_PRIVES.',
    default: '',
    secret: true,
    processes: ['worker'],
  },
  {
    name: 'ALERTE_WEBHOOK_SECRET',
    doc: 'Secret qui signe les avis (en-têtes webhook-id, webhook-timestamp, webhook-signature ; voir docs/alertes.md).\n24 caractères au moins, ou whsec_ suivi de base64. Par exemple : openssl rand -base64 32',
    default: '',
    secret: true,
    processes: ['worker'],
  },
  {
    name: 'ALERTE_MAIL_A',
    doc: 'Alertes par courriel : destinataires, séparés par des virgules. Vide : pas de courriel.',
    default: '',
    processes: ['worker'],
  },
  { name: 'ALERTE_MAIL_DE', doc: 'Adresse d’expédition des alertes.', default: '' },
  {
    name: 'SMTP_URL',
    doc: 'Serveur de courriel : une adresse complète (smtp://utilisateur:motdepasse@hote:587, ou smtps:// pour le port 465).',
    default: '',
    secret: true,
    processes: ['worker'],
  },
  { name: 'SMTP_HOST', doc: 'Serveur de courriel : ou bien ses parties, une par une.', default: '' },
  { name: 'SMTP_PORT', doc: 'Son port : 587 (STARTTLS), 465 (TLS d’emblée) ou 25.', default: '587' },
  { name: 'SMTP_USER', doc: 'Utilisateur du serveur de courriel, s’il en veut un.', default: '' },
  { name: 'SMTP_PASSWORD', doc: 'Son mot de passe.', default: '', secret: true, processes: ['worker'] },
  {
    name: 'SMTP_TLS',
    doc: 'Chiffrement vers le serveur de courriel : oui (certificat et nom vérifiés), sans-verification,\nou non (seulement vers cette machine et RESEAUX_PRIVES).',
    default: 'oui',
  },
];

/** @returns undefined when no webhook is set */
export function readWebhook(
  text: Texte,
  problems: string[],
  situer: Situer,
  liens: Lien[],
): WebhookConfig | undefined {
  const url = text('ALERTE_WEBHOOK_URL');
  if (!url) return undefined;
  // The address often holds a secret of its own: it is never repeated.
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || !/^https?:$/.test(parsed.protocol)) {
    problems.push('ALERTE_WEBHOOK_URL : attendu une adresse https://…');
  } else {
    const lieu = situer(parsed.hostname);
    const clair = parsed.protocol === 'http:';
    // The host's name is no secret; what follows it may be.
    liens.push({
      ...{ reglage: 'ALERTE_WEBHOOK_URL', hote: parsed.hostname, lieu },
      protection: clair ? 'clair' : 'verifie',
    });
    if (clair && lieu === 'ailleurs')
      problems.push(
        'ALERTE_WEBHOOK_URL : http n’est permis que vers cette machine et RESEAUX_PRIVES ; mettez https, ou nommez l’hôte dans RESEAUX_PRIVES',
      );
  }
  return { url, secret: readSecret(text('ALERTE_WEBHOOK_SECRET'), problems) };
}

function readSecret(value: string, problems: string[]): Buffer {
  const base64 = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(value);
  const secret = base64 ? Buffer.from(base64[1]!, 'base64') : Buffer.from(value, 'utf8');
  if (secret.length < 24 || new Set(secret).size < 8) {
    problems.push(
      'ALERTE_WEBHOOK_SECRET : il faut au moins 24 octets tirés au hasard (par exemple : openssl rand -base64 32)',
    );
  }
  return secret;
}

/** @returns undefined when no mail is set */
export function readMail(
  text: Texte,
  problems: string[],
  situer: Situer,
  liens: Lien[],
): MailConfig | undefined {
  const a = text('ALERTE_MAIL_A')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  if (a.length === 0) return undefined;
  const de = text('ALERTE_MAIL_DE');
  for (const [name, address] of [['ALERTE_MAIL_DE', de], ...a.map((each) => ['ALERTE_MAIL_A', each])]) {
    if (!/^[^\s@<>(),;:"]+@[^\s@<>(),;:"]+$/.test(address!)) {
      problems.push(`${name} : attendu une adresse nom@domaine`);
    }
  }
  const tls = text('SMTP_TLS');
  if (tls !== 'oui' && tls !== 'sans-verification' && tls !== 'non') {
    problems.push(`SMTP_TLS : attendu oui, sans-verification ou non, reçu « ${tls} »`);
    return undefined;
  }
  const server = text('SMTP_URL') ? readUrl(text('SMTP_URL'), problems) : readParts(text, problems);
  if (server) {
    const lieu = situer(server.host);
    // With TLS from the first byte there is no way in the clear, only an unproven one.
    const protection = protectionDe(server.secure && tls === 'non' ? 'sans-verification' : tls);
    liens.push({
      ...{ reglage: text('SMTP_URL') ? 'SMTP_URL' : 'SMTP_HOST', hote: server.host, lieu },
      protection,
    });
    if (protection === 'clair' && lieu === 'ailleurs')
      problems.push(
        'SMTP_TLS : non n’est permis que vers cette machine et RESEAUX_PRIVES ; mettez oui, ou nommez le serveur dans RESEAUX_PRIVES',
      );
  }
  return server && { a, de, tls, ...server };
}

type Server = Pick<MailConfig, 'host' | 'port' | 'secure' | 'user' | 'password'>;

function readUrl(value: string, problems: string[]): Server | undefined {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (!url || !/^smtps?:$/.test(url.protocol) || !url.hostname || !/^\/?$/.test(url.pathname) || url.search) {
    problems.push('SMTP_URL : attendu smtp://utilisateur:motdepasse@hote:587 ou smtps://…:465');
    return undefined;
  }
  const secure = url.protocol === 'smtps:';
  try {
    return {
      host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: url.port ? Number(url.port) : secure ? 465 : 587,
      secure,
      user: decodeURIComponent(url.username) || undefined,
      password: decodeURIComponent(url.password) || undefined,
    };
  } catch {
    problems.push('SMTP_URL : un signe % doit être suivi de deux chiffres hexadécimaux (« % » s’écrit %25)');
    return undefined;
  }
}

function readParts(text: Texte, problems: string[]): Server | undefined {
  const port = entier('SMTP_PORT', text, problems, 1, 65_535);
  const host = text('SMTP_HOST');
  if (!host) {
    problems.push('SMTP_HOST : ALERTE_MAIL_A est donné, il faut aussi un serveur de courriel (ou SMTP_URL)');
    return undefined;
  }
  return {
    host,
    port,
    secure: port === 465,
    user: text('SMTP_USER') || undefined,
    password: text('SMTP_PASSWORD') || undefined,
  };
}
