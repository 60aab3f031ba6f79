// O15, F34: no room. A backup or restoration says so, leaves nothing half, gives the room back, and works when there is
// some again.

import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Depot } from '../../src/archives/sauvegarde/depot.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { createPool } from '../../src/postgres/pool.ts';
import { DAY, type Finished, type Installation, install } from '../harness/cli.ts';
import { createDatabase, sansMotDePasse } from '../harness/postgres.ts';
import { toutesLesLignes } from '../harness/sauvegarde.ts';

const exec = promisify(execFile);
let place: Installation;
const closers: (() => Promise<unknown>)[] = [];
beforeAll(async () => {
  place = await install();
  // Events that are counted by name alone: archives of 48 KiB, small tables.
  for (let day = 1; day <= 4; day++) {
    const jour = `2025052${day}`;
    const noise = (): string => `${jour} 05:00:00|@Zaagcyclus: ${randomBytes(24_000).toString('base64')}\r\n`;
    await place.write(`DEM12/${jour}.LOG`, noise() + noise() + DAY.replaceAll('20250528', jour));
  }
  expect((await place.run(['ingest'])).code).toBe(0);
}, 60_000);
afterAll(async () => {
  for (const close of closers.reverse()) await close();
  await place.close();
});

/** A folder on a disk of its own, as small as asked for; without the right to mount, a limit of the process. */
async function petit(
  nom: string,
  kio: number,
): Promise<{ path: string; before: string[]; agrandir(): Promise<void> }> {
  const path = join(place.home, nom);
  await mkdir(path);
  const mounted = await exec('mount', ['-t', 'tmpfs', '-o', `size=${kio}k`, 'tmpfs', path]).then(
    () => true,
    () => false,
  );
  if (mounted) closers.push(() => exec('umount', ['-l', path]));
  return {
    path,
    before: mounted ? [] : ['sh', '-c', `trap '' XFSZ; ulimit -f ${kio / 4}; exec "$0" "$@"`],
    async agrandir() {
      if (mounted) await exec('mount', ['-o', 'remount,size=32m', path]);
    },
  };
}

function refuse({ code, stderr }: Finished, codeErreur: string): void {
  expect([code, stderr]).toEqual([1, expect.stringContaining(codeErreur)]);
  expect(stderr).toMatch(/ENOSPC|EFBIG/);
  expect(stderr).toContain('place libre');
}

it.each([
  ['its tables', 16],
  ['its archives', 160],
])(
  'O15, F34: a backup has no room for %s: ATL_B901, no half one, the next one is whole',
  async (_, kio) => {
    const disque = await petit(`sauvegardes-${kio}`, kio);
    const env = { SAUVEGARDE_DIR: disque.path };
    refuse(await place.run(['backup'], { env, before: disque.before }), 'ATL_B901');
    const depot = new Depot(disque.path, []);
    expect(await depot.noms()).toEqual([]);
    const left = await readdir(disque.path, { recursive: true });
    expect(left.filter((name) => !/^archives(\/\d+(\/[0-9a-f]{64}\.zst)?)?$/.test(name))).toEqual([]);
    const { rows } = await place.pool.query(
      `SELECT etat, erreur FROM execution WHERE tache = 'sauvegarde' ORDER BY id DESC LIMIT 1`,
    );
    expect(rows).toEqual([{ etat: 'echouee', erreur: expect.stringMatching(/ENOSPC|EFBIG/) }]);
    await disque.agrandir();
    const made = await place.run(['backup', '--json'], { env });
    expect([made.code, JSON.parse(made.stdout)]).toMatchObject([0, { etat: 'reussie', archives: 4 }]);
    const verify = await place.run(['backup', 'verify', JSON.parse(made.stdout).nom], { env });
    expect([verify.code, verify.stdout]).toEqual([0, expect.stringContaining('entière')]);
  },
  60_000,
);

it('O15, F34: a restoration has no room for the archives: the base stays empty, then all comes', async () => {
  const env = { SAUVEGARDE_DIR: join(place.home, 'sauvegardes') };
  const { nom } = JSON.parse((await place.run(['backup', '--json'], { env })).stdout) as { nom: string };
  const disque = await petit('archives-restaurees', 80);
  const { url, drop } = await createDatabase({ template: false });
  const pool = createPool(url, { logger: silentLogger(), max: 1 });
  // Not one of those who are in the way of a restoration.
  pool.options.application_name = 'lecteur';
  closers.push(async () => {
    await pool.end();
    await drop();
  });
  const { adresse, secret } = sansMotDePasse(url);
  const own = { ...env, ...secret, ARCHIVES_DIR: disque.path };
  const args = ['restore', nom, '--vers-base', adresse, '--oui'];
  refuse(await place.run(args, { env: own, before: disque.before }), 'ATL_L203');
  expect(await toutesLesLignes(pool)).toEqual({});
  expect(await readdir(join(disque.path, 'en-attente'))).toEqual([]);
  await disque.agrandir();
  const done = await place.run(args, { env: own });
  expect(done.code, done.stderr).toBe(0);
  const count = 'SELECT count(*) AS n FROM piece_production';
  expect((await pool.query(count)).rows).toEqual((await place.pool.query(count)).rows);
  expect((await readdir(join(disque.path, '1'))).length).toBe(4);
}, 60_000);
