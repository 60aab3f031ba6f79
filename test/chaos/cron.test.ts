// Five workers, two hundred ticks; killed, frozen, cut off, the server crashed. Each tick has its effect once.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterEach, expect, it } from 'vitest';
import { CACHE_COMPILATION } from '../harness/cache.ts';
import { migrateUrl } from '../harness/context.ts';
import { startPrivatePostgres } from '../harness/postgres.ts';
import { SEED, setting } from '../harness/property.ts';
import { ProxyDePanne } from '../harness/proxy.ts';
import { randomFrom } from '../harness/tree.ts';
import type { Ordre } from './enfant-cron.ts';
import { unJsonParLigne } from './tour.ts';

const ENFANT = fileURLToPath(new URL('./enfant-cron.ts', import.meta.url));
const WORKERS = 5;
const ECHEANCES = setting('ATELIER_CHAOS_ECHEANCES', 200);
/** Milliseconds in which the schedule's hour passes. */
const HEURE = 150;
/** The night of the clock change lies in it (O8). */
const DEPART = Date.parse('2026-03-28T12:00:00Z');

const cleanUp: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const work of cleanUp.splice(0).reverse()) await work();
});

it('O6-O9: every tick has its effect exactly once, whatever happens to the workers and the server', async () => {
  process.stdout.write(`cron : ATELIER_GRAINE=${SEED}\n`);
  const random = randomFrom(SEED);
  const server = await startPrivatePostgres();
  cleanUp.push(() => server.remove());
  await migrateUrl(server.url);
  const proxy = await ProxyDePanne.devant(server.port);
  cleanUp.push(() => proxy.fermer());
  const reader = new pg.Pool({ connectionString: server.url, max: 2 });
  reader.on('error', () => undefined);
  cleanUp.push(() => reader.end());
  await reader.query('CREATE TABLE effet (echeance timestamptz, execution bigint)');
  // The schedule is known already: what comes due while the workers start is due too.
  await reader.query(
    `INSERT INTO planification (tache, horaire, fuseau, derniere_echeance, prochaine_echeance)
     VALUES ('ingest', '0 * * * *', 'Europe/Paris', $1::timestamptz, $1::timestamptz + interval '1 hour')`,
    [new Date(DEPART)],
  );
  const { rows } = await reader.query('SELECT extract(epoch FROM clock_timestamp()) * 1000 AS zero');
  const url = new URL(server.url);
  url.port = String(proxy.port);
  const ordre: Ordre = {
    ...{
      url: url.href,
      dossier: tmpdir(),
      depart: DEPART,
      zero: Number(rows[0].zero),
      heure: HEURE,
      echeances: ECHEANCES,
    },
  };

  const workers: { child: ChildProcess; out: string }[] = [];
  const embaucher = (n: number): void => {
    const env = { ...process.env, NODE_COMPILE_CACHE: CACHE_COMPILATION };
    const child = spawn(process.execPath, [ENFANT, JSON.stringify(ordre)], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const worker = { child, out: '' };
    child.stdout.on('data', (text) => {
      worker.out += text;
    });
    workers[n] = worker;
  };
  cleanUp.push(async () => {
    for (const { child } of workers) {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    }
  });
  for (let n = 0; n < WORKERS; n++) embaucher(n);
  await expect
    .poll(() => workers.every(({ out }) => out.includes('worker prêt')), { timeout: 60_000 })
    .toBe(true);

  const pick = (): number => Math.floor(random() * WORKERS);
  const faults: (() => Promise<unknown>)[] = [
    async () => {
      const n = pick();
      const { child, out } = workers[n]!;
      child.kill('SIGKILL');
      await once(child, 'exit');
      unJsonParLigne(out);
      embaucher(n);
    },
    async () => {
      const { child } = workers[pick()]!;
      child.kill('SIGSTOP');
      await sleep(500 + random() * 2_500);
      child.kill('SIGCONT');
    },
    async () => proxy.toutCouper(),
    async () => {
      await server.stop('immediate');
      await sleep(random() * 500);
      await server.start();
    },
    () =>
      reader.query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
      ),
  ];
  // One is frozen past every lease while the others go on, and wakes up to find that it is dead (O7).
  const zombie = workers[0]!;
  zombie.child.kill('SIGSTOP');
  const end = Date.now() + ECHEANCES * HEURE;
  while (Date.now() < end) {
    await sleep(random() * 2_000);
    await faults[Math.floor(random() * faults.length)]!().catch(() => undefined);
  }
  for (const { child } of workers) child.kill('SIGCONT');

  await expect
    .poll(
      async () => (await reader.query('SELECT count(DISTINCT echeance)::int AS n FROM effet')).rows[0].n,
      {
        timeout: 150_000,
        interval: 500,
      },
    )
    .toBe(ECHEANCES);
  for (const { child } of workers) child.kill('SIGTERM');
  const codes = await Promise.all(
    workers.map(async ({ child }) =>
      child.exitCode === null ? ((await once(child, 'exit'))[0] as number) : child.exitCode,
    ),
  );
  expect(codes).toEqual(Array(WORKERS).fill(0));

  const effets = await reader.query(
    'SELECT echeance, count(*)::int AS n FROM effet GROUP BY 1 HAVING count(*) <> 1',
  );
  expect(effets.rows).toEqual([]);
  const { rows: ticks } = await reader.query<{ echeance: Date }>('SELECT echeance FROM effet ORDER BY 1');
  // Of local time there is no hour that is missing or comes twice: an hour of the clock is an hour.
  const first = ticks[0]!.echeance.getTime();
  expect(ticks.map(({ echeance }) => echeance.getTime())).toEqual(ticks.map((_, i) => first + i * 3_600_000));
  const runs = await reader.query(
    `SELECT echeance, count(*) FILTER (WHERE etat = 'reussie')::int AS reussies, count(*) FILTER (WHERE fin IS NULL)::int AS ouvertes
       FROM execution WHERE echeance IS NOT NULL GROUP BY 1
     HAVING count(*) FILTER (WHERE etat = 'reussie') <> 1 OR count(*) FILTER (WHERE fin IS NULL) > 0`,
  );
  expect(runs.rows).toEqual([]);
  for (const { out } of workers) unJsonParLigne(out);
}, 360_000);
