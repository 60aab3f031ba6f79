import { type FSWatcher, statSync, watch } from 'node:fs';
import { codeOf, messageOf } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { decodeName, isPassedOver } from './noms.ts';

/** After the system had no room for another watch, the next one is asked for this much later (ms). */
const RETRY = 30_000;

interface Watched {
  readonly watcher: FSWatcher;
  /** which folder it is, whatever its name */
  readonly identity: string;
}

/**
 * File events of a tree, one watch a folder: Node's own recursive watch throws where nobody can catch it as soon as it meets a
 * folder that it may not enter, and takes a watch for each file. Each listing arms what is new, and moves the watch of a
 * folder that was made anew or mounted over.
 */
export class FolderWatchers {
  readonly #onHint: (chemin?: string) => void;
  readonly #logger: Logger | undefined;
  readonly #watched = new Map<string, Watched>();
  /** the system has no room for more, since this instant (ms of the monotonic clock) */
  #full: number | undefined;
  #closed = false;

  constructor(onHint: (chemin?: string) => void, logger: Logger | undefined) {
    this.#onHint = onHint;
    this.#logger = logger;
  }

  /** Sees to it that a folder is watched. To be called before it is listed, so that nothing falls in between. */
  arm(path: Buffer, chemin: string): void {
    if (this.#closed) return;
    const key = path.toString('latin1');
    try {
      const { dev, ino } = statSync(path, { bigint: true });
      const identity = `${dev}:${ino}`;
      const before = this.#watched.get(key);
      if (before?.identity === identity) return;
      this.#drop(key);
      if (this.#full !== undefined && performance.now() - this.#full < RETRY) return;
      const watcher = watch(path, { encoding: 'buffer', persistent: false }, (_event, name) => {
        this.#hint(chemin, name);
      });
      this.#watched.set(key, { watcher, identity });
      watcher.on('error', (error) => {
        if (this.#watched.get(key)?.watcher === watcher) this.#drop(key);
        this.#failed(error);
      });
    } catch (error) {
      this.#drop(key);
      this.#failed(error);
    }
  }

  /** A listing has ended: these folders are all there are. @param seen paths in latin1 */
  keep(seen: ReadonlySet<string>): void {
    for (const key of [...this.#watched.keys()]) if (!seen.has(key)) this.#drop(key);
    if (this.#full === undefined || this.#watched.size < seen.size) return;
    this.#full = undefined;
    this.#logger?.info('événements de fichiers rétablis');
  }

  close(): void {
    this.#closed = true;
    for (const key of [...this.#watched.keys()]) this.#drop(key);
  }

  /** Events are a hint only: without them a listing every second still finds everything. */
  #failed(error: unknown): void {
    const code = codeOf(error);
    // Of a folder that is closed to us, or gone again, the listing tells.
    if (!['ENOSPC', 'EMFILE', 'ENFILE', 'ENOMEM'].includes(code ?? '')) return;
    if (this.#full === undefined && !this.#closed) {
      const conseil = 'augmentez fs.inotify.max_user_watches et max_user_instances (sysctl)';
      this.#logger?.warn(
        { erreur: messageOf(error), conseil },
        'plus d’événements de fichiers : les dossiers sont relus à intervalles, rien ne se perd',
      );
    }
    this.#full = performance.now();
  }

  #hint(chemin: string, name: Buffer | string | null): void {
    if (this.#closed) return;
    if (name === null) {
      this.#onHint();
      return;
    }
    const text = decodeName(Buffer.from(name));
    // An upload under way is nobody's business until it has its name.
    if (!isPassedOver(text)) this.#onHint(chemin === '' ? text : `${chemin}/${text}`);
  }

  #drop(key: string): void {
    this.#watched.get(key)?.watcher.close();
    this.#watched.delete(key);
  }
}
