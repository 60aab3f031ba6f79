// Workers as real processes that are killed, stopped and woken (O7). The schedule under fire: test/chaos/cron.test.ts; many
// that start at once: test/chaos/demarrage.test.ts.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLogger } from '../../src/base/logger.ts';
import { createPool, type Pool } from '../../src/postgres/pool.ts';
import { CACHE_COMPILATION } from '../harness/cache.ts';
import { migrateUrl } from '../harness/context.ts';
import { createDatabase, registerTemplate, type TestDatabase } from '../harness/postgres.ts';
import { untilRow } from '../harness/worker.ts';
import type { WorkerOrder } from './worker-child.ts';

const SCRIPT = fileURLToPath(new URL('worker-child.ts', import.meta.url));
const DEBUT = Date.parse('2026-06-01T00:00:00Z');

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
  const env = { ...process.env, NODE_COMPILE_CACHE: CACHE_COMPILATION };
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

const untilEffects = (n: number) =>
  untilRow(pool, `SELECT count(*) FROM effet HAVING count(*) >= ${n}`, 400_000);

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
