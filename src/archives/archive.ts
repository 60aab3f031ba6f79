import {
  closeSync,
  createReadStream,
  createWriteStream,
  existsSync,
  fsync,
  openSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { access, mkdir, open, readdir, rm, stat, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { constants, createZstdCompress, zstdCompress, zstdCompressSync } from 'node:zlib';
import type { Config } from '../base/config.ts';
import { AtelierError, codeOf, messageOf } from '../base/errors.ts';
import { vit } from '../base/espace.ts';
import { SuiviDeCle } from './cle-en-usage.ts';
import { ClesArchives, FORME_BYTES, formeDe, TETE_BYTES } from './cles.ts';
import { compresser, decompresser } from './sauvegarde/fichiers.ts';

const compress = promisify(zstdCompress);
const syncToDisk = promisify(fsync);
// Level 1: logs shrink to a tenth at any level, and the import should not wait for the last percent.
const PARAMS = { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_checksumFlag]: 1 };
// Output of one step of the compressor: a day's log fits into one, where the default of 16 KiB takes ten.
const CHUNK = 256 * 1024;
/** So few bytes are compressed sooner than another thread has begun. */
const SMALL = 16 * 1024;
const SKIPPABLE_FRAME = 0x184d2a50;
/** A temporary file as old as this (ms) belongs to a process that is gone. */
const ABANDONED = 24 * 3600 * 1000;
/** The name of this machine, which does not change while a process lives. */
const HOST = hostname();
/** Of the whole process: two archives in it must not choose the same temporary name. */
let serial = 0;

/** Written into each archive, so that it can be understood without the database. */
export interface ArchiveMeta {
  readonly centre: string;
  readonly chemin: string;
}

/** Compressed bytes that wait under a temporary name until they are registered. */
export interface ArchiveEnAttente {
  readonly path: string;
  /** of their content; encrypted ones open under it alone */
  readonly sha256: string;
}

/**
 * The store of every byte that a machine ever wrote: `<root>/<centre id>/<sha256>.zst`, one standard zstd file a
 * version, with its origin in a skippable frame at its head.
 *
 * Machine logs may name people: folders and files are for the account of atelier alone, and files are encrypted when there
 * is a key (CLE_ARCHIVES). Both forms have the same name and may lie beside each other.
 *
 * Order of things: bytes are written under a temporary name and synced; they get their name, and the folder is
 * synced, before the transaction that mentions them commits. So the database never knows a version whose bytes
 * are not on the disk.
 */
export class Archive {
  readonly root: string;
  readonly cles: ClesArchives;
  /** the folder of waiting bytes is there, and the key in use at hand */
  #ready: Promise<unknown> | undefined;
  readonly #suivi: SuiviDeCle;
  /** bytes of a dry run: they can be read by name, but never get it on the disk */
  readonly #rehearsed = new Map<string, ArchiveEnAttente>();

  constructor(root: string, cles = new ClesArchives()) {
    this.root = root;
    this.cles = cles;
    this.#suivi = new SuiviDeCle(root, cles);
  }

  /** Compresses bytes that are in memory. @param sha256 their hash */
  async write(meta: ArchiveMeta, bytes: Buffer, sha256: string): Promise<ArchiveEnAttente> {
    return await this.writeFrames(meta, sha256, async () => [await this.frame(bytes)]);
  }

  /** Bytes as a zstd frame; frames one after the other are the bytes one after the other. */
  async frame(bytes: Buffer): Promise<Buffer> {
    return bytes.length <= SMALL
      ? zstdCompressSync(bytes, { params: PARAMS, chunkSize: SMALL })
      : await compress(bytes, { params: PARAMS, chunkSize: CHUNK });
  }

  /** Writes bytes that `frame` compressed, the file's beginning first. */
  async writeFrames(
    meta: ArchiveMeta,
    sha256: string,
    frames: () => Promise<readonly Buffer[]>,
  ): Promise<ArchiveEnAttente> {
    return await this.#guard(meta.chemin, async (path) => {
      const plain = [header(meta), ...(await frames())];
      const all = this.cles.courante === undefined ? plain : this.cles.sceller(sha256, plain);
      // Synchronous but for the disk: a tenth of a megabyte into the page cache takes less than asking another thread.
      const fd = openSync(path, 'wx', 0o600);
      try {
        // Not writev: on a full disk it may write a part and call it a success.
        for (const frame of all) writeFileSync(fd, frame);
        await syncToDisk(fd);
      } finally {
        closeSync(fd);
      }
      return sha256;
    });
  }

  /** Compresses bytes as they come. @param sha256 their hash, asked for when all of them have come */
  async writeStream(
    meta: ArchiveMeta,
    chunks: AsyncIterable<Buffer>,
    sha256: () => string,
  ): Promise<ArchiveEnAttente> {
    return await this.#guard(meta.chemin, async (path) => {
      if (this.cles.courante !== undefined) {
        await this.#writePieces(path, compressed(meta, chunks), sha256);
        return sha256();
      }
      const file = createWriteStream(path, { flags: 'wx', flush: true, mode: 0o600 });
      file.write(header(meta));
      await pipeline(chunks, createZstdCompress({ params: PARAMS }), file);
      return sha256();
    });
  }

  /**
   * Writes an archive that is compressed already (with its head) in the form that archives have now.
   *
   * @param pieces plain zstd bytes
   */
  async writeCompressed(
    on: string,
    pieces: AsyncIterable<Buffer>,
    sha256: string,
  ): Promise<ArchiveEnAttente> {
    return await this.#guard(on, async (path) => {
      await this.#writePieces(path, pieces, () => sha256);
      return sha256;
    });
  }

  /** Gives waiting bytes their name, unless the archive has them already; whoever failed after it may do it again. */
  async place(
    centreId: number,
    items: readonly { sha256: string; waiting: ArchiveEnAttente }[],
  ): Promise<void> {
    if (items.length === 0) return;
    const folder = join(this.root, String(centreId));
    try {
      if (!existsSync(folder)) await mkdir(folder, { recursive: true, mode: 0o700 });
      // Before the first name: what dies in between must not leave an encrypted archive that nothing tells the key of.
      await this.#suivi.accorder();
      for (const { sha256, waiting } of items) {
        const path = this.#path(centreId, sha256);
        try {
          renameSync(waiting.path, path);
        } catch (error) {
          // They got their name in a transaction that was refused for another file's sake.
          if (codeOf(error) !== 'ENOENT' || !existsSync(path)) throw error;
        }
      }
      // Synchronous but for the disk, as above.
      const fd = openSync(folder, 'r');
      try {
        await syncToDisk(fd);
      } finally {
        closeSync(fd);
      }
    } catch (cause) {
      // What is to be written next is not written at all, when the key is the reason.
      this.#ready = undefined;
      throw new ErreurArchive('Rangement', folder, cause);
    }
  }

  /** Writes down the key that encrypts, or has it compared with the one in use. @throws ErreurArchive ATL_L209, ATL_L203 */
  async annoncerCle(): Promise<void> {
    try {
      await this.#suivi.accorder();
    } catch (cause) {
      throw new ErreurArchive('Écriture', this.root, cause);
    }
  }

  /** Lets waiting bytes be read by name without giving it to them: for a dry run. */
  rehearse(centreId: number, items: readonly { sha256: string; waiting: ArchiveEnAttente }[]): void {
    for (const { sha256, waiting } of items) this.#rehearsed.set(this.#path(centreId, sha256), waiting);
  }

  /** Forgets all bytes of a dry run. */
  async endRehearsal(): Promise<void> {
    for (const waiting of this.#rehearsed.values()) await this.discard(waiting);
    this.#rehearsed.clear();
  }

  /** Forgets bytes that are not needed after all. */
  async discard(waiting: ArchiveEnAttente): Promise<void> {
    await rm(waiting.path, { force: true });
  }

  async has(centreId: number, sha256: string): Promise<boolean> {
    return await access(this.#path(centreId, sha256)).then(
      () => true,
      () => false,
    );
  }

  /** Size on the disk in bytes. */
  async size(centreId: number, sha256: string): Promise<number> {
    return (await stat(this.#path(centreId, sha256))).size;
  }

  async remove(centreId: number, sha256: string): Promise<void> {
    try {
      await unlink(this.#path(centreId, sha256));
    } catch (error) {
      if (codeOf(error) !== 'ENOENT')
        throw new ErreurArchive('Effacement', this.#path(centreId, sha256), error);
    }
  }

  /** The bytes of a version, in pieces; a piece is valid until the next one is asked for. */
  read(centreId: number, sha256: string): AsyncGenerator<Buffer> {
    const path = this.#path(centreId, sha256);
    return this.#read(this.#rehearsed.get(path)?.path ?? path, sha256);
  }

  /** The bytes of an archive that has no name yet. */
  readWaiting(waiting: ArchiveEnAttente): AsyncGenerator<Buffer> {
    return this.#read(waiting.path, waiting.sha256);
  }

  /**
   * Which form an archive has: the id of the key that it is encrypted with, or undefined, plain zstd.
   *
   * @throws the file system's error
   */
  async forme(centreId: number, sha256: string): Promise<string | undefined> {
    const file = await open(this.#path(centreId, sha256));
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(FORME_BYTES), 0, FORME_BYTES, 0);
      return formeDe(buffer.subarray(0, bytesRead));
    } finally {
      await file.close();
    }
  }

  /** The plain zstd bytes of an archive, its head first. */
  readCompressed(centreId: number, sha256: string): AsyncGenerator<Buffer> {
    return this.#read(this.#path(centreId, sha256), sha256, same);
  }

  /** Ids of the centres that have a folder here. */
  async centres(): Promise<number[]> {
    const names = await readdir(this.root).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return [];
      throw new ErreurArchive('Lecture', this.root, error);
    });
    return names
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .sort((a, b) => a - b);
  }

  /** SHA-256 names of all archives of a centre. */
  async list(centreId: number): Promise<string[]> {
    const names = await readdir(join(this.root, String(centreId))).catch(() => []);
    return names.filter((name) => /^[0-9a-f]{64}\.zst$/.test(name)).map((name) => name.slice(0, 64));
  }

  /** Removes what killed processes left under temporary names. */
  async sweep(now = Date.now()): Promise<void> {
    const folder = this.#waitingFolder();
    for (const name of await readdir(folder).catch(() => [])) {
      const path = join(folder, name);
      const [host, pid] = name.split('~');
      const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: now }));
      // The folder may be shared: of another host's processes only the age tells.
      const dead = host === HOST && !vit(Number(pid));
      if (dead || now - mtimeMs > ABANDONED) await rm(path, { force: true });
    }
  }

  async *#read(path: string, sha256: string, then = decompresser): AsyncGenerator<Buffer> {
    const stream = createReadStream(path, { highWaterMark: 256 * 1024 });
    try {
      yield* then(this.cles.enClair(stream, sha256));
    } catch (cause) {
      throw new ErreurArchive('Lecture', path, cause);
    } finally {
      stream.destroy();
    }
  }

  async #writePieces(path: string, pieces: AsyncIterable<Buffer>, sha256: () => string): Promise<void> {
    if (this.cles.courante === undefined)
      return await pipeline(pieces, createWriteStream(path, { flags: 'wx', flush: true, mode: 0o600 }));
    const { blocs, tete } = this.cles.scellerFlux(pieces);
    // The name is known at the end; until then zeros stand where the head goes, with which nothing opens.
    async function* behind(): AsyncGenerator<Buffer> {
      yield Buffer.alloc(TETE_BYTES);
      yield* blocs;
    }
    await pipeline(behind(), createWriteStream(path, { flags: 'wx', mode: 0o600 }));
    const file = await open(path, 'r+');
    try {
      await file.write(tete(sha256()), 0, TETE_BYTES, 0);
      await file.sync();
    } finally {
      await file.close();
    }
  }

  /** @param write makes the file; returns the hash of its content */
  async #guard(on: string, write: (path: string) => Promise<string>): Promise<ArchiveEnAttente> {
    const path = join(
      this.#waitingFolder(),
      `${HOST}~${process.pid}~${Date.now().toString(36)}-${serial++}.zst`,
    );
    try {
      this.#ready ??= this.#prepare();
      await this.#ready;
      return { path, sha256: await write(path) };
    } catch (cause) {
      this.#ready = undefined;
      await rm(path, { force: true }).catch(() => undefined);
      throw new ErreurArchive('Écriture', `${this.root} (pour ${on})`, cause);
    }
  }

  async #prepare(): Promise<void> {
    await mkdir(this.#waitingFolder(), { recursive: true, mode: 0o700 });
    await this.#suivi.regarder();
  }

  #waitingFolder(): string {
    return join(this.root, 'en-attente');
  }

  #path(centreId: number, sha256: string): string {
    return join(this.root, String(centreId), `${sha256}.zst`);
  }
}

/** An archive as it comes, its head first. */
async function* compressed(meta: ArchiveMeta, chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield header(meta);
  yield* compresser(chunks, PARAMS);
}

/** A skippable frame: any zstd tool passes over it. */
function header(meta: ArchiveMeta): Buffer {
  const json = Buffer.from(JSON.stringify(meta));
  const frame = Buffer.alloc(8 + json.length);
  frame.writeUInt32LE(SKIPPABLE_FRAME, 0);
  frame.writeUInt32LE(json.length, 4);
  json.copy(frame, 8);
  return frame;
}

type Geste = 'Écriture' | 'Rangement' | 'Lecture' | 'Effacement';

/** An archive could not be written, named, read or erased (ATL_L203), or its key is not at hand (ATL_L209). */
export class ErreurArchive extends AtelierError {
  readonly geste: Geste;

  constructor(geste: Geste, on: string, cause: unknown) {
    const code = codeOf(cause) === 'ATL_L209' ? 'ATL_L209' : 'ATL_L203';
    super(code, `${geste} de l’archive ${on} : ${messageOf(cause)}`, { cause });
    this.geste = geste;
  }
}

/** The archive that the settings say, with the keys that they give. */
export function ouvrirArchives(config: Pick<Config, 'archivesDir' | 'archives'>): Archive {
  return new Archive(
    config.archivesDir,
    new ClesArchives(config.archives.cle, [config.archives.clePrecedente]),
  );
}

async function* same(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield* pieces;
}
