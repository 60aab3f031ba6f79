import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from '../base/logger.ts';

/** Bounds of what connections may have under way. */
export interface LimitesEnVol {
  /** requests of one connection that are worked on at once; those behind them wait, and nothing more is read */
  readonly enVol: number;
  /** requests of all connections together that are read and wait; whoever sends more is cut off */
  readonly enAttente: number;
}

/**
 * Lets each connection have a few requests under way, and no more: a client may write thousands without reading one
 * answer (pipelining), and every answer made for it is memory that it does not take. What is beyond the bound waits
 * as it came, the socket is not read meanwhile, and TCP tells the client to wait, too. Answers that back up hold the
 * next ones as well. Requests keep their order; nothing that was read is lost.
 *
 * @returns what to give an HTTP server in the place of `handler`
 */
export function limiterEnVol(
  handler: RequestListener,
  limites: LimitesEnVol,
  logger: Pick<Logger, 'warn'>,
): RequestListener {
  const lines = new WeakMap<Socket, Line>();
  const all: Waiting = { waiting: 0 };
  return (request, response) => {
    const { socket } = request;
    let line = lines.get(socket);
    if (!line) {
      line = new Line(socket, handler, limites, all);
      lines.set(socket, line);
    }
    if (line.take(request, response)) return;
    logger.warn(
      { adresse: socket.remoteAddress, enAttente: all.waiting },
      'connexion coupée : trop de requêtes d’avance',
    );
    socket.destroy();
  };
}

interface Waiting {
  waiting: number;
}

/** The requests of one connection. */
class Line {
  readonly #socket: Socket;
  readonly #handler: RequestListener;
  readonly #limites: LimitesEnVol;
  readonly #all: Waiting;
  #held: (readonly [IncomingMessage, ServerResponse])[] = [];
  #running = 0;
  #watched = false;

  constructor(socket: Socket, handler: RequestListener, limites: LimitesEnVol, all: Waiting) {
    this.#socket = socket;
    this.#handler = handler;
    this.#limites = limites;
    this.#all = all;
  }

  /** @returns false when all connections together hold too many already */
  take(request: IncomingMessage, response: ServerResponse): boolean {
    if (this.#held.length === 0 && this.#free()) {
      this.#start(request, response);
      return true;
    }
    if (this.#socket.destroyed) return true;
    if (this.#all.waiting >= this.#limites.enAttente) return false;
    this.#watch();
    this.#held.push([request, response]);
    this.#all.waiting++;
    // What is left of the bytes that were read (64 KiB at most) still comes; then nothing does.
    if (this.#held.length === 1) this.#socket.pause();
    return true;
  }

  #free(): boolean {
    if (this.#running === 0) return true;
    return this.#running < this.#limites.enVol && !this.#socket.writableNeedDrain;
  }

  #start(request: IncomingMessage, response: ServerResponse): void {
    this.#running++;
    response.once('close', () => {
      this.#running--;
      if (this.#held.length > 0) this.#next();
    });
    this.#handler(request, response);
  }

  #next(): void {
    while (this.#held.length > 0 && this.#free()) {
      const [request, response] = this.#held.shift()!;
      this.#all.waiting--;
      this.#start(request, response);
    }
    if (this.#held.length === 0) this.#socket.resume();
  }

  /** Only connections on which something waits are watched: most never have it. */
  #watch(): void {
    if (this.#watched) return;
    this.#watched = true;
    const socket = this.#socket;
    socket.on('drain', () => {
      if (this.#held.length > 0) this.#next();
    });
    // Node goes on reading when its own buffers are empty again; ours are not.
    socket.on('resume', () => {
      if (this.#held.length > 0) socket.pause();
    });
    socket.once('close', () => {
      this.#all.waiting -= this.#held.length;
      this.#held = [];
    });
  }
}
