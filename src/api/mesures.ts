import type { FastifyInstance } from 'fastify';
import { dureeRequetes } from '../base/metrics.ts';
import { routeDeclaree } from './routes-connues.ts';

/** Methods as they are counted; a stranger may make up any other. */
const METHODES = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']);

/**
 * Counts every request by method, route as it is declared, and status: never by what a client wrote, which has no
 * bound. Live streams are left out: how long they last says nothing of the API.
 */
export function mesurerRequetes(app: FastifyInstance): void {
  app.addHook('onResponse', (request, reply, done) => {
    const route = routeDeclaree(request);
    if (route !== '/evenements' || reply.statusCode !== 200) {
      dureeRequetes.observe(
        {
          http_request_method: METHODES.has(request.method) ? request.method : '_OTHER',
          http_route: route ?? 'inconnue',
          http_response_status_code: String(reply.statusCode),
        },
        reply.elapsedTime / 1000,
      );
    }
    done();
  });
}
