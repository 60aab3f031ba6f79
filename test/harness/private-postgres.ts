import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { vit } from '../../src/base/espace.ts';
import { type Account, reachable, serverAccount } from '../../src/embedded/postgres-account.ts';
import { type Binaries, usableBinaries } from '../../src/embedded/postgres-binaries.ts';
import type { Server } from '../../src/embedded/postgres-cluster.ts';
import {
  addressOf,
  dataOf,
  failure,
  initCluster,
  randomPassword,
} from '../../src/embedded/postgres-cluster.ts';
import { freePort, halt, launch, type StopMode } from '../../src/embedded/postgres-process.ts';

/** A server of one test, to be stopped and started as the test likes. */
export interface PrivatePostgres {
  /** superuser's address of an empty database */
  readonly url: string;
  readonly port: number;
  readonly dataDir: string;
  readonly binaries: Binaries;
  /** `immediate` is a crash: the next start recovers from the WAL */
  stop(mode: StopMode): Promise<void>;
  start(): Promise<void>;
  /** stops it and removes every file of it */
  remove(): Promise<void>;
}

interface Options {
  /** off by default: a machine that loses its power is no part of most tests */
  readonly fsync?: boolean;
  /** binaries that a server of the same run already made reachable */
  readonly binaries?: Binaries | undefined;
  /** process whose end is the end of the server too (the run of the tests); ours when absent */
  readonly run?: number;
  readonly settings?: Readonly<Record<string, string | number>>;
  /** arguments of initdb, for servers that do not know the usual ones */
  readonly locale?: readonly string[];
}

/** The number of the run follows. */
export const PREFIX = 'atelier-test-pg-';

/** Starts a server of its own on a free loopback port, in a new temporary folder. */
export async function launchPrivate(options: Options = {}): Promise<PrivatePostgres> {
  const account = await serverAccount('');
  const home = await mkdtemp(join(await roomFor(account), `${PREFIX}${options.run ?? process.pid}-`));
  await chmod(home, 0o755);
  const binaries = options.binaries ?? (await usableBinaries(home, account));
  const server: Server = { home, binaries, account };
  const password = randomPassword();
  const settings = {
    max_connections: 200,
    shared_buffers: '64MB',
    // Nothing more is loosened: a test that crashes the server counts on its commits.
    fsync: options.fsync ? 'on' : 'off',
    ...options.settings,
  };
  let port = await freePort();
  /** The address was given out: once it was, another port is no way out. */
  let settled = false;
  const start = async (): Promise<void> => {
    for (let attempt = 0; attempt < 50; attempt++) {
      const result = await launch(server, port, settings);
      if (result === 'ready') return;
      if (result === 'port-taken' && !settled) port = await freePort();
      else await sleep(200);
    }
    throw failure(home, 'impossible à démarrer');
  };
  const remove = async (): Promise<void> => {
    await halt(dataOf(home), 'immediate');
    await rm(home, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    await initCluster(server, password, {
      sync: false,
      ...(options.locale ? { locale: options.locale } : {}),
    });
    await start();
  } catch (error) {
    await remove();
    throw error;
  }
  settled = true;
  return {
    url: addressOf(port, password),
    port,
    dataDir: dataOf(home),
    binaries,
    stop: async (mode) => {
      await halt(dataOf(home), mode);
    },
    start,
    remove,
  };
}

/** Stops and removes the servers that killed runs left behind, and those that failed tests of this one did. */
export async function sweep(): Promise<void> {
  const room = await roomFor(await serverAccount(''));
  for (const name of await readdir(room)) {
    const pid = Number(new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1]);
    if (!(pid > 0) || (pid !== process.pid && vit(pid))) continue;
    await halt(dataOf(join(room, name)), 'immediate').catch(() => {});
    await rm(join(room, name), { recursive: true, force: true, maxRetries: 5 }).catch(() => {});
  }
}

/** A temporary folder that the server's account can come to. */
export async function roomFor(account: Account | undefined): Promise<string> {
  if (account && !(await reachable(tmpdir(), account, 'traverse'))) return '/var/tmp';
  return tmpdir();
}
