/** Where a private MariaDB finds its program, its account, its port and its files. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  statSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, dirname, join, resolve } from 'node:path';
import { readEnv } from '../base/config.ts';
import { AtelierError } from '../base/errors.ts';
import { makeOpenFolder } from './postgres-access.ts';

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

/** Where homes go that cannot be below root's closed folders: only root can make a name there. */
const ELSEWHERE = '/var/lib/atelier-mariadb';

/**
 * Where the data of `dir` really are: `dir` itself, unless we are root and the server's account cannot enter it. Never
 * below a temporary folder that is everybody's: a name that can be foretold is made there first by somebody else.
 */
export function homeOf(dir: string): string {
  const wanted = resolve(dir);
  if (!isRoot || isReachable(dirname(wanted))) return wanted;
  const mark = createHash('sha256').update(wanted).digest('hex').slice(0, 12);
  return join(ELSEWHERE, mark);
}

/**
 * Makes `home` for its owner only, and the folders above it that are missing for everybody to go through.
 *
 * @param owner the account that the server runs as, when it is another one
 * @throws AtelierError ATL_E409 when something that is not ours stands there
 */
export async function makeHome(home: string, owner: { uid: number; gid: number } | undefined): Promise<void> {
  await makeOpenFolder(dirname(home));
  const { tmp } = pathsOf(home);
  // The second, its own: a server that starts removes what others, a real ERP's too, have in a temporary folder that they
  // share.
  for (const folder of [home, tmp]) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const found = lstatSync(folder);
    const ours = found.uid === process.getuid?.() || found.uid === owner?.uid || process.platform === 'win32';
    if (!found.isDirectory() || !ours) {
      throw new AtelierError(
        'ATL_E409',
        `Préparation de MariaDB : ${folder} n’est pas un dossier de ce compte (un autre l’a fait, ou c’est un lien) ; retirez-le`,
      );
    }
    if (owner) lchownSync(folder, owner.uid, owner.gid);
  }
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
