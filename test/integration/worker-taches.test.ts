// What the worker does with a job: once at a time, again when it failed, aloud when it gives up, back when it must stop.

import { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { NomTache } from '../../src/base/config/planification.ts';
import { ESPACE } from '../../src/base/espace.ts';
import { silentLogger } from '../../src/base/logger.ts';
import type { ResultatTache, Tache, TacheContext } from '../../src/jobs/taches/tache.ts';
import { createPool, type Pool, withClient } from '../../src/postgres/pool.ts';
import { demander } from '../../src/postgres/taches/demandes.ts';
import { fermerInterrompues } from '../../src/postgres/taches/interruptions.ts';
import { migrateUrl } from '../harness/context.ts';
import { createDatabase, registerTemplate, type TestDatabase } from '../harness/postgres.ts';
import { type RunningWorker, startWorker, untilRow } from '../harness/worker.ts';

const logger = silentLogger();
const DONE: ResultatTache = { etat: 'reussie', compteurs: { n: 1 } };

let database: TestDatabase;
let pool: Pool;
let workers: RunningWorker[] = [];
beforeAll(async () => {
  registerTemplate(migrateUrl);
  database = await createDatabase();
  pool = createPool(database.url, { logger, max: 6 });
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});
beforeEach(async () => {
  await pool.query('DELETE FROM pgboss.job; DELETE FROM execution; DELETE FROM planification');
});
afterEach(async () => {
  await Promise.all(workers.map((worker) => worker.arreter()));
  workers = [];
});

function task(executer: Tache['executer'], nom: NomTache = 'ingest'): Tache {
  return { nom, executer };
}

async function start(
  tache: Tache,
  settings: Record<string, string> = {},
  options: Parameters<typeof startWorker>[2] = {},
  log = logger,
): Promise<RunningWorker> {
  const worker = startWorker(
    {
      url: database.url,
      logger: log,
      settings: { TACHE_PAUSE: '1', TACHE_ESSAIS: '3', ARRET_DELAI: '30', ...settings },
    },
    [tache],
    options,
  );
  workers.push(worker);
  await worker.pret;
  return worker;
}

async function ask(worker: RunningWorker, options: Record<string, unknown> = {}): Promise<string> {
  const regles = worker.ctx.config.planification;
  const { travail } = await withClient(pool, (client) =>
    demander(client, { tache: 'ingest', options }, regles),
  );
  return travail;
}

async function runs(): Promise<Record<string, unknown>[]> {
  const { rows } = await pool.query(
    'SELECT etat, tentative, tentatives_max, erreur, declencheur, compteurs FROM execution ORDER BY id',
  );
  return rows;
}

async function jobIs(state: string): Promise<void> {
  await untilRow(pool, `SELECT 1 FROM pgboss.job WHERE name = 'ingest' AND state = '${state}'`);
}

test('a demand waits visibly, is run with its options, and is done', async () => {
  const seen: TacheContext[] = [];
  const worker = await start(
    task(async (ctx) => {
      seen.push(ctx);
      return DONE;
    }),
    {},
    { taches: [] },
  );
  await ask(worker, { centre: 'DEM12' });
  expect(await runs()).toMatchObject([{ etat: 'en_attente', declencheur: 'demande', tentatives_max: 3 }]);
  await start(
    task(async (ctx) => {
      seen.push(ctx);
      return DONE;
    }),
  );
  await jobIs('completed');
  expect(await runs()).toEqual([
    {
      etat: 'reussie',
      tentative: 1,
      tentatives_max: 3,
      erreur: null,
      declencheur: 'demande',
      compteurs: { n: 1 },
    },
  ]);
  expect(seen.map(({ options }) => options)).toEqual([{ centre: 'DEM12' }]);
});

test('while it waits a second demand is the first one; other options are told apart', async () => {
  const worker = await start(
    task(async () => DONE),
    {},
    { taches: [] },
  );
  const regles = worker.ctx.config.planification;
  const all = await Promise.all(
    Array.from({ length: 8 }, () =>
      withClient(pool, (client) => demander(client, { tache: 'ingest', options: {} }, regles)),
    ),
  );
  expect(new Set(all.map(({ execution }) => execution)).size).toBe(1);
  expect(all.filter(({ nouvelle }) => nouvelle)).toHaveLength(1);
  const other = await withClient(pool, (client) =>
    demander(client, { tache: 'ingest', options: { centre: 'SU12' } }, regles),
  );
  expect(other).toMatchObject({ nouvelle: false, memesOptions: false });
  expect(await runs()).toHaveLength(1);
});

test('a failure is tried again with pauses that grow, each attempt a run; then it succeeds', async () => {
  let attempt = 0;
  const worker = await start(
    task(async () => {
      if (++attempt < 3) throw new Error(`panne ${attempt}`);
      return DONE;
    }),
  );
  await ask(worker);
  await jobIs('completed');
  expect((await runs()).map(({ etat, tentative, erreur }) => [etat, tentative, erreur])).toEqual([
    ['echouee', 1, 'panne 1'],
    ['echouee', 2, 'panne 2'],
    ['reussie', 3, null],
  ]);
  const { rows } = await pool.query(
    `SELECT extract(epoch FROM debut - lag(fin) OVER (ORDER BY id))::float8 AS pause FROM execution ORDER BY id OFFSET 1`,
  );
  // pg-boss spreads them at random between half and the whole of 2, 4… times TACHE_PAUSE.
  for (const { pause } of rows) expect(pause).toBeGreaterThan(0.4);
});

test('it gives up aloud: every attempt a failed run, one line of the log, and the next demand is taken', async () => {
  const lines: string[] = [];
  const sink = new Writable({
    write(chunk, _, done) {
      lines.push(String(chunk));
      done();
    },
  });
  let broken = true;
  const worker = await start(
    task(async () => {
      if (broken) throw new Error('ERP en feu');
      return DONE;
    }),
    { TACHE_ESSAIS: '2' },
    {},
    pino(sink),
  );
  const travail = await ask(worker);
  await jobIs('failed');
  await expect
    .poll(() => lines.filter((line) => line.includes('ATL_T705')), { timeout: 30_000 })
    .toHaveLength(1);
  const [said] = lines.filter((line) => line.includes('ATL_T705')).map((line) => JSON.parse(line));
  expect(said).toMatchObject({ level: 50, tache: 'ingest', essais: 2, travail, msg: 'tâche abandonnée' });
  expect(
    (await runs()).map(({ etat, tentative, tentatives_max }) => [etat, tentative, tentatives_max]),
  ).toEqual([
    ['echouee', 1, 2],
    ['echouee', 2, 2],
  ]);
  broken = false;
  await ask(worker);
  await jobIs('completed');
}, 90_000);

test('one that finds another at work is tried again later, not counted as done', async () => {
  let busy = true;
  const worker = await start(
    task(async () => {
      if (!busy) return DONE;
      busy = false;
      return { etat: 'ignoree', compteurs: {} };
    }),
  );
  await ask(worker);
  await jobIs('completed');
  expect((await runs()).map(({ etat }) => etat)).toEqual(['ignoree', 'reussie']);
});

test('O9: however many workers and jobs, a task never overlaps itself', async () => {
  let at = 0;
  let most = 0;
  let done = 0;
  const slow = task(async () => {
    most = Math.max(most, ++at);
    await sleep(50);
    at--;
    done++;
    return DONE;
  });
  const settings = {
    CRON_LOGS: '*/10 * * * *',
    RATTRAPAGE: 'tous',
    CRON_COMMANDES: 'non',
    CRON_PURGE: 'non',
  };
  const from = Date.parse('2026-06-01T00:00:00Z');
  let now = from;
  const options = { planification: true, horloge: () => now };
  await Promise.all([1, 2, 3, 4].map(() => start(slow, settings, options)));
  await untilRow(pool, 'SELECT 1 FROM planification');
  now = from + 2 * 3_600_000;
  await expect.poll(() => done, { timeout: 60_000 }).toBe(12);
  await untilRow(pool, `SELECT 1 FROM execution WHERE etat = 'reussie' GROUP BY etat HAVING count(*) = 12`);
  expect(most).toBe(1);
  const { rows } = await pool.query(
    `SELECT count(*) AS n FROM execution a JOIN execution b ON a.id < b.id AND tstzrange(a.debut, a.fin) && tstzrange(b.debut, b.fin)`,
  );
  expect(rows[0].n).toBe(0);
}, 90_000);

test('O8: whose an open run is, is known without a clock: one’s own stays, a former process’s is closed', async () => {
  const gate = Promise.withResolvers<ResultatTache>();
  const worker = await start(task(() => gate.promise));
  await ask(worker);
  await untilRow(pool, "SELECT FROM execution WHERE etat = 'en_cours'");
  // The server's clock is a day behind ours; and before a restart of the container, our number was another's.
  await pool.query(`UPDATE execution SET debut = debut - interval '1 day'`);
  await pool.query(
    `INSERT INTO execution (tache, etat, declencheur, hote, processus, espace, debut)
     VALUES ('purge', 'en_cours', 'cli', 'h', $1, $2, now() + interval '1 day')`,
    [process.pid, ESPACE],
  );
  const closed = await withClient(pool, fermerInterrompues);
  expect(closed.map(({ tache }) => tache)).toEqual(['purge']);
  gate.resolve(DONE);
  await jobIs('completed');
  expect((await runs()).map(({ etat }) => etat)).toEqual(['reussie', 'echouee']);
});

describe('O9: a task that lasts too long', () => {
  test('is told to stop, and counts as failed', async () => {
    let attempt = 0;
    const worker = await start(
      task(async ({ signal }) => {
        if (++attempt > 1) return DONE;
        await sleep(60_000, undefined, { signal });
        return DONE;
      }),
    );
    // A minute is the shortest that the settings allow: the job itself is given less.
    await ask(worker).then((id) => shorten(id));
    await jobIs('completed');
    expect((await runs()).map(({ etat, erreur }) => [etat, erreur])).toEqual([
      ['echouee', expect.stringMatching(/interrompue : délai dépassé/)],
      ['reussie', null],
    ]);
  }, 60_000);

  test('one that does not listen is taken over all the same, and may not note its end any more', async () => {
    let attempt = 0;
    const hung = Promise.withResolvers<ResultatTache>();
    const tache = task(async () => (++attempt > 1 ? DONE : await hung.promise));
    const worker = await start(tache);
    await start(tache);
    await ask(worker).then((id) => shorten(id));
    await jobIs('completed');
    hung.resolve(DONE);
    const { etat, erreur } = (await runs())[0]!;
    expect([etat, erreur]).toEqual(['echouee', expect.stringMatching(/^interrompue|interrompue :/)]);
    expect((await runs()).filter((run) => run['etat'] === 'reussie')).toHaveLength(1);
  }, 90_000);

  async function shorten(id: string): Promise<void> {
    await pool.query(`UPDATE pgboss.job SET expire_seconds = 2 WHERE id = $1`, [id]);
  }
});

describe('O2: a graceful stop', () => {
  test('lets what runs finish', async () => {
    const begun = Promise.withResolvers<void>();
    const worker = await start(
      task(async () => {
        begun.resolve();
        await sleep(1_500);
        return DONE;
      }),
    );
    await ask(worker);
    await begun.promise;
    workers = [];
    await worker.arreter();
    expect((await runs()).map(({ etat }) => etat)).toEqual(['reussie']);
    await jobIs('completed');
  });

  test('hands back what does not finish in time: at once, and without costing an attempt', async () => {
    const begun = Promise.withResolvers<void>();
    const worker = await start(
      task(async ({ signal }) => {
        begun.resolve();
        await sleep(600_000, undefined, { signal });
        return DONE;
      }),
      { ARRET_DELAI: '1', TACHE_ESSAIS: '1', TACHE_PAUSE: '3600' },
    );
    await ask(worker);
    await begun.promise;
    workers = [];
    await worker.arreter();
    expect(await runs()).toMatchObject([
      { etat: 'echouee', erreur: expect.stringContaining('arrêt du worker') },
    ]);
    await jobIs('retry');
    await start(task(async () => DONE));
    await jobIs('completed');
    expect((await runs()).map(({ etat, tentative }) => [etat, tentative])).toEqual([
      ['echouee', 1],
      ['reussie', 2],
    ]);
  });
});

test('O10: cut off from PostgreSQL while it works, it comes back and goes on', async () => {
  let done = 0;
  const worker = await start(
    task(async () => {
      done++;
      return DONE;
    }),
  );
  for (let i = 0; i < 3; i++) {
    await pool.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    );
    await expect.poll(() => ask(worker).catch(() => undefined), { timeout: 20_000 }).toBeDefined();
    const before = done;
    await expect.poll(() => done, { timeout: 60_000 }).toBeGreaterThan(before);
    await untilRow(
      pool,
      `SELECT 1 WHERE NOT EXISTS (SELECT FROM execution WHERE etat IN ('en_attente', 'en_cours'))`,
    );
  }
}, 120_000);
