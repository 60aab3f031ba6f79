import { once } from 'node:events';
import { appendFile, mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { follow } from '../../src/jobs/ingest.ts';
import type { SourceJournaux } from '../../src/sources/source.ts';
import { type Installation, install, type Running } from '../harness/cli.ts';
import { makeContext, migrateUrl } from '../harness/context.ts';
import { startPrivatePostgres } from '../harness/postgres.ts';

/** The promise is 2 seconds; the rest is for machines that do other things at the same time. */
const SOON = 10_000;
/** A failure is tried again after 10 seconds at the latest. */
const AFTER_FAILURE = 30_000;

let place: Installation;
const cleanUp: (() => Promise<unknown>)[] = [];
beforeEach(async () => {
  place = await install();
});
afterEach(async () => {
  for (const work of cleanUp.splice(0).reverse()) await work();
  await place.close();
});

/** Waits until `check` holds. */
async function until(what: string, check: () => unknown, limit = SOON): Promise<void> {
  const end = Date.now() + limit;
  while (!(await check())) {
    if (Date.now() > end) throw new Error(`pas en ${limit} ms : ${what}`);
    await sleep(25);
  }
}

/** Pieces of a centre in PostgreSQL; undefined while it does not answer. */
async function pieces(centre: string): Promise<number | undefined> {
  const sql = `SELECT count(*) AS n FROM piece_production p JOIN centre_usinage c ON c.id = p.centre_usinage_id
                WHERE c.nom = $1`;
  return (await place.pool.query(sql, [centre]).catch(() => undefined))?.rows[0].n;
}

const expectPieces = (centre: string, count: number, limit?: number): Promise<void> =>
  until(`${count} pièces de ${centre}`, async () => (await pieces(centre)) === count, limit);

const PIECE = (second: number): string =>
  `20250528 06:00:${String(second).padStart(2, '0')}|@StukUitgevoerd: ${second}\r\n`;

/** Starts following, and waits until it does. */
async function watch(...args: string[]): Promise<Running> {
  const running = place.start(['ingest', '--watch', ...args]);
  cleanUp.push(async () => {
    running.process.kill('SIGKILL');
    await running.ended;
  });
  await until(
    'suivi commencé',
    () => {
      if (running.process.exitCode !== null) throw new Error(running.text());
      return running.text().includes('Suivi de');
    },
    20_000,
  );
  return running;
}

describe('atelier ingest --watch', () => {
  test('a file, a line, half a line, a rename, a new centre: in PostgreSQL at once; SIGTERM is a clean end', async () => {
    await mkdir(join(place.logs, 'DEM12'));
    const running = await watch();
    const file = join(place.logs, 'DEM12/20250528.LOG');
    await writeFile(file, PIECE(1) + PIECE(2));
    await expectPieces('DEM12', 2, 15_000);
    await appendFile(file, PIECE(3));
    await expectPieces('DEM12', 3);
    const half = PIECE(4);
    await appendFile(file, half.slice(0, 25));
    await until('demi-ligne vue', async () => {
      const { rows } = await place.pool.query('SELECT max(taille) AS n FROM fichier_log');
      return rows[0].n === PIECE(1).length * 3 + 25;
    });
    await appendFile(file, half.slice(25));
    await expectPieces('DEM12', 4);
    const { rows } = await place.pool.query('SELECT details FROM piece_production ORDER BY numero_piece');
    expect(rows.map(({ details }) => details)).toEqual(['1', '2', '3', '4']);
    expect((await place.pool.query('SELECT FROM ligne_rejetee')).rowCount).toBe(0);
    await rename(file, join(place.logs, 'DEM12/archive.LOG'));
    await until('fichier renommé', async () => {
      const { rowCount } = await place.pool.query(
        "SELECT FROM fichier_log WHERE chemin = 'DEM12/archive.LOG'",
      );
      return rowCount === 1;
    });
    expect(await pieces('DEM12')).toBe(4);
    await place.write('NOUVEAU (ALU)/sous/20250528.LOG', PIECE(1));
    await expectPieces('NOUVEAU', 1);
    running.process.kill('SIGTERM');
    const { code } = await Promise.race([running.ended, sleep(8_000).then(() => ({ code: 'pas fini' }))]);
    expect(code).toBe(0);
    for (const line of await place.log()) expect(line['level']).not.toBe('error');
  });

  test('--json writes one object for each scan that changed something, --centre follows one', async () => {
    const running = await watch('--json', '--centre', 'DEM12');
    await place.write('SU12/20250528.LOG', PIECE(1));
    await place.write('DEM12/20250528.LOG', PIECE(1));
    await expectPieces('DEM12', 1, 15_000);
    await sleep(200);
    running.process.kill('SIGINT');
    const { code, stdout } = await running.ended;
    expect(code).toBe(0);
    const answers = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(answers.reduce((sum, { sessionsCreees }) => sum + sessionsCreees, 0)).toBe(1);
    expect(await pieces('SU12')).toBe(0);
  });

  test('LOGS_DIR that disappears deletes nothing, and is followed again once it is back', async () => {
    await place.write('DEM12/20250528.LOG', PIECE(1));
    const running = await watch();
    await expectPieces('DEM12', 1, 15_000);
    await rename(place.logs, `${place.logs}.parti`);
    await until('absence dite', () => running.text().includes('suivi interrompu'));
    // An empty folder where the disk was: nothing is deleted either.
    await mkdir(place.logs);
    await sleep(1_500);
    expect(await pieces('DEM12')).toBe(1);
    await rename(place.logs, `${place.logs}.vide`);
    await rename(`${place.logs}.parti`, place.logs);
    await appendFile(join(place.logs, 'DEM12/20250528.LOG'), PIECE(2));
    await expectPieces('DEM12', 2, AFTER_FAILURE);
    await appendFile(join(place.logs, 'DEM12/20250528.LOG'), PIECE(3));
    await expectPieces('DEM12', 3);
    expect(running.process.exitCode).toBe(null);
  }, 120_000);

  test('PostgreSQL that stops and starts again: nothing is lost, nothing doubled', async () => {
    const server = await startPrivatePostgres();
    cleanUp.push(() => server.remove());
    await migrateUrl(server.url);
    await place.close();
    place = await install({ url: server.url });
    await place.write('DEM12/20250528.LOG', PIECE(1));
    const running = await watch();
    await expectPieces('DEM12', 1, 15_000);
    await server.stop('fast');
    await appendFile(join(place.logs, 'DEM12/20250528.LOG'), PIECE(2));
    await until('panne dite', () => running.text().includes('suivi interrompu'));
    await place.write('SU12/20250528.LOG', PIECE(1));
    await server.start();
    await expectPieces('DEM12', 2, AFTER_FAILURE);
    await expectPieces('SU12', 1, AFTER_FAILURE);
    await appendFile(join(place.logs, 'DEM12/20250528.LOG'), PIECE(3));
    await expectPieces('DEM12', 3);
    running.process.kill('SIGTERM');
    expect((await running.ended).code).toBe(0);
    const failures = (await place.log()).filter(({ level }) => level === 'error');
    expect(failures.length).toBeGreaterThan(0);
    for (const { erreur } of failures) expect(erreur).toMatch(/\S/);
  }, 120_000);

  test('a line that the database refuses is told, though it is the only news; once it may, it is there', async () => {
    await place.write('DEM12/20250528.LOG', PIECE(1));
    const running = await watch();
    await expectPieces('DEM12', 1, 15_000);
    // Past the first look, which goes another way than those that follow.
    await appendFile(join(place.logs, 'DEM12/20250528.LOG'), PIECE(2));
    await expectPieces('DEM12', 2);
    await place.pool.query('ALTER TABLE fichier_log_version ADD CONSTRAINT plein CHECK (taille < 100)');
    await appendFile(join(place.logs, 'DEM12/20250528.LOG'), PIECE(3));
    await until('refus dit', () => /de côté/.test(running.text()) && /plein/.test(running.text()));
    expect(running.text()).not.toContain('suivi interrompu');
    await place.pool.query('ALTER TABLE fichier_log_version DROP CONSTRAINT plein');
    // What was put aside is tried again as soon as its bytes change.
    await appendFile(join(place.logs, 'DEM12/20250528.LOG'), PIECE(4));
    await expectPieces('DEM12', 4, AFTER_FAILURE);
  }, 60_000);

  test('a stop while PostgreSQL is away is a stop too', async () => {
    const server = await startPrivatePostgres();
    cleanUp.push(() => server.remove());
    await migrateUrl(server.url);
    await place.close();
    place = await install({ url: server.url });
    await place.write('DEM12/20250528.LOG', PIECE(1));
    const running = await watch();
    await expectPieces('DEM12', 1, 15_000);
    await server.stop('immediate');
    await appendFile(join(place.logs, 'DEM12/20250528.LOG'), PIECE(2));
    await until('panne dite', () => running.text().includes('suivi interrompu'));
    running.process.kill('SIGTERM');
    const [code] = await Promise.race([once(running.process, 'exit'), sleep(8_000).then(() => ['pas fini'])]);
    expect(code).toBe(0);
  }, 120_000);
});

test('F27: a source that announces nothing is followed all the same', async () => {
  const context = makeContext({ url: place.url, logs: place.logs, archives: place.archives });
  const { source } = context;
  const silent: SourceJournaux = {
    description: source.description,
    list: () => source.list(),
    open: (fichier) => source.open(fichier),
    watch: () => undefined,
  };
  const following = follow({ ...context, source: silent });
  cleanUp.push(async () => {
    context.shutdown.request('fin');
    await following;
    await context.pool.end();
  });
  await place.write('DEM12/20250528.LOG', PIECE(1));
  await expectPieces('DEM12', 1);
  await appendFile(join(place.logs, 'DEM12/20250528.LOG'), PIECE(2));
  await expectPieces('DEM12', 2);
});
