import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { dansFil } from '../base/fil.ts';
import type { Logger } from '../base/logger.ts';
import { tronquerAdresse } from '../postgres/audit.ts';
import { routeDeclaree } from './routes-connues.ts';
import { filDe } from './traces.ts';

/** Numbers of rows. */
const ID = /^(?:\d{1,19}|[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12})$/i;

/**
 * One line a request: who (account or key by its number, never a name), what, how it ended, how long. The route is
 * the one that is declared: people and programs paste keys, tokens and addresses into paths, queries and headers, so
 * nothing that the client wrote goes in. The network address is cut to its network.
 */
export function journaliser(app: FastifyInstance, logger: Pick<Logger, 'isLevelEnabled'>): void {
  app.addHook('onResponse', (request, reply, done) => {
    // What is not to be written is not made either.
    if (reply.statusCode < 500 && !logger.isLevelEnabled('info')) {
      done();
      return;
    }
    const line = {
      methode: request.method,
      route: routeDeclaree(request),
      id: idConnu(request, reply),
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
    done();
  });
  app.addHook('onRequestAbort', async (request) => {
    request.log.info({ methode: request.method }, 'requête abandonnée par le client');
  });
}

/** The number in the address, once the answer says that there is such a row: any other is a text like another. */
function idConnu(request: FastifyRequest, reply: FastifyReply): string | undefined {
  const { id } = (request.params ?? {}) as { readonly id?: unknown };
  const found = reply.statusCode < 300 || reply.statusCode === 304;
  return found && ID.test(String(id)) ? String(id).toLowerCase() : undefined;
}
