import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { AtelierError, codeOf, messageOf } from './errors.ts';

/** A log file and when it is put aside. */
export interface FichierJournal {
  readonly dir: string;
  /** for example `ftp_log_service.log` */
  readonly name: string;
  /** bytes from which on it is put aside (default 20 MB); 0: never */
  readonly taille?: number;
  /** files put aside that are kept (default 10) */
  readonly fichiers?: number;
}

/** A lock older than this (ms) was left by a process that was killed: putting aside takes a few ms. */
const LOCK_STALE = 10_000;
const LINE_FEED = 0x0a;
/** How often a file that seems to end in half a line is looked at again, 2 ms apart. */
const LOOKS = 5;
const PAUSE = new Int32Array(new SharedArrayBuffer(4));
/** Behind the name of a file put aside: when, and which of that millisecond. */
const ASIDE = /^(\d{8}T\d{6}\.\d{3}Z)\.([0-9a-f]{8})$/;

/**
 * A log file that several processes append to. Each line is one write at the end of the file, so lines never mix.
 *
 * When it is full it is renamed to `name.<UTC time>.<number>` (names sort by age, also if the clock steps back), and the
 * next write opens a new one. Every write looks whether the name still is the file that is open: whoever renamed it,
 * another process of ours or logrotate, the next line goes to the new one, without a signal. A line written between the
 * rename and that look is in the renamed file: none is lost. `copytruncate` works too, as far as it does.
 *
 * A full disk under it must not stop the work: lines are lost then, which is said once on stderr.
 */
export class JournalFichier {
  readonly #path: string;
  readonly #options: Required<FichierJournal>;
  #fd: number | undefined;
  #inode = 0n;
  #failing = false;
  /** the file may end with half a line: the disk became full in the middle of it, ours or that of another process */
  #doubtful = false;

  /** @throws AtelierError ATL_C101 when the file cannot be opened */
  constructor(options: FichierJournal) {
    this.#options = { taille: 20_000_000, fichiers: 10, ...options };
    this.#path = join(options.dir, options.name);
    try {
      mkdirSync(options.dir, { recursive: true });
      this.#open();
    } catch (cause) {
      throw new AtelierError('ATL_C101', `SYNC_LOGS_DIR : écriture de ${this.#path} : ${messageOf(cause)}`, {
        cause,
      });
    }
  }

  /** Appends a line, which ends with a line feed. Never throws. */
  write(line: string): void {
    try {
      const { taille } = this.#options;
      const size = this.#follow();
      const full = taille > 0 && size > 0 && size + Buffer.byteLength(line) > taille;
      if (full && this.#putAside()) this.#follow();
      this.#append(Buffer.from(this.#doubtful && this.#isCut() ? `\n${line}` : line));
      this.#failing = false;
      this.#doubtful = false;
    } catch (error) {
      this.#doubtful = true;
      if (!this.#failing) process.stderr.write(`atelier : journal ${this.#path} : ${messageOf(error)}\n`);
      this.#failing = true;
    }
  }

  /** Whether the file ends in the middle of a line, for good: another process may be in the middle of writing one. */
  #isCut(): boolean {
    const last = Buffer.alloc(1);
    for (let look = 0, before = -1; look < LOOKS; look++) {
      const { size } = fstatSync(this.#fd!);
      if (size === 0 || readSync(this.#fd!, last, 0, 1, size - 1) !== 1) return false;
      if (last[0] === LINE_FEED) return false;
      if (size === before) return true;
      before = size;
      Atomics.wait(PAUSE, 0, 0, 2);
    }
    return true;
  }

  #append(bytes: Buffer): void {
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#fd!, bytes, done);
  }

  /** Opens the file that has the name now, if that is another one; its size in bytes. */
  #follow(): number {
    const now = statSync(this.#path, { bigint: true, throwIfNoEntry: false });
    if (now && this.#fd !== undefined && now.ino === this.#inode) return Number(now.size);
    this.#open();
    return now ? Number(now.size) : 0;
  }

  #open(): void {
    // Names and errors of a workshop: not for every account of the machine.
    const fd = openSync(this.#path, 'a+', 0o640);
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = fd;
    this.#inode = fstatSync(fd, { bigint: true }).ino;
    this.#doubtful = true;
  }

  /**
   * Renames the full file, unless another process is about to: nobody waits, the file then grows by a few lines more.
   *
   * @returns whether the name may be another file now
   */
  #putAside(): boolean {
    const lock = `${this.#path}.verrou`;
    if (!takeLock(lock)) return false;
    try {
      // Under the lock, once more: whoever held it before us may have done it.
      const now = statSync(this.#path, { bigint: true, throwIfNoEntry: false });
      if (!now || now.ino !== this.#inode) return true;
      const aside = this.#aside();
      renameSync(this.#path, `${this.#path}.${nextAside(aside.at(-1), new Date())}`);
      const { dir, name, fichiers } = this.#options;
      // With the one of now, as many as are kept.
      for (const end of aside.slice(0, Math.max(0, aside.length + 1 - fichiers))) {
        rmSync(join(dir, `${name}.${end}`), { force: true });
      }
      return true;
    } finally {
      rmSync(lock, { force: true });
    }
  }

  /** What follows the name of each file put aside, the oldest first. */
  #aside(): string[] {
    const { dir, name } = this.#options;
    return readdirSync(dir)
      .filter((file) => file.startsWith(`${name}.`))
      .map((file) => file.slice(name.length + 1))
      .filter((end) => ASIDE.test(end))
      .sort();
  }
}

/** The end of the next name: after the last one, whatever the clock says. */
function nextAside(last: string | undefined, now: Date): string {
  const when = now.toISOString().replaceAll(/[-:]/g, '');
  const [, then = '', number = ''] = ASIDE.exec(last ?? '') ?? [];
  if (when > then) return `${when}.00000000`;
  return `${then}.${(Number.parseInt(number, 16) + 1).toString(16).padStart(8, '0')}`;
}

/** Whether the lock is ours now. */
function takeLock(lock: string): boolean {
  try {
    closeSync(openSync(lock, 'wx'));
    return true;
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') return false;
  }
  const held = statSync(lock, { throwIfNoEntry: false });
  if (held && Date.now() - held.mtimeMs > LOCK_STALE) rmSync(lock, { force: true });
  return false;
}
