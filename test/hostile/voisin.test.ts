// A hostile neighbour: another ordinary account of the same machine. It makes names before we do, reads what is open,
// watches the list of processes, knocks at ports of this machine and fills the temporary folder of everybody.

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { removeMariadb, startMariadb, stopMariadb } from '../../src/embedded/mariadb.ts';
import { type Finished, startAtelier } from '../harness/cli.ts';
import { SANS_MARIADB } from '../harness/mariadb.ts';

const ROOT = process.getuid?.() === 0;
const NEIGHBOUR = 54_321;
const AS_NEIGHBOUR = ['setpriv', `--reuid=${NEIGHBOUR}`, `--regid=${NEIGHBOUR}`, '--clear-groups'];
/** runs a command as the neighbour */
function neighbour(...command: string[]) {
  const [program, ...args] = [...AS_NEIGHBOUR, ...command];
  return spawnSync(program!, args, { encoding: 'utf8', maxBuffer: 1e8 });
}

let place: string;
/** the temporary folder of everybody */
let shared: string;
/** of the account that runs atelier */
let home: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'atelier-voisin-'));
  chmodSync(place, 0o755);
  shared = join(place, 'tmp');
  home = join(place, 'home');
  mkdirSync(shared);
  chmodSync(shared, 0o1777);
  mkdirSync(home);
  chmodSync(home, 0o755);
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

const help = async (env: Record<string, string> = {}): Promise<Finished> =>
  await startAtelier(['sessions', '--help'], {
    env: { HOME: home, TMPDIR: shared, NODE_COMPILE_CACHE: '', ...env },
    cwd: home,
  }).ended;
const below = (dir: string): string[] => readdirSync(dir, { recursive: true }) as string[];

describe.skipIf(!ROOT)('a hostile neighbour on the machine: names made before we do', () => {
  it('code that it plants for the compile cache is neither looked for nor kept', async () => {
    neighbour('mkdir', '-m', '777', join(shared, 'node-compile-cache'));
    expect((await help()).code).toBe(0);
    expect(below(shared)).toEqual(['node-compile-cache']);
    const cache = join(home, '.cache', 'atelier', 'compile');
    expect(statSync(cache).mode & 0o777).toBe(0o700);
    expect(below(cache).length).toBeGreaterThan(10);
    expect(neighbour('ls', cache).status).not.toBe(0);
  });

  it.each<[string, (cache: string, trap: string) => void]>([
    ['a link in its place', (cache, trap) => symlinkSync(trap, cache)],
    [
      'a folder of the neighbour',
      (cache) => {
        mkdirSync(cache);
        chownSync(cache, NEIGHBOUR, NEIGHBOUR);
        chmodSync(cache, 0o777);
      },
    ],
    [
      'a folder of ours that was open to all',
      (cache) => {
        mkdirSync(cache);
        chmodSync(cache, 0o777);
      },
    ],
    [
      'a folder above it that the neighbour may write',
      (cache) => {
        mkdirSync(cache, { mode: 0o700 });
        chmodSync(join(cache, '..'), 0o777);
      },
    ],
  ])('%s: no cache, and the command goes on', async (_, set) => {
    const trap = join(shared, 'trap');
    neighbour('mkdir', '-m', '777', trap);
    const above = join(home, '.cache', 'atelier');
    mkdirSync(above, { recursive: true, mode: 0o700 });
    const cache = join(above, 'compile');
    set(cache, trap);
    expect((await help()).code).toBe(0);
    expect(below(above).filter((name) => name !== 'compile')).toEqual([]);
    expect(below(trap)).toEqual([]);
  });

  it('a cache given by hand to which a link of the neighbour leads is refused, whatever it leads to now', async () => {
    const ours = join(home, 'cache');
    mkdirSync(ours, { mode: 0o700 });
    const theirs = join(shared, 'lien-du-voisin');
    expect(neighbour('ln', '-s', ours, theirs).status).toBe(0);
    const above = join(shared, 'au-dessus');
    expect(neighbour('ln', '-s', home, above).status).toBe(0);
    // Ours leads to theirs.
    const chain = join(home, 'chaine');
    symlinkSync(theirs, chain);
    // Ours, where the neighbour may put another one in its place.
    const open = join(home, 'ouvert');
    mkdirSync(open);
    chmodSync(open, 0o777);
    symlinkSync(ours, join(open, 'lien'));
    for (const cache of [
      theirs,
      join(above, 'cache'),
      chain,
      join(open, 'lien'),
      join(theirs, 'pas-encore'),
    ]) {
      const { code, stdout, stderr } = await help({ NODE_COMPILE_CACHE: cache });
      expect([cache, code, stdout, stderr]).toEqual([cache, 1, '', expect.stringContaining('chmod 700')]);
    }
    // A link of our own, in a folder of our own or in a sticky one, is a name like another.
    const link = join(home, 'lien-a-nous');
    symlinkSync('cache', link);
    symlinkSync(link, join(shared, 'lien-a-nous'));
    for (const cache of [link, join(shared, 'lien-a-nous'), join(link, 'pas-encore')])
      expect([cache, (await help({ NODE_COMPILE_CACHE: cache })).code]).toEqual([cache, 0]);
  });

  it('the home of the neighbour, which sudo may leave to root, gets nothing of root’s', async () => {
    chownSync(home, NEIGHBOUR, NEIGHBOUR);
    expect((await help()).code).toBe(0);
    expect(below(home)).toEqual([]);
    const other = await help({ XDG_CACHE_HOME: shared });
    expect(other.code).toBe(0);
    // Sticky: what we make there stays ours.
    expect(statSync(join(shared, 'atelier', 'compile')).uid).toBe(0);
    rmSync(join(shared, 'atelier'), { recursive: true });
    neighbour('mkdir', '-m', '777', join(shared, 'atelier'));
    expect((await help({ XDG_CACHE_HOME: shared })).code).toBe(0);
    expect(below(join(shared, 'atelier'))).toEqual([]);
  });

  it('a cache that somebody gave Node by hand, where the neighbour may write, is refused; one that is ours is taken', async () => {
    const open = join(shared, 'cache');
    neighbour('mkdir', '-m', '777', open);
    const ours = join(home, 'cache');
    mkdirSync(ours, { mode: 0o700 });
    const halfOpen = join(home, 'a-moitie');
    mkdirSync(halfOpen, { mode: 0o700 });
    chmodSync(halfOpen, 0o770);
    const below = join(home, 'dessous');
    mkdirSync(join(below, 'cache'), { recursive: true, mode: 0o700 });
    chmodSync(below, 0o777);
    const led = join(home, 'lien');
    symlinkSync(open, led);
    const first = join(shared, 'avant-nous');
    neighbour('mkdir', '-m', '755', first);
    for (const cache of [open, halfOpen, join(below, 'cache'), led, shared, first]) {
      const { code, stdout, stderr } = await help({ NODE_COMPILE_CACHE: cache });
      expect([cache, code, stdout, stderr]).toEqual([cache, 1, '', expect.stringContaining('chmod 700')]);
    }
    for (const cache of [ours, join(home, 'pas-encore')]) {
      expect([cache, (await help({ NODE_COMPILE_CACHE: cache })).code]).toEqual([cache, 0]);
    }
    expect((await help({ NODE_COMPILE_CACHE: open, NODE_DISABLE_COMPILE_CACHE: '1' })).code).toBe(0);
  });

  describe.skipIf(SANS_MARIADB)('the private MariaDB', () => {
    const before = process.env['TMPDIR'];
    beforeEach(() => {
      process.env['TMPDIR'] = shared;
    });
    afterEach(() => {
      if (before === undefined) delete process.env['TMPDIR'];
      else process.env['TMPDIR'] = before;
    });

    it('puts nothing in the temporary folder of everybody, wherever its own folder is', async () => {
      // A closed folder, which the server's account cannot enter; and one whose path has a blank.
      const closed = join(place, 'closed');
      mkdirSync(closed, { mode: 0o700 });
      const open = join(place, 'un blanc é');
      mkdirSync(open, { mode: 0o755 });
      for (const dir of [join(closed, 'mariadb'), join(open, 'mariadb')]) {
        const server = await startMariadb(dir, { detached: false });
        try {
          expect(below(shared)).toEqual([]);
          expect(server.dir.startsWith(shared)).toBe(false);
          // Nor where anybody else could have made it first.
          if (!server.dir.startsWith(place))
            for (let above = dirname(server.dir); above !== dirname(above); above = dirname(above))
              expect(statSync(above).mode & 0o022, above).toBe(0);
          expect(statSync(server.dir).mode & 0o777).toBe(0o700);
          for (const file of ['donnees', 'mot-de-passe', 'mariadb.log'])
            expect(neighbour('ls', join(server.dir, file)).status).not.toBe(0);
          // Only the password opens it.
          const login = neighbour(
            'sh',
            '-c',
            `mariadb --no-defaults --protocol=tcp -h127.0.0.1 -P${server.port} -uroot -e 'SELECT 1'`,
          );
          expect(login.status).not.toBe(0);
        } finally {
          await stopMariadb(dir);
          removeMariadb(dir);
        }
      }
    }, 120_000);

    it('does not start in a folder that somebody else made, or behind a link', async () => {
      neighbour('mkdir', '-m', '777', join(shared, 'mariadb'));
      const refused = /ATL_E409|n’est pas un dossier de ce compte/;
      await expect(startMariadb(join(shared, 'mariadb'))).rejects.toThrow(refused);
      expect(below(join(shared, 'mariadb'))).toEqual([]);
      symlinkSync(home, join(place, 'lien'));
      await expect(startMariadb(join(place, 'lien'))).rejects.toThrow(refused);
      expect(below(home)).toEqual([]);
    });
  });
});
