import type { FastifyRequest } from 'fastify';
import { messageSansValeurs } from '../../base/log-redaction.ts';
import { refusAuthentification } from '../../base/metrics.ts';
import { etatCle, noterUtilisation } from '../../postgres/comptes/cles.ts';
import { etatsComptes } from '../../postgres/comptes/users.ts';
import { type Acces, type Acteur, autorise, porteesManquantes, type Ressource } from '../acces.ts';
import type { ApiDeps } from '../deps.ts';
import { inclusDe, SANS_INCLUSION } from '../inclusions.ts';
import { Probleme } from '../problemes.ts';
import { decouperCle, empreinteDe, memeSecret, PREFIXE_CLE } from './cle.ts';
import { EtatsDesComptes } from './etats.ts';
import { Jetons } from './jetons.ts';
import { JournalDesRefus } from './refus.ts';

/** Sets `request.acteur`, or throws the problem that the client is answered. */
export type Authentification = (request: FastifyRequest, acces: Acces) => Promise<void>;

/** What a 401 asks of whoever came without anything (RFC 6750, 3). */
export const DEFI = { 'www-authenticate': 'Bearer realm="atelier"' };

/** Use of a key is written down at most so often (ms). */
const UTILISATION = 60_000;
/** Compared with when there is no such key, so that its absence takes as long as a wrong secret. */
const NO_KEY = empreinteDe('');

/** Why a credential is refused, for the audit log; clients are told but one thing. */
type Refus = 'expire' | 'invalide' | 'revoque' | 'compte_inactif' | 'compte_absent';
const EXPIRE = 'Le jeton a expiré : reconnectez-vous (POST /token), ou renouvelez-le (POST /token/refresh).';
const INVALIDE = 'Le jeton ou la clé n’est pas ou plus valable.';

/**
 * The hook that lets nobody pass who may not: reads `config.acces` of the route, checks the token or key, and the
 * state of the account in the database, every time: what is revoked is so at once.
 *
 * The token comes in `Authorization: Bearer` and nowhere else. 401 for whoever is not known, 403 for whoever is but
 * may not; both before anything of the request is looked at.
 */
export function authentifier(deps: ApiDeps): (request: FastifyRequest) => Promise<void> {
  const authenticate = authentification(deps);
  return async (request) => {
    const { acces } = request.routeOptions.config;
    if (acces && acces.acces !== 'public') await authenticate(request, acces);
  };
}

/** The same for a route that decides by itself what it asks for (`POST /users/`). */
export function authentification(deps: ApiDeps): Authentification {
  const jetons = new Jetons(deps.cles.signature, {
    duree: deps.config.api.dureeJeton,
    maintenant: deps.maintenant,
  });
  const etats = new EtatsDesComptes((ids) => etatsComptes(deps.accesPool, ids));
  const refused = new JournalDesRefus(deps);
  return async (request, acces) => {
    const header = request.headers.authorization;
    if (header === undefined) {
      refusAuthentification.inc({ reason: 'absent' });
      throw new Probleme(401, 'Il faut un jeton (POST /token) ou une clé d’API : Authorization: Bearer …', {
        headers: DEFI,
      });
    }
    const credential = /^Bearer +([\x21-\x7e]+) *$/i.exec(header)?.[1] ?? '';
    const key = credential.startsWith(PREFIXE_CLE);
    const found = key ? await parCle(deps, credential) : await parJeton(etats, jetons, credential);
    if ('refus' in found) {
      refusAuthentification.inc({ reason: found.refus });
      await refused.noter(request, 'acces_refuse', {
        userId: found.userId,
        details: { statut: 401, raison: found.refus, genre: key ? 'cle' : 'jeton', ...routeOf(request) },
      });
      throw new Probleme(401, !key && found.refus === 'expire' ? EXPIRE : INVALIDE, {
        headers: { 'www-authenticate': 'Bearer realm="atelier", error="invalid_token"' },
      });
    }
    request.acteur = found;
    const { toujours } = request.routeOptions.config.inclus ?? SANS_INCLUSION;
    if (autorise(found, acces, toujours)) return;
    refusAuthentification.inc({ reason: 'interdit' });
    await refused.noter(request, 'acces_refuse', { details: { statut: 403, ...routeOf(request) } });
    throw interdit(found, acces, toujours);
  };
}

/**
 * The second look, once the query has been read: what it asks to be included has its own scopes.
 *
 * @throws Probleme 403
 */
export function exigerInclus(deps: ApiDeps): (request: FastifyRequest) => Promise<void> {
  const refused = new JournalDesRefus(deps);
  return async (request) => {
    const { acces } = request.routeOptions.config;
    if (acces?.acces !== 'donnees' || !request.acteur) return;
    await exigerRessources(refused, request, acces, inclusDe(request));
  };
}

async function exigerRessources(
  refused: JournalDesRefus,
  request: FastifyRequest,
  acces: Extract<Acces, { acces: 'donnees' }>,
  inclus: readonly Ressource[],
): Promise<void> {
  const acteur = acteurDe(request);
  if (autorise(acteur, acces, inclus)) return;
  refusAuthentification.inc({ reason: 'interdit' });
  await refused.noter(request, 'acces_refuse', { details: { statut: 403, ...routeOf(request) } });
  throw interdit(acteur, acces, inclus);
}

/** 403; says what is missing, nothing of what is there. */
function interdit(acteur: Acteur, acces: Acces, inclus: readonly Ressource[]): Probleme {
  const headers = { 'www-authenticate': 'Bearer realm="atelier", error="insufficient_scope"' };
  if (acteur.cle && acces.acces === 'compte') {
    return new Probleme(
      403,
      'Une clé d’API n’ouvre ni les comptes ni les clés : il faut le jeton d’une personne.',
      {
        headers,
      },
    );
  }
  const missing = acces.acces === 'donnees' ? porteesManquantes(acteur, acces, inclus) : [];
  const role = acces.acces === 'public' ? '' : acces.role;
  return acteur.cle
    ? new Probleme(
        403,
        missing.length === 0
          ? `Il faut une clé d’un compte ${role} au moins.`
          : `Il faut une clé avec ${enMots(missing)}, d’un compte ${role} au moins.`,
        { headers },
      )
    : new Probleme(403, `Il faut le rôle ${role}.`, { headers });
}

function enMots(scopes: readonly string[]): string {
  return scopes.length === 1 ? `la portée ${scopes[0]}` : `les portées ${scopes.join(', ')}`;
}

interface Refuse {
  readonly refus: Refus;
  readonly userId?: string | undefined;
}

async function parJeton(etats: EtatsDesComptes, jetons: Jetons, token: string): Promise<Acteur | Refuse> {
  const jeton = await jetons.verifier(token);
  if (typeof jeton === 'string') return { refus: jeton };
  const { userId, version, exp } = jeton;
  const compte = await etats.demander(userId);
  // Without its id: of somebody who was forgotten nothing may be written again.
  if (!compte) return { refus: 'compte_absent' };
  if (!compte.actif) return { refus: 'compte_inactif', userId };
  if (compte.version_jetons !== version) return { refus: 'revoque', userId };
  return { userId, role: compte.role, cle: undefined, expire: exp };
}

async function parCle(deps: ApiDeps, text: string): Promise<Acteur | Refuse> {
  const parts = decouperCle(text);
  if (!parts) return { refus: 'invalide' };
  const { id, secret } = parts;
  const etat = await etatCle(deps.accesPool, id);
  // Only whoever has the secret is told apart from the rest, and only in the audit log.
  if (!memeSecret(secret, etat?.empreinte ?? NO_KEY) || !etat) return { refus: 'invalide' };
  const userId = etat.user_id;
  const now = deps.maintenant();
  if (etat.revoquee) return { refus: 'revoque', userId };
  if (etat.date_fin <= now) return { refus: 'expire', userId };
  if (!etat.actif) return { refus: 'compte_inactif', userId };
  if (etat.derniere_utilisation === null || etat.derniere_utilisation <= now - UTILISATION) {
    // A read goes on when this cannot be written.
    await noterUtilisation(deps.accesPool, id, now).catch((error: unknown) =>
      deps.logger.warn({ erreur: messageSansValeurs(error), cle: id }, 'utilisation d’une clé non notée'),
    );
  }
  return {
    userId,
    role: etat.role,
    cle: { id, portees: etat.portees },
    expire: Math.floor(etat.date_fin / 1000),
  };
}

/** The route as it is declared: what a stranger writes in an address does not get into the audit log. */
function routeOf(request: FastifyRequest): { methode: string; route: string } {
  return { methode: request.method, route: request.routeOptions.url ?? '' };
}

/** Whoever made the request, on a route that is not public. */
export function acteurDe(request: FastifyRequest): Acteur {
  if (!request.acteur) throw new Error(`${request.routeOptions.url}: nobody is signed in here`);
  return request.acteur;
}
