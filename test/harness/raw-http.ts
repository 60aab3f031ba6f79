// HTTP as bytes on a socket: what no client would send, and exactly what came back.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface ReponseBrute {
  readonly status: number;
  /** names in lower case */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A connection of its own; answers come in the order of the requests. */
export class ConnexionBrute {
  readonly socket: Socket;
  /** why it ended, if it did otherwise than by an orderly end */
  erreur: Error | undefined;
  #bytes: Buffer = Buffer.alloc(0);
  #wake = Promise.withResolvers<void>();
  #ended = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (piece: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, piece]);
      this.#signal();
    });
    socket.on('error', (error) => {
      this.erreur = error;
    });
    socket.on('close', () => {
      this.#ended = true;
      this.#signal();
    });
  }

  /** @throws when nobody listens there */
  static async ouvrir(port: number): Promise<ConnexionBrute> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return new ConnexionBrute(socket);
  }

  get finie(): boolean {
    return this.#ended;
  }

  ecrire(bytes: string): void {
    this.socket.write(bytes, 'latin1');
  }

  /** The next answer, whole; undefined when the connection ended before it was. */
  async reponse(): Promise<ReponseBrute | undefined> {
    for (;;) {
      const answer = this.#cut();
      if (answer || this.#ended) return answer;
      await this.#wake.promise;
    }
  }

  /** Every answer until the server closes. */
  async toutes(): Promise<ReponseBrute[]> {
    const answers: ReponseBrute[] = [];
    for (let one = await this.reponse(); one; one = await this.reponse()) answers.push(one);
    return answers;
  }

  /** what came and was not taken as an answer */
  get reste(): string {
    return this.#bytes.toString('latin1');
  }

  fermer(): void {
    this.socket.destroy();
  }

  #signal(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }

  #cut(): ReponseBrute | undefined {
    const end = this.#bytes.indexOf('\r\n\r\n');
    if (end < 0) return undefined;
    const [first = '', ...lines] = this.#bytes.subarray(0, end).toString('latin1').split('\r\n');
    const headers = Object.fromEntries(
      lines.map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
    );
    const length = Number(headers['content-length'] ?? 0);
    if (this.#bytes.length < end + 4 + length) return undefined;
    const body = this.#bytes.subarray(end + 4, end + 4 + length).toString();
    this.#bytes = this.#bytes.subarray(end + 4 + length);
    return { status: Number(first.split(' ')[1]), headers, body };
  }
}

/** Sends bytes on a new connection; returns all that was answered until the server closed. */
export async function envoyer(port: number, bytes: string): Promise<ReponseBrute[]> {
  const connexion = await ConnexionBrute.ouvrir(port);
  connexion.ecrire(bytes);
  return await connexion.toutes();
}
