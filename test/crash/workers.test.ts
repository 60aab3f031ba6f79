// Workers as real processes that are killed, stopped and woken: each tick has its effect exactly once. O4, O6, O7.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lireHoraire, ticksEntre } from '../../src/base/cron.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { createPool, type Pool } from '../../src/postgres/pool.ts';
import { startAtelier } from '../harness/cli.ts';
import { migrateUrl } from '../harness/context.ts';
import { createDatabase, registerTemplate, type TestDatabase } from '../harness/postgres.ts';
import { SEED, setting } from '../harness/property.ts';
import { untilRow } from '../harness/worker.ts';
import type { WorkerOrder } from './worker-child.ts';

const SCRIPT = fileURLToPath(new URL('worker-child.ts', import.meta.url));
const TICKS = setting('ATELIER_TICKS', 200);
const DEBUT = Date.parse('2026-06-01T00:00:00Z');
const MINUTE = 60_000;

let database: TestDatabase;
let pool: Pool;
let children: Worker[] = [];
beforeEach(async () => {
  registerTemplate(migrateUrl);
  database = await createDatabase();
  pool = createPool(database.url, { logger: silentLogger(), max: 4 });
  await pool.query('CREATE TABLE effet (echeance timestamptz, execution bigint, processus integer)');
});
afterEach(async () => {
  for (const { process } of children) process.kill('SIGKILL');
  await Promise.all(children.map(({ ended }) => ended));
  children = [];
  await pool.end();
  await database.drop();
});

interface Worker {
  readonly process: ChildProcess;
  readonly ended: Promise<unknown>;
  readonly text: () => string;
}

function start(order: WorkerOrder): Worker {
  const env = { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), 'atelier-essai-cache') };
  const child = spawn(process.execPath, [SCRIPT, JSON.stringify(order)], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (piece) => {
      text += piece;
    });
  }
  const worker = { process: child, ended: once(child, 'close'), text: () => text };
  children.push(worker);
  return worker;
}

async function orderOf(
  facteur: number,
  pause?: WorkerOrder['pause'],
): Promise<Omit<WorkerOrder, 'settings'> & { settings: Record<string, string> }> {
  const { rows } = await pool.query<{ t: number }>(`SELECT (extract(epoch FROM now()) * 1000)::bigint AS t`);
  return {
    url: database.url,
    settings: {
      ...{ CRON_LOGS: '*/5 * * * *', CRON_COMMANDES: 'non', CRON_PURGE: 'non', RATTRAPAGE: 'tous' },
      ...{ RATTRAPAGE_MAX: '720', TACHE_PAUSE: '1', TACHE_ESSAIS: '20' },
    },
    horloge: { origine: rows[0]!.t, debut: DEBUT, facteur },
    ...(pause === undefined ? {} : { pause }),
  };
}

/** Every tick from the first that was planned to `last` had its effect once, by the run that is noted for it. */
async function exactlyOnce(last: number): Promise<void> {
  const { rows: effects } = await pool.query<{ t: string }>(
    `SELECT to_char(e.echeance AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS".000Z"') AS t
       FROM effet e JOIN execution x ON x.id = e.execution AND x.etat = 'reussie' AND x.echeance = e.echeance
      ORDER BY e.echeance`,
  );
  const horaire = lireHoraire('*/5 * * * *', 'Europe/Paris')!;
  const first = Date.parse(effects[0]!.t);
  const expected = ticksEntre(horaire, first - 1, last).map((t) => new Date(t).toISOString());
  const found = effects.map(({ t }) => t).filter((t) => Date.parse(t) <= last);
  expect(found).toEqual(expected);
  const { rows } = await pool.query(
    `SELECT (SELECT count(*) FROM effet) AS effets, (SELECT count(*) FROM execution WHERE etat = 'reussie') AS reussies`,
  );
  expect(rows[0].effets).toBe(rows[0].reussies);
}

const untilEffects = (n: number) =>
  untilRow(pool, `SELECT count(*) FROM effet HAVING count(*) >= ${n}`, 400_000);

test(`O6: five workers, ${TICKS} ticks, killed, stopped and cut off all the while: each tick once`, async () => {
  process.stdout.write(`workers : ATELIER_GRAINE=${SEED}\n`);
  let state = SEED;
  const random = (n: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
  // Five minutes in half a second.
  const order = await orderOf(600);
  const workers = Array.from({ length: 5 }, () => start(order));
  await untilEffects(5);
  const faults: string[] = [];
  while (((await pool.query('SELECT count(*) AS n FROM effet')).rows[0] as { n: number }).n < TICKS * 0.7) {
    const at = random(workers.length);
    const victim = workers[at]!;
    const fault = ['tuer', 'suspendre', 'couper'][random(3)]!;
    faults.push(fault);
    if (fault === 'tuer') {
      victim.process.kill('SIGKILL');
      await victim.ended;
      workers[at] = start(order);
    } else if (fault === 'suspendre') {
      victim.process.kill('SIGSTOP');
      await sleep(500 + random(1_500));
      victim.process.kill('SIGCONT');
    } else {
      await pool.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND pid <> pg_backend_pid() AND pid % 3 = ${random(3)}`,
      );
    }
    await sleep(random(700));
  }
  await untilEffects(TICKS);
  const { rows } = await pool.query<{ t: number }>(
    `SELECT (extract(epoch FROM max(echeance)) * 1000)::bigint AS t FROM effet`,
  );
  for (const { process } of workers) process.kill('SIGTERM');
  await Promise.all(workers.map(({ ended }) => ended));
  process.stdout.write(`workers : ${faults.length} pannes (${faults.join(' ')})\n`);
  await exactlyOnce(rows[0]!.t - MINUTE);
}, 600_000);

for (const pause of ['avant', 'dedans'] as const) {
  const where = pause === 'avant' ? 'before it writes' : 'before it commits';
  test(`O7: a worker stopped ${where} is taken over; woken, it changes nothing`, async () => {
    const zombie = start(await orderOf(1_200, pause));
    await expect.poll(zombie.text, { timeout: 60_000 }).toContain('ici');
    zombie.process.kill('SIGSTOP');
    const { tick } = (await untilRow(
      pool,
      `SELECT echeance::text AS tick FROM execution WHERE etat = 'en_cours' AND session_pg IS NOT NULL`,
    )) as { tick: string };
    start(await orderOf(1_200));
    await untilRow(pool, `SELECT 1 FROM execution WHERE etat = 'reussie' AND echeance = '${tick}'`, 90_000);
    zombie.process.kill('SIGCONT');
    // It has found out when it takes another job, or the same breath when it fails.
    await expect
      .poll(
        async () =>
          (
            await pool.query(
              `SELECT etat, erreur FROM execution WHERE echeance = '${tick}' ORDER BY tentative`,
            )
          ).rows,
        { timeout: 30_000 },
      )
      .toMatchObject([
        { etat: 'echouee', erreur: expect.stringMatching(/^interrompue/) },
        { etat: 'reussie' },
      ]);
    await sleep(2_000);
    const { rows } = await pool.query(`SELECT processus FROM effet WHERE echeance = '${tick}'`);
    expect(rows.map(({ processus }) => processus)).not.toContain(zombie.process.pid);
    expect(rows).toHaveLength(1);
  }, 180_000);
}

test('a killed worker’s task is taken up at once by the next one of the same machine, as a further attempt', async () => {
  const victim = start(await orderOf(60, 'dedans'));
  await expect.poll(victim.text, { timeout: 60_000 }).toContain('ici');
  victim.process.kill('SIGKILL');
  await victim.ended;
  start(await orderOf(60));
  await untilEffects(1);
  const { rows } = await pool.query('SELECT etat, tentative, erreur FROM execution ORDER BY id LIMIT 2');
  expect(rows).toEqual([
    { etat: 'echouee', tentative: 1, erreur: 'interrompue : le processus a disparu' },
    { etat: 'reussie', tentative: 2, erreur: null },
  ]);
}, 120_000);

test('O4: twenty workers start at once on an empty database while one migrates it, and all of them get to work', async () => {
  const empty = await createDatabase({ template: false });
  const env = { DATABASE_URL: empty.url, METRICS_PORT: '0', PATH: process.env['PATH'] ?? '' };
  const started = Array.from({ length: 20 }, () =>
    startAtelier(['worker', '--sans-suivi'], { env, cwd: tmpdir() }),
  );
  const migrations = Array.from({ length: 3 }, () => startAtelier(['migrate'], { env, cwd: tmpdir() }));
  try {
    for (const { ended } of migrations) expect((await ended).code).toBe(0);
    for (const worker of started) {
      await expect.poll(worker.text, { timeout: 120_000, interval: 200 }).toContain('worker prêt');
    }
  } finally {
    for (const { process } of started) process.kill('SIGTERM');
  }
  for (const { ended } of started) expect((await ended).code).toBe(0);
  await empty.drop();
}, 600_000);
