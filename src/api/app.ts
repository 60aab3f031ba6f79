import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import compress from '@fastify/compress';
import cookie from '@fastify/cookie';
import cors from '@fastify/cors';
import fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { serializerCompiler } from 'fastify-type-provider-zod';
import type { z } from 'zod';
import type { Acces, Acteur } from './acces.ts';
import { authentifier, exigerInclus } from './auth/authentifier.ts';
import { refuserAvantLecture, refuserClient } from './client-errors.ts';
import { exigerCorps, lireCorps } from './corps.ts';
import { ENTETES_LISIBLES, entetesCors } from './cors.ts';
import type { ApiDeps } from './deps.ts';
import { documenter } from './documentation.ts';
import { hostCheck } from './host-check.ts';
import { limiterEnVol } from './in-flight.ts';
import { type Inclusions, inclusionsDeRoute } from './inclusions.ts';
import { journaliser } from './journal.ts';
import { retenirEcritures } from './lectures.ts';
import { mesurerRequetes } from './mesures.ts';
import { enProbleme, envoyerProbleme, fautesDe, Probleme } from './problemes.ts';
import { protectAnswers } from './protective-headers.ts';
import { direProxysInconnus, proxysCrus } from './proxys.ts';
import { routesAlertes } from './routes/alertes.ts';
import { routesCentres } from './routes/centres.ts';
import { routesCles } from './routes/cles.ts';
import { routesCommandesVolets } from './routes/commandes-volets.ts';
import { routesEvenements } from './routes/evenements.ts';
import { routesExecutions } from './routes/executions.ts';
import { routesExplication } from './routes/explication.ts';
import { routesFichiers } from './routes/fichiers.ts';
import { routesJobProfils } from './routes/job-profils.ts';
import { routesMetriques } from './routes/metriques.ts';
import { routesOrigine } from './routes/origine.ts';
import { routesPeriodesArret } from './routes/periodes-arret.ts';
import { routesPeriodesAttente } from './routes/periodes-attente.ts';
import { routesPiecesProduction } from './routes/pieces-production.ts';
import { routesPlanification } from './routes/planification.ts';
import { routesRejets } from './routes/rejets.ts';
import { routesSante } from './routes/sante.ts';
import { routesSessions } from './routes/sessions.ts';
import { routesStats } from './routes/stats.ts';
import { routesToken } from './routes/token.ts';
import { routesUsers } from './routes/users.ts';
import { methodesPermises } from './routes-connues.ts';
import { SANS_PARAMETRE } from './schemas/saisie.ts';
import { partager } from './shares.ts';
import { tracerRequetesHttp } from './traces.ts';
import { exigerUtf8 } from './utf8.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** who may call the route; every route says it */
    acces?: Acces;
    /** what its answers bring along of other resources: from their schemas */
    inclus?: Inclusions;
  }
  interface FastifyInstance {
    readonly limites: Limites;
  }
  interface FastifyRequest {
    /** whoever makes the request; on a public route nobody */
    acteur: Acteur | undefined;
  }
}

/** Bounds of what a client may send. */
export const LIMITES = {
  /** bytes of a body */
  corps: 1_048_576,
  /** bytes of request line and headers together */
  entetes: 16_384,
  /** characters of an address */
  url: 8_000,
  /** milliseconds for the headers of a request to arrive */
  delaiEntetes: 15_000,
  /** milliseconds for a whole request to arrive */
  requete: 30_000,
  /** milliseconds between two looks for requests that take longer */
  controle: 2_000,
  /** milliseconds without a byte in either direction */
  silence: 75_000,
  /** milliseconds that a connection stays open without a request */
  repos: 72_000,
  /** requests of one connection under way at once */
  enVol: 8,
  /** requests of all connections that were sent ahead and wait */
  enAttente: 20_000,
  /** milliseconds that a request waits for others of its account */
  attentePart: 10_000,
  /** requests of one account that wait so */
  filePart: 200,
  /** milliseconds that an export waits for its turn */
  attenteExport: 10_000,
  /** bytes a second that the client of an export takes at least, while rows wait for it */
  debitExport: 32_768,
  /** milliseconds over which that is looked at */
  fenetreExport: 30_000,
} as const;
export type Limites = { readonly [K in keyof typeof LIMITES]: number };

/**
 * The API, complete, without listening: tests inject requests, `atelier serve` listens.
 *
 * @param options `limites`: other bounds than the usual ones, for tests that have no time to wait for them
 */
export async function buildApp(
  deps: ApiDeps,
  options: { readonly limites?: Partial<Limites> } = {},
): Promise<FastifyInstance> {
  const { config } = deps;
  const limites: Limites = { ...LIMITES, ...options.limites };
  const origines = config.api.corsOrigines;
  const app: FastifyInstance = fastify({
    loggerInstance: deps.logger as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requete' }),
    genReqId: () => randomUUID(),
    bodyLimit: limites.corps,
    requestTimeout: limites.requete,
    connectionTimeout: limites.silence,
    // What the framework would make, with a valve before its handler.
    serverFactory: (handler, { http }) => {
      const server = createServer(http ?? {}, limiterEnVol(handler, limites, deps.logger));
      server.keepAliveTimeout = limites.repos;
      server.requestTimeout = limites.requete;
      server.setTimeout(limites.silence);
      return server;
    },
    http: {
      maxHeaderSize: limites.entetes,
      headersTimeout: limites.delaiEntetes,
      requestTimeout: limites.requete,
      connectionsCheckingInterval: limites.controle,
      // Node would answer without a body; the hook below gives a problem.
      requireHostHeader: false,
    },
    // Requests that arrive on open connections while we stop are still answered, with `Connection: close`.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    trustProxy: proxysCrus(config.api),
    routerOptions: {
      ignoreTrailingSlash: true,
      maxParamLength: 300,
      // A value given twice becomes a list, which no schema of ours takes: refused by name.
      querystringParser: (text) => parNom(new URLSearchParams(text)),
    },
    // An address that cannot be read comes past no hook: what those do is done here.
    frameworkErrors: (error, request, reply) => {
      const probleme = enProbleme(error);
      request.log.info({ statut: probleme.status, cause: error.code }, 'requête refusée avant lecture');
      reply.headers({
        ...entetesCors(origines, request.headers.origin),
        'x-request-id': request.id,
        'x-content-type-options': 'nosniff',
      });
      void envoyerProbleme(request, reply, probleme);
    },
    clientErrorHandler: refuserClient(origines),
  });

  app.decorate('limites', limites);
  refuserAvantLecture(app, origines);
  lireCorps(app, { json: true, formulaire: parNom });
  app.decorateRequest('acteur', undefined);
  app.setValidatorCompiler<z.ZodType>(({ schema, httpPart }) => (data) => {
    const result = schema.safeParse(data);
    if (result.success) return { value: result.data };
    return { error: fautesDe(result.error, httpPart ?? 'body', data) };
  });
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler((error, request, reply) => {
    const probleme = enProbleme(error);
    if (probleme.status >= 500) request.log.error({ err: error }, 'requête échouée');
    return envoyerProbleme(request, reply, probleme);
  });

  const known = methodesPermises(app);
  app.setNotFoundHandler((request, reply) => {
    const allowed = known(request.url);
    const probleme =
      allowed.length > 0 && !allowed.includes(request.method)
        ? new Probleme(405, `${request.method} n’est pas permis ici ; sont permis : ${allowed.join(', ')}.`, {
            headers: { allow: allowed.join(', ') },
          })
        : new Probleme(404, 'Cette adresse n’existe pas ; /docs donne celles qui existent.');
    return envoyerProbleme(request, reply, probleme);
  });
  app.addHook('onRoute', (route) => {
    if (route.config?.acces === undefined && route.schema?.['hide'] !== true) {
      throw new Error(`${route.method} ${route.url} : une route dit qui peut l’appeler (config.acces)`);
    }
    const { config } = route;
    if (config?.acces?.acces === 'donnees')
      config.inclus = inclusionsDeRoute(route.schema, config.acces.ressource);
    // Kept with their compressed forms (statiques.ts).
    if (/^\/(openapi\.json|docs)/.test(route.url)) route.compress = false;
    // Unknown parameters are refused by name, also where none is known; probes may add what they like.
    const { schema } = route;
    if (schema && schema['hide'] !== true && !schema['tags']?.includes('santé')) {
      schema.querystring ??= SANS_PARAMETRE;
    }
  });

  tracerRequetesHttp(app);
  journaliser(app, deps.logger);
  direProxysInconnus(app);
  mesurerRequetes(app);
  protectAnswers(app);
  // Before anything can refuse: whoever is listed may read refusals, too.
  await app.register(cors, {
    // Whoever is not listed gets no CORS header at all, nor a preflight: to him OPTIONS is a method like another.
    origin:
      origines.length > 0 &&
      ((origin, done) => done(null, origin !== undefined && origines.includes(origin))),
    strictPreflight: false,
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'],
    exposedHeaders: [...ENTETES_LISIBLES],
    credentials: origines.length > 0,
    maxAge: 600,
  });
  const checkHost = hostCheck(config.api);
  app.addHook('onRequest', (request, _reply, done) => {
    if (request.url.length > limites.url) {
      throw new Probleme(414, `Une adresse a au plus ${limites.url} caractères.`);
    }
    checkHost(request);
    exigerUtf8(request.url.slice(request.url.indexOf('?') + 1), 'L’adresse');
    done();
  });
  await app.register(compress, { threshold: 1024, encodings: ['gzip', 'deflate'] });
  await app.register(cookie);
  await documenter(app);

  app.addHook('onRequest', authentifier(deps));
  retenirEcritures(app, deps);
  app.addHook('preValidation', (request, _reply, done) => {
    exigerCorps(request);
    done();
  });
  app.addHook('preHandler', exigerInclus(deps));
  partager(app, deps, limites);
  let stopping = false;
  app.addHook('preClose', async () => {
    stopping = true;
  });
  app.addHook('onSend', (request, reply, payload, done) => {
    if (stopping) reply.header('connection', 'close');
    // Of accounts and keys no browser and no proxy keeps anything.
    if (request.routeOptions.config.acces?.acces === 'compte') reply.header('cache-control', 'no-store');
    done(null, payload);
  });

  routesSante(app, deps);
  routesToken(app, deps);
  routesUsers(app, deps);
  routesCles(app, deps);
  routesCentres(app, deps);
  routesSessions(app, deps);
  routesJobProfils(app, deps);
  routesPeriodesAttente(app, deps);
  routesPeriodesArret(app, deps);
  routesPiecesProduction(app, deps);
  routesCommandesVolets(app, deps);
  routesEvenements(app, deps);
  routesExecutions(app, deps);
  routesPlanification(app, deps);
  routesAlertes(app, deps);
  routesExplication(app, deps);
  routesFichiers(app, deps);
  routesMetriques(app, deps);
  routesOrigine(app, deps);
  routesRejets(app, deps);
  routesStats(app, deps);
  await app.ready();
  return app;
}

/** Names and values as an object: a name given twice becomes a list. */
function parNom(paires: Iterable<readonly [string, string]>): Record<string, unknown> {
  const values: Record<string, unknown> = Object.create(null);
  for (const [name, value] of paires) {
    const before = values[name];
    if (before === undefined) values[name] = value;
    else if (Array.isArray(before)) before.push(value);
    else values[name] = [before, value];
  }
  return values;
}
