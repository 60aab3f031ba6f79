// Interval algebra and decimals against the plainest models of them.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Interval, intersect, measure, subtract, union } from '../../src/domain/intervals.ts';
import { formatDecimal, hours, percent } from '../../src/domain/session/decimal.ts';
import { encodeNumeric } from '../../src/postgres/numeric.ts';
import { assertProperty } from '../harness/property.ts';
import { decimal } from '../reference/line.ts';
import { rounded } from '../reference/session.ts';

const RUNS = 3_000;
const SIZE = 16;

/** Also empty ones and ones that run backwards: they cover nothing. */
const intervals = fc.array(fc.record({ start: fc.nat(SIZE), end: fc.nat(SIZE) }) as fc.Arbitrary<Interval>, {
  maxLength: 6,
});
/** Which of the units [i, i + 1) are covered: the naive model. */
const units = (set: readonly Interval[]): boolean[] =>
  Array.from({ length: SIZE }, (_, i) => set.some(({ start, end }) => start <= i && i + 1 <= end));
const isSet = (set: readonly Interval[]): boolean =>
  set.every(({ start, end }, i) => start < end && (i === 0 || set[i - 1]!.end < start));

describe('P3: interval algebra, unit by unit', () => {
  it('P3: union, intersection and difference cover what the model says, and are sets', async () => {
    await assertProperty(
      'intervalles',
      fc.property(intervals, intervals, (x, y) => {
        const [a, b] = [union(x), union(y)];
        const [ua, ub] = [units(x), units(y)];
        expect(units(a)).toEqual(ua);
        expect(units(intersect(a, b))).toEqual(ua.map((here, i) => here && ub[i]!));
        expect(units(subtract(a, b))).toEqual(ua.map((here, i) => here && !ub[i]!));
        for (const set of [a, intersect(a, b), subtract(a, b)]) expect(isSet(set)).toBe(true);
        expect(measure(a)).toBe(ua.filter(Boolean).length);
      }),
      { numRuns: RUNS },
    );
  });

  it('P3: what is covered and what is not make the whole; union is idempotent, order does not matter', async () => {
    await assertProperty(
      'lois des intervalles',
      fc.property(intervals, intervals, (x, y) => {
        const [a, b] = [union(x), union(y)];
        expect(measure(intersect(a, b)) + measure(subtract(a, b))).toBe(measure(a));
        expect(measure(union([...x, ...y]))).toBe(measure(a) + measure(b) - measure(intersect(a, b)));
        expect(union([...a, ...a])).toEqual(a);
        expect(union([...y, ...x])).toEqual(union([...x, ...y]));
        expect(intersect(a, b)).toEqual(intersect(b, a));
        expect(subtract(a, a)).toEqual([]);
      }),
      { numRuns: RUNS },
    );
  });
});

/** Microseconds of up to a long day, often at the edge of rounding. */
const micros = fc.oneof(
  fc.integer({ min: 0, max: 90_000_000_000 }),
  fc.integer({ min: 0, max: 250_000 }).map((n) => n * 360_000 + 180_000),
  fc.integer({ min: 0, max: 250_000 }).map((n) => n * 360_000 + 179_999),
);

describe('decimals (rule 20): halves away from zero, from exact microseconds', () => {
  it('hours and rates are the quotients of whole numbers', async () => {
    await assertProperty(
      'décimaux',
      fc.property(micros, micros, (a, b) => {
        const [part, whole] = [Math.min(a, b), Math.max(a, b)];
        expect(formatDecimal(hours(part))).toBe(rounded(BigInt(part), 3_600_000_000n, 4));
        const rate = whole === 0 ? '0.00' : rounded(BigInt(part) * 100n, BigInt(whole), 2);
        expect(formatDecimal(percent(part, whole))).toBe(rate);
      }),
      { numRuns: RUNS },
    );
  });

  it('P6: a length travels to PostgreSQL digit for digit', async () => {
    await assertProperty(
      'numeric',
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 15n - 1n }), (units) => {
        const text = decimal(units, 6);
        const bytes = encodeNumeric(text);
        const weight = bytes.readInt16BE(2);
        let value = 0n;
        // Groups of four digits; the first is worth 10000^weight, all are counted in units of 10000^-2.
        for (let i = 0; i < bytes.readInt16BE(0); i++) {
          value += BigInt(bytes.readInt16BE(8 + 2 * i)) * 10_000n ** BigInt(weight - i + 2);
        }
        expect(value).toBe(units * 100n);
        expect(bytes.readInt16BE(6)).toBe(text.split('.')[1]?.length ?? 0);
      }),
      { numRuns: RUNS },
    );
  });
});
