import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Instants } from '../../src/postgres/lecture/export-instants.ts';

const COLUMNS = [false, true, false, true] as const;

const twoDigits = (max: number) => fc.integer({ min: 1, max }).map((n) => String(n).padStart(2, '0'));
/** As PostgreSQL writes an instant, with the offset that JSON has instead of its own beside it. */
const instant = fc
  .tuple(
    fc.integer({ min: 1, max: 9999 }).map((n) => String(n).padStart(4, '0')),
    twoDigits(12),
    twoDigits(28),
    twoDigits(23),
    fc.constantFrom('', '.5', '.123456'),
    fc.constantFrom(
      ['+02', '+02:00'],
      ['-03', '-03:00'],
      ['+05:45', '+05:45'],
      ['+00:09:21', '+00:09:21'],
      ['', ''],
    ),
  )
  .map(([y, m, d, h, fraction, [offset, wanted]]) => ({
    has: `${y}-${m}-${d} ${h}:30:07${fraction}${offset}`,
    wants: `${y}-${m}-${d}T${h}:30:07${fraction}${wanted}`,
  }));
const nothing = fc.constant({ has: '', wants: '' });
/** Texts with whatever could be taken for the end of a field, for an instant or for its sign. */
const text = fc
  .string({
    unit: fc.constantFrom('a', 'é', ' ', ',', ';', '\n', '"', '+', '-', '2025-05-28 06:12:00+02'),
    maxLength: 8,
  })
  .map((value) => {
    const quoted = /[",;\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
    return { has: quoted, wants: quoted };
  });
const row = fc.tuple(text, fc.oneof(instant, nothing), text, fc.oneof(instant, nothing));

test('instants of a CSV get the form of JSON, whatever is around them and wherever a piece ends', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(',', ';'),
      fc.array(row, { maxLength: 6 }),
      fc.array(fc.nat(), { maxLength: 6 }),
      (separator, rows, cuts) => {
        const csv = (side: 'has' | 'wants'): string =>
          rows.map((fields) => `${fields.map((field) => field[side]).join(separator)}\n`).join('');
        const bytes = Buffer.from(csv('has'));
        const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
        const instants = new Instants(separator as ',' | ';', COLUMNS);
        let from = 0;
        const out = ends.map((end) => {
          const piece = instants.traduire(bytes.subarray(from, end));
          from = end;
          return piece;
        });
        expect(Buffer.concat(out).toString()).toBe(csv('wants'));
      },
    ),
    { numRuns: 3000 },
  );
});
