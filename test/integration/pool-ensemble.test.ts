import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { silentLogger } from '../../src/base/logger.ts';
import { createPool, ensemble, type Pool, withClient } from '../../src/postgres/pool.ts';
import { createDatabase, type TestDatabase } from '../harness/postgres.ts';

let database: TestDatabase;
let pool: Pool;

beforeAll(async () => {
  database = await createDatabase({ template: false });
  pool = createPool(database.url, { logger: silentLogger(), max: 2 });
  await pool.query('CREATE TABLE essai (n int)');
});
beforeEach(async () => void (await pool.query('TRUNCATE essai')));
afterAll(async () => {
  await pool?.end();
  await database?.drop();
});

const rows = async (): Promise<number[]> =>
  (await pool.query<{ n: number }>('SELECT n FROM essai')).rows.map(({ n }) => n);

test('questions are answered in their order, each with its own answer', async () => {
  await withClient(pool, async (client) => {
    const [one, two] = await ensemble(client, () => [
      client.query<{ n: number }>('SELECT 1 AS n'),
      client.query<{ n: number }>({ name: 'deux', text: 'SELECT $1::int AS n', values: [2] }),
    ]);
    expect([one.rows, two.rows]).toEqual([[{ n: 1 }], [{ n: 2 }]]);
    // What is asked afterwards is asked as ever, COPY included.
    expect((await client.query<{ n: number }>('SELECT 3 AS n')).rows).toEqual([{ n: 3 }]);
  });
});

test('a COMMIT behind a statement that failed keeps nothing, and the error is that of the statement', async () => {
  await withClient(pool, async (client) => {
    await client.query('BEGIN; INSERT INTO essai VALUES (1)');
    const asked = ensemble(client, () => [client.query('SELECT 1 / 0'), client.query('COMMIT')]);
    await expect(asked).rejects.toMatchObject({ code: '22012' });
    expect((await client.query('SELECT n FROM essai')).rows).toEqual([]);
  });
  expect(await rows()).toEqual([]);
});

test('a connection that is lost fails every question, and the pool goes on', async () => {
  const lost = withClient(pool, (client) =>
    ensemble(client, () => [
      client.query('SELECT pg_terminate_backend(pg_backend_pid())'),
      client.query('SELECT 2'),
    ]),
  );
  await expect(lost).rejects.toMatchObject({ code: '57P01' });
  expect(await rows()).toEqual([]);
});
