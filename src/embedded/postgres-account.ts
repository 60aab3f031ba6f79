import { spawnSync } from 'node:child_process';
import { lchown, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Under whom the server runs when we are root: PostgreSQL refuses to be. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** Whether an account of its own is needed (false on Windows, where there is no uid). */
export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/**
 * The account that the server runs under: the owner of `data` when it exists, else `postgres`, else
 * `atelier-pg`, made at need. Undefined when we are no root: the server is then ours.
 */
export async function serverAccount(data: string): Promise<Account | undefined> {
  if (!isRoot()) return undefined;
  const owner = await stat(data).catch(() => undefined);
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  const known = (await lookUp('postgres')) ?? (await lookUp(OWN_ACCOUNT));
  if (known) return known;
  spawnSync(
    'useradd',
    ['--system', '--user-group', '--no-create-home', '--shell', '/bin/false', OWN_ACCOUNT],
    {
      stdio: 'ignore',
    },
  );
  return (await lookUp(OWN_ACCOUNT)) ?? { uid: NOBODY, gid: NOBODY };
}

const OWN_ACCOUNT = 'atelier-pg';
/** `nobody` on every Linux */
const NOBODY = 65_534;

async function lookUp(name: string): Promise<Account | undefined> {
  const passwd = await readFile('/etc/passwd', 'utf8').catch(() => '');
  const fields = passwd
    .split('\n')
    .map((line) => line.split(':'))
    .find(([login]) => login === name);
  const [uid, gid] = [Number(fields?.[2]), Number(fields?.[3])];
  return uid > 0 && gid >= 0 ? { uid, gid } : undefined;
}

/** Gives `data` to the account when it is root's, as after a copy or a restore by root. */
export async function adopt(data: string, account: Account): Promise<void> {
  if ((await stat(data)).uid !== 0) return;
  for (const entry of await readdir(data, { recursive: true, withFileTypes: true })) {
    await lchown(join(entry.parentPath, entry.name), account.uid, account.gid);
  }
  // Last: until then the next try does it again.
  await lchown(data, account.uid, account.gid);
}

const BITS = { read: 4, execute: 1, traverse: 1 } as const;

/**
 * Whether `account` may do `what` with `path`, from the mode and owner of every folder on the way.
 * The server is started without supplementary groups, so these say all (access lists left aside).
 */
export async function reachable(path: string, account: Account, what: keyof typeof BITS): Promise<boolean> {
  let current: string;
  try {
    current = await realpath(path);
  } catch {
    return false;
  }
  if (!(await allows(current, account, BITS[what]))) return false;
  while (dirname(current) !== current) {
    current = dirname(current);
    if (!(await allows(current, account, BITS.traverse))) return false;
  }
  return true;
}

async function allows(path: string, account: Account, bit: number): Promise<boolean> {
  const { mode, uid, gid } = await stat(path);
  const shift = uid === account.uid ? 6 : gid === account.gid ? 3 : 0;
  return ((mode >> shift) & bit) !== 0;
}
