import {
  type BigIntStats,
  closeSync,
  constants,
  type Dirent,
  fstatSync,
  lstatSync,
  open,
  read,
  watch as watchFolder,
} from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, sep } from 'node:path';
import { promisify } from 'node:util';
import { AtelierError, messageOf } from '../base/errors.ts';
import { decodeName, isLog, isPassedOver } from './noms.ts';
import {
  type EntreeSource,
  type FichierOuvert,
  type FichierSource,
  MAX_PATH,
  type SourceJournaux,
} from './source.ts';

const openFile = promisify(open);
const readFile = promisify(read);
/** A file changed less than this ago (ns) may change again within the same tick of the file system's clock. */
const STILL_WARM = 2_000_000_000n;
const SLASH = Buffer.from('/');

/** A tree of LOG files on the local file system. Links are never followed, names are bytes and never trusted. */
export class DossierLocal implements SourceJournaux {
  readonly description: string;
  readonly #root: Buffer;

  constructor(root: string) {
    this.description = root;
    this.#root = Buffer.from(root);
  }

  async *list(): AsyncGenerator<EntreeSource> {
    let centres: Dirent<Buffer>[];
    try {
      centres = await this.#entries(this.#root);
    } catch (cause) {
      throw new AtelierError('ATL_L201', `Lecture du dossier ${this.description} : ${messageOf(cause)}`, {
        cause,
      });
    }
    for (const entry of centres) {
      const name = decodeName(entry.name);
      if (name.startsWith('.')) continue;
      if (entry.isDirectory()) {
        yield { kind: 'dossier', dossier: name };
        yield* this.#walk(join(this.#root, entry.name), name, name);
      } else if (entry.isSymbolicLink()) {
        yield { kind: 'ecarte', chemin: name, raison: 'lien symbolique, jamais suivi', erreur: false };
      } else if (isLog(name)) {
        yield { kind: 'ecarte', chemin: name, raison: 'fichier hors du dossier d’un centre', erreur: false };
      }
    }
  }

  async *#walk(path: Buffer, chemin: string, dossier: string): AsyncGenerator<EntreeSource> {
    let entries: Dirent<Buffer>[];
    try {
      entries = await this.#entries(path);
    } catch (error) {
      yield { kind: 'ecarte', chemin, raison: messageOf(error), erreur: true };
      return;
    }
    for (const entry of entries) {
      const name = decodeName(entry.name);
      const below = `${chemin}/${name}`;
      if (isPassedOver(name)) continue;
      if (entry.isDirectory()) {
        yield* this.#walk(join(path, entry.name), below, dossier);
      } else if (isLog(name)) {
        yield this.#file(join(path, entry.name), entry, below, dossier);
      }
    }
  }

  #file(path: Buffer, entry: Dirent<Buffer>, chemin: string, dossier: string): EntreeSource {
    if (chemin.length > MAX_PATH) {
      return { kind: 'ecarte', chemin, raison: `chemin de plus de ${MAX_PATH} caractères`, erreur: true };
    }
    if (!entry.isFile()) {
      const raison = entry.isSymbolicLink() ? 'lien symbolique, jamais suivi' : 'pas un fichier ordinaire';
      return { kind: 'ecarte', chemin, raison, erreur: false };
    }
    try {
      // Synchronous on purpose: a stat takes microseconds, handing it to another thread takes fifty times as long.
      const stats = lstatSync(path, { bigint: true });
      const fichier = {
        dossier,
        chemin,
        taille: Number(stats.size),
        signature: sign(stats),
        reference: path,
      };
      return { kind: 'fichier', fichier };
    } catch (error) {
      return { kind: 'ecarte', chemin, raison: messageOf(error), erreur: true };
    }
  }

  async open(fichier: FichierSource): Promise<FichierOuvert> {
    // O_NONBLOCK: a pipe that took the file's place must not hold us for ever.
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const fd = await openFile(fichier.reference as Buffer, flags);
    try {
      const stats = fstatSync(fd, { bigint: true });
      if (!stats.isFile()) throw new Error('pas un fichier ordinaire');
      return {
        taille: Number(stats.size),
        signature: sign(stats),
        read: async (buffer, offset, length, position) =>
          (await readFile(fd, buffer, offset, length, position)).bytesRead,
        close: async () => closeSync(fd),
      };
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  async revoir(fichier: FichierSource): Promise<FichierSource | undefined> {
    try {
      const stats = lstatSync(fichier.reference as Buffer, { bigint: true });
      if (!stats.isFile()) return undefined;
      return { ...fichier, taille: Number(stats.size), signature: sign(stats) };
    } catch {
      return undefined;
    }
  }

  watch(onHint: (chemin?: string) => void, signal: AbortSignal): void {
    try {
      const watcher = watchFolder(this.description, { recursive: true, signal }, (_event, name) => {
        // An upload under way is nobody's business until it has its name.
        if (name === null || !isPassedOver(basename(name))) onHint(name?.split(sep).join('/'));
      });
      // Events are a hint only (no inotify left, remote mount…): the scan goes on without them.
      watcher.on('error', () => watcher.close());
    } catch {
      onHint();
    }
  }

  async #entries(path: Buffer): Promise<Dirent<Buffer>[]> {
    const entries = await readdir(path, { withFileTypes: true, encoding: 'buffer' });
    return entries.sort((a, b) => Buffer.compare(a.name, b.name));
  }
}

function join(folder: Buffer, name: Buffer): Buffer {
  return Buffer.concat([folder, SLASH, name]);
}

function sign(stats: BigIntStats): string | undefined {
  const now = BigInt(Date.now()) * 1_000_000n;
  if (now - stats.ctimeNs < STILL_WARM || now - stats.mtimeNs < STILL_WARM) return undefined;
  return [stats.size, stats.mtimeNs, stats.ctimeNs, stats.ino, stats.dev].join(':');
}
