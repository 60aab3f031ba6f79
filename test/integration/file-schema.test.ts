import { getConstructionPlans, PgBoss } from 'pg-boss';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { NOMS_TACHES } from '../../src/base/config/planification.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { migrate, readMigrations, requireSchema } from '../../src/postgres/migrate.ts';
import { createPool, type Pool, withClient } from '../../src/postgres/pool.ts';
import { ABANDONS, SCHEMA_FILE, VERSION_FILE } from '../../src/postgres/taches/file-schema.ts';
import { createDatabase, type TestDatabase } from '../harness/postgres.ts';

let database: TestDatabase;
let pool: Pool;
beforeAll(async () => {
  database = await createDatabase({ template: false });
  pool = createPool(database.url, { logger: silentLogger(), max: 10 });
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

test('the version we expect is that of the installed pg-boss', () => {
  const [, version] = /version\(version\) VALUES \('(\d+)'\)/.exec(getConstructionPlans()) ?? [];
  expect(Number(version)).toBe(VERSION_FILE);
});

test('O4 O5: ten connections at once install the queue once; without it, the schema is refused', async () => {
  await Promise.all(Array.from({ length: 10 }, () => withClient(pool, (client) => migrate(client))));
  await requireSchema(pool);
  const { rows } = await pool.query<{ name: string; policy: string; dead_letter: string | null }>(
    `SELECT name, policy, dead_letter FROM ${SCHEMA_FILE}.queue ORDER BY name`,
  );
  expect(rows).toEqual(
    [
      { name: ABANDONS, policy: 'standard', dead_letter: null },
      ...NOMS_TACHES.map((name) => ({ name, policy: 'singleton', dead_letter: ABANDONS })),
    ].sort((a, b) => (a.name < b.name ? -1 : 1)),
  );
  const boss = new PgBoss({ connectionString: database.url, schema: SCHEMA_FILE, migrate: false, max: 1 });
  boss.on('error', () => undefined);
  expect(await boss.schemaVersion().catch(() => undefined)).toBeUndefined();
  await boss.start();
  expect((await boss.detectSchemaDrift()).ok).toBe(true);
  await boss.stop({ graceful: false });
});

test('a queue that is gone, older or newer is told with its way out, and migrate mends what it can', async () => {
  await pool.query(`DROP SCHEMA ${SCHEMA_FILE} CASCADE`);
  await expect(requireSchema(pool)).rejects.toMatchObject({
    code: 'ATL_D303',
    message: expect.stringContaining('file de tâches'),
  });
  await withClient(pool, (client) => migrate(client));
  await requireSchema(pool);
  await pool.query(`DELETE FROM ${SCHEMA_FILE}.queue WHERE name = 'purge'`);
  await expect(requireSchema(pool)).rejects.toMatchObject({ code: 'ATL_D303' });
  await withClient(pool, (client) => migrate(client));
  await requireSchema(pool);
  await pool.query(`UPDATE ${SCHEMA_FILE}.version SET version = version + 1`);
  await expect(requireSchema(pool)).rejects.toMatchObject({ code: 'ATL_D303' });
  await expect(withClient(pool, (client) => migrate(client))).rejects.toMatchObject({
    code: 'ATL_D302',
    message: expect.stringContaining('plus ancien'),
  });
  expect(readMigrations().length).toBeGreaterThan(4);
});
