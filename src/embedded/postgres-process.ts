import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile, readlink, realpath, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf } from '../base/errors.ts';
import { vit } from '../base/espace.ts';
import { program } from './postgres-binaries.ts';
import { dataOf, failure, identity, logOf, openLog, type Server } from './postgres-cluster.ts';

export type LaunchResult = 'ready' | 'port-taken' | 'memory-in-use';

/** Recovery after a power cut reads all WAL since the last checkpoint: minutes at worst. */
const START_MS = 300_000;

/**
 * Starts the server, detached, and waits until it answers.
 *
 * @returns what hindered it, when another try can help
 * @throws AtelierError ATL_D305 with the last lines of the log
 */
export async function launch(
  server: Server,
  port: number,
  settings: Readonly<Record<string, string | number>>,
): Promise<LaunchResult> {
  const data = dataOf(server.home);
  const before = await settled(data);
  if (before) return 'ready';
  await rm(join(data, 'postmaster.pid'), { force: true });
  const all = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_line_prefix: '%m [%p] %q%a ',
    ...settings,
  };
  const args = ['-D', data, ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
  const log = await openLog(server.home);
  const { size: logStart } = await log.stat();
  let exited = false;
  const child = spawn(program(server.binaries, 'postgres'), args, {
    ...identity(server),
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  });
  child.once('exit', () => {
    exited = true;
  });
  let spawnError: Error | undefined;
  child.once('error', (error) => {
    exited = true;
    spawnError = error;
  });
  child.unref();
  await log.close();
  const deadline = Date.now() + START_MS;
  while (!exited && Date.now() < deadline) {
    const file = await readPidFile(data);
    if (file?.pid === child.pid && file?.ready) return 'ready';
    await sleep(20);
  }
  if (spawnError) throw failure(server.home, spawnError.message);
  const said = (await readFile(logOf(server.home))).subarray(logStart).toString('utf8');
  if (!exited) throw failure(server.home, 'toujours pas prêt', said);
  if (/could not bind|could not create any TCP\/IP sockets/.test(said)) return 'port-taken';
  // The backends of a server killed with -9 take a moment to notice.
  if (/pre-existing shared memory block|lock file "postmaster.pid" already exists/.test(said)) {
    return 'memory-in-use';
  }
  throw failure(server.home, 'le serveur s’est arrêté au démarrage', said);
}

/** A server that is on its way up or down (the command that asked for it was killed) is let arrive. */
async function settled(data: string): Promise<boolean> {
  const deadline = Date.now() + START_MS;
  for (;;) {
    const live = await livePid(data);
    if (!live || live.ready || Date.now() > deadline) return live?.ready ?? false;
    await sleep(50);
  }
}

interface PidFile {
  readonly pid: number;
  readonly port: number;
  readonly ready: boolean;
}

async function readPidFile(data: string): Promise<PidFile | undefined> {
  const text = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '');
  const lines = text.split('\n');
  const pid = Number(lines[0]);
  if (!(pid > 0)) return undefined;
  return { pid, port: Number(lines[3]), ready: lines[7]?.trim() === 'ready' };
}

/**
 * The server that runs on `data`, or undefined. A number left in `postmaster.pid` may since belong to another
 * program: where there is a /proc, a server is known by its working folder, which is its data folder.
 */
export async function livePid(data: string): Promise<PidFile | undefined> {
  const file = await readPidFile(data);
  if (!file || !vit(file.pid)) return undefined;
  if (process.platform !== 'linux') return file;
  return (await worksOn(file.pid, data)) ? file : undefined;
}

async function worksOn(pid: number, data: string): Promise<boolean> {
  const actual = await realpath(data);
  try {
    return (await readlink(`/proc/${pid}/cwd`)) === actual;
  } catch (error) {
    // A dead process that its parent has not collected yet has no working folder.
    if (codeOf(error) === 'ENOENT') return false;
  }
  // Root in a container may not look at the folder of another account's process, but at its arguments.
  const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => undefined);
  if (words === undefined) return true;
  return words.split('\0').some((word) => word === data || word === actual);
}

const STOP_SIGNALS = { fast: 'SIGINT', immediate: 'SIGQUIT' } as const;
export type StopMode = keyof typeof STOP_SIGNALS;

/** A fast stop writes a checkpoint, which may wait for a slow disk; past that, recovery will do its work. */
const STOP_MS = 60_000;

/** Stops the server on `data`; false when none runs. */
export async function halt(data: string, mode: StopMode): Promise<boolean> {
  const file = await livePid(data);
  if (!file) return false;
  send(file.pid, STOP_SIGNALS[mode]);
  for (let waited = 0; (await livePid(data))?.pid === file.pid; waited += 20) {
    if (waited === STOP_MS) send(file.pid, STOP_SIGNALS.immediate);
    if (waited > 2 * STOP_MS) throw failure(dirname(data), 'le serveur ne s’arrête pas');
    await sleep(20);
  }
  return true;
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // Gone in between, which is what was wanted.
    if (codeOf(error) !== 'ESRCH') throw error;
  }
}

/** Below the range that the system gives to outgoing connections, which would take it while we are stopped. */
const PORTS = { first: 20_000, count: 10_000 };

/** A loopback port that nobody listens on. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = PORTS.first + (randomBytes(4).readUInt32BE() % PORTS.count);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => resolve(true)));
  });
}
