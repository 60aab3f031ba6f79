// S27, F27: a share under one centre that falls silent. A call to it cannot be called off, nor can whoever made it end.

import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Installation, install, type Running } from '../harness/cli.ts';
import { CAN_SHARE, mountShare, type Share } from '../harness/share.ts';
import { freePort } from '../harness/sshd.ts';

const LIMIT = 60_000;

let place: Installation;
let share: Share;
/** what the server of the share holds */
let far: string;
const cleanUp: (() => unknown)[] = [];
beforeEach(async () => {
  place = await install();
  far = join(place.home, 'loin');
  await mkdir(join(far, '2025'), { recursive: true });
  await mkdir(join(place.logs, 'SU12'));
  if (!CAN_SHARE) return;
  share = await mountShare(far, join(place.logs, 'SU12'));
  cleanUp.push(() => share.stop());
});
afterEach(async () => {
  for (const work of cleanUp.splice(0).reverse()) await work();
  await place.close();
});

const piece = (second: number): string =>
  `20250528 06:00:${String(second).padStart(2, '0')}|@StukUitgevoerd: ${second}\r\n`;

async function until(what: string, check: () => unknown, running?: Running): Promise<void> {
  const end = Date.now() + LIMIT;
  while (!(await check())) {
    if (running && running.process.exitCode !== null) throw new Error(`terminé : ${running.text()}`);
    if (Date.now() > end) throw new Error(`pas à temps : ${what}\n${running?.text() ?? ''}`);
    await sleep(50);
  }
}

async function pieces(centre: string): Promise<number> {
  const sql = `SELECT FROM piece_production p JOIN centre_usinage c ON c.id = p.centre_usinage_id WHERE c.nom = $1`;
  return (await place.pool.query(sql, [centre])).rowCount ?? 0;
}

async function erreurs(): Promise<string[]> {
  const sql = `SELECT chemin FROM fichier_log WHERE etat = 'erreur' AND chemin LIKE 'SU12%' ORDER BY 1`;
  return (await place.pool.query(sql)).rows.map(({ chemin }) => chemin);
}

const here = (text: string): Promise<void> => place.write('DEM12/20250528.LOG', text);
const there = (text: string): Promise<void> => writeFile(join(far, '2025/20250528.LOG'), text);

describe.runIf(CAN_SHARE)('a share that hangs under one centre', () => {
  describe.each([
    { name: 'ingest --watch', args: ['ingest', '--watch'], probe: false },
    { name: 'worker', args: ['worker', '--taches', 'aucune', '--sans-planification'], probe: true },
  ])('$name', ({ args, probe }) => {
    const start = (port: number): Running => {
      const running = place.start(args, { METRICS_PORT: probe ? String(port) : '0' });
      cleanUp.push(async () => {
        running.process.kill('SIGKILL');
        await running.ended;
      });
      return running;
    };
    const alive = async (port: number): Promise<void> => {
      if (probe) expect((await fetch(`http://127.0.0.1:${port}/health/live`)).status).toBe(200);
    };
    const stop = async (running: Running): Promise<void> => {
      running.process.kill('SIGTERM');
      const end = await Promise.race([running.ended, sleep(15_000)]);
      expect(end?.code).toBe(0);
    };

    test('the others go on, it answers its probe, what was missed comes later; SIGTERM ends it', async () => {
      const port = await freePort();
      await Promise.all([here(piece(1)), there(piece(1))]);
      const running = start(port);
      await until(
        'première pièce',
        async () => (await pieces('DEM12')) + (await pieces('SU12')) === 2,
        running,
      );
      share.hang();
      await appendFile(join(far, '2025/20250528.LOG'), piece(2));
      await here(piece(1) + piece(2));
      await until('autre centre', async () => (await pieces('DEM12')) === 2, running);
      await until('centre muet noté', async () => (await erreurs()).includes('SU12'), running);
      await alive(port);
      await place.write('DEMALU/20250528.LOG', piece(1));
      await until('encore un autre', async () => (await pieces('DEMALU')) === 1, running);
      share.resume();
      await until('suite du partage', async () => (await pieces('SU12')) === 2, running);
      await until('erreur levée', async () => (await erreurs()).length === 0, running);
      share.hang();
      await until('centre muet', async () => (await erreurs()).includes('SU12'), running);
      expect(running.text().match(/ne répond pas/g)!.length).toBeLessThan(8);
      await stop(running);
    });

    test('it hangs before the start: the others are read, SIGTERM ends it', async () => {
      const port = await freePort();
      await Promise.all([here(piece(1)), there(piece(1))]);
      share.hang();
      const running = start(port);
      await until('autre centre', async () => (await pieces('DEM12')) === 1, running);
      await alive(port);
      await until('centre muet noté', async () => (await erreurs()).includes('SU12'), running);
      await stop(running);
    });
  });

  test('a single import reads the others, names the disk, and ends with 3; doctor names it too', async () => {
    await Promise.all([here(piece(1)), there(piece(1))]);
    share.hang();
    const { code, stdout } = await place.run(['ingest']);
    expect(stdout).toContain('ne répond pas');
    expect(code).toBe(3);
    expect(await pieces('DEM12')).toBe(1);
    const doctor = await place.run(['doctor']);
    expect(doctor.stdout).toMatch(/LOGS_DIR.*SU12/);
    share.resume();
    expect((await place.run(['ingest'])).code).toBe(0);
    expect(await pieces('SU12')).toBe(1);
    expect(await erreurs()).toEqual([]);
  });
});

test.runIf(CAN_SHARE)(
  'LOGS_DIR itself on a share that hangs: the worker lives, and goes on when it answers',
  async () => {
    const logs = join(place.home, 'tout');
    await mkdir(logs);
    await mkdir(join(far, 'DEM12'));
    const all = await mountShare(far, logs);
    cleanUp.push(() => all.stop());
    await writeFile(join(far, 'DEM12/20250528.LOG'), piece(1));
    const port = await freePort();
    const running = place.start(['worker', '--taches', 'aucune'], {
      LOGS_DIR: logs,
      METRICS_PORT: String(port),
    });
    cleanUp.push(async () => {
      running.process.kill('SIGKILL');
      await running.ended;
    });
    await until('première pièce', async () => (await pieces('DEM12')) === 1, running);
    all.hang();
    await until('panne dite', () => running.text().includes('suivi interrompu'), running);
    expect((await fetch(`http://127.0.0.1:${port}/health/live`)).status).toBe(200);
    await fetch(`http://127.0.0.1:${port}/metrics`);
    all.resume();
    await appendFile(join(far, 'DEM12/20250528.LOG'), piece(2));
    await until('deuxième pièce', async () => (await pieces('DEM12')) === 2, running);
    all.hang();
    await fetch(`http://127.0.0.1:${port}/metrics`);
    running.process.kill('SIGTERM');
    const end = await Promise.race([running.ended, sleep(15_000)]);
    expect(end?.code).toBe(0);
  },
);
