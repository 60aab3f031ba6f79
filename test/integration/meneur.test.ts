// One leader at a time; another one in its place when it is gone, cut off, or silent. O7, F32.
import { once } from 'node:events';
import pg from 'pg';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { silentLogger } from '../../src/base/logger.ts';
import { createPool, type Pool } from '../../src/postgres/pool.ts';
import { mener } from '../../src/postgres/taches/meneur.ts';
import { createDatabase, type TestDatabase } from '../harness/postgres.ts';

const logger = silentLogger();
const delais = { pouls: 100, reponse: 5_000, silence: 1_500 };

let database: TestDatabase;
let pool: Pool;
let stops: (() => Promise<void>)[] = [];
beforeAll(async () => {
  database = await createDatabase({ template: false });
  pool = createPool(database.url, { logger });
});
afterEach(async () => {
  await Promise.all(stops.map((stop) => stop()));
  stops = [];
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

/** Who leads now, in order of taking over; `most` is how many did at once. */
const leaders = { now: new Set<string>(), most: 0, history: [] as string[] };

function stand(name: string): () => Promise<void> {
  const abort = new AbortController();
  const ended = mener({
    ...{ url: database.url, logger, delais, signal: abort.signal },
    exercer: async (signal) => {
      leaders.now.add(name);
      leaders.history.push(name);
      leaders.most = Math.max(leaders.most, leaders.now.size);
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      leaders.now.delete(name);
    },
  });
  const stop = async (): Promise<void> => {
    abort.abort();
    await ended;
  };
  stops.push(stop);
  return stop;
}

const leads = (expected: RegExp) =>
  expect.poll(() => [...leaders.now].join(), { timeout: 30_000 }).toMatch(expected);

test('of three one leads; when it stops or loses its session, another does, never two', async () => {
  const first = stand('a');
  await leads(/^a$/);
  stand('b');
  stand('c');
  await first();
  await leads(/^[bc]$/);
  const before = leaders.history.length;
  await pool.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'atelier-suivi' AND datname = current_database()`,
  );
  await expect.poll(() => leaders.history.length, { timeout: 30_000 }).toBeGreaterThan(before);
  await leads(/^[bc]$/);
  expect(leaders.most).toBe(1);
});

test('each loss of the lead is told, not only the first', async () => {
  const told: string[] = [];
  const abort = new AbortController();
  const ended = mener({
    ...{ url: database.url, delais, signal: abort.signal },
    logger: pino({ level: 'warn' }, { write: (line: string) => void told.push(line) }),
    exercer: (signal) => once(signal, 'abort').then(() => undefined),
  });
  stops.push(async () => {
    abort.abort();
    await ended;
  });
  const cut = async (): Promise<number> => {
    await pool.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'atelier-suivi' AND datname = current_database()`,
    );
    return told.length;
  };
  await expect.poll(cut, { timeout: 60_000, interval: 2 * delais.silence }).toBeGreaterThan(2);
}, 90_000);

test('O7: a leader that is connected but silent is put aside', async () => {
  const stop = stand('d');
  await leads(/^d$/);
  const { rows } = await pool.query<{ classid: string; objid: string }>(
    `SELECT classid, objid FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
  );
  expect(rows).toHaveLength(1);
  await stop();
  // Somebody who took the lock and was stopped: his connection stands, and says nothing.
  const zombie = new pg.Client({ connectionString: database.url });
  const gone = new Promise<void>((resolve) => zombie.once('end', () => resolve()));
  zombie.on('error', () => undefined);
  await zombie.connect();
  await zombie.query('SELECT pg_advisory_lock(($1::bigint << 32) | $2::bigint)', [
    rows[0]!.classid,
    rows[0]!.objid,
  ]);
  stand('e');
  await leads(/^e$/);
  await gone;
});
