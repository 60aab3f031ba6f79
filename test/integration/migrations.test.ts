import { readFileSync } from 'node:fs';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AtelierError } from '../../src/base/errors.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { type Migration, migrate, readMigrations, requireSchema } from '../../src/postgres/migrate.ts';
import { type Client, createPool, type Pool, withClient } from '../../src/postgres/pool.ts';
import { dumpSchema } from '../../src/postgres/schema-dump.ts';
import { startAtelier } from '../harness/cli.ts';
import { untilSomeoneWaits } from '../harness/locks.ts';
import { createDatabase, type TestDatabase } from '../harness/postgres.ts';

const MIGRATIONS = readMigrations();

let database: TestDatabase;
let pool: Pool;
beforeAll(async () => {
  database = await createDatabase({ template: false });
  pool = createPool(database.url, { logger: silentLogger(), max: 20 });
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

async function rows(sql: string): Promise<Record<string, string>[]> {
  return (await pool.query(sql)).rows;
}

function apply(list: readonly Migration[] = MIGRATIONS): Promise<string[]> {
  return withClient(pool, (client) => migrate(client, [...list]));
}

test('sixteen connections and four processes at once: each migration is applied once', async () => {
  const processes = Array.from(
    { length: 4 },
    () => startAtelier(['migrate'], { env: { DATABASE_URL: database.url }, cwd: '/' }).ended,
  );
  // The processes need a moment to start; the connections begin when the first of them has.
  await Promise.race(
    processes.map((p) => Promise.race([p, new Promise((resolve) => setTimeout(resolve, 300))])),
  );
  const applied = (await Promise.all(Array.from({ length: 16 }, () => apply()))).flat();
  for (const { code, stdout, stderr } of await Promise.all(processes)) {
    expect([code, stderr]).toEqual([0, '']);
    for (const [, name] of stdout.matchAll(/^Migration appliquée : (.*)$/gm)) applied.push(name!);
  }
  expect(applied.sort()).toEqual(MIGRATIONS.map(({ nom }) => nom));
  const noted = await rows('SELECT id, nom, sha256 FROM migration ORDER BY id');
  expect(noted).toEqual(MIGRATIONS.map(({ id, nom, sha256 }) => ({ id, nom, sha256 })));
});

test('a second run does nothing', async () => {
  const before = await dumpSchema(pool);
  const noted = await rows('SELECT * FROM migration');
  expect(await apply()).toEqual([]);
  expect(await dumpSchema(pool)).toBe(before);
  expect(await rows('SELECT * FROM migration')).toEqual(noted);
  await requireSchema(pool);
});

describe('refused, with everything as it was', () => {
  const [first, ...others] = MIGRATIONS as [Migration, ...Migration[]];
  const broken = { id: 9998, nom: '9998_cassee.sql', sha256: '00' };
  test.each<[string, readonly Migration[], RegExp]>([
    ['an edited migration that was applied', [{ ...first, sha256: '00' }, ...others], /0001_.*a changé/],
    ['a database newer than the program', others, /0001_.*plus ancien qu’elle/],
    [
      'a wrong statement',
      [...MIGRATIONS, { ...broken, sql: 'CREATE TABLE a (); ERREUR' }],
      /9998_cassee\.sql/,
    ],
  ])('%s', async (_, list, message) => {
    const before = await dumpSchema(pool);
    const error = await apply(list).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(AtelierError);
    expect(error).toMatchObject({ code: 'ATL_D302', message: expect.stringMatching(message) });
    expect(await dumpSchema(pool)).toBe(before);
    expect(await apply()).toEqual([]);
  });

  test('a schema older than the program: run migrate', async () => {
    const next = { ...broken, sql: 'SELECT 1' };
    await expect(requireSchema(pool, [...MIGRATIONS, next])).rejects.toMatchObject({ code: 'ATL_D303' });
  });
});

describe('O4: a table that somebody reads for a long time', () => {
  const id = MIGRATIONS.length + 1;
  const next = {
    id,
    nom: `${id}_essai.sql`,
    sha256: '00',
    sql: 'ALTER TABLE centre_usinage ADD COLUMN essai int',
  };
  const patience = { attente: 200, pause: 100, essais: 1_000 };
  const held = async (work: (reader: Client) => Promise<void>): Promise<void> => {
    const reader = await pool.connect();
    try {
      await reader.query('BEGIN');
      await reader.query('SELECT FROM centre_usinage');
      await work(reader);
    } finally {
      await reader.query('ROLLBACK');
      reader.release();
    }
  };

  test('others go on reading while the migration waits, and it ends once the table is free', async () => {
    let migrating: Promise<string[]> | undefined;
    await held(async () => {
      migrating = withClient(pool, (client) => migrate(client, [...MIGRATIONS, next], patience));
      await untilSomeoneWaits(pool);
      // Answered before the first reader lets go: the migration steps back in between.
      for (let i = 0; i < 3; i++) await pool.query('SELECT FROM centre_usinage');
    });
    expect(await migrating).toEqual([next.nom]);
    await pool.query(`ALTER TABLE centre_usinage DROP COLUMN essai; DELETE FROM migration WHERE id = ${id}`);
  });

  test('O3: in a ring of locks the migration gives way, not the request', async () => {
    const ring = {
      ...next,
      sql: 'ALTER TABLE execution ADD COLUMN essai int; ALTER TABLE centre_usinage ADD COLUMN essai int',
    };
    let migrating: Promise<string[]> | undefined;
    await held(async (reader) => {
      migrating = withClient(pool, (client) => migrate(client, [...MIGRATIONS, ring]));
      await untilSomeoneWaits(pool);
      // It holds this table, and waits for the one that we hold.
      await reader.query('SELECT FROM execution');
    });
    expect(await migrating).toEqual([ring.nom]);
    await pool.query(`ALTER TABLE centre_usinage DROP COLUMN essai; ALTER TABLE execution DROP COLUMN essai;
                      DELETE FROM migration WHERE id = ${id}`);
  });

  test('who never lets go is named, and nothing was changed', async () => {
    const before = await dumpSchema(pool);
    await held(async () => {
      const migrating = withClient(pool, (client) =>
        migrate(client, [...MIGRATIONS, next], { ...patience, essais: 2 }),
      );
      await expect(migrating).rejects.toMatchObject({
        code: 'ATL_D302',
        message: expect.stringMatching(/tient une table.*processus \d+, atelier/),
      });
    });
    expect(await dumpSchema(pool)).toBe(before);
    expect(await apply()).toEqual([]);
  });
});

test('numbers are unique and without gaps, names say what they do', () => {
  expect(MIGRATIONS.map(({ id }) => id)).toEqual(MIGRATIONS.map((_, i) => i + 1));
});

test('schema.sql is the schema of a fresh database', async () => {
  const file = readFileSync(new URL('../../schema.sql', import.meta.url), 'utf8');
  expect(file.replace(/^--.*\n\n/, '')).toBe(await dumpSchema(pool));
});

describe('every table', () => {
  test('and every column has a French comment', async () => {
    const silent = await rows(`
      SELECT c.relname || coalesce('.' || a.attname, '') AS nom
        FROM pg_class c
        CROSS JOIN LATERAL (
          SELECT 0 AS attnum, NULL::name AS attname UNION ALL
          SELECT attnum, attname FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped) a
        LEFT JOIN pg_description d
          ON d.classoid = 'pg_class'::regclass AND d.objoid = c.oid AND d.objsubid = a.attnum
       WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname <> 'migration'
         AND coalesce(d.description, '') !~ '\\w{2}'
       ORDER BY 1`);
    expect(silent.map(({ nom }) => nom)).toEqual([]);
    const english = await rows(`
      SELECT description FROM pg_description
       WHERE classoid = 'pg_class'::regclass AND objoid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)
         AND description ~* '\\m(the|of|when|which|is|not)\\M'`);
    expect(english).toEqual([]);
  });

  test('has an index for each column that names a row of another', async () => {
    // Foreign keys, and the columns of detail tables that triggers guard in their place.
    const bare = await rows(`
      WITH liens AS (
        SELECT k.conrelid AS oid, k.conkey[1] AS attnum FROM pg_constraint k
         WHERE k.contype = 'f' AND k.connamespace = 'public'::regnamespace
        UNION
        SELECT a.attrelid, a.attnum FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT a.attisdropped
           AND a.attnum > 0 AND a.attname ~ '^(session|job_profil|centre_usinage|fichier_log_version)_id$')
      SELECT l.oid::regclass || '.' || a.attname AS colonne
        FROM liens l JOIN pg_attribute a ON a.attrelid = l.oid AND a.attnum = l.attnum
       WHERE NOT EXISTS (
         SELECT 1 FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam
          WHERE i.indrelid = l.oid AND i.indpred IS NULL
            -- In a block range index the order of columns does not matter.
            AND (i.indkey[0] = l.attnum OR m.amname = 'brin' AND l.attnum = ANY (i.indkey)))
       ORDER BY 1`);
    expect(bare.map(({ colonne }) => colonne)).toEqual([]);
  });

  test('of production can be spread by centre: the centre is in every primary and unique key', async () => {
    const tables = [
      'session_production',
      'job_profil',
      'periode_attente',
      'periode_arret',
      'piece_production',
    ];
    const keys = await rows(`
      SELECT i.indrelid::regclass::text AS nom, EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = i.indrelid
               AND a.attname = 'centre_usinage_id' AND a.attnum = ANY (i.indkey)) AS centre
        FROM pg_index i WHERE i.indisunique AND i.indrelid::regclass::text IN (${tables.map((t) => pg.escapeLiteral(t))})`);
    expect(new Set(keys.map(({ nom }) => nom))).toEqual(new Set(tables));
    expect(keys.filter(({ centre }) => !centre)).toEqual([]);
  });
});
