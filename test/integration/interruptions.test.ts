// Runs that were taken from their worker are closed together with the database sessions that work for them (O7).

import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadConfig } from '../../src/base/config.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { type Client, createPool, type Pool, withClient } from '../../src/postgres/pool.ts';
import { demander } from '../../src/postgres/taches/demandes.ts';
import { tenirExecution } from '../../src/postgres/taches/executions.ts';
import { fermerInterrompues } from '../../src/postgres/taches/interruptions.ts';
import { migrateUrl } from '../harness/context.ts';
import { createDatabase, registerTemplate, type TestDatabase } from '../harness/postgres.ts';

let database: TestDatabase;
let pool: Pool;
beforeAll(async () => {
  registerTemplate(migrateUrl);
  database = await createDatabase();
  pool = createPool(database.url, { logger: silentLogger() });
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

/** A client with which something else happens right after its first statement. */
function entreDeux(client: Client, work: () => Promise<unknown>): Client {
  let done = false;
  return new Proxy(client, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return async (...args: unknown[]) => {
        const result: unknown = await value.apply(target, args);
        if (name === 'query' && !done) {
          done = true;
          await work();
        }
        return result;
      };
    },
  });
}

test('a job that is taken away while one looks: its run is not closed without its session', async () => {
  const { travail, execution } = await withClient(pool, (client) =>
    demander(client, { tache: 'ingest', options: {} }, loadConfig({}).planification),
  );
  await pool.query(`UPDATE pgboss.job SET state = 'active' WHERE id = $1`, [travail]);
  await pool.query(`UPDATE execution SET etat = 'en_cours', tentative = 1 WHERE id = $1`, [execution]);
  const frozen = await pool.connect();
  let ended = false;
  frozen.on('error', () => {
    ended = true;
  });
  try {
    expect(await tenirExecution(frozen, execution)).toBe(true);
    await frozen.query('SELECT pg_advisory_lock(815)');
    const taken = (): Promise<unknown> =>
      pool.query(`UPDATE pgboss.job SET state = 'retry' WHERE id = $1`, [travail]);
    const closed = await withClient(pool, (client) => fermerInterrompues(entreDeux(client, taken)));
    expect(closed.map(({ id }) => id)).toEqual([execution]);
    await expect.poll(() => ended).toBe(true);
    await expect
      .poll(async () => (await pool.query('SELECT pg_try_advisory_lock(815) AS libre')).rows[0].libre)
      .toBe(true);
  } finally {
    frozen.release(true);
  }
});
