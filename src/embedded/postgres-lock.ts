import { randomUUID } from 'node:crypto';
import { readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { AtelierError, codeOf } from '../base/errors.ts';
import { vit } from '../base/espace.ts';

interface Holder {
  readonly token: string;
  readonly host: string;
  readonly pid: number;
  /** start of the process in kernel ticks: tells a recycled pid; empty where there is no /proc */
  readonly birth: string;
}

/** The holder touches its file this often… */
const HEARTBEAT_MS = 2_000;
/** …so a silence this long, from another machine on a shared folder, means that it is dead. */
const SILENCE_MS = 30_000;
/** The longest that is waited for: an initdb on a slow disk, with room. */
const PATIENCE_MS = 180_000;

/**
 * Runs `work` while holding the lock file `path`: one process at a time, on this machine or on a shared folder.
 * A lock whose holder died (kill -9) is taken over. The folder must exist.
 *
 * @throws AtelierError ATL_D305 when a live process holds it for too long
 */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const me: Holder = {
    token: randomUUID(),
    host: hostname(),
    pid: process.pid,
    birth: await birthOf(process.pid),
  };
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await create(path, me))) {
    if (await isStale(path)) await removeStale(path, me);
    else if (Date.now() > deadline) {
      throw new AtelierError(
        'ATL_D305',
        `Serveur PostgreSQL embarqué : une autre commande le démarre ou l’arrête depuis trop longtemps (verrou ${path})`,
      );
    } else await sleep(50);
  }
  const heartbeat = setInterval(
    () => void utimes(path, new Date(), new Date()).catch(() => {}),
    HEARTBEAT_MS,
  );
  heartbeat.unref();
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    if ((await holderOf(path))?.token === me.token) await rm(path, { force: true });
  }
}

async function create(path: string, holder: Holder): Promise<boolean> {
  try {
    await writeFile(path, JSON.stringify(holder), { flag: 'wx' });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Two processes may see the same stale lock, and the slower must not remove the fresh lock of the faster:
 * removal happens under a second lock file, after another look.
 */
async function removeStale(path: string, me: Holder): Promise<void> {
  const guard = `${path}.reprise`;
  if (!(await create(guard, me))) {
    // Held for the time of two system calls: an old one was left by a kill in between.
    const age = await ageOf(guard);
    if (age !== undefined && age > SILENCE_MS) await rm(guard, { force: true });
    await sleep(20);
    return;
  }
  try {
    if (await isStale(path)) await rm(path, { force: true });
  } finally {
    await rm(guard, { force: true });
  }
}

async function isStale(path: string): Promise<boolean> {
  const [age, holder] = [await ageOf(path), await holderOf(path)];
  if (age === undefined) return false;
  // Created and not yet filled, or cut short by a full disk.
  if (!holder) return age > HEARTBEAT_MS;
  if (holder.host !== hostname()) return age > SILENCE_MS;
  return !vit(holder.pid) || (await birthOf(holder.pid)) !== holder.birth;
}

async function ageOf(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => undefined,
  );
}

async function holderOf(path: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return undefined;
  }
}

async function birthOf(pid: number): Promise<string> {
  const line = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The second field is the program's name in parentheses and may hold spaces; birth is the 22nd.
  return line.slice(line.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}
