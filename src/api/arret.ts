import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { type Socket, Server as TcpServer } from 'node:net';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';

/** How long a connection without a request stays open while stopping, for one that is on its way (ms). */
const GRACE = 1_000;
/** How often connections are looked at while stopping (ms). */
const PAS = 50;

interface Connexion {
  /** answers that are owed, in the order of their requests */
  readonly dues: Set<ServerResponse>;
  /** when it last had nothing to do (ms of the monotonic clock), and what it had sent until then (bytes) */
  oisive: number;
  recus: number;
}

/**
 * Empties an HTTP server without losing a request.
 *
 * While it empties, new connections are refused. On those that are open, every request that was read before the
 * answer with `Connection: close` went out is answered in full: the ones that run, the ones that were pipelined behind
 * them, and the ones that arrive on a quiet connection within a second. That header goes on the answer to the newest
 * request of a connection, never on one that others wait behind; after it the connection is closed, and its client
 * knows that what it sent later was not looked at (RFC 9112, 9.6). A connection that stays quiet for a second is
 * closed without a word.
 */
export class Arret {
  readonly #server: Server;
  readonly #connexions = new Map<Socket, Connexion>();
  #arret = false;

  /** @param server before it listens */
  constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket: Socket) => {
      this.#connexions.set(socket, { dues: new Set(), oisive: performance.now(), recus: socket.bytesRead });
      socket.once('close', () => this.#connexions.delete(socket));
    });
    // Before the framework's own listener: it may answer at once.
    server.prependListener('request', (request, response) => this.#suivre(request, response));
  }

  /** Connections that are open. */
  get connexions(): number {
    return this.#connexions.size;
  }

  /**
   * Refuses new connections and waits until those that are open are done.
   *
   * @param limite milliseconds
   * @returns connections that were not done in time, which are still open
   */
  async vider(limite: number): Promise<number> {
    const end = performance.now() + limite;
    // Connections that the system has taken for us already become ours in the next turn.
    await turn();
    this.#arret = true;
    // Not the close() of an HTTP server: that one also cuts quiet connections, on which a request may be under way.
    TcpServer.prototype.close.call(this.#server);
    for (const { dues } of this.#connexions.values()) annoncerFin([...dues].at(-1));
    for (;;) {
      const now = performance.now();
      for (const [socket, connexion] of this.#connexions) {
        if (connexion.dues.size > 0) continue;
        if (socket.bytesRead !== connexion.recus) continue; // a request is arriving
        if (now - connexion.oisive >= GRACE) socket.destroySoon();
      }
      if (this.#connexions.size === 0) return 0;
      if (now >= end) return this.#connexions.size;
      await sleep(PAS);
    }
  }

  #suivre(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const connexion = this.#connexions.get(socket);
    if (!connexion) return;
    const { dues } = connexion;
    if (this.#arret) {
      for (const earlier of dues) if (!earlier.headersSent) earlier.removeHeader('connection');
      annoncerFin(response);
    }
    dues.add(response);
    response.once('close', () => {
      dues.delete(response);
      if (dues.size > 0) return;
      connexion.oisive = performance.now();
      connexion.recus = socket.bytesRead;
    });
  }
}

function annoncerFin(response: ServerResponse | undefined): void {
  if (response && !response.headersSent) response.setHeader('connection', 'close');
}
