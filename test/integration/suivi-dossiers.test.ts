// F27, S27: what happens to folders while they are followed must never end the process, and is met within moments.

import { spawnSync } from 'node:child_process';
import { chmod, chown, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DossierLocal } from '../../src/sources/dossier.ts';
import { type Installation, install, ORDINARY, type Running } from '../harness/cli.ts';
import { listAll } from '../harness/sftp.ts';

/** A file is met within two seconds; the rest is for machines that do other things at the same time. */
const SOON = 60_000;
const ROOT = process.getuid?.() === 0;

let place: Installation;
const cleanUp: (() => unknown)[] = [];
beforeEach(async () => {
  place = await install();
});
afterEach(async () => {
  for (const work of cleanUp.splice(0).reverse()) await work();
  await place.close();
});

async function until(what: string, check: () => unknown, running?: Running): Promise<void> {
  const end = Date.now() + SOON;
  while (!(await check())) {
    if (running && running.process.exitCode !== null) throw new Error(`terminé : ${running.text()}`);
    if (Date.now() > end) throw new Error(`pas à temps : ${what}\n${running?.text() ?? ''}`);
    await sleep(25);
  }
}

async function count(sql: string, ...values: unknown[]): Promise<number> {
  return (await place.pool.query(sql, values)).rowCount ?? 0;
}

const pieces = (centre: string): Promise<number> =>
  count(
    'SELECT FROM piece_production p JOIN centre_usinage c ON c.id = p.centre_usinage_id WHERE c.nom = $1',
    centre,
  );

const piece = (second: number): string =>
  `20250528 06:00:${String(second).padStart(2, '0')}|@StukUitgevoerd: ${second}\r\n`;

/** Starts following, and waits until a first file is in. */
async function follow(args: readonly string[], before: readonly string[] = []): Promise<Running> {
  await place.write('DEM12/20250528.LOG', piece(1));
  const running = place.start(args, { METRICS_PORT: '0' }, before);
  cleanUp.push(async () => {
    running.process.kill('SIGKILL');
    await running.ended;
  });
  await until('première pièce', async () => (await pieces('DEM12')) === 1, running);
  return running;
}

/** Gives everything of the installation to the ordinary user. */
async function give(): Promise<void> {
  for (const name of ['', ...(await readdir(place.home, { recursive: true }))]) {
    await chown(join(place.home, name), ORDINARY.uid, ORDINARY.uid);
  }
}

describe.each([
  { name: 'ingest --watch', args: ['ingest', '--watch'] },
  { name: 'worker', args: ['worker', '--taches', 'aucune', '--sans-planification'] },
])('$name', ({ args }) => {
  test.runIf(ROOT)('a folder that is closed to us appears: said once, followed once it is open', async () => {
    await place.write('DEM12/20250528.LOG', piece(1));
    await give();
    const running = await follow(args, ORDINARY.before);
    const closed = join(place.logs, 'DEM12/fermé');
    // As `install -d` does: there for an instant with other rights.
    for (let i = 0; i < 20; i++) {
      await mkdir(join(place.logs, `DEM12/instant${i}`), { mode: 0o700 });
      await sleep(i);
      await chmod(join(place.logs, `DEM12/instant${i}`), 0o755);
    }
    await mkdir(closed, { mode: 0o700 });
    await mkdir(join(place.logs, 'FERME'), { mode: 0o700 });
    await place.write('DEM12/fermé/sous/20250529.LOG', piece(2));
    await place.write('SU12/20250528.LOG', piece(3));
    await until('autre centre', async () => (await pieces('SU12')) === 1, running);
    const erreur = `SELECT FROM fichier_log WHERE etat = 'erreur' AND chemin LIKE '%ferm%'`;
    await until('dossier fermé noté', async () => (await count(erreur)) === 1, running);
    await sleep(2_500);
    const told = running
      .text()
      .split('\n')
      .filter((line) => line.includes('DEM12/fermé'));
    expect(told.length).toBe(1);
    await chmod(closed, 0o755);
    await until('dossier ouvert', async () => (await pieces('DEM12')) === 2, running);
    await until('plus en erreur', async () => (await count(erreur)) === 0, running);
    await rm(join(place.logs, 'FERME'), { recursive: true });
    expect(running.process.exitCode).toBe(null);
  });

  test.each([
    { limit: 'max_inotify_instances', value: 0 },
    { limit: 'max_inotify_watches', value: 2 },
  ])('$limit is used up: said once, the scan goes on', async ({ limit, value }) => {
    const script = `echo ${value} > /proc/sys/user/${limit} && exec "$@"`;
    const before = ['unshare', '--user', '--map-root-user', 'sh', '-c', script, 'sh'];
    for (let i = 0; i < 5; i++) await place.write(`SU12/${i}/20250528.LOG`, '');
    const running = await follow(args, before);
    await place.write('DEMALU/nouveau/20250528.LOG', piece(1));
    await until('nouveau centre', async () => (await pieces('DEMALU')) === 1, running);
    await place.write('DEMALU/nouveau/20250528.LOG', piece(1) + piece(2));
    await until('deux pièces', async () => (await pieces('DEMALU')) === 2, running);
    await sleep(2_000);
    const told = running
      .text()
      .split('\n')
      .filter((line) => line.includes('plus d’événements de fichiers'));
    expect(told.length).toBe(1);
    expect(running.process.exitCode).toBe(null);
  });
});

test.runIf(ROOT)(
  'a disk mounted over a centre after the start, and taken away again, is followed',
  async () => {
    const running = await follow(['ingest', '--watch'], ['unshare', '--mount', '--propagation', 'private']);
    const { pid } = running.process;
    const centre = join(place.logs, 'DEM12');
    const inside = (...args: string[]): void => {
      const done = spawnSync('nsenter', ['-t', String(pid), '-m', ...args]);
      if (done.status !== 0) throw new Error(done.stderr.toString());
    };
    inside('mount', '-t', 'tmpfs', 'essai', centre);
    await writeFile(`/proc/${pid}/root${centre}/20250529.LOG`, piece(2));
    await until('fichier du disque monté', async () => (await pieces('DEM12')) === 2, running);
    inside('umount', centre);
    await writeFile(join(centre, '20250530.LOG'), piece(3));
    await until('fichier sous le disque ôté', async () => (await pieces('DEM12')) === 3, running);
    expect(running.text()).not.toContain('interrompu');
  },
);

test('a file dated in the future is read once, whatever its date', async () => {
  await place.write('DEM12/20250528.LOG', piece(1));
  const touched = spawnSync('touch', ['-d', '2099-01-01', join(place.logs, 'DEM12/20250528.LOG')]);
  expect(touched.status).toBe(0);
  await sleep(2_100);
  expect((await place.run(['ingest'])).code).toBe(0);
  const { stdout } = await place.run(['ingest', '--json']);
  expect(JSON.parse(stdout)).toMatchObject({ fichiersVus: 1, fichiersInchanges: 1, fichiersLus: 0 });
});

test('a disk whose clock is ahead of ours: its files come to rest all the same', async () => {
  await place.write('DEM12/20250528.LOG', piece(1));
  const behind = ['faketime', '--exclude-monotonic', '-f', '-2h'];
  const { stdout: first } = await place.run(['ingest', '--json'], { before: behind });
  expect(JSON.parse(first)).toMatchObject({ fichiersLus: 1, fichiersDejaConnus: 0 });
  await sleep(2_500);
  await place.run(['ingest'], { before: behind });
  const { stdout } = await place.run(['ingest', '--json'], { before: behind });
  expect(JSON.parse(stdout)).toMatchObject({ fichiersInchanges: 1, fichiersLus: 0 });
  // Nor are they taken for others once the clocks agree.
  const { stdout: later } = await place.run(['ingest', '--json']);
  expect(JSON.parse(later)).toMatchObject({ fichiersInchanges: 1, fichiersLus: 0 });
  // Another content of the same size is another file, of course.
  await place.write('DEM12/20250528.LOG', piece(7));
  const { stdout: other } = await place.run(['ingest', '--json'], { before: behind });
  expect(JSON.parse(other)).toMatchObject({ fichiersLus: 1, sessionsModifiees: 1 });
});

describe('hints of a local folder', () => {
  test('folders made, made anew and moved after the start, and the root itself, announce their files', async () => {
    const source = new DossierLocal(place.logs);
    const end = new AbortController();
    cleanUp.push(() => end.abort());
    const hints = new Set<string>();
    let unknown = 0;
    source.watch((chemin) => (chemin === undefined ? unknown++ : hints.add(chemin)), end.signal);
    await mkdir(join(place.logs, 'DEM12'));
    await listAll(source);
    const announced = async (chemin: string): Promise<void> => {
      hints.clear();
      await place.write(chemin, piece(1));
      await until(`annonce de ${chemin}`, () => hints.has(chemin));
    };
    await announced('DEM12/a.LOG');
    await mkdir(join(place.logs, 'DEM12/2025/05'), { recursive: true });
    await until('annonce du dossier', () => hints.has('DEM12/2025'));
    await listAll(source);
    await announced('DEM12/2025/05/b.LOG');
    await rename(join(place.logs, 'DEM12'), join(place.logs, 'SU12'));
    await mkdir(join(place.logs, 'DEM12'));
    await listAll(source);
    await announced('DEM12/c.LOG');
    await announced('SU12/2025/05/d.LOG');
    unknown = 0;
    await rename(place.logs, `${place.logs}.parti`);
    await mkdir(place.logs);
    await until('racine refaite', () => unknown > 0);
    await mkdir(join(place.logs, 'DEM12'));
    await listAll(source);
    await announced('DEM12/e.LOG');
  });

  test('files that go away between the listing and the look at them are no error', async () => {
    for (let i = 0; i < 200; i++) await place.write(`DEM12/d${i % 20}/${i}.LOG`, piece(1));
    const wrong: unknown[] = [];
    const remove = async (): Promise<void> => {
      for (let i = 19; i >= 0; i--) await rm(join(place.logs, `DEM12/d${i}`), { recursive: true });
    };
    const removed = remove();
    for (let round = 0; round < 50; round++) {
      for (const entree of await listAll(new DossierLocal(place.logs))) {
        if (entree.kind === 'ecarte') wrong.push(entree);
      }
    }
    await removed;
    expect(wrong).toEqual([]);
  });
});
