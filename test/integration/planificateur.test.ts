// Each tick is queued exactly once, or left as RATTRAPAGE says, whoever looks and however often: O6, O8.
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { NOMS_TACHES, type NomTache, type PlanificationConfig } from '../../src/base/config/planification.ts';
import { loadConfig } from '../../src/base/config.ts';
import { ticksEntre } from '../../src/base/cron.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { planifier, rattraper } from '../../src/jobs/planificateur.ts';
import { createPool, type Pool } from '../../src/postgres/pool.ts';
import { creerFile } from '../../src/postgres/taches/file-taches.ts';
import { horlogeBase, lirePlanifications } from '../../src/postgres/taches/planification.ts';
import { migrateUrl } from '../harness/context.ts';
import { createDatabase, registerTemplate, type TestDatabase } from '../harness/postgres.ts';
import { assertProperty } from '../harness/property.ts';

const logger = silentLogger();
const START = Date.parse('2026-03-28T10:00:00Z');
const HOUR = 3_600_000;

let database: TestDatabase;
let pool: Pool;
let boss: ReturnType<typeof creerFile>;
/** what the clock of the schedule says */
let now = START;
beforeAll(async () => {
  registerTemplate(migrateUrl);
  database = await createDatabase();
  pool = createPool(database.url, { logger, max: 12 });
  boss = creerFile({ url: database.url, logger });
  await boss.start();
});
afterAll(async () => {
  await boss.stop({ graceful: false });
  await pool.end();
  await database.drop();
});
beforeEach(async () => {
  await pool.query('TRUNCATE planification; DELETE FROM pgboss.job');
  now = START;
});

function rules(env: Record<string, string> = {}): PlanificationConfig {
  return loadConfig({ CRON_LOGS: 'non', CRON_COMMANDES: '09:00,14:00', CRON_PURGE: 'non', ...env })
    .planification;
}
const look = (regles = rules(), possibles: readonly NomTache[] = NOMS_TACHES) =>
  planifier({ pool, logger, boss, regles, possibles, horloge: () => now });

async function queued(): Promise<string[]> {
  const { rows } = await pool.query(
    `SELECT name || ' ' || (data ->> 'echeance') AS t FROM pgboss.job ORDER BY data ->> 'echeance'`,
  );
  return rows.map(({ t }) => t);
}
const at = (text: string): number => Date.parse(text);

test('nothing is due at the beginning; then each tick is, in local time, across the clock change (O8)', async () => {
  expect(await look()).toEqual([]);
  for (; now < START + 3 * 24 * HOUR; now += HOUR / 4) await look();
  expect(await queued()).toEqual(
    ['28T13', '29T07', '29T12', '30T07', '30T12', '31T07'].map((t) => `sync 2026-03-${t}:00:00.000Z`),
  );
});

test('a job carries what the settings say of attempts and time', async () => {
  const regles = rules({ TACHE_ESSAIS: '3', TACHE_PAUSE: '7', TACHE_DELAI_MAX: '2' });
  await look(regles);
  now = at('2026-03-28T13:00:00Z');
  expect(await look(regles)).toEqual([{ tache: 'sync', echeance: '2026-03-28T13:00:00.000Z' }]);
  const { rows } = await pool.query(
    'SELECT retry_limit, retry_delay, retry_backoff, retry_delay_max, expire_seconds, heartbeat_seconds, dead_letter, policy FROM pgboss.job',
  );
  expect(rows).toEqual([
    {
      ...{ retry_limit: 2, retry_delay: 7, retry_backoff: true, retry_delay_max: 900, expire_seconds: 120 },
      ...{ heartbeat_seconds: 30, dead_letter: 'abandons', policy: 'singleton' },
    },
  ]);
});

describe('after a stop', () => {
  const stop = async (env: Record<string, string>, hours: number): Promise<string[]> => {
    await look(rules(env));
    now = START + hours * HOUR;
    await look(rules(env));
    return await queued();
  };

  test('un: the latest tick, once', async () => {
    expect(await stop({}, 50)).toEqual(['sync 2026-03-30T12:00:00.000Z']);
    const [row] = await lirePlanifications(pool);
    expect(row).toMatchObject({ echeancesManquees: 4, derniereEcheance: at('2026-03-30T12:00:00Z') });
  });
  test('tous: each, no older than RATTRAPAGE_MAX', async () => {
    expect(await stop({ RATTRAPAGE: 'tous', RATTRAPAGE_MAX: '720' }, 50)).toHaveLength(5);
  });
  test('tous, within a day: the rest is left and counted', async () => {
    expect(await stop({ RATTRAPAGE: 'tous' }, 50)).toEqual(
      ['29T12', '30T07', '30T12'].map((t) => `sync 2026-03-${t}:00:00.000Z`),
    );
    expect((await lirePlanifications(pool))[0]!.echeancesManquees).toBe(2);
  });
  test('un, longer ago than RATTRAPAGE_MAX: nothing', async () => {
    expect(await stop({ RATTRAPAGE_MAX: '1' }, 48)).toEqual([]);
  });
  test('aucun: nothing but what is due now', async () => {
    expect(await stop({ RATTRAPAGE: 'aucun' }, 48)).toEqual([]);
    now = at('2026-03-30T12:00:30Z');
    await look(rules({ RATTRAPAGE: 'aucun' }));
    expect(await queued()).toEqual(['sync 2026-03-30T12:00:00.000Z']);
  });
});

test('another schedule begins when it is set: nothing of it is caught up; switched off, it is forgotten', async () => {
  await look();
  now = START + 30 * HOUR;
  await look(rules({ CRON_COMMANDES: '*/10 * * * *', RATTRAPAGE: 'tous' }));
  expect(await queued()).toEqual([]);
  now += HOUR / 6;
  await look(rules({ CRON_COMMANDES: '*/10 * * * *', RATTRAPAGE: 'tous' }));
  expect(await queued()).toEqual(['sync 2026-03-29T16:10:00.000Z']);
  await look(rules({ CRON_COMMANDES: 'non' }));
  expect(await lirePlanifications(pool)).toEqual([]);
});

test('a task that cannot run here is left to the workers that can', async () => {
  await look(rules(), ['ingest']);
  expect(await lirePlanifications(pool)).toEqual([]);
  await look();
  now = at('2026-03-28T13:00:00Z');
  await look(rules(), ['ingest']);
  expect(await queued()).toEqual([]);
  await look();
  expect(await queued()).toHaveLength(1);
});

test('O8: a clock that jumps an hour back and forth queues nothing twice and skips nothing', async () => {
  const regles = rules({ CRON_COMMANDES: '*/20 * * * *', RATTRAPAGE: 'tous' });
  await look(regles);
  for (const hours of [0.5, 1.5, 0.4, 1.6, 0.6, 2.5, 1.2, 3]) {
    now = START + hours * HOUR;
    await look(regles);
  }
  expect(await queued()).toEqual(
    ticksEntre(regles.horaires.sync!, START, now).map((t) => `sync ${new Date(t).toISOString()}`),
  );
});

test('O8: a clock that was years ahead, then set right, does not silence the schedule', async () => {
  await look();
  now = START + 400 * 24 * HOUR;
  await look();
  const [ahead] = await lirePlanifications(pool);
  await pool.query('DELETE FROM pgboss.job');
  now = START + HOUR;
  expect(await look()).toEqual([]);
  now = at('2026-03-28T13:00:00Z');
  expect(await look()).toEqual([{ tache: 'sync', echeance: '2026-03-28T13:00:00.000Z' }]);
  expect((await lirePlanifications(pool))[0]!.echeancesManquees).toBe(ahead!.echeancesManquees);
});

test('the clock is that of the database, whatever this machine believes', async () => {
  const { rows } = await pool.query('SELECT extract(epoch FROM now()) * 1000 AS t');
  expect(Math.abs((await horlogeBase(pool)) - Number(rows[0].t))).toBeLessThan(60_000);
});

test('O6: any number of planners, any of them dying in the middle, any pauses: each tick once', async () => {
  const regles = rules({ CRON_COMMANDES: '*/5 * * * *', CRON_LOGS: '7 * * * *', RATTRAPAGE: 'tous' });
  await assertProperty(
    'planificateurs',
    fc.asyncProperty(
      fc.array(
        fc.record({
          pas: fc.integer({ min: 10_000, max: 2 * HOUR }),
          combien: fc.integer({ min: 1, max: 5 }),
          mort: fc.boolean(),
        }),
        { minLength: 1, maxLength: 8 },
      ),
      async (rounds) => {
        await pool.query('TRUNCATE planification; DELETE FROM pgboss.job');
        now = START;
        await look(regles);
        for (const { pas, combien, mort } of rounds) {
          now += pas;
          const looks = Array.from({ length: combien }, () => look(regles).catch(() => undefined));
          if (mort) {
            await pool
              .query(
                `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                  WHERE datname = current_database() AND pid <> pg_backend_pid() AND query ~ 'planification|insert into pgboss'`,
              )
              .catch(() => undefined);
          }
          await Promise.all(looks);
        }
        await look(regles);
        const expected = (['ingest', 'sync'] as const).flatMap((tache) =>
          ticksEntre(regles.horaires[tache]!, START, now).map((t) => `${tache} ${new Date(t).toISOString()}`),
        );
        expect((await queued()).sort()).toEqual(expected.sort());
      },
    ),
    { numRuns: 15 },
  );
}, 120_000);

test('what is chosen of the ticks that came due is a part of them, in order, the latest included when recent', () => {
  const ticks = [1, 2, 3, 50, 100].map((h) => h * HOUR);
  const choose = (rattrapage: PlanificationConfig['rattrapage'], at: number, hours: number): number[] =>
    rattraper(ticks, at * HOUR, { rattrapage, rattrapageMax: hours * 3600 }).map((t) => t / HOUR);
  expect(choose('tous', 100, 24)).toEqual([100]);
  expect(choose('tous', 100, 50)).toEqual([50, 100]);
  expect(choose('un', 100, 720)).toEqual([100]);
  expect(choose('un', 125, 24)).toEqual([]);
  expect(choose('aucun', 100, 24)).toEqual([100]);
  expect(choose('aucun', 101, 24)).toEqual([]);
});
