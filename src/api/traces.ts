import type { FastifyInstance, FastifyRequest } from 'fastify';
import { dansFil, type Fil } from '../base/fil.ts';
import { commencer, tracesActives } from '../base/traces.ts';
import type { Etendue } from '../base/traceur.ts';
import { routeDeclaree } from './routes-connues.ts';

const SPAN = Symbol('trace');

/** A request that is traced. */
interface Tracee {
  [SPAN]?: Etendue | undefined;
}

/** What the lines of the log about a request carry. */
export function filDe(request: FastifyRequest): Fil {
  return (request as Tracee)[SPAN]?.fil ?? {};
}

/**
 * Makes a span of each request, below the one that its `traceparent` names (W3C Trace Context). It carries the route
 * as it is declared, nothing of what the client wrote. While traces are off there are no hooks at all.
 */
export function tracerRequetesHttp(app: FastifyInstance): void {
  if (!tracesActives()) return;
  app.addHook('onRequest', (request, _reply, done) => {
    const { traceparent } = request.headers;
    const span = commencer(
      request.method,
      { 'http.request.method': request.method, 'atelier.requete': request.id },
      { genre: 'serveur', parent: typeof traceparent === 'string' ? traceparent : undefined },
    );
    (request as Tracee)[SPAN] = span;
    if (span) dansFil(span.fil, done);
    else done();
  });
  // Once more: a body arrives from its socket, which is of no request.
  app.addHook('preValidation', (request, _reply, done) => {
    const span = (request as Tracee)[SPAN];
    if (span) dansFil(span.fil, done);
    else done();
  });
  app.addHook('onResponse', async (request, reply) => {
    const span = (request as Tracee)[SPAN];
    const route = routeDeclaree(request);
    span?.preciser(route === undefined ? undefined : `${request.method} ${route}`, {
      'http.route': route,
      'http.response.status_code': reply.statusCode,
    });
    span?.finir(reply.statusCode >= 500 ? `statut ${reply.statusCode}` : undefined);
  });
}
