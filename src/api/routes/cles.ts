import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Role } from '../../base/roles.ts';
import { noter } from '../../postgres/audit.ts';
import {
  type CleApi,
  compterClesValables,
  creerCle,
  lireCle,
  listerCles,
  revoquerCle,
} from '../../postgres/comptes/cles.ts';
import { etatCompte } from '../../postgres/comptes/users.ts';
import { transaction, withClient } from '../../postgres/pool.ts';
import { type Acces, aLeRole } from '../acces.ts';
import { acteurDe, DEFI } from '../auth/authentifier.ts';
import { ecrireCle, empreinteDe, nouveauSecret } from '../auth/cle.ts';
import { repondreCree } from '../auth/comptes.ts';
import { Freinage } from '../auth/freinage.ts';
import { entetesAvecMotDePasse, exigerMotDePasseActuel } from '../auth/mot-de-passe-actuel.ts';
import { ligneAudit } from '../auth/trace.ts';
import type { ApiDeps } from '../deps.ts';
import { champInvalide } from '../ecritures.ts';
import { envoyerJson } from '../etag.ts';
import { entetesDePage } from '../pages.ts';
import { introuvable, Probleme } from '../problemes.ts';
import { cleCreee, cleLue, cleSaisie, JOURS_DEFAUT, JOURS_MAX, pageDeCles } from '../schemas/cles.ts';
import { erreurs, json } from '../schemas/commun.ts';
import { SANS_PARAMETRE } from '../schemas/saisie.ts';
import { parametresUuid } from '../schemas/users.ts';

const SOI: Acces = { acces: 'compte', role: 'lecteur' };
const DAY = 86_400_000;
/** Keys that one account may have at once: whoever needs more forgets to revoke. */
const CLES_MAX = 50;

/** API keys: everyone has his own; admins see, make and revoke anyone's. */
export function routesCles(app: FastifyInstance, deps: ApiDeps): void {
  routeListe(app, deps);
  routeCreation(app, deps);
  routesElement(app, deps);
}

function routeListe(app: FastifyInstance, deps: ApiDeps): void {
  app.get(
    '/cles/',
    {
      config: { acces: SOI },
      schema: {
        tags: ['cles'],
        operationId: 'lister_cle',
        summary: 'Lister les clés d’API',
        description: 'Les siennes ; un admin voit celles de tous, ou d’un compte (user_id).',
        querystring: pageDeCles,
        response: { 200: json('Les clés', z.array(cleLue)), ...erreurs(304, 400, 401, 403, 422, 503) },
      },
    },
    async (request, reply) => {
      const { user_id, ...page } = request.query as z.infer<typeof pageDeCles>;
      const own = proprietaire(request);
      if (own !== undefined && user_id !== undefined && user_id !== own) {
        throw new Probleme(403, 'Seul un admin voit les clés d’un autre compte.');
      }
      const { cles, total } = await listerCles(deps.pool, { ...page, userId: own ?? user_id });
      reply.headers(entetesDePage(request.url, page, total));
      return envoyerJson(request, reply, JSON.stringify(cles));
    },
  );
}

function routeCreation(app: FastifyInstance, deps: ApiDeps): void {
  const freinage = new Freinage(deps);
  app.post(
    '/cles/',
    {
      config: { acces: SOI },
      schema: {
        tags: ['cles'],
        operationId: 'creer_cle',
        summary: 'Créer une clé d’API',
        description: `La clé entière est dans la réponse, et nulle part ailleurs ensuite. Au plus ${CLES_MAX} clés valables par compte. Demande le mot de passe actuel (password_actuel).`,
        querystring: SANS_PARAMETRE,
        headers: entetesAvecMotDePasse,
        body: cleSaisie,
        response: {
          201: json('La clé, montrée cette seule fois', cleCreee),
          ...erreurs(400, 401, 403, 409, 413, 415, 422, 429, 503),
        },
      },
    },
    async (request, reply) => {
      const { nom, portees, date_fin, user_id, password_actuel } = request.body as z.infer<typeof cleSaisie>;
      const now = deps.maintenant();
      const dateFin =
        date_fin === undefined ? now + JOURS_DEFAUT * DAY : Date.parse(deps.time.situer(date_fin));
      if (!(dateFin > now && dateFin <= now + JOURS_MAX * DAY)) {
        throw champInvalide('date_fin', 'La fin de validité est dans l’avenir, d’un an au plus.');
      }
      const userId = await compteDeLaCle(deps, request, user_id, portees);
      const qui = await exigerMotDePasseActuel(deps, freinage, request, password_actuel);
      const [id, secret] = [randomUUID(), nouveauSecret()];
      const cle = await withClient(deps.pool, (client) =>
        transaction(client, async () => {
          const count = await compterClesValables(client, userId, now);
          if (count === undefined) return 'compte';
          // Another password meanwhile, which may have revoked all keys: none comes after.
          if ((await etatCompte(client, qui.id))?.version_jetons !== qui.version_jetons) return 'jeton';
          if (count >= CLES_MAX) return 'plein';
          const made = await creerCle(client, {
            ...{ id, userId, nom: nom.trim(), portees, dateFin },
            empreinte: empreinteDe(secret),
          });
          const details = { portees, date_fin: made.date_fin, pour: userId };
          await noter(client, ligneAudit(request, 'cle_creee', { cible: `cles/${id}`, details }));
          return made;
        }),
      );
      if (cle === 'compte') throw compteInconnu();
      if (cle === 'jeton') {
        throw new Probleme(401, 'Le mot de passe, le rôle ou l’état du compte vient de changer.', {
          headers: DEFI,
        });
      }
      if (cle === 'plein') {
        throw new Probleme(
          409,
          `Le compte a déjà ${CLES_MAX} clés valables : révoquez celles qui ne servent plus.`,
        );
      }
      return repondreCree(reply, `/cles/${id}`, JSON.stringify({ ...cle, cle: ecrireCle(id, secret) }));
    },
  );
}

/** The account that a new key acts for, which must be able to do what the key is for. */
async function compteDeLaCle(
  deps: ApiDeps,
  request: FastifyRequest,
  asked: string | undefined,
  portees: readonly string[],
): Promise<string> {
  const own = proprietaire(request);
  if (own !== undefined && asked !== undefined && asked !== own) {
    throw new Probleme(403, 'Seul un admin crée une clé pour un autre compte.');
  }
  const userId = asked ?? acteurDe(request).userId;
  const compte = await etatCompte(deps.pool, userId);
  if (!compte) throw compteInconnu();
  if (!compte.actif) throw champInvalide('user_id', 'Ce compte est désactivé.');
  const refused = porteeInterdite(compte.role, portees);
  if (refused !== undefined) {
    throw champInvalide(
      `portees/${refused}`,
      `Le rôle ${compte.role} ne permet pas d’écrire : ${portees[refused]} ne servirait à rien.`,
    );
  }
  return userId;
}

/** Position of the first scope beyond a role. */
function porteeInterdite(role: Role, portees: readonly string[]): number | undefined {
  if (aLeRole(role, 'gestionnaire')) return undefined;
  const at = portees.findIndex((portee) => portee.endsWith(':ecrire'));
  return at === -1 ? undefined : at;
}

function routesElement(app: FastifyInstance, deps: ApiDeps): void {
  type Params = z.infer<typeof parametresUuid>;
  app.get(
    '/cles/:id',
    {
      config: { acces: SOI },
      schema: {
        tags: ['cles'],
        operationId: 'lire_cle',
        summary: 'Lire une clé d’API, sans son secret',
        querystring: SANS_PARAMETRE,
        params: parametresUuid,
        response: { 200: json('La clé', cleLue), ...erreurs(304, 400, 401, 403, 404, 422, 503) },
      },
    },
    async (request, reply) => {
      const cle = await exigerCle(deps, request, (request.params as Params).id);
      return envoyerJson(request, reply, JSON.stringify(cle));
    },
  );
  app.delete(
    '/cles/:id',
    {
      config: { acces: SOI },
      schema: {
        tags: ['cles'],
        operationId: 'revoquer_cle',
        summary: 'Révoquer une clé d’API',
        description:
          'Elle ne vaut plus rien à partir de cet instant, et reste dans la liste avec la date de sa révocation.',
        querystring: SANS_PARAMETRE,
        params: parametresUuid,
        response: {
          204: z.undefined().describe('Révoquée'),
          ...erreurs(400, 401, 403, 404, 422, 503),
        },
      },
    },
    async (request, reply) => {
      const { id, user_id } = await exigerCle(deps, request, (request.params as Params).id);
      await withClient(deps.pool, (client) =>
        transaction(client, async () => {
          if (!(await revoquerCle(client, id, deps.maintenant()))) return;
          const details = { de: user_id };
          await noter(client, ligneAudit(request, 'cle_revoquee', { cible: `cles/${id}`, details }));
        }),
      );
      return reply.code(204).send();
    },
  );
}

/** The key, when it is one that the actor may see; to him a foreign one is the same as none. */
async function exigerCle(deps: ApiDeps, request: FastifyRequest, id: string): Promise<CleApi> {
  const cle = await lireCle(deps.pool, id, proprietaire(request));
  if (!cle) throw introuvable('Clé');
  return cle;
}

/** The account whose keys alone the actor sees; undefined: an admin, who sees all. */
function proprietaire(request: FastifyRequest): string | undefined {
  const { role, userId } = acteurDe(request);
  return role === 'admin' ? undefined : userId;
}

function compteInconnu(): Probleme {
  return champInvalide('user_id', 'Il n’y a pas de compte sous cet identifiant.');
}
