import { createHash } from 'node:crypto';
import { chmod, chown, mkdir, readFile, realpath, rename, stat, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { AtelierError, codeOf } from '../base/errors.ts';
import { isRoot, reachable, serverAccount } from './postgres-account.ts';
import { dataOf } from './postgres-cluster.ts';

/** What the product knows of its embedded server between two commands. */
export interface Access {
  /** folder of the data and of the log: beside this file, or elsewhere when root's folders are closed */
  readonly home: string;
  readonly port: number;
  readonly password: string;
}

/** As it is on the disk. */
interface AccessFile {
  /** null: the folder of the file itself, so that a moved project finds its data */
  readonly home: string | null;
  /** the folder that a home elsewhere was made for: tells a moved folder from a copied one */
  readonly dataDir: string;
  readonly port: number;
  readonly password: string;
}

/** Where homes go that cannot be in the project. */
const ELSEWHERE = '/var/lib/atelier';

/** Folder of the embedded PostgreSQL inside `dataDir`. */
export function folderOf(dataDir: string): string {
  return join(resolve(dataDir), 'postgres');
}

/** The access file of `dataDir`, or undefined when there is none that counts. */
export async function readAccess(dataDir: string): Promise<Access | undefined> {
  const folder = folderOf(dataDir);
  let file: AccessFile;
  try {
    file = JSON.parse(await readFile(join(folder, 'acces.json'), 'utf8'));
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return undefined;
    if (codeOf(cause) === 'EACCES') {
      throw new AtelierError(
        'ATL_D305',
        `Serveur PostgreSQL embarqué : ${folder} appartient à un autre utilisateur`,
        { cause },
      );
    }
    // Emptied by a power cut: the password is set anew.
    if (cause instanceof SyntaxError) return undefined;
    throw cause;
  }
  if (file.home !== null && file.dataDir !== (await realpath(dataDir)) && (await isThere(file.dataDir))) {
    // A copied folder: the data elsewhere belong to the original.
    return undefined;
  }
  return { home: file.home ?? folder, port: file.port, password: file.password };
}

/** Writes the access file, whole or not at all, for the owner's eyes only. */
export async function writeAccess(dataDir: string, access: Access): Promise<void> {
  const folder = folderOf(dataDir);
  const file: AccessFile = {
    home: access.home === folder ? null : access.home,
    dataDir: await realpath(dataDir),
    port: access.port,
    password: access.password,
  };
  const draft = join(folder, `acces.json.${process.pid}`);
  await writeFile(draft, `${JSON.stringify(file, null, 2)}\n`, { mode: 0o600, flush: true });
  if (isRoot()) {
    // A user's server that root starts once stays the user's.
    const { uid, gid } = await stat(folder);
    await chown(draft, uid, gid);
  }
  await rename(draft, join(folder, 'acces.json'));
}

/**
 * Where the server of `dataDir` lives, made if need be: as a rule inside; under `/var/lib/atelier` when we are
 * root and the account that the server gets cannot come through (a project under /root).
 */
export async function placeOf(
  dataDir: string,
  access: Access | undefined,
): Promise<{ home: string; orphan: boolean }> {
  const folder = folderOf(dataDir);
  const home = access?.home ?? folder;
  if (await isThere(dataOf(home))) {
    const account = await serverAccount(dataOf(home));
    // Not the data folder itself: a copy made by root is root's until it is given to the account.
    if (!account || (await reachable(home, account, 'traverse'))) return { home, orphan: false };
    throw new AtelierError(
      'ATL_D305',
      `Serveur PostgreSQL embarqué : ses données sont dans ${home}, que le compte ${account.uid} ne peut plus traverser (chmod o+x sur les dossiers du chemin)`,
    );
  }
  if (access && home !== folder) {
    await makeOpenFolder(home);
    return { home, orphan: false };
  }
  const account = await serverAccount(dataOf(folder));
  if (!account || (await reachable(folder, account, 'traverse'))) return { home: folder, orphan: false };
  const hash = createHash('sha256')
    .update(await realpath(dataDir))
    .digest('hex');
  const elsewhere = join(ELSEWHERE, hash.slice(0, 12));
  const orphan = await isThere(dataOf(elsewhere));
  await makeOpenFolder(elsewhere);
  return { home: elsewhere, orphan };
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Makes a folder, and those above it, that everybody may traverse whatever the umask. */
export async function makeOpenFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true });
  if (first === undefined) return;
  const made = relative(first, path).split(/[/\\]/).filter(Boolean);
  for (let depth = 0; depth <= made.length; depth++) {
    await chmod(join(first, ...made.slice(0, depth)), 0o755);
  }
}
