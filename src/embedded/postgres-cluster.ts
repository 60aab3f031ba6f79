import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, type FileHandle, mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AtelierError } from '../base/errors.ts';
import { type Account, isRoot } from './postgres-account.ts';
import { type Binaries, program } from './postgres-binaries.ts';

/** One server: where it lives and under whom. Nothing here knows of the product's folder. */
export interface Server {
  /** folder of `data`, of the log and of drafts; ours, and traversable by `account` */
  readonly home: string;
  readonly binaries: Binaries;
  readonly account: Account | undefined;
}

/** Superuser and database, of the same name. */
export const OWNER = 'atelier';

export function dataOf(home: string): string {
  return join(home, 'data');
}

export function logOf(home: string): string {
  return join(home, 'server.log');
}

/** Address of the server's own database, or of another one. */
export function addressOf(port: number, password: string, database: string = OWNER): string {
  return `postgresql://${OWNER}:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`;
}

/** A password that no address or SQL literal needs to escape. */
export function randomPassword(): string {
  return randomBytes(24).toString('base64url');
}

/** A locale or a `PG…` setting of the caller must change neither the cluster nor the words in the log. */
const ENV: NodeJS.ProcessEnv | undefined =
  process.platform === 'win32' ? undefined : { LC_ALL: 'C', PATH: '/usr/bin:/bin' };

const DRAFT = 'data.brouillon.';

/** The same order of texts on every machine; PostgreSQL 17 and newer. */
const LOCALE = ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];

/**
 * Makes the data folder, with its superuser and its database, in a draft that is renamed once whole:
 * what is killed half-way leaves nothing that looks like data.
 *
 * @param options `locale`: arguments of initdb, for servers that do not know the usual ones
 */
export async function initCluster(
  server: Server,
  password: string,
  options: { sync: boolean; locale?: readonly string[] },
): Promise<void> {
  for (const name of await readdir(server.home)) {
    if (name.startsWith(DRAFT))
      await rm(join(server.home, name), { recursive: true, force: true, maxRetries: 9 });
  }
  // A name of its own: the initdb of a killed command may still be writing to the former one.
  const draft = join(server.home, `${DRAFT}${randomBytes(4).toString('hex')}`);
  const secret = `${draft}.secret`;
  await mkdir(draft, { mode: 0o700 });
  await writeFile(secret, password, { mode: 0o600 });
  try {
    if (server.account) {
      await chown(draft, server.account.uid, server.account.gid);
      await chown(secret, server.account.uid, server.account.gid);
    }
    const args = ['-D', draft, '-U', OWNER, `--pwfile=${secret}`, '--auth=scram-sha-256', '--encoding=UTF8'];
    args.push(...(options.locale ?? LOCALE), '--no-instructions');
    if (!options.sync) args.push('--no-sync');
    await runProgram(server, 'initdb', args);
    await singleUser(server, draft, `CREATE DATABASE ${OWNER}`);
    await rename(draft, dataOf(server.home));
  } finally {
    await rm(secret, { force: true });
  }
}

/** Gives the superuser a password again, on a stopped server whose own was lost. */
export async function resetPassword(server: Server, password: string): Promise<void> {
  await singleUser(server, dataOf(server.home), `ALTER ROLE ${OWNER} PASSWORD '${password}'`);
}

function singleUser(server: Server, data: string, sql: string): Promise<void> {
  // `exit_on_error`: single-user mode otherwise reports a refused statement and leaves with 0.
  return runProgram(server, 'postgres', ['--single', '-D', data, '-c', 'exit_on_error=on', 'postgres'], sql);
}

async function runProgram(
  server: Server,
  name: 'initdb' | 'postgres',
  args: string[],
  input = '',
): Promise<void> {
  const log = await openLog(server.home);
  try {
    const child = spawn(program(server.binaries, name), args, {
      ...identity(server),
      stdio: ['pipe', log.fd, log.fd],
    });
    child.stdin?.on('error', () => {});
    child.stdin?.end(`${input}\n`);
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (code !== 0) throw failure(server.home, `${name} a échoué (code ${code})`);
  } finally {
    await log.close();
  }
}

/** How a program of the server is started: under its account, with nothing of the caller's surroundings. */
export function identity(server: Server): {
  cwd: string;
  env?: NodeJS.ProcessEnv;
  uid?: number;
  gid?: number;
} {
  // The folder of the caller may be closed to the account, and PostgreSQL wants to know where it is.
  return { cwd: server.home, ...(ENV && { env: ENV }), ...server.account };
}

/** The log grows for years on a machine that nobody visits: one older file is kept. */
const LOG_BYTES = 10_000_000;

/** Opens the log to append to it; the caller closes it. */
export async function openLog(home: string): Promise<FileHandle> {
  const path = logOf(home);
  const size = await stat(path).then(
    (info) => info.size,
    () => 0,
  );
  if (size > LOG_BYTES) await rename(path, `${path}.1`);
  const log = await open(path, 'a', 0o640);
  if (isRoot()) {
    // A user's server that root starts once must not end up with a log that the user cannot write.
    const { uid, gid } = await stat(home);
    await log.chown(uid, gid);
  }
  return log;
}

/** The numbered error of this room: names the log, and quotes its end when it has something to say. */
export function failure(home: string, message: string, said = ''): AtelierError {
  const last = said
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-4)
    .map((line) => `\n  ${line.trim()}`)
    .join('');
  return new AtelierError(
    'ATL_D305',
    `Serveur PostgreSQL embarqué : ${message} ; son journal est ${logOf(home)}${last}`,
  );
}
