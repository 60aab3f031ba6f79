import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { Amorcage } from '../../archives/amorcage.ts';
import { messageOf } from '../../base/errors.ts';
import { fermerPorte, lirePorte } from '../../postgres/comptes/installation.ts';
import { existeUnCompte } from '../../postgres/comptes/users.ts';
import type { ApiDeps } from '../deps.ts';
import { Probleme } from '../problemes.ts';
import { DEFI } from './authentifier.ts';

/** Header that carries the one-time code. */
export const ENTETE_CODE = 'x-code-premier-compte';

/** Crockford's letters: none is taken for another when somebody types them. */
const LETTERS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
/** Any of these says that somebody else asks through whoever is at the other end of the connection. */
const FORWARDED = [
  'forwarded',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-real-ip',
];

type Deps = Pick<ApiDeps, 'config' | 'cles' | 'pool' | 'logger'>;

/**
 * The code by which the first account may be made from elsewhere: 130 bits from the signing key and what this database
 * drew for itself, so the same on every server, another after a rebuild. It opens nothing once there has been an account.
 *
 * @returns undefined when there has been one
 */
export async function codeDuPremierCompte(deps: Deps): Promise<string | undefined> {
  const { ouverte, graine } = await lirePorte(deps.pool);
  if (!ouverte || (await new Amorcage(deps.config.archivesDir).connu())) return undefined;
  const key = Buffer.from(hkdfSync('sha256', deps.cles.signature[0]!, graine, 'premier compte', 32));
  const code = Array.from({ length: 26 }, (_, i) => LETTERS[key[i]! & 31]).join('');
  return code.match(/.{1,7}/g)!.join('-');
}

/**
 * Whether whoever asks may make the first account.
 *
 * @returns false when there has been one: then an admin does
 * @throws Probleme 401 when there has been none, but who asks is neither on this machine nor has the code
 */
export async function peutOuvrir(deps: Deps, request: FastifyRequest): Promise<boolean> {
  const code = await codeDuPremierCompte(deps);
  if (code === undefined) return false;
  const given = request.headers[ENTETE_CODE];
  if (given === undefined ? estDIci(deps, request) : memeCode(String(given), code)) return true;
  throw new Probleme(
    401,
    'Le premier compte se crée sur la machine même (`npx atelier user add NOM --email ADRESSE`, ou cette adresse-ci par http://127.0.0.1), ou avec le code que `atelier serve` a affiché à son démarrage, dans l’en-tête X-Code-Premier-Compte.',
    { headers: DEFI },
  );
}

/**
 * Whether a request comes from a program on this machine: straight, on the loopback address, under its name. A page in
 * a browser here that belongs to somebody else has another origin, or another name of host. With a proxy in front, whom
 * a connection is for cannot be told from where it comes.
 */
function estDIci({ config }: Deps, { raw, headers }: FastifyRequest): boolean {
  if (config.api.proxys.length > 0 || FORWARDED.some((name) => headers[name] !== undefined)) return false;
  const { host = '', origin } = headers;
  if (origin !== undefined && origin !== `http://${host}`) return false;
  if (!/^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i.test(host)) return false;
  return /^(::1|(::ffff:)?127(\.\d{1,3}){3})$/i.test(raw.socket.remoteAddress ?? '');
}

function memeCode(given: string, code: string): boolean {
  const digest = (text: string): Buffer =>
    createHmac('sha256', code).update(text.replaceAll('-', '').trim().toUpperCase()).digest();
  return timingSafeEqual(digest(given), digest(code));
}

/**
 * Remembers that there are accounts, or were, outside of them: in the database and beside the archives. A server that
 * may only read the archives goes on, and says so.
 */
export async function retenirAmorcage(deps: Deps): Promise<void> {
  if (await existeUnCompte(deps.pool)) await fermerPorte(deps.pool);
  const marque = new Amorcage(deps.config.archivesDir);
  if ((await lirePorte(deps.pool)).ouverte || (await marque.connu())) return;
  try {
    await marque.noter();
  } catch (error) {
    deps.logger.warn(
      { fichier: marque.path, erreur: messageOf(error) },
      'non noté à côté des archives qu’il y a eu un compte : une base refaite à neuf rouvrirait la création du premier',
    );
  }
}
