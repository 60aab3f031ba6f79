import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';

/** What the proxy does to the bytes that go from the server to the client; nothing set: it only forwards. */
export interface Panne {
  /** after this many bytes towards the client, reset the connection (RST, not an orderly end) */
  couperApres?: number;
  /** after this many bytes towards the client, forward nothing more either way and stay connected */
  trouNoirApres?: number;
  /** milliseconds before each piece is forwarded to the client */
  latence?: number;
  /** largest piece forwarded to the client at once, bytes */
  tranche?: number;
  /** refuse new connections by a reset at once */
  arrete?: boolean;
  /** texts towards the server, each replaced once by another that is not longer (filled up with blanks) */
  remplacer?: readonly (readonly [string, string])[];
}

/** A TCP proxy on the loopback that breaks connections on demand. Works in front of any server. */
export class ProxyDePanne {
  /** may be changed at any time; a connection reads it for each piece */
  panne: Panne = {};
  /** bytes forwarded to clients since `remettreAZero` */
  versClient = 0;
  versServeur = 0;
  connexions = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Listens on a free port and forwards to `port` of `host`. */
  static async devant(port: number, host = '127.0.0.1'): Promise<ProxyDePanne> {
    const server = createServer({ noDelay: true });
    const proxy = new ProxyDePanne(server);
    server.on('connection', (client) => proxy.#accept(client, connect({ port, host, noDelay: true })));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Forgets the counts and the faults. */
  remettreAZero(panne: Panne = {}): void {
    this.panne = panne;
    this.versClient = 0;
    this.versServeur = 0;
    this.connexions = 0;
  }

  /** Resets every open connection. */
  toutCouper(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async fermer(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(client: Socket, server: Socket): void {
    this.connexions++;
    let sent = 0;
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      // A broken connection is what this is for.
      socket.on('error', () => undefined);
    }
    const end = (): void => {
      client.destroy();
      server.destroy();
    };
    client.on('close', () => {
      this.#sockets.delete(client);
      end();
    });
    server.on('close', () => {
      this.#sockets.delete(server);
      if (!this.#isBlackHole(sent)) client.end();
    });
    if (this.panne.arrete) {
      client.resetAndDestroy();
      server.destroy();
      return;
    }
    const todo = [...(this.panne.remplacer ?? [])];
    client.on('data', (chunk: Buffer) => {
      if (this.#isBlackHole(sent)) return;
      this.versServeur += chunk.length;
      server.write(replaced(chunk, todo));
    });
    let queue = Promise.resolve();
    server.on('data', (chunk: Buffer) => {
      server.pause();
      queue = queue.then(async () => {
        sent = await this.#forward(client, chunk, sent);
        server.resume();
      });
    });
  }

  #isBlackHole(sent: number): boolean {
    return sent >= (this.panne.trouNoirApres ?? Number.POSITIVE_INFINITY);
  }

  /** Forwards a chunk as the faults allow; returns how many bytes the client has had by then. */
  async #forward(client: Socket, chunk: Buffer, already: number): Promise<number> {
    let sent = already;
    for (let at = 0; at < chunk.length && !client.destroyed; ) {
      const { couperApres = Number.POSITIVE_INFINITY, trouNoirApres = Number.POSITIVE_INFINITY } = this.panne;
      const allowed = Math.min(couperApres, trouNoirApres) - sent;
      const piece = chunk.subarray(
        at,
        at + Math.min(this.panne.tranche ?? chunk.length, Math.max(0, allowed)),
      );
      if (piece.length > 0) {
        if (this.panne.latence) await sleep(this.panne.latence);
        if (!client.destroyed && !client.write(piece)) await drained(client);
        // Without a pause the kernel would join small pieces again.
        if (this.panne.tranche) await nextTurn();
        at += piece.length;
        sent += piece.length;
        this.versClient += piece.length;
      }
      if (sent >= couperApres) {
        client.resetAndDestroy();
        return sent;
      }
      if (sent >= trouNoirApres) return sent;
    }
    return sent;
  }
}

/** The chunk with what is still to be replaced; what was done is taken off the list. */
function replaced(chunk: Buffer, todo: (readonly [string, string])[]): Buffer {
  for (const [index, [from, to]] of [...todo.entries()].reverse()) {
    const at = chunk.indexOf(from);
    if (at < 0) continue;
    chunk.write(to.padEnd(from.length), at, 'latin1');
    todo.splice(index, 1);
  }
  return chunk;
}

/** Waits until more may be written, or until there is nobody left to write to. Leaves no listener behind. */
function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off('drain', done).off('close', done);
      resolve();
    };
    socket.once('drain', done).once('close', done);
  });
}
