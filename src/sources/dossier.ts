import { closeSync, constants, type Dirent, fstatSync, lstatSync, open, read, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import { AtelierError, codeOf, messageOf } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { readMounts } from '../base/mounts.ts';
import { decodeName, isLog, isPassedOver } from './noms.ts';
import { sign, stateOf } from './signature.ts';
import {
  type EntreeSource,
  type FichierOuvert,
  type FichierSource,
  MAX_PATH,
  type SourceJournaux,
} from './source.ts';
import { FolderWatchers } from './watchers.ts';

const openFile = promisify(open);
const readFile = promisify(read);
const SLASH = Buffer.from('/');
/** What no event tells is looked at this often (ms): the root made anew, something mounted or taken away. */
const LOOK_EVERY = 1_000;

/** A tree of LOG files on the local file system. Links are never followed, names are bytes and never trusted. */
export class DossierLocal implements SourceJournaux {
  readonly description: string;
  readonly #root: Buffer;
  readonly #logger: Logger | undefined;
  #watchers: FolderWatchers | undefined;

  constructor(root: string, logger?: Logger) {
    this.description = root;
    this.#root = Buffer.from(root);
    this.#logger = logger;
  }

  async *list(): AsyncGenerator<EntreeSource> {
    const seen = new Set<string>();
    let centres: Dirent<Buffer>[];
    try {
      centres = await this.#entries(this.#root, '', seen);
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
        yield* this.#walk(join(this.#root, entry.name), name, name, seen);
      } else if (entry.isSymbolicLink()) {
        yield { kind: 'ecarte', chemin: name, raison: 'lien symbolique, jamais suivi', erreur: false };
      } else if (isLog(name)) {
        yield { kind: 'ecarte', chemin: name, raison: 'fichier hors du dossier d’un centre', erreur: false };
      }
    }
    this.#watchers?.keep(seen);
  }

  async *#walk(
    path: Buffer,
    chemin: string,
    dossier: string,
    seen: Set<string>,
  ): AsyncGenerator<EntreeSource> {
    let entries: Dirent<Buffer>[];
    try {
      entries = await this.#entries(path, chemin, seen);
    } catch (error) {
      if (isGone(error)) return;
      yield { kind: 'ecarte', chemin, raison: messageOf(error), erreur: true };
      return;
    }
    for (const entry of entries) {
      const name = decodeName(entry.name);
      const below = `${chemin}/${name}`;
      if (isPassedOver(name)) continue;
      if (entry.isDirectory()) {
        yield* this.#walk(join(path, entry.name), below, dossier, seen);
      } else if (isLog(name)) {
        const found = this.#file(join(path, entry.name), entry, below, dossier);
        if (found) yield found;
      }
    }
  }

  /** @returns undefined when the file went away in the moment since it was listed */
  #file(path: Buffer, entry: Dirent<Buffer>, chemin: string, dossier: string): EntreeSource | undefined {
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
        etat: stateOf(stats),
        reference: path,
      };
      return { kind: 'fichier', fichier };
    } catch (error) {
      if (isGone(error)) return undefined;
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
        etat: stateOf(stats),
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
      return { ...fichier, taille: Number(stats.size), signature: sign(stats), etat: stateOf(stats) };
    } catch {
      return undefined;
    }
  }

  watch(onHint: (chemin?: string) => void, signal: AbortSignal): void {
    if (signal.aborted) return;
    const watchers = new FolderWatchers(onHint, this.#logger);
    this.#watchers = watchers;
    let before = this.#state();
    const timer = setInterval(() => {
      const now = this.#state();
      if (now !== before) onHint();
      before = now;
    }, LOOK_EVERY).unref();
    const stop = (): void => {
      clearInterval(timer);
      watchers.close();
      if (this.#watchers === watchers) this.#watchers = undefined;
    };
    signal.addEventListener('abort', stop, { once: true });
  }

  /** Another text each time that the tree may have become another one without an event. */
  #state(): string {
    const mounts = readMounts().map(({ id, point }) => `${id} ${point}`);
    let root = '';
    try {
      const { dev, ino } = statSync(this.#root, { bigint: true });
      root = `${dev}:${ino}`;
    } catch {
      // It is away: the listing says so.
    }
    return [root, ...mounts].join('\n');
  }

  async #entries(path: Buffer, chemin: string, seen: Set<string>): Promise<Dirent<Buffer>[]> {
    seen.add(path.toString('latin1'));
    this.#watchers?.arm(path, chemin);
    const entries = await readdir(path, { withFileTypes: true, encoding: 'buffer' });
    return entries.sort((a, b) => Buffer.compare(a.name, b.name));
  }
}

/** Whether a name that was listed a moment ago is nothing any more: that is no error, only late. */
function isGone(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

function join(folder: Buffer, name: Buffer): Buffer {
  return Buffer.concat([folder, SLASH, name]);
}
