import { rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AtelierError, messageOf } from '../base/errors.ts';
import {
  type Access,
  folderOf,
  makeOpenFolder,
  placeOf,
  readAccess,
  writeAccess,
} from './postgres-access.ts';
import { adopt, serverAccount } from './postgres-account.ts';
import { usableBinaries } from './postgres-binaries.ts';
import type { Server } from './postgres-cluster.ts';
import {
  addressOf,
  dataOf,
  failure,
  initCluster,
  randomPassword,
  resetPassword,
} from './postgres-cluster.ts';
import { withLock } from './postgres-lock.ts';
import { freePort, halt, launch, livePid } from './postgres-process.ts';

/** A running embedded server. */
export interface Embedded {
  readonly url: string;
  readonly port: number;
  /** whether this call started it */
  readonly started: boolean;
  /** folder of its data and of its log */
  readonly home: string;
}

export type EmbeddedStatus =
  | { readonly state: 'absent' }
  | { readonly state: 'stopped'; readonly url: string; readonly port: number; readonly home: string }
  | {
      readonly state: 'running';
      readonly url: string;
      readonly port: number;
      readonly pid: number;
      readonly home: string;
    };

interface EnsureOptions {
  /** folder of the embedded servers, for example `.atelier` */
  readonly dataDir: string;
  /** told what is going on when it takes time (French) */
  readonly onProgress?: (line: string) => void;
}

/**
 * Logs come in by COPY in large bursts: fewer, larger checkpoints than the default.
 * 256 MB of shared buffers leave a 2 GB machine its room.
 */
const SETTINGS = { shared_buffers: '256MB', max_wal_size: '2GB', checkpoint_timeout: '15min' } as const;

/**
 * Makes sure that the embedded server of `dataDir` runs, making it on the first call. It outlives the command.
 * Any number of processes may call this at once.
 *
 * @throws AtelierError ATL_D305 naming the server's log
 */
export async function ensureEmbedded(options: EnsureOptions): Promise<Embedded> {
  return numbered(options.dataDir, async () => {
    const running = await current(options.dataDir);
    if (running) return running;
    await makeOpenFolder(folderOf(options.dataDir));
    return withLock(lockOf(options.dataDir), async () => {
      // Another process may have done it while we waited for the lock.
      return (await current(options.dataDir)) ?? (await bringUp(options));
    });
  });
}

async function current(dataDir: string): Promise<Embedded | undefined> {
  const status = await embeddedStatus(dataDir);
  if (status.state !== 'running') return undefined;
  return { url: status.url, port: status.port, started: false, home: status.home };
}

async function bringUp({ dataDir, onProgress = () => {} }: EnsureOptions): Promise<Embedded> {
  const known = await readAccess(dataDir);
  const place = await placeOf(dataDir, known);
  if (place.orphan) await setAside(place.home, onProgress);
  const data = dataOf(place.home);
  const account = await serverAccount(data);
  const server: Server = {
    home: place.home,
    binaries: await usableBinaries(place.home, account),
    account,
  };
  // Written before the data: what initdb is told must be known whatever happens next.
  let access: Access = {
    home: place.home,
    port: known?.port ?? (await freePort()),
    password: known?.password ?? randomPassword(),
  };
  const fresh = !(await exists(data));
  // Data without its access file: a server may still be running on it, with a password that nobody knows.
  if (!fresh && !known) await halt(data, 'fast');
  await writeAccess(dataDir, access);
  if (fresh) {
    onProgress(`Création du serveur PostgreSQL embarqué dans ${place.home}`);
    await initCluster(server, access.password, { sync: true });
  } else {
    if (account) await adopt(data, account);
    if (!known) await resetPassword(server, access.password);
  }
  access = await start(server, access, (changed) => writeAccess(dataDir, changed));
  onProgress(`Serveur PostgreSQL embarqué démarré sur 127.0.0.1:${access.port}`);
  return { ...connection(access), started: true, home: place.home };
}

/** Backends outlive a killed server by the time of the statement that they are in. */
const TRIES = 60;

async function start(
  server: Server,
  access: Access,
  save: (changed: Access) => Promise<void>,
): Promise<Access> {
  let now = access;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const result = await launch(server, now.port, SETTINGS);
    if (result === 'ready') return now;
    if (result === 'port-taken') {
      now = { ...now, port: await freePort() };
      await save(now);
    } else await sleep(500);
  }
  throw failure(server.home, 'impossible à démarrer');
}

/** Data of a folder that was deleted and made anew: a fresh start was asked for, but nothing is destroyed. */
async function setAside(home: string, onProgress: (line: string) => void): Promise<void> {
  await halt(dataOf(home), 'fast');
  const aside = `${home}.ancien`;
  await rm(aside, { recursive: true, force: true });
  await rename(home, aside);
  await makeOpenFolder(home);
  onProgress(`Les données d’un ancien dossier du même nom sont gardées dans ${aside}`);
}

/**
 * Stops the embedded server of `dataDir`, waiting for it; false when it was not running.
 *
 * @throws AtelierError ATL_D305
 */
export async function stopEmbedded(dataDir: string): Promise<boolean> {
  return numbered(dataDir, async () => {
    // Nothing to stop, and no folder to make for the sake of a lock.
    if (!(await readAccess(dataDir))) return false;
    return withLock(lockOf(dataDir), async () => {
      const access = await readAccess(dataDir);
      return access ? halt(dataOf(access.home), 'fast') : false;
    });
  });
}

/** What is there: nothing, a stopped server, or a running one. Starts and changes nothing. */
export async function embeddedStatus(dataDir: string): Promise<EmbeddedStatus> {
  return numbered(dataDir, async () => {
    const access = await readAccess(dataDir);
    if (!access || !(await exists(dataOf(access.home)))) return { state: 'absent' };
    const live = await livePid(dataOf(access.home));
    const base = { ...connection(access), home: access.home };
    return live?.ready ? { state: 'running', ...base, pid: live.pid } : { state: 'stopped', ...base };
  });
}

/** Address of the embedded server of `dataDir`, running or not; undefined when it was never made. */
export async function embeddedUrl(dataDir: string): Promise<string | undefined> {
  const status = await embeddedStatus(dataDir);
  return status.state === 'absent' ? undefined : status.url;
}

function connection(access: Access): { url: string; port: number } {
  return { url: addressOf(access.port, access.password), port: access.port };
}

function lockOf(dataDir: string): string {
  return join(folderOf(dataDir), 'verrou');
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** A full disk or a closed folder is no defect of ours: it gets the number of this room too. */
async function numbered<T>(dataDir: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof AtelierError) throw cause;
    throw new AtelierError('ATL_D305', `Serveur PostgreSQL embarqué de ${dataDir} : ${messageOf(cause)}`, {
      cause,
    });
  }
}
