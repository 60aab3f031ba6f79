import { randomUUID } from 'node:crypto';
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { codeOf } from '../base/errors.ts';
import { entetesCors } from './cors.ts';
import { corpsDeProbleme } from './problemes.ts';

const REFUS: Readonly<Record<string, readonly [number, string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'Les en-têtes de la requête sont trop longs.'],
  HPE_INVALID_URL: [
    400,
    'L’adresse porte un caractère qui s’y écrit autrement, en UTF-8 : é s’écrit %C3%A9, un espace %20.',
  ],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'La requête a mis trop de temps à arriver.'],
};

/**
 * What never became a request (broken syntax, too long, too slow): a problem as any other, then the connection ends.
 *
 * @param origines origins of pages that may read it
 */
export function refuserClient(
  origines: readonly string[],
): (this: FastifyInstance, error: Error, socket: Socket) => void {
  return function (error, socket) {
    // The client has gone: there is nobody to answer. Nor may a problem land in the middle of an answer that is on its
    // way, when a request that was pipelined behind it is broken.
    const answer = (socket as { _httpMessage?: ServerResponse })._httpMessage;
    const answering = answer?.headersSent === true;
    if (codeOf(error) === 'ECONNRESET' || socket.destroyed || !socket.writable || answering) {
      socket.destroy();
      return;
    }
    const [status, detail] = REFUS[codeOf(error) ?? ''] ?? [400, 'Ceci n’est pas une requête HTTP valide.'];
    const origin = answer ? answer.req.headers.origin : origineDe(error);
    refuser(this, socket, { status, detail, cause: codeOf(error), cors: entetesCors(origines, origin) });
  };
}

/** Of bytes that are no request, the origin that a page's browser wrote among them, as far as they are at hand. */
function origineDe(error: Error): string | undefined {
  const { rawPacket } = error as { rawPacket?: Buffer };
  return /\r?\norigin:[ \t]*([^\s]+)[ \t]*\r?\n/i.exec(rawPacket?.toString('latin1') ?? '')?.[1];
}

/** Requests that Node answers by itself, or by hanging up, when nobody else does. */
export function refuserAvantLecture(app: FastifyInstance, origines: readonly string[]): void {
  app.server.on('connect', (request: IncomingMessage, socket: Duplex) => {
    socket.on('error', () => undefined);
    refuser(app, socket, {
      status: 405,
      detail: 'CONNECT n’est pas permis : ceci n’est pas un proxy.',
      headers: ['Allow: DELETE, GET, HEAD, POST, PUT'],
      cors: entetesCors(origines, request.headers.origin),
    });
  });
  app.server.on('checkExpectation', (request: IncomingMessage) => {
    refuser(app, request.socket, {
      status: 417,
      detail: 'Expect ne peut être que 100-continue.',
      cors: entetesCors(origines, request.headers.origin),
    });
  });
}

interface Refus {
  readonly status: number;
  readonly detail: string;
  /** for the log */
  readonly cause?: string | undefined;
  readonly headers?: readonly string[];
  /** what lets a page of a listed origin read it */
  readonly cors: Readonly<Record<string, string>>;
}

function refuser(app: FastifyInstance, socket: Duplex, refus: Refus): void {
  const id = randomUUID();
  const { status, detail, cause, headers = [], cors } = refus;
  app.log.info({ requete: id, statut: status, cause }, 'requête refusée avant lecture');
  const body = corpsDeProbleme(status, detail, id);
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      'Content-Type: application/problem+json; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(body)}`,
      `X-Request-Id: ${id}`,
      ...headers,
      ...Object.entries(cors).map(([name, value]) => `${name}: ${value}`),
      'Cache-Control: no-store',
      'X-Content-Type-Options: nosniff',
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  );
}
