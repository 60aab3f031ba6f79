import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { silentLogger } from '../../src/base/logger.ts';
import { type Column, copyRows } from '../../src/postgres/copy.ts';
import type { Value } from '../../src/postgres/copy-encoder.ts';
import { encodeNumeric } from '../../src/postgres/numeric.ts';
import { createPool, type Pool, transaction, withClient } from '../../src/postgres/pool.ts';
import { createDatabase, type TestDatabase } from '../harness/postgres.ts';
import { assertProperty } from '../harness/property.ts';

let database: TestDatabase;
let pool: Pool;
beforeAll(async () => {
  database = await createDatabase({ template: false });
  pool = createPool(database.url, { logger: silentLogger(), max: 1 });
  await pool.query(`CREATE TABLE essai (rang int4, entier int4, grand int8, texte text, seconde timestamptz,
    micro timestamptz, decimal numeric, borne numeric(16, 6))`);
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

const COLUMNS: Column[] = [
  { name: 'rang', kind: 'int4' },
  { name: 'entier', kind: 'int4' },
  { name: 'grand', kind: 'int8' },
  { name: 'texte', kind: 'text' },
  { name: 'seconde', kind: 'seconds' },
  { name: 'micro', kind: 'micros' },
  { name: 'decimal', kind: 'numeric' },
  { name: 'borne', kind: 'numeric' },
];

/** 0002-01-01 and 9998-12-31, in seconds since the epoch. */
const FIRST = Date.parse('0002-01-01T00:00:00Z') / 1000;
const LAST = Date.parse('9998-12-31T23:59:59Z') / 1000;

type Row = [
  entier: number | null,
  grand: number | null,
  texte: string | null,
  seconde: number | null,
  micro: bigint | null,
  decimal: string | null,
  borne: string | null,
];

/** Writes rows by COPY; what stands in the table then, as PostgreSQL writes it. */
async function roundTrip(rows: readonly Row[], split: number): Promise<Record<string, string | null>[]> {
  return await withClient(pool, async (client) => {
    await client.query('TRUNCATE essai');
    await copyRows(client, 'essai', COLUMNS, async (write) => {
      for (const [i, row] of rows.entries()) {
        const values: Value[] = [i, ...row];
        // One part or two, cut anywhere: the same row.
        await write(values.slice(0, split), values.slice(split));
      }
    });
    const { rows: found } = await client.query(`
      SELECT entier::text, grand::text, texte, (extract(epoch FROM seconde)::numeric(20, 0))::text AS seconde,
             (extract(epoch FROM micro) * 1000000)::numeric(24, 0)::text AS micro, decimal::text, borne::text
        FROM essai ORDER BY rang`);
    return found;
  });
}

/** As PostgreSQL itself reads the same decimal from text. */
async function asNumeric(texts: readonly (string | null)[], type: string): Promise<(string | null)[]> {
  const { rows } = await pool.query(
    `SELECT t::${type}::text AS n FROM unnest($1::text[]) WITH ORDINALITY u (t, i) ORDER BY i`,
    [texts],
  );
  return rows.map((row) => row.n);
}

async function expectSame(rows: readonly Row[], split: number): Promise<void> {
  const found = await roundTrip(rows, split);
  const decimals = await asNumeric(
    rows.map((row) => row[5]),
    'numeric',
  );
  const bounded = await asNumeric(
    rows.map((row) => row[6]),
    'numeric(16,6)',
  );
  const text = (value: Value): string | null => (value === null ? null : String(value));
  expect(found).toEqual(
    rows.map(([entier, grand, texte, seconde, micro], i) => ({
      entier: text(entier),
      grand: text(grand),
      texte,
      seconde: text(seconde),
      micro: text(micro),
      decimal: decimals[i],
      borne: bounded[i],
    })),
  );
}

const digits = (max: number): fc.Arbitrary<string> =>
  fc.stringMatching(new RegExp(`^[0-9]{1,${max}}$`), { size: 'max' });
const sign = fc.constantFrom('', '-');
const decimal = fc
  .tuple(sign, digits(30), fc.option(digits(30)))
  .map(([minus, whole, part]) => `${minus}${whole}${part === null ? '' : `.${part}`}`);
/** Six places, as durations have them. */
const bounded = fc
  .tuple(sign, fc.nat(99_999_999), fc.nat(999_999))
  .map(([minus, whole, part]) => `${minus}${whole}.${String(part).padStart(6, '0')}`);
/** No NUL: PostgreSQL has none, and the parser drops them. No lone surrogate: it is no character. */
const free = fc.string({ unit: 'binary' }).map((text) => text.toWellFormed().replaceAll('\0', ''));
const odd = fc.constantFrom(
  '',
  '\\',
  '\\N',
  '\\.',
  '\t\r\n',
  '"',
  "'",
  '𝄞🪚',
  'é\u0301',
  '\u{10FFFF}',
  '\x7f',
);
const texte = fc.oneof(
  free,
  odd,
  fc.array(odd).map((parts) => parts.join('')),
);
const micros = fc.bigInt({ min: BigInt(FIRST) * 1_000_000n, max: BigInt(LAST) * 1_000_000n });
const row: fc.Arbitrary<Row> = fc.tuple(
  fc.option(fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff })),
  fc.option(fc.maxSafeInteger()),
  fc.option(texte),
  fc.option(
    fc.oneof(fc.integer({ min: FIRST, max: LAST }), fc.constantFrom(FIRST, LAST, 0, -1, 946_684_800)),
  ),
  fc.option(micros),
  fc.option(decimal),
  fc.option(bounded),
);

test('what is written is what stands there', async () => {
  await assertProperty(
    'COPY binaire',
    fc.asyncProperty(fc.array(row, { maxLength: 40 }), fc.integer({ min: 0, max: 8 }), expectSame),
    { numRuns: 200 },
  );
});

const NUMBERS = [
  ...[
    '0',
    '0.000000',
    '-0',
    '-0.00',
    '1',
    '-1',
    '10',
    '9999',
    '10000',
    '10001',
    '100000000',
    '0.1',
    '0.0001',
  ],
  ...[
    '0.00001',
    '0.000001',
    '-0.000001',
    '99999999.999999',
    '-99999999.999999',
    '3359.25',
    '12345.6789',
    '007.50',
  ],
  ...['1000000000000.0000000000001', '0.00000000000000000001', '10000.0001', '20000000', '0.99990000'],
];

test.each(NUMBERS)('the number %s', async (text) => {
  const { rows } = await pool.query({
    text: `SELECT encode(numeric_send($1::numeric), 'hex') AS wanted`,
    values: [text],
  });
  // To the byte: also the scale, and no group of zeros at either end.
  expect(encodeNumeric(text).toString('hex')).toBe(rows[0].wanted);
});

test('first and last instant, to the second and to the microsecond', async () => {
  const edges = [FIRST, LAST, 0, -1, 946_684_799, 946_684_800, 9_954_092_549, 9_954_092_550];
  await expectSame(
    edges.map((at) => [null, null, null, at, BigInt(at) * 1_000_000n + 1n, null, null]),
    3,
  );
});

test('texts longer than a chunk, of characters of one to four bytes', async () => {
  const long = ['a', 'é', '€', '🪚'].map((unit) => unit.repeat(300_000));
  await expectSame(
    long.map((text) => [1, 2, text, 3, 4n, '5', '6']),
    8,
  );
});

test('many rows, and none', async () => {
  const rows = Array.from(
    { length: 20_000 },
    (_, i): Row => [i, i * 1e9, `ligne ${i}`, i, BigInt(i), `${i}.5`, null],
  );
  await expectSame(rows, 4);
  await expectSame([], 0);
});

test('a producer that fails leaves no row, and a connection that can be used again', async () => {
  const stop = new Error('arrêt');
  await withClient(pool, async (client) => {
    await client.query('TRUNCATE essai');
    const work = transaction(client, () =>
      copyRows(client, 'essai', COLUMNS, async (write) => {
        for (let i = 0; i < 5000; i++) await write([i, 1, 1, 'x'.repeat(100), 1, 1n, '1', '1']);
        throw stop;
      }),
    );
    await expect(work).rejects.toBe(stop);
    expect((await client.query('SELECT count(*) AS n FROM essai')).rows).toEqual([{ n: 0 }]);
  });
});

test('a server that refuses is heard, also by a producer that would go on', async () => {
  await withClient(pool, async (client) => {
    const work = transaction(client, () =>
      copyRows(client, 'essai', COLUMNS, async (write) => {
        for (let i = 0; i < 100_000; i++) await write([i, 1, 1, '\0', 1, 1n, '1', '1'.repeat(20)]);
      }),
    );
    await expect(work).rejects.toThrow(/UTF8|numeric|overflow/);
    expect((await client.query('SELECT 1 AS un')).rows).toEqual([{ un: 1 }]);
  });
});
