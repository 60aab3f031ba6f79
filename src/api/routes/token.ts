import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { refusAuthentification } from '../../base/metrics.ts';
import { noter } from '../../postgres/audit.ts';
import { fermerFamilleDe } from '../../postgres/comptes/rafraichissements.ts';
import { DEFI } from '../auth/authentifier.ts';
import { empreinteDe } from '../auth/cle.ts';
import { chercher, DUREE_FAMILLE, ouvrir, renouveler } from '../auth/connexion.ts';
import { ENTETE_CSRF, effacerCookie, poserCookie, secretRecu, VALEUR_CSRF } from '../auth/cookie.ts';
import { Freinage } from '../auth/freinage.ts';
import { Jetons } from '../auth/jetons.ts';
import { aRehacher, hacher } from '../auth/mot-de-passe.ts';
import { ErreurOAuth, enErreurOAuth, envoyerErreurOAuth, NO_STORE } from '../auth/oauth.ts';
import { JournalDesRefus } from '../auth/refus.ts';
import { ligneAudit } from '../auth/trace.ts';
import { verifierEssai } from '../auth/verification.ts';
import { lireCorps } from '../corps.ts';
import type { ApiDeps } from '../deps.ts';
import { Probleme } from '../problemes.ts';
import { erreurs, json } from '../schemas/commun.ts';
import { SANS_PARAMETRE } from '../schemas/saisie.ts';
import { erreurOAuth, formulaireToken, jetonLu } from '../schemas/token.ts';

const PUBLIC = { acces: { acces: 'public' } } as const;
const FORM = 'application/x-www-form-urlencoded';
const BAD_REQUEST = json('Formulaire incomplet, en double ou inconnu', erreurOAuth);
const BAD_CHARSET = json('Formulaire qui se dit dans un autre codage que UTF-8', erreurOAuth);

/**
 * Signing in (OAuth2 password flow: people of this one program, see docs), refreshing by cookie, signing out.
 * Everything here answers errors as RFC 6749 has them, but for those of the whole server (413, 503).
 */
export function routesToken(app: FastifyInstance, deps: ApiDeps): void {
  app.register(async (scope) => {
    lireCorps(scope, { json: false, formulaire: lireFormulaire });
    scope.setErrorHandler((error, _request, reply) => {
      const known = enErreurOAuth(error);
      if (!known) throw error;
      return envoyerErreurOAuth(reply, known);
    });
    const jetons = new Jetons(deps.cles.signature, {
      duree: deps.config.api.dureeJeton,
      maintenant: deps.maintenant,
    });
    routeConnexion(scope, deps, jetons);
    routeRenouvellement(scope, deps, jetons);
    routeDeconnexion(scope, deps);
  });
}

function routeConnexion(app: FastifyInstance, deps: ApiDeps, jetons: Jetons): void {
  const freinage = new Freinage(deps);
  const slowed = new JournalDesRefus(deps);
  app.post(
    '/token',
    {
      config: PUBLIC,
      schema: {
        tags: ['token'],
        operationId: 'creer_token',
        summary: 'Se connecter : un jeton contre un nom et un mot de passe',
        description: `Flux « password » d’OAuth2, en formulaire, pour les personnes ; les programmes emploient une clé (/cles/). La réponse pose aussi le cookie du tableau de bord, qui renouvelle le jeton pendant ${DUREE_FAMILLE / 3_600_000} heures. Après quelques échecs, par compte et par adresse, il faut attendre (429), bon mot de passe ou non ; dans un réseau d’où le compte s’est déjà connecté, seuls les échecs venus de là comptent.`,
        security: [],
        consumes: [FORM],
        querystring: SANS_PARAMETRE,
        body: formulaireToken,
        response: {
          200: json('Le jeton', jetonLu),
          400: BAD_REQUEST,
          401: json('Nom ou mot de passe incorrect', erreurOAuth),
          415: BAD_CHARSET,
          429: json('Trop d’essais ; voir Retry-After', erreurOAuth),
          ...erreurs(413, 503),
        },
      },
      // Before the other fields are asked for: `client_credentials` has no user name, and that is not its fault.
      preValidation: async (request) => {
        const grant = (request.body as { grant_type?: unknown } | undefined)?.grant_type;
        if (grant === undefined || grant === 'password') return;
        throw new ErreurOAuth(400, 'unsupported_grant_type', 'Seul grant_type=password est possible ici.');
      },
    },
    async (request, reply) => {
      const { username, password } = request.body as z.infer<typeof formulaireToken>;
      const essai = await freinage.essayer(username, request.ip);
      if (!essai.permis) {
        refusAuthentification.inc({ reason: 'freinee' });
        await slowed.noter(request, 'connexion_freinee', { details: { attendre: essai.attendre } });
        throw new ErreurOAuth(
          429,
          'temporarily_unavailable',
          `Trop d’essais : attendez ${essai.attendre} s avant le suivant.`,
          { 'retry-after': String(essai.attendre) },
        );
      }
      const { compte, juste } = await verifierEssai(essai, () => chercher(deps, username, password));
      if (!compte || !juste || !compte.actif) {
        const raison = compte ? (juste ? 'compte_inactif' : 'mot_de_passe') : 'compte_inconnu';
        refusAuthentification.inc({ reason: raison });
        const line = ligneAudit(request, 'connexion_refusee', { userId: compte?.id, details: { raison } });
        await noter(deps.accesPool, line);
        throw refus();
      }
      await essai.reussi();
      // A hash made with older parameters is made anew, now that the password is at hand; if not now, next time.
      const { motDePasse, poivre } = compte;
      const rehashed =
        motDePasse !== undefined && aRehacher(motDePasse, poivre)
          ? await hacher(password, poivre).catch(() => undefined)
          : undefined;
      const cookie = await ouvrir(deps, freinage, request, compte, rehashed);
      // The account was changed while its password was being checked: what was right is not any more.
      if (!cookie) throw refus();
      poserCookie(request, reply, cookie);
      return await repondre(reply, jetons, compte);
    },
  );
}

/** The one answer to whoever does not get in, whatever the reason. */
function refus(): ErreurOAuth {
  return new ErreurOAuth(401, 'invalid_grant', 'Nom ou mot de passe incorrect.', DEFI);
}

function routeRenouvellement(app: FastifyInstance, deps: ApiDeps, jetons: Jetons): void {
  app.post(
    '/token/refresh',
    {
      config: PUBLIC,
      schema: {
        tags: ['token'],
        operationId: 'renouveler_token',
        summary: 'Renouveler le jeton du tableau de bord par son cookie',
        description: `Le cookie sert une fois et en reçoit un autre ; présenté deux fois, il a été copié, et la connexion est close. L’en-tête X-Requested-With: ${VALEUR_CSRF} est nécessaire.`,
        security: [],
        querystring: SANS_PARAMETRE,
        headers: entetes,
        response: {
          200: json('Le jeton', jetonLu),
          400: BAD_REQUEST,
          401: json('Cookie absent, servi, expiré ou révoqué', erreurOAuth),
          415: BAD_CHARSET,
          ...erreurs(403, 413, 503),
        },
      },
      onRequest: async (request) => exigerEntete(request),
    },
    async (request, reply) => {
      const suite = await renouveler(deps, request);
      if (!suite) {
        effacerCookie(request, reply);
        throw new ErreurOAuth(401, 'invalid_grant', 'La connexion est finie : reconnectez-vous.', DEFI);
      }
      poserCookie(request, reply, suite);
      return await repondre(reply, jetons, suite.compte);
    },
  );
}

function routeDeconnexion(app: FastifyInstance, deps: ApiDeps): void {
  app.post(
    '/token/revoke',
    {
      config: PUBLIC,
      schema: {
        tags: ['token'],
        operationId: 'revoquer_token',
        summary: 'Se déconnecter : le cookie ne vaut plus rien',
        description: `Répond 204 même sans cookie. Le dernier jeton d’accès finit de lui-même (expires_in). L’en-tête X-Requested-With: ${VALEUR_CSRF} est nécessaire.`,
        security: [],
        querystring: SANS_PARAMETRE,
        headers: entetes,
        response: {
          204: z.undefined().describe('Déconnecté'),
          400: BAD_REQUEST,
          415: BAD_CHARSET,
          ...erreurs(403, 413, 503),
        },
      },
      onRequest: async (request) => exigerEntete(request),
    },
    async (request, reply) => {
      const received = secretRecu(request);
      const userId =
        received === undefined ? undefined : await fermerFamilleDe(deps.accesPool, empreinteDe(received));
      if (userId !== undefined) await noter(deps.accesPool, ligneAudit(request, 'deconnexion', { userId }));
      effacerCookie(request, reply);
      return reply.code(204).headers(NO_STORE).send();
    },
  );
}

const entetes = z.looseObject({
  [ENTETE_CSRF]: z
    .literal(VALEUR_CSRF)
    .meta({ description: 'Ce qu’une page d’un autre site ne peut pas envoyer sans permission' }),
});

/** Looked at before anything else, so that a page of another site learns nothing and changes nothing. */
function exigerEntete(request: FastifyRequest): void {
  if (request.headers[ENTETE_CSRF] === VALEUR_CSRF) return;
  throw new Probleme(403, `Il faut l’en-tête X-Requested-With: ${VALEUR_CSRF}.`);
}

async function repondre(
  reply: FastifyReply,
  jetons: Jetons,
  compte: { id: string; version_jetons: number },
): Promise<FastifyReply> {
  const access_token = await jetons.signer(compte);
  return reply.headers(NO_STORE).send({ access_token, token_type: 'bearer', expires_in: jetons.duree });
}

/**
 * A form as name → value. Parameters without a value count as absent (RFC 6749, 3.2).
 *
 * @throws ErreurOAuth when one is there twice
 */
function lireFormulaire(paires: readonly (readonly [string, string])[]): Record<string, string> {
  const form: Record<string, string> = Object.create(null);
  for (const [name, value] of paires) {
    if (name in form) throw new ErreurOAuth(400, 'invalid_request', `Le champ ${name} est donné deux fois.`);
    form[name] = value;
  }
  for (const name of Object.keys(form)) if (form[name] === '') delete form[name];
  return form;
}
