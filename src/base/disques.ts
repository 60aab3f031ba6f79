import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { stat, statfs } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Gauge, Registry } from 'prom-client';
import type { RegistreLisible } from './metrics.ts';
import { remoteMounts } from './mounts.ts';

/** How long a disk may take to say what it has left (ms): a network share whose server is gone never does. */
const DELAI = 3_000;

/** A disk as a folder on it sees it. */
export interface Place {
  /** number of the disk on this machine */
  readonly disque: number;
  /** bytes */
  readonly libre: number;
  readonly total: number;
}

/**
 * The disk of a folder; undefined when it does not answer in time.
 *
 * @throws what the file system says of a folder that is not there, or closed to us
 */
export const placeDe: (dossier: string) => Promise<Place | undefined> = aTemps(async (dossier) => {
  if (remoteMounts(dossier).above) return await askBeside(dossier);
  const { dev } = await stat(dossier);
  const { bavail, blocks, bfree, bsize } = await statfs(dossier);
  // What root keeps for itself is neither free nor ours to fill.
  return { disque: dev, libre: bavail * bsize, total: (blocks - bfree + bavail) * bsize };
}, DELAI);

/**
 * The same of a disk that may never answer, by a program beside us: our own threads would be held for good, and our end with
 * them.
 */
async function askBeside(dossier: string): Promise<Place> {
  const ask = async (...args: string[]): Promise<number[]> => {
    const child = spawn('stat', [...args, '--', dossier], {
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: DELAI,
    });
    // It may never end: nothing of ours is to wait for it.
    child.unref();
    (child.stdout as Socket).unref();
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
    const [code] = (await once(child, 'close')) as [number | null];
    if (code !== 0) throw new Error(`${dossier} : place inconnue`);
    return text.trim().split(' ').map(Number);
  };
  const [dev = 0] = await ask('-c', '%d');
  const [bsize = 0, blocks = 0, bfree = 0, bavail = 0] = await ask('-f', '-c', '%S %b %f %a');
  return { disque: dev, libre: bavail * bsize, total: (blocks - bfree + bavail) * bsize };
}

/**
 * The same look with a limit to its time (ms), after which it gives undefined. A look that hangs holds one of the few threads
 * that Node has for files: whoever asks again meanwhile waits for that one.
 */
export function aTemps<T>(
  regarder: (chemin: string) => Promise<T>,
  delai: number,
): (chemin: string) => Promise<T | undefined> {
  const looks = new Map<string, Promise<T>>();
  return async (chemin) => {
    let look = looks.get(chemin);
    if (!look) {
      look = regarder(chemin).finally(() => looks.delete(chemin));
      looks.set(chemin, look);
    }
    const end = new AbortController();
    try {
      return await Promise.race([look, sleep(delai, undefined, { signal: end.signal })]);
    } finally {
      end.abort();
    }
  };
}

/**
 * Free space of the disks of some folders, looked at when somebody asks. A folder that is not there, or does not answer,
 * has no sample.
 *
 * @param dossiers path by the name of its setting, for example `ARCHIVES_DIR`
 */
export function registreDisques(dossiers: Readonly<Record<string, string>>): RegistreLisible {
  const registre = new Registry();
  new Gauge({
    name: 'atelier_disk_free_bytes',
    help: 'Place libre sur le disque d’un dossier, vue de ce processus',
    labelNames: ['folder'],
    registers: [registre],
    async collect() {
      const free = await Promise.all(
        Object.entries(dossiers).map(async ([folder, path]) => {
          const place = await placeDe(path).catch(() => undefined);
          return [folder, place?.libre] as const;
        }),
      );
      this.reset();
      for (const [folder, bytes] of free) if (bytes !== undefined) this.set({ folder }, bytes);
    },
  });
  return registre;
}
