import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { vit } from '../../base/espace.ts';

/** Where the bytes of the remote file begin in a copy; what is noted of them stands before. */
export const ENTETE = 512;
/** A copy that nobody took up for this long (ms) is of a centre or a file that is no more. */
const OUBLIEE = 7 * 24 * 3600 * 1000;
/** A copy in use that was not touched for this long (ms), by a process of another host: that process is gone. */
const ABANDONNEE = 24 * 3600 * 1000;
const PIECE = 1024 * 1024;
/** A container's process has the same number each time: this tells it from the one before. */
const JETON = randomBytes(4).toString('hex');
let serial = 0;

/** What must be known of a copy's bytes to go on from them. */
export interface Notes {
  /** size and time of the remote file when the bytes were read: bytes, seconds since 1970 */
  readonly taille: number;
  readonly mtime: number;
  /** since when the remote file has that size and time, ms since 1970 by our clock */
  readonly depuis: number;
  /** when the last look at its bytes began, ms since 1970 by our clock */
  readonly compare: number;
  /** all bytes were read at once, after the file had come to rest */
  readonly verifie: boolean;
}

/** The bytes of a remote file, as far as they were fetched; of one process alone as long as it is in use. */
export class Copie {
  readonly path: string;
  readonly cle: string;
  /** bytes held */
  taille = 0;
  readonly #file: FileHandle;

  constructor(path: string, cle: string, file: FileHandle, taille: number) {
    this.path = path;
    this.cle = cle;
    this.#file = file;
    this.taille = taille;
  }

  /** Appends, or fails: a piece that the disk takes only in part counts for nothing. */
  async ajouter(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const { bytesWritten } = await this.#file.write(
        bytes,
        at,
        bytes.length - at,
        ENTETE + this.taille + at,
      );
      at += bytesWritten;
    }
    this.taille += bytes.length;
  }

  /** The bytes from `debut` to `fin`. */
  async extrait(debut: number, fin: number): Promise<Buffer> {
    const buffer = Buffer.alloc(fin - debut);
    let at = 0;
    while (at < buffer.length) {
      const { bytesRead } = await this.#file.read(buffer, at, buffer.length - at, ENTETE + debut + at);
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    return buffer.subarray(0, at);
  }

  async vider(): Promise<void> {
    await this.#file.truncate(ENTETE);
    this.taille = 0;
  }

  async sha256(): Promise<string> {
    const hash = createHash('sha256');
    for (let at = 0; at < this.taille; at += PIECE) {
      hash.update(await this.extrait(at, Math.min(this.taille, at + PIECE)));
    }
    return hash.digest('hex');
  }

  /** Writes what stands before the bytes. */
  async noter(notes: Notes): Promise<void> {
    const text = JSON.stringify({ ...notes, sha256: await this.sha256() });
    await this.#file.write(Buffer.from(text.padEnd(ENTETE, ' ')), 0, ENTETE, 0);
  }

  /** What stands before the bytes; undefined unless the bytes are those that it speaks of. */
  async notes(): Promise<Notes | undefined> {
    const head = Buffer.alloc(ENTETE);
    await this.#file.read(head, 0, ENTETE, 0);
    try {
      const { sha256, ...notes } = JSON.parse(head.toString()) as Notes & { sha256: string };
      return sha256 === (await this.sha256()) ? notes : undefined;
    } catch {
      return undefined;
    }
  }

  async fermer(): Promise<void> {
    await this.#file.close();
  }
}

/**
 * Copies of remote files that still grow, one file each, so that only new bytes are fetched. A process that uses a copy
 * takes it away under a name of its own and gives it back at its end: two processes never write the same one, and the one
 * that comes second fetches the file anew. A copy carries the hash of its bytes: one that a crash has damaged is not used.
 * Losing the whole folder costs time, nothing else.
 */
export class Miroir {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /** Takes the copy that an earlier process gave back; undefined when there is none that can be used. */
  async prendre(cle: string): Promise<{ copie: Copie; notes: Notes } | undefined> {
    const path = this.#own(cle);
    let file: FileHandle;
    try {
      await rename(this.#published(cle), path);
      file = await open(path, 'r+');
    } catch {
      // None, or somebody else's: the file is fetched anew.
      return undefined;
    }
    const copie = new Copie(path, cle, file, Math.max(0, (await file.stat()).size - ENTETE));
    const notes = await copie.notes();
    if (notes) return { copie, notes };
    await this.jeter(copie);
    return undefined;
  }

  /** An empty copy. */
  async nouvelle(cle: string): Promise<Copie> {
    await mkdir(this.#root, { recursive: true, mode: 0o700 });
    const path = this.#own(cle);
    const file = await open(path, 'wx+', 0o600);
    await file.truncate(ENTETE);
    return new Copie(path, cle, file, 0);
  }

  /** Gives a copy back for those that come later. */
  async rendre(copie: Copie, notes: Notes): Promise<void> {
    try {
      await copie.noter(notes);
      await rename(copie.path, this.#published(copie.cle));
    } catch {
      // A full disk: whoever comes next fetches the file anew.
      await rm(copie.path, { force: true });
    } finally {
      await copie.fermer();
    }
  }

  async jeter(copie: Copie): Promise<void> {
    await copie.fermer();
    await rm(copie.path, { force: true });
  }

  /** Removes what killed processes left, and what nobody has asked for in a week. */
  async balayer(now = Date.now()): Promise<void> {
    for (const name of await readdir(this.#root).catch(() => [])) {
      const path = join(this.#root, name);
      const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: now }));
      const [host, pid, jeton, , cle] = name.split('~');
      const used = cle !== undefined;
      const ours = Number(pid) === process.pid;
      const dead = used && host === hostname() && (ours ? jeton !== JETON : !vit(Number(pid)));
      if (dead || now - mtimeMs > (used && host !== hostname() ? ABANDONNEE : OUBLIEE)) {
        await rm(path, { force: true });
      }
    }
  }

  #published(cle: string): string {
    return join(this.#root, `${cle}.copie`);
  }

  #own(cle: string): string {
    return join(this.#root, `${hostname()}~${process.pid}~${JETON}~${serial++}~${cle}`);
  }
}
