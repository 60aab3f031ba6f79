/** Where a private MariaDB finds its program, its account, its port and its files. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { readEnv } from '../base/config.ts';

const isRoot = process.getuid?.() === 0;

/** Looked at after the PATH: Debian keeps the server in /usr/sbin, which an ordinary user's PATH leaves out. */
const PROGRAM_DIRS = ['/usr/sbin', '/usr/local/sbin', '/usr/bin', '/usr/local/bin', '/sbin'];

/**
 * What a private MariaDB is made with and runs on, and the Debian package of each. The script that makes the data folder
 * reads its options by `my_print_defaults`, which is in the client's package.
 */
export const PROGRAMMES_MARIADB = [
  { program: 'mariadbd', debian: 'mariadb-server-core' },
  { program: 'mariadb-install-db', debian: 'mariadb-server-core' },
  { program: 'my_print_defaults', debian: 'mariadb-client-core' },
] as const;

/** Debian packages of which a program is missing here; none when a private MariaDB can run. */
export function paquetsManquants(): string[] {
  const missing = PROGRAMMES_MARIADB.filter((each) => program(each.program) === undefined);
  return [...new Set(missing.map(({ debian }) => debian))];
}

/** The files of a server's folder. */
export function pathsOf(home: string) {
  const at = (name: string): string => join(home, name);
  return {
    data: at('donnees'),
    pid: at('mariadb.pid'),
    port: at('port'),
    password: at('mot-de-passe'),
    init: at('comptes.sql'),
    log: at('mariadb.log'),
    tmp: at('tmp'),
  };
}

/**
 * Where the data of `dir` really are: `dir` itself, unless we are root and the server's account cannot enter it, or its
 * path has a blank, which the installation script of MariaDB takes for the end of a word.
 */
export function homeOf(dir: string): string {
  const wanted = resolve(dir);
  if (!/\s/.test(wanted) && (!isRoot || isReachable(dirname(wanted)))) return wanted;
  const mark = createHash('sha256').update(wanted).digest('hex').slice(0, 12);
  return join(tmpdir(), `atelier-mariadb-${mark}`);
}

function isReachable(folder: string): boolean {
  for (let current = folder; ; current = dirname(current)) {
    if (existsSync(current) && (statSync(current).mode & 0o001) === 0) return false;
    if (current === dirname(current)) return true;
  }
}

/** MariaDB refuses to run as root by accident, and should not do it on purpose either. */
export function accountToRunAs(): string | undefined {
  return isRoot ? ['mysql', 'nobody'].find((name) => ownerOf(name)) : undefined;
}

/** Numbers of an account of this machine, or undefined when there is none of that name. */
export function ownerOf(account: string): { uid: number; gid: number } | undefined {
  const id = (flag: string): number =>
    Number(spawnSync('id', [flag, account], { encoding: 'utf8' }).stdout || Number.NaN);
  const owner = { uid: id('-u'), gid: id('-g') };
  return Number.isNaN(owner.uid) || Number.isNaN(owner.gid) ? undefined : owner;
}

/** Full path of a program of MariaDB, or undefined. */
export function program(name: string): string | undefined {
  const path = (readEnv()['PATH'] ?? '').split(delimiter).filter((folder) => folder.startsWith('/'));
  return [...path, ...PROGRAM_DIRS]
    .map((folder) => join(folder, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** The port written in `file` when it is free, else any free one. */
export async function pickPort(file: string): Promise<number> {
  const last = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
  return (await tryPort(last)) ?? (await tryPort(0))!;
}

function tryPort(port: number): Promise<number | undefined> {
  return new Promise((done) => {
    const server = createServer();
    server.once('error', () => done(undefined));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => done(typeof address === 'object' && address ? address.port : undefined));
    });
  });
}
