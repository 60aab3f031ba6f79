import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chownSync,
  closeSync,
  existsSync,
  lchownSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createConnection } from 'mysql2/promise';
import { AtelierError, messageOf } from '../base/errors.ts';
import {
  accountToRunAs,
  homeOf,
  makeHome,
  ownerOf,
  paquetsManquants,
  pathsOf,
  pickPort,
  program,
} from './mariadb-lieux.ts';

/** A running private server; only this machine can reach it, only with the password. */
export interface MariadbServer {
  readonly host: '127.0.0.1';
  readonly port: number;
  /** administrator of this private server, never of a real ERP */
  readonly user: 'root';
  readonly password: string;
  readonly pid: number;
  /** where the data and `mariadb.log` are */
  readonly dir: string;
}

export interface MariadbOptions {
  /** InnoDB buffer pool, in MiB. @default 64 */
  readonly bufferPoolMb?: number;
  /** fixed port; without it, the port of the last start when it is free, else a free one */
  readonly port?: number;
  /** false: the server ends with this process's group (tests). @default true */
  readonly detached?: boolean;
  /** more words for the server, after ours */
  readonly mots?: readonly string[];
}

/** Seconds: a cold start takes about one, crash recovery on a slow disk some more. */
const START_LIMIT_S = 60;
const STOP_LIMIT_S = 30;

/** Whether every program that a private MariaDB needs is on this machine. */
export function isMariadbAvailable(): boolean {
  return paquetsManquants().length === 0;
}

/**
 * Starts a private MariaDB whose data live in `dir`, or finds the one that runs there already.
 *
 * As root the server runs as `mysql` or `nobody`; when that account cannot enter `dir` (below a folder of
 * mode 700), the data are put in a folder of `/var/lib/atelier-mariadb` that is named after `dir`.
 *
 * @throws AtelierError ATL_E409 when MariaDB is absent or does not start (the message names its log)
 */
export async function startMariadb(dir: string, options: MariadbOptions = {}): Promise<MariadbServer> {
  const running = await mariadbStatus(dir);
  if (running) return running;
  const mariadbd = program('mariadbd');
  const missing = paquetsManquants();
  if (!mariadbd || missing.length > 0) {
    throw new AtelierError('ATL_E409', `Démarrage de MariaDB : il manque ${missing.join(' et ')}`);
  }
  const home = homeOf(dir);
  const paths = pathsOf(home);
  const account = accountToRunAs();
  const owner = account ? ownerOf(account) : undefined;
  await makeHome(home, owner);
  if (!existsSync(join(paths.data, 'mysql'))) await initialise(home, account, owner);
  const password = readOrCreatePassword(paths.password);
  // The accounts are set at every start: no window where root has no password over TCP.
  writeFileSync(paths.init, initSql(password), { mode: 0o600 });
  if (owner) chownSync(paths.init, owner.uid, owner.gid);
  const port = options.port ?? (await pickPort(paths.port));
  writeFileSync(paths.port, String(port));
  const log = openSync(paths.log, 'a', 0o600);
  const child = spawn(mariadbd, serverArguments(home, port, account, options), {
    stdio: ['ignore', log, log],
    detached: options.detached ?? true,
    cwd: home,
  });
  closeSync(log);
  child.unref();
  const exited = new Promise<string>((done) => {
    child.once('error', (error) => done(messageOf(error)));
    child.once('exit', (code, signal) => done(`arrêt immédiat (${code ?? signal})`));
  });
  const limit = Date.now() + START_LIMIT_S * 1000;
  while (Date.now() < limit) {
    const ended = await Promise.race([exited, sleep(40)]);
    if (typeof ended === 'string') {
      throw new AtelierError('ATL_E409', `Démarrage de MariaDB : ${ended} ; voir ${paths.log}`);
    }
    const server = await mariadbStatus(dir);
    if (server) return server;
  }
  child.kill('SIGKILL');
  throw new AtelierError(
    'ATL_E409',
    `Démarrage de MariaDB : pas de réponse en ${START_LIMIT_S} s ; voir ${paths.log}`,
  );
}

/** The server that runs on the data of `dir` and answers with its password, or undefined. */
export async function mariadbStatus(dir: string): Promise<MariadbServer | undefined> {
  const home = homeOf(dir);
  const paths = pathsOf(home);
  if (!existsSync(paths.pid) || !existsSync(paths.port) || !existsSync(paths.password)) return undefined;
  const port = Number(readFileSync(paths.port, 'utf8'));
  const pid = Number(readFileSync(paths.pid, 'utf8'));
  const password = readFileSync(paths.password, 'utf8');
  const server: MariadbServer = { host: '127.0.0.1', port, user: 'root', password, pid, dir: home };
  try {
    const connection = await connect(server);
    await connection.end();
    return server;
  } catch {
    return undefined;
  }
}

/**
 * Stops the server that runs on the data of `dir`. Does nothing when none runs.
 *
 * @throws AtelierError ATL_E409 when it still runs after 30 s
 */
export async function stopMariadb(dir: string): Promise<void> {
  const server = await mariadbStatus(dir);
  if (!server) return;
  const connection = await connect(server);
  // Asked in SQL: a pid of an old file may be someone else's by now. The answer may be cut off by the stop itself.
  await connection.query('SHUTDOWN').catch(() => undefined);
  connection.destroy();
  const limit = Date.now() + STOP_LIMIT_S * 1000;
  while (Date.now() < limit) {
    // The pid file is the last thing that the server removes.
    if (!existsSync(pathsOf(server.dir).pid)) return;
    await sleep(40);
  }
  throw new AtelierError(
    'ATL_E409',
    `Arrêt de MariaDB (${server.dir}) : toujours en marche après ${STOP_LIMIT_S} s`,
  );
}

/** Removes the data of `dir`, wherever they were put. The server must be stopped. */
export function removeMariadb(dir: string): void {
  rmSync(homeOf(dir), { recursive: true, force: true });
}

function connect(server: MariadbServer) {
  const { host, port, user, password } = server;
  return createConnection({ host, port, user, password, connectTimeout: 2000 });
}

async function initialise(
  home: string,
  account: string | undefined,
  owner: { uid: number; gid: number } | undefined,
): Promise<void> {
  const { data, log } = pathsOf(home);
  rmSync(data, { recursive: true, force: true });
  // The script takes a blank in a path for the end of a word: it is given another way there, of a name that nobody foresees.
  const way = mkdtempSync(join(tmpdir(), 'atelier-mariadb-'));
  if (owner) lchownSync(way, owner.uid, owner.gid);
  symlinkSync(home, join(way, 'base'));
  const seen = pathsOf(join(way, 'base'));
  const args = [
    '--no-defaults',
    `--datadir=${seen.data}`,
    '--skip-test-db',
    '--skip-name-resolve',
    '--force',
  ];
  args.push(
    '--auth-root-authentication-method=normal',
    '--innodb-log-file-size=8M',
    '--innodb-use-native-aio=0',
  );
  // The tables of an empty server need no disk flush: a crash here only means starting over.
  args.push('--innodb-flush-log-at-trx-commit=0', '--innodb-buffer-pool-size=16M', '--aria-log-file-size=8M');
  args.push(`--tmpdir=${seen.tmp}`);
  if (account) args.push(`--user=${account}`);
  try {
    await promisify(execFile)(program('mariadb-install-db')!, args, { cwd: home });
  } catch (cause) {
    writeFileSync(log, messageOf(cause), { flag: 'a' });
    rmSync(data, { recursive: true, force: true });
    throw new AtelierError('ATL_E409', `Préparation des données de MariaDB : voir ${log}`, { cause });
  } finally {
    rmSync(way, { recursive: true, force: true });
  }
}

function serverArguments(
  home: string,
  port: number,
  account: string | undefined,
  options: MariadbOptions,
): string[] {
  const { data, pid, init, tmp } = pathsOf(home);
  const args = ['--no-defaults', `--datadir=${data}`, `--pid-file=${pid}`, `--init-file=${init}`];
  args.push(
    `--tmpdir=${tmp}`,
    '--bind-address=127.0.0.1',
    `--port=${port}`,
    '--skip-name-resolve',
    '--skip-log-bin',
  );
  // Relative to the data: a full path may pass the 107 bytes that a socket's name can have.
  args.push('--socket=mariadb.sock', '--performance-schema=OFF', '--innodb-use-native-aio=0');
  args.push('--character-set-server=utf8mb4', '--collation-server=utf8mb4_general_ci');
  args.push(`--innodb-buffer-pool-size=${options.bufferPoolMb ?? 64}M`, '--innodb-log-file-size=32M');
  args.push('--innodb-flush-log-at-trx-commit=2', '--max-allowed-packet=64M');
  if (account) args.push(`--user=${account}`);
  return [...args, ...(options.mots ?? [])];
}

function initSql(password: string): string {
  return [
    `ALTER USER 'root'@'localhost' IDENTIFIED BY '${password}';`,
    `CREATE OR REPLACE USER 'root'@'127.0.0.1' IDENTIFIED BY '${password}';`,
    "GRANT ALL PRIVILEGES ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION;",
    "DROP USER IF EXISTS 'root'@'::1', ''@'localhost';",
    '',
  ].join('\n');
}

function readOrCreatePassword(file: string): string {
  if (!existsSync(file)) writeFileSync(file, randomBytes(24).toString('base64url'), { mode: 0o600 });
  return readFileSync(file, 'utf8');
}
