// PostgreSQL and PgBouncer as Debian packages them: servers of one test, in folders of their own.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { inject, vi } from 'vitest';
import { serverAccount } from '../../src/embedded/postgres-account.ts';
import type { Binaries } from '../../src/embedded/postgres-binaries.ts';
import { dataOf, failure, identity, type Server } from '../../src/embedded/postgres-cluster.ts';
import { freePort, halt, launch, type StopMode } from '../../src/embedded/postgres-process.ts';
import { launchPrivate, PREFIX, type PrivatePostgres, roomFor } from './private-postgres.ts';

const ICI = '/usr/lib/postgresql';

/** 15 where it is (Debian 12), else the newest; undefined when the package is not installed. */
export const POSTGRES_DEBIAN: Binaries | undefined = ['15', ...versions()]
  .map((version) => ({ dir: join(ICI, version), version }))
  .find(
    ({ dir }) => existsSync(join(dir, 'bin', 'pg_basebackup')) && existsSync(join(dir, 'bin', 'postgres')),
  );

function versions(): string[] {
  return existsSync(ICI) ? readdirSync(ICI).sort((a, b) => Number(b) - Number(a)) : [];
}

/** The builtin locale provider came with PostgreSQL 17. */
const LOCALE = ['--locale=C.UTF-8'];

export async function startDebianPostgres(
  settings: Readonly<Record<string, string | number>> = {},
): Promise<PrivatePostgres> {
  return await launchPrivate({
    binaries: POSTGRES_DEBIAN,
    run: inject('postgresRun'),
    locale: LOCALE,
    settings,
  });
}

/** A streaming replica. */
export interface ReplicaDEssai {
  readonly url: string;
  readonly port: number;
  start(): Promise<void>;
  stop(mode: StopMode): Promise<void>;
  remove(): Promise<void>;
}

/** Copies a running server, and follows it. */
export async function startReplica(
  principale: PrivatePostgres,
  settings: Readonly<Record<string, string | number>> = {},
): Promise<ReplicaDEssai> {
  const account = await serverAccount('');
  const home = await mkdtemp(join(await roomFor(account), `${PREFIX}${inject('postgresRun')}-`));
  await chmod(home, 0o755);
  const server: Server = { home, binaries: principale.binaries, account };
  const data = dataOf(home);
  await mkdir(data, { mode: 0o700 });
  if (account) await chown(data, account.uid, account.gid);
  const program = join(principale.binaries.dir, 'bin', 'pg_basebackup');
  const args = ['-D', data, '-R', '-X', 'stream', '--checkpoint=fast', '--no-sync', '-d', principale.url];
  const child = spawn(program, args, { ...identity(server), stdio: ['ignore', 'ignore', 'pipe'] });
  const said: Buffer[] = [];
  child.stderr.on('data', (piece: Buffer) => said.push(piece));
  const [code] = await once(child, 'close');
  if (code !== 0) throw failure(home, 'pg_basebackup', Buffer.concat(said).toString());
  const port = await freePort();
  const start = async (): Promise<void> => {
    const all = { max_connections: 200, shared_buffers: '64MB', fsync: 'off', hot_standby_feedback: 'on' };
    const result = await launch(server, port, { ...all, ...settings });
    if (result !== 'ready') throw failure(home, result);
  };
  await start();
  const url = new URL(principale.url);
  url.port = String(port);
  return {
    url: url.href,
    port,
    start,
    stop: async (mode) => void (await halt(data, mode)),
    async remove() {
      await halt(data, 'immediate');
      await rm(home, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

export const PGBOUNCER = ['/usr/sbin/pgbouncer', '/usr/bin/pgbouncer'].find((path) => existsSync(path));

/** A pooler. */
export interface PgBouncerDEssai {
  /** an address that leads through it instead */
  par(url: string): string;
  arreter(): Promise<void>;
}

/**
 * Debian's PgBouncer in transaction mode, before one server.
 *
 * @param connexions to the server, at most: few, so that clients share them
 */
export async function startPgBouncer(
  cible: { readonly url: string },
  { connexions = 2, reglages = '' } = {},
): Promise<PgBouncerDEssai> {
  const account = await serverAccount('');
  const home = await mkdtemp(join(await roomFor(account), `${PREFIX}${inject('postgresRun')}-`));
  await chmod(home, 0o755);
  const port = await freePort();
  const { hostname, port: portCible, username, password } = new URL(cible.url);
  await writeFile(join(home, 'comptes'), `"${username}" "${decodeURIComponent(password)}"\n`);
  await writeFile(
    join(home, 'pgbouncer.ini'),
    `[databases]
* = host=${hostname} port=${portCible}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${join(home, 'comptes')}
pool_mode = transaction
default_pool_size = ${connexions}
${reglages}
`,
  );
  const child = spawn(PGBOUNCER!, [join(home, 'pgbouncer.ini')], { cwd: home, ...account, stdio: 'ignore' });
  const ended = once(child, 'close');
  await vi.waitUntil(() => answers(port), { timeout: 20_000 });
  return {
    par(url) {
      const through = new URL(url);
      through.port = String(port);
      return through.href;
    },
    async arreter() {
      child.kill('SIGTERM');
      await ended;
      await rm(home, { recursive: true, force: true });
    },
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
