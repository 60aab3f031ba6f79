import type { FastifyInstance } from 'fastify';
import { dansFil } from '../base/fil.ts';
import { tronquerAdresse } from '../postgres/audit.ts';
import { filDe } from './traces.ts';

/** Characters of an address that are written down. */
const CHEMIN = 200;

/**
 * One line a request: who (account or key by its number, never a name), what, how it ended, how long. No query
 * string, no body, no header: filters are harmless, but what people paste there is not. The network address is cut
 * to its network.
 */
export function journaliser(app: FastifyInstance): void {
  app.addHook('onResponse', async (request, reply) => {
    const line = {
      methode: request.method,
      chemin: request.url.split('?', 1)[0]!.slice(0, CHEMIN),
      statut: reply.statusCode,
      duree_ms: Math.round(reply.elapsedTime * 10) / 10,
      adresse: tronquerAdresse(request.ip),
      compte: request.acteur?.userId,
      cle: request.acteur?.cle?.id,
    };
    // An answer ends on its socket, which is of no request: what belongs to it is given by hand.
    dansFil(filDe(request), () =>
      reply.statusCode >= 500 ? request.log.error(line, 'requête') : request.log.info(line, 'requête'),
    );
  });
  app.addHook('onRequestAbort', async (request) => {
    request.log.info({ methode: request.method }, 'requête abandonnée par le client');
  });
}
