import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Mount } from '../../base/mounts.ts';
import type { Disk, DiskEntry, FileStats, OpenFile } from '../disk.ts';
import { type Answer, type Demand, type Failure, type ListedEntry, PIECE } from './messages.ts';

const CHILD = fileURLToPath(new URL('./child.ts', import.meta.url));
/** Waits in ms before a disk that did not answer is asked again, after the first, second, … time. */
const BACK_OFF = [2_000, 5_000, 10_000, 30_000];

/** The disk does not answer. Whoever waits for it should rather do something else. */
export class DiskAway extends Error {}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

interface RemoteEntry extends DiskEntry {
  readonly stats: FileStats | undefined;
  readonly failure: Failure | undefined;
}

/**
 * A disk that may not answer: a share, or a program behind FUSE. A call to one of those cannot be called off, and whoever
 * made it cannot even end. So a process beside us makes all of them; when it gives no answer in time it is given up, and
 * another one is tried later, once the first has really ended (one that the kernel holds would only be joined by others).
 */
export class RemoteDisk implements Disk {
  readonly mount: Mount;
  readonly #patience: () => number;
  readonly #waiting = new Map<number, Waiting>();
  readonly #closed = new AbortController();
  #child: ChildProcess | undefined;
  /** the process that hangs, until it has ended */
  #hanging: ChildProcess | undefined;
  #failures = 0;
  /** not to be asked before this instant (ms of the monotonic clock) */
  #retry = 0;
  #id = 0;
  #watchdog: NodeJS.Timeout | undefined;

  /** @param patience ms without any answer after which it counts as away */
  constructor(mount: Mount, patience: () => number) {
    this.mount = mount;
    this.#patience = patience;
  }

  async entries(path: Buffer): Promise<DiskEntry[]> {
    const listed = (await this.#ask({ op: 'entries', path })) as ListedEntry[];
    return listed.map(({ name, kind, stats, failure }): RemoteEntry => {
      return {
        ...{ name: Buffer.from(name), stats, failure },
        isDirectory: () => kind === 'dossier',
        isFile: () => kind === 'fichier',
        isSymbolicLink: () => kind === 'lien',
      };
    });
  }

  stats(_path: Buffer, entry: DiskEntry): FileStats {
    const { stats, failure } = entry as RemoteEntry;
    if (!stats) throw errorOf(failure);
    return stats;
  }

  async look(path: Buffer): Promise<FileStats | undefined> {
    return (await this.#ask({ op: 'look', path })) as FileStats | undefined;
  }

  async open(path: Buffer): Promise<OpenFile> {
    const opened = (await this.#ask({ op: 'open', path })) as { handle: number; stats: FileStats };
    const { handle, stats } = opened;
    const child = this.#child;
    // Another process knows nothing of the handles of the one before.
    const same = (): void => {
      if (this.#child !== child) throw this.#away();
    };
    return {
      stats,
      read: async (buffer, offset, length, position) => {
        same();
        const bytes = Buffer.from(
          (await this.#ask({ op: 'read', handle, position, length: Math.min(length, PIECE) })) as Buffer,
        );
        return bytes.copy(buffer, offset);
      },
      close: async () => {
        if (this.#child === child) await this.#ask({ op: 'close', handle }).catch(() => undefined);
      },
    };
  }

  /** Nothing more is asked; what is under way fails at once. */
  close(): void {
    this.#closed.abort();
    this.#giveUp();
  }

  #ask(demand: Demand): Promise<unknown> {
    if (this.#closed.signal.aborted) return Promise.reject(this.#away());
    if (this.#hanging || performance.now() < this.#retry) return Promise.reject(this.#away());
    this.#child ??= this.#start();
    const child = this.#child;
    const id = this.#id++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#watch();
      child.send({ id, demand }, (error) => {
        if (error) this.#ended(child);
      });
    });
  }

  #start(): ChildProcess {
    const child = fork(CHILD, [], {
      serialization: 'advanced',
      execArgv: ['--v8-pool-size=1', '--max-semi-space-size=1'],
      // It must hold nothing of ours while it hangs: neither an output that somebody reads to its end, nor our folder.
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      cwd: '/',
    });
    child.on('message', (answer) => this.#receive(answer as Answer));
    child.on('error', () => this.#ended(child));
    child.on('exit', () => this.#ended(child));
    child.unref();
    child.channel?.unref();
    return child;
  }

  #receive({ id, value, failure }: Answer): void {
    const waiting = this.#waiting.get(id);
    if (!waiting) return;
    this.#waiting.delete(id);
    this.#failures = 0;
    this.#watch();
    if (failure) waiting.reject(errorOf(failure));
    else waiting.resolve(value);
  }

  /** One clock for everything: it runs while an answer is owed, and starts again with each that comes. */
  #watch(): void {
    clearTimeout(this.#watchdog);
    if (this.#waiting.size > 0) this.#watchdog = setTimeout(() => this.#giveUp(), this.#patience());
  }

  #giveUp(): void {
    const child = this.#child;
    this.#child = undefined;
    this.#rejectAll();
    this.#retry = performance.now() + BACK_OFF[Math.min(this.#failures++, BACK_OFF.length - 1)]!;
    if (!child) return;
    this.#hanging = child;
    if (child.connected) child.disconnect();
    child.kill('SIGKILL');
  }

  /** A process is no more, by our will or not. */
  #ended(child: ChildProcess): void {
    if (this.#hanging === child) this.#hanging = undefined;
    if (this.#child !== child) return;
    this.#child = undefined;
    this.#rejectAll();
  }

  #rejectAll(): void {
    clearTimeout(this.#watchdog);
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(this.#away());
  }

  #away(): DiskAway {
    const { point, type } = this.mount;
    return new DiskAway(`le disque monté sur ${point} (${type}) ne répond pas`);
  }
}

function errorOf(failure: Failure | undefined): Error {
  const { message = 'illisible', code } = failure ?? {};
  return Object.assign(new Error(message), code === undefined ? {} : { code });
}
