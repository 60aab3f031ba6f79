import type { Duplex } from 'node:stream';
import {
  type Attributs,
  DEMANDE,
  type EntreeDistante,
  Lecteur,
  MAX_PAQUET,
  paquet,
  REPONSE,
  STATUT,
} from './protocole.ts';

/** The server answered that it will not or cannot; the connection is fine. */
export class RefusSftp extends Error {
  /** as the file system would say it: ENOENT, EACCES, EIO */
  readonly code: string;

  constructor(what: string, statut: number, text: string) {
    const code = statut === STATUT.absent ? 'ENOENT' : statut === STATUT.refuse ? 'EACCES' : 'EIO';
    const said: Record<string, string> = { ENOENT: 'fichier ou dossier absent', EACCES: 'droit refusé' };
    super(`${code} : ${said[code] ?? (text || `refus n° ${statut}`)}, ${what}`);
    this.code = code;
  }
}

/** Bytes asked for at once: what every server gives in one answer. */
const PIECE = 32 * 1024;
/** Requests under way at once: a megabyte, which fills any line that a workshop has. */
const WINDOW = 32;

interface Attente {
  readonly resolve: (answer: { type: number; lecteur: Lecteur }) => void;
  readonly reject: (error: Error) => void;
  readonly what: string;
}

/**
 * One SFTP conversation over a channel that is open. Every method rejects when the conversation ends, and it ends by
 * itself when the server owes an answer and gives none for `delai` ms.
 */
export class SessionSftp {
  /** bytes of files that came over the line */
  octetsLus = 0;
  readonly #channel: Duplex;
  readonly #delai: number;
  readonly #waiting = new Map<number, Attente>();
  readonly #onEnd: (error: Error) => void;
  #received: Buffer[] = [];
  #length = 0;
  #id = 0;
  #ended: Error | undefined;
  #watchdog: NodeJS.Timeout | undefined;

  /** @param onEnd called once, with the reason */
  constructor(channel: Duplex, delai: number, onEnd: (error: Error) => void) {
    this.#channel = channel;
    this.#delai = delai;
    this.#onEnd = onEnd;
    channel.on('data', (chunk: Buffer) => this.#receive(chunk));
    channel.on('error', (error: Error) => this.terminer(error));
    channel.on('close', () => this.terminer(new Error('connexion coupée')));
  }

  get finie(): boolean {
    return this.#ended !== undefined;
  }

  /** Agrees on the version; to be called first. */
  async init(): Promise<void> {
    const answer = new Promise<{ type: number; lecteur: Lecteur }>((resolve, reject) => {
      this.#waiting.set(-1, { resolve, reject, what: 'ouverture' });
    });
    this.#watch();
    // INIT carries a version where others carry an id.
    this.#channel.write(paquet(DEMANDE.init, 3));
    const { lecteur } = await answer;
    const version = lecteur.uint32();
    if (version < 3) throw new Error(`le serveur parle SFTP version ${version}, il faut la 3`);
  }

  /** Everything in a folder but `.` and `..`, in the order of the names' bytes. */
  async lister(chemin: Buffer, texte: string): Promise<EntreeDistante[]> {
    const handle = await this.#handle(DEMANDE.opendir, texte, chemin);
    const entries: EntreeDistante[] = [];
    try {
      for (;;) {
        const { type, lecteur } = await this.#ask(DEMANDE.readdir, texte, handle);
        if (type !== REPONSE.name) {
          if (this.#statut(type, lecteur, texte) === STATUT.fin) break;
          throw new Error(`réponse inattendue du serveur SFTP, ${texte}`);
        }
        for (let count = lecteur.uint32(); count > 0; count--) {
          const nom = Buffer.from(lecteur.bytes());
          const attributs = lecteur.attributs(lecteur.bytes());
          if (!isDots(nom)) entries.push({ nom, attributs });
        }
      }
    } finally {
      await this.fermer(handle);
    }
    return entries.sort((a, b) => Buffer.compare(a.nom, b.nom));
  }

  /** Of the name itself: a link is not followed. */
  async lstat(chemin: Buffer, texte: string): Promise<Attributs> {
    return this.#attributs(await this.#ask(DEMANDE.lstat, texte, chemin), texte);
  }

  async fstat(handle: Buffer, texte: string): Promise<Attributs> {
    return this.#attributs(await this.#ask(DEMANDE.fstat, texte, handle), texte);
  }

  /** Opens for reading; the handle must be given to `fermer`. */
  async ouvrir(chemin: Buffer, texte: string): Promise<Buffer> {
    return await this.#handle(DEMANDE.open, texte, chemin, 1, 0);
  }

  /** Gives a handle back; whatever goes wrong with that is of no interest any more. */
  async fermer(handle: Buffer): Promise<void> {
    await this.#ask(DEMANDE.close, '', handle).catch(() => undefined);
  }

  /** The bytes from `debut` to `fin`, in order, fewer when the file ends before; many requests are under way at once. */
  async *lire(handle: Buffer, debut: number, fin: number, texte: string): AsyncGenerator<Buffer> {
    const queue: { at: number; length: number; answer: Promise<Buffer> }[] = [];
    let next = debut;
    const send = (at: number, length: number): { at: number; length: number; answer: Promise<Buffer> } => {
      const answer = this.#read(handle, at, length, texte);
      // Answers behind one that failed are not waited for.
      answer.catch(() => undefined);
      return { at, length, answer };
    };
    try {
      for (;;) {
        for (; next < fin && queue.length < WINDOW; next += PIECE) {
          queue.push(send(next, Math.min(PIECE, fin - next)));
        }
        const first = queue.shift();
        if (!first) return;
        const bytes = await first.answer;
        if (bytes.length === 0) return;
        yield bytes;
        // A server may give less than was asked for without being at the end.
        if (bytes.length < first.length)
          queue.unshift(send(first.at + bytes.length, first.length - bytes.length));
      }
    } finally {
      await Promise.allSettled(queue.map(({ answer }) => answer));
    }
  }

  /** Ends the conversation; everything under way rejects with the error. */
  terminer(error: Error): void {
    if (this.#ended) return;
    this.#ended = error;
    clearTimeout(this.#watchdog);
    this.#channel.destroy();
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(error);
    this.#onEnd(error);
  }

  async #read(handle: Buffer, at: number, length: number, texte: string): Promise<Buffer> {
    const { type, lecteur } = await this.#ask(DEMANDE.read, texte, handle, BigInt(at), length);
    if (type === REPONSE.data) {
      const bytes = lecteur.bytes();
      if (bytes.length > length) throw this.#broken(`plus d’octets que demandé, ${texte}`);
      this.octetsLus += bytes.length;
      return bytes;
    }
    if (this.#statut(type, lecteur, texte) === STATUT.fin) return Buffer.alloc(0);
    throw new Error(`réponse inattendue du serveur SFTP, ${texte}`);
  }

  async #handle(demande: number, texte: string, ...parts: (Buffer | number)[]): Promise<Buffer> {
    const { type, lecteur } = await this.#ask(demande, texte, ...parts);
    if (type === REPONSE.handle) return Buffer.from(lecteur.bytes());
    this.#statut(type, lecteur, texte);
    throw new Error(`réponse inattendue du serveur SFTP, ${texte}`);
  }

  #attributs({ type, lecteur }: { type: number; lecteur: Lecteur }, texte: string): Attributs {
    if (type === REPONSE.attrs) return lecteur.attributs();
    this.#statut(type, lecteur, texte);
    throw new Error(`réponse inattendue du serveur SFTP, ${texte}`);
  }

  /** A status that is no refusal; others are thrown. */
  #statut(type: number, lecteur: Lecteur, texte: string): number {
    if (type !== REPONSE.status) throw this.#broken(`réponse ${type} inattendue, ${texte}`);
    const statut = lecteur.uint32();
    if (statut === STATUT.ok || statut === STATUT.fin) return statut;
    throw new RefusSftp(texte, statut, lecteur.bytes().toString('utf8').slice(0, 200));
  }

  #ask(
    demande: number,
    what: string,
    ...parts: (Buffer | number | bigint)[]
  ): Promise<{ type: number; lecteur: Lecteur }> {
    if (this.#ended) return Promise.reject(this.#ended);
    this.#id = (this.#id + 1) >>> 0;
    const id = this.#id;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, what });
      this.#watch();
      this.#channel.write(paquet(demande, id, ...parts));
    });
  }

  #receive(chunk: Buffer): void {
    if (this.#ended) return;
    this.#received.push(chunk);
    this.#length += chunk.length;
    while (this.#length >= 4) {
      const all = this.#received.length === 1 ? this.#received[0]! : Buffer.concat(this.#received);
      const length = all.readUInt32BE(0);
      if (length < 5 || length > MAX_PAQUET) {
        this.#broken(`paquet de ${length} octets`);
        return;
      }
      if (all.length < 4 + length) {
        this.#received = [all];
        return;
      }
      this.#received = [all.subarray(4 + length)];
      this.#length -= 4 + length;
      this.#answer(all.subarray(4, 4 + length));
      if (this.#ended) return;
    }
  }

  #answer(packet: Buffer): void {
    const lecteur = new Lecteur(packet);
    const type = lecteur.uint8();
    const id = type === REPONSE.version ? -1 : lecteur.uint32();
    const waiting = this.#waiting.get(id);
    if (!waiting) {
      this.#broken('réponse à une question qui n’a pas été posée');
      return;
    }
    this.#waiting.delete(id);
    this.#watch();
    waiting.resolve({ type, lecteur });
  }

  /** One clock for everything: it runs while an answer is owed, and starts again with each that comes. */
  #watch(): void {
    clearTimeout(this.#watchdog);
    if (this.#waiting.size === 0 || this.#ended) return;
    this.#watchdog = setTimeout(() => this.terminer(new DelaiSftp(this.#delai)), this.#delai);
  }

  #broken(text: string): Error {
    const error = new Error(`le serveur SFTP a répondu de travers : ${text}`);
    this.terminer(error);
    return error;
  }
}

/** The server was silent for too long. */
export class DelaiSftp extends Error {
  constructor(delai: number) {
    super(`pas de réponse en ${delai / 1000} s`);
  }
}

function isDots(nom: Buffer): boolean {
  return nom.length <= 2 && nom.every((byte) => byte === 0x2e);
}
