import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { noter } from '../../postgres/audit.ts';
import { listerCles } from '../../postgres/comptes/cles.ts';
import {
  acquittementsDePersonne,
  dateReactivation,
  demandesDePersonne,
  journalDePersonne,
  listerConnexions,
} from '../../postgres/comptes/export-compte.ts';
import { listerComptes } from '../../postgres/comptes/users.ts';
import type { Acces } from '../acces.ts';
import { acteurDe, authentification, DEFI } from '../auth/authentifier.ts';
import {
  ajouterCompte,
  changerCompte,
  corpsDeCompte,
  exigerCompte,
  LECTURE_SEULE_SOI,
  repondreCree,
  repondreModifie,
  retirerCompte,
} from '../auth/comptes.ts';
import { direAbime } from '../auth/comptes-abimes.ts';
import { Freinage } from '../auth/freinage.ts';
import { entetesAvecMotDePasse } from '../auth/mot-de-passe-actuel.ts';
import { ENTETE_CODE, peutOuvrir, retenirAmorcage } from '../auth/premier-compte.ts';
import { ligneAudit } from '../auth/trace.ts';
import type { ApiDeps } from '../deps.ts';
import { envoyerJson } from '../etag.ts';
import { entetesDePage } from '../pages.ts';
import { Probleme } from '../problemes.ts';
import { erreurs, json } from '../schemas/commun.ts';
import { SANS_PARAMETRE } from '../schemas/saisie.ts';
import {
  compteChange,
  compteLu,
  compteModifie,
  compteModifieMoi,
  compteSaisi,
  exportLu,
  pageSimple,
  parametresUuid,
} from '../schemas/users.ts';

const ADMIN: Acces = { acces: 'compte', role: 'admin' };
const SOI: Acces = { acces: 'compte', role: 'lecteur' };
const VIDE = z.undefined().describe('Fait');
const ALL_KEYS = 1_000_000;
const entetesDeCreation = entetesAvecMotDePasse.extend({
  [ENTETE_CODE]: z.string().optional().meta({
    description: 'Pour le tout premier compte, d’une autre machine : le code qu’affiche atelier serve',
  }),
});

/** Accounts: everyone has his own at `/users/me`, admins have all. */
export function routesUsers(app: FastifyInstance, deps: ApiDeps): void {
  const freinage = new Freinage(deps);
  routeCreation(app, deps, freinage);
  routeListe(app, deps);
  routesMoi(app, deps, freinage);
  routeExport(app, deps);
  routesAdmin(app, deps, freinage);
}

function routeCreation(app: FastifyInstance, deps: ApiDeps, freinage: Freinage): void {
  const authenticate = authentification(deps);
  app.post(
    '/users/',
    {
      config: { acces: { acces: 'public' } },
      schema: {
        tags: ['users'],
        operationId: 'creer_user',
        summary: 'Créer un compte',
        description:
          'Le premier compte d’une installation neuve devient admin ; il se crée depuis la machine même, ou avec le code qu’affiche `atelier serve` (X-Code-Premier-Compte). Ensuite, et pour toujours, seul un admin crée des comptes, avec son propre mot de passe (password_actuel).',
        security: [{}, { motDePasse: [] }],
        querystring: SANS_PARAMETRE,
        headers: entetesDeCreation,
        body: compteSaisi,
        response: {
          201: json('Le compte créé', compteLu),
          ...erreurs(400, 401, 403, 409, 413, 415, 422, 429, 503),
        },
      },
      // Before the body is read: a stranger is not told what a good one looks like.
      onRequest: async (request) => {
        if (!(await peutOuvrir(deps, request))) await authenticate(request, ADMIN);
      },
    },
    async (request, reply) => {
      const saisi = request.body as z.infer<typeof compteSaisi>;
      const compte = await ajouterCompte(deps, request, saisi, { premier: !request.acteur, freinage });
      if (!compte) {
        throw new Probleme(401, 'Un compte vient d’être créé : seul un admin en crée d’autres.', {
          headers: DEFI,
        });
      }
      if (!request.acteur) await retenirAmorcage(deps);
      return repondreCree(reply, `/users/${compte.id}`, corpsDeCompte(compte));
    },
  );
}

function routeListe(app: FastifyInstance, deps: ApiDeps): void {
  const querystring = z.strictObject(pageSimple);
  app.get(
    '/users/',
    {
      config: { acces: ADMIN },
      schema: {
        tags: ['users'],
        operationId: 'lister_user',
        summary: 'Lister les comptes',
        querystring,
        response: { 200: json('Les comptes', z.array(compteLu)), ...erreurs(304, 400, 401, 403, 422, 503) },
      },
    },
    async (request, reply) => {
      const page = request.query as z.infer<typeof querystring>;
      const { comptes, total } = await listerComptes(deps.pool, deps.coffre, page);
      for (const compte of comptes) direAbime(request.log, compte);
      const details = { nombre: comptes.length, skip: page.skip };
      await noter(deps.pool, ligneAudit(request, 'comptes_listes', { details }));
      reply.headers(entetesDePage(request.url, page, total));
      return envoyerJson(request, reply, `[${comptes.map(corpsDeCompte).join(',')}]`);
    },
  );
}

function routesMoi(app: FastifyInstance, deps: ApiDeps, freinage: Freinage): void {
  app.get(
    '/users/me',
    {
      config: { acces: SOI },
      schema: {
        tags: ['users'],
        operationId: 'lire_moi',
        summary: 'Lire son compte',
        querystring: SANS_PARAMETRE,
        response: { 200: json('Mon compte', compteLu), ...erreurs(304, 400, 401, 403, 422, 503) },
      },
    },
    async (request, reply) => {
      const compte = await exigerCompte(deps, acteurDe(request).userId);
      return envoyerJson(request, reply, corpsDeCompte(compte));
    },
  );
  app.put(
    '/users/me',
    {
      config: { acces: SOI },
      schema: {
        tags: ['users'],
        operationId: 'modifier_moi',
        summary: 'Modifier son compte',
        description:
          'Demande le mot de passe actuel (password_actuel). Un nouveau mot de passe éteint aussitôt tous les jetons du compte : il faut se reconnecter ; ses clés d’API restent (cles), sauf avec revoquer_cles.',
        querystring: SANS_PARAMETRE,
        headers: entetesAvecMotDePasse,
        body: compteModifieMoi,
        response: {
          200: json('Le compte modifié', compteChange),
          ...erreurs(400, 401, 403, 409, 412, 413, 415, 422, 429, 503),
        },
      },
    },
    async (request, reply) => {
      const changes = request.body as z.infer<typeof compteModifieMoi>;
      const { userId } = acteurDe(request);
      const compte = await changerCompte(deps, freinage, request, userId, changes, LECTURE_SEULE_SOI);
      return await repondreModifie(deps, reply, compte, changes);
    },
  );
  app.delete(
    '/users/me',
    {
      config: { acces: SOI },
      schema: {
        tags: ['users'],
        operationId: 'supprimer_moi',
        summary: 'Supprimer son compte',
        description:
          'Avec ses clés et ses connexions, sans retour. Demande le mot de passe (X-Password-Actuel). Le dernier admin ne se supprime pas (409).',
        querystring: SANS_PARAMETRE,
        headers: entetesAvecMotDePasse,
        response: { 204: VIDE, ...erreurs(400, 401, 403, 409, 412, 422, 429, 503) },
      },
    },
    async (request, reply) => {
      await retirerCompte(deps, freinage, request, acteurDe(request).userId);
      return reply.code(204).send();
    },
  );
}

function routeExport(app: FastifyInstance, deps: ApiDeps): void {
  app.get(
    '/users/me/export',
    {
      config: { acces: SOI },
      schema: {
        tags: ['users'],
        operationId: 'exporter_moi',
        summary: 'Exporter tout ce qui est conservé sur soi',
        description:
          'Droits d’accès et à la portabilité (RGPD, articles 15 et 20) : compte, clés, connexions, tâches demandées, alertes acquittées, journal.',
        querystring: SANS_PARAMETRE,
        response: { 200: json('Le fichier', exportLu), ...erreurs(400, 401, 403, 422, 503) },
      },
    },
    async (request, reply) => {
      const { userId } = acteurDe(request);
      const compte = await exigerCompte(deps, userId);
      // Noted first, so that the export has its own line too.
      await noter(deps.pool, ligneAudit(request, 'export', { cible: `users/${userId}` }));
      const { version_jetons: _version, abime: _abime, ...shown } = compte;
      const { cles } = await listerCles(deps.pool, { userId, skip: 0, limit: ALL_KEYS });
      const fichier = {
        date_export: deps.time.format(Math.floor(deps.maintenant() / 1000)),
        compte: { ...shown, reactive_le: await dateReactivation(deps.pool, userId) },
        cles: cles.map(({ user_id: _user, ...cle }) => cle),
        connexions: await listerConnexions(deps.pool, userId, deps.maintenant()),
        demandes: await demandesDePersonne(deps.pool, userId),
        acquittements: await acquittementsDePersonne(deps.pool, userId),
        journal: await journalDePersonne(deps.pool, userId),
      };
      return reply
        .headers({
          'cache-control': 'no-store',
          'content-disposition': 'attachment; filename="mon-compte.json"',
        })
        .type('application/json; charset=utf-8')
        .send(JSON.stringify(fichier, undefined, 2));
    },
  );
}

function routesAdmin(app: FastifyInstance, deps: ApiDeps, freinage: Freinage): void {
  type Params = z.infer<typeof parametresUuid>;
  app.get(
    '/users/:id',
    {
      config: { acces: ADMIN },
      schema: {
        tags: ['users'],
        operationId: 'lire_user',
        summary: 'Lire un compte',
        querystring: SANS_PARAMETRE,
        params: parametresUuid,
        response: { 200: json('Le compte', compteLu), ...erreurs(304, 400, 401, 403, 404, 422, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params as Params;
      const compte = await exigerCompte(deps, id);
      if (id !== acteurDe(request).userId) {
        await noter(deps.pool, ligneAudit(request, 'compte_lu', { cible: `users/${id}` }));
      }
      return envoyerJson(request, reply, corpsDeCompte(compte));
    },
  );
  app.put(
    '/users/:id',
    {
      config: { acces: ADMIN },
      schema: {
        tags: ['users'],
        operationId: 'modifier_user',
        summary: 'Modifier un compte',
        description:
          'Demande le mot de passe de l’admin (password_actuel), sauf pour seulement désactiver. Un nouveau rôle, état ou mot de passe éteint aussitôt les jetons du compte. On ne change ni son propre rôle ni son propre état (403), et il reste toujours un admin actif (409).',
        querystring: SANS_PARAMETRE,
        params: parametresUuid,
        headers: entetesAvecMotDePasse,
        body: compteModifie,
        response: {
          200: json('Le compte modifié', compteChange),
          ...erreurs(400, 401, 403, 404, 409, 412, 413, 415, 422, 429, 503),
        },
      },
    },
    async (request, reply) => {
      const changes = request.body as z.infer<typeof compteModifie>;
      const compte = await changerCompte(deps, freinage, request, (request.params as Params).id, changes);
      return await repondreModifie(deps, reply, compte, changes);
    },
  );
  app.delete(
    '/users/:id',
    {
      config: { acces: ADMIN },
      schema: {
        tags: ['users'],
        operationId: 'supprimer_user',
        summary: 'Supprimer un compte',
        description:
          'Avec ses clés et ses connexions, sans retour. Demande le mot de passe de l’admin (X-Password-Actuel). Il reste toujours un admin actif (409).',
        querystring: SANS_PARAMETRE,
        headers: entetesAvecMotDePasse,
        params: parametresUuid,
        response: { 204: VIDE, ...erreurs(400, 401, 403, 404, 409, 412, 422, 429, 503) },
      },
    },
    async (request, reply) => {
      await retirerCompte(deps, freinage, request, (request.params as Params).id);
      return reply.code(204).send();
    },
  );
}
