// When tasks are due: the settings' notation, and days on which the clock changes (O8).
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lireHoraire, prochainTick, ticksEntre } from '../../src/base/cron.ts';
import { assertProperty } from '../harness/property.ts';

const PARIS = 'Europe/Paris';
const iso = (ms: number): string => new Date(ms).toISOString().slice(0, 16);
function ticks(texte: string, du: string, au: string, fuseau = PARIS): string[] {
  return ticksEntre(lireHoraire(texte, fuseau)!, Date.parse(du), Date.parse(au)).map(iso);
}

describe('notation', () => {
  test.each([
    ['11:00', ['0 11 * * *']],
    ['9:00, 14:00', ['0 9 * * *', '0 14 * * *']],
    ['9h05;14h30', ['5 9 * * *', '30 14 * * *']],
    ['0 9,14 * * *', ['0 9,14 * * *']],
    ['  */15   6-20 * *  MON-FRI ', ['*/15 6-20 * * MON-FRI']],
    ['0 4 L * *', ['0 4 L * *']],
  ])('%s', (texte, crons) => {
    expect(lireHoraire(texte, PARIS)!.crons).toEqual(crons);
  });

  test.each(['', ' ', 'non', 'NON'])('%j: switched off', (texte) => {
    expect(lireHoraire(texte, PARIS)).toBeUndefined();
  });

  test.each([
    '24:00',
    '11:60',
    '11',
    '11:00,midi',
    '* * * *',
    '* * * * * *',
    '@daily',
    'H 3 * * *',
    '60 * * * *',
    '31 2 30 2 *',
    '0 9 * * LUN',
    'DROP TABLE',
  ])('%s: refused', (texte) => {
    expect(() => lireHoraire(texte, PARIS)).toThrow(RangeError);
  });

  test('11:00 and 0 11 * * * are the same', () => {
    const span = ['2025-01-01T00:00Z', '2026-01-01T00:00Z'] as const;
    expect(ticks('11:00', ...span)).toEqual(ticks('0 11 * * *', ...span));
    expect(ticks('09:00,14:00', ...span)).toEqual(ticks('0 9,14 * * *', ...span));
  });
});

describe('O8 days of the clock change, Europe/Paris', () => {
  test.each<[string, string, string, string[]]>([
    ['02:30', '2026-03-28T12:00Z', '2026-03-30T12:00Z', ['2026-03-29T01:30', '2026-03-30T00:30']],
    ['02:00', '2026-03-28T12:00Z', '2026-03-30T12:00Z', ['2026-03-29T01:00', '2026-03-30T00:00']],
    ['02:30', '2026-10-24T12:00Z', '2026-10-26T12:00Z', ['2026-10-25T00:30', '2026-10-26T01:30']],
    ['09:00', '2026-10-24T12:00Z', '2026-10-26T12:00Z', ['2026-10-25T08:00', '2026-10-26T08:00']],
    ['11:00', '2026-03-28T12:00Z', '2026-03-30T12:00Z', ['2026-03-29T09:00', '2026-03-30T09:00']],
    // Every hour is every hour that passes: twenty-five of them.
    [
      '0 * * * *',
      '2026-10-24T23:30Z',
      '2026-10-25T02:30Z',
      ['2026-10-25T00:00', '2026-10-25T01:00', '2026-10-25T02:00'],
    ],
  ])('%s from %s to %s', (texte, du, au, expected) => {
    expect(ticks(texte, du, au)).toEqual(expected);
  });

  test('a daily tick comes once on every day of ten years, at any time of day', async () => {
    const days = (Date.UTC(2034, 0, 1) - Date.UTC(2024, 0, 1)) / 86_400_000;
    await assertProperty(
      'horaire quotidien',
      fc.property(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }), (h, m) => {
        const found = ticksEntre(
          lireHoraire(`${h}:${String(m).padStart(2, '0')}`, PARIS)!,
          Temporal.ZonedDateTime.from(`2023-12-31T23:59:59[${PARIS}]`).epochMilliseconds,
          Temporal.ZonedDateTime.from(`2033-12-31T23:59:59[${PARIS}]`).epochMilliseconds,
        );
        const local = new Set(
          found.map((t) =>
            Temporal.Instant.fromEpochMilliseconds(t).toZonedDateTimeISO(PARIS).toPlainDate().toString(),
          ),
        );
        expect([found.length, local.size]).toEqual([days, days]);
      }),
      { numRuns: 4, seed: 1 },
    );
  }, 120_000);

  test('looking often or seldom gives the same ticks, on change days too', async () => {
    const crons = ['02:30', '*/20 1-3 * * *', '15,45 * * * *', '0 9,14 * * *', '*/7 * * * *', '30 2 * * SUN'];
    const starts = ['2026-03-28T20:00Z', '2026-10-24T20:00Z', '2026-06-01T20:00Z'].map((t) => Date.parse(t));
    await assertProperty(
      'regards',
      fc.property(
        fc.constantFrom(...crons),
        fc.constantFrom(...starts),
        fc.array(fc.integer({ min: 1_000, max: 4 * 3_600_000 }), { minLength: 1, maxLength: 12 }),
        (texte, start, steps) => {
          const horaire = lireHoraire(texte, PARIS)!;
          const seen: number[] = [];
          let last = start;
          let now = start;
          for (const step of steps) {
            now += step;
            const found = ticksEntre(horaire, last, now);
            seen.push(...found);
            // As the planner does: it goes on from the last tick, not from when it looked.
            last = found.at(-1) ?? last;
          }
          expect(seen).toEqual(ticksEntre(horaire, start, now));
          expect(new Set(seen).size).toBe(seen.length);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('a clock that is years ahead gives the latest ticks, not all', () => {
    const horaire = lireHoraire('* * * * *', 'UTC')!;
    const found = ticksEntre(horaire, 0, 30 * 86_400_000);
    expect(found.length).toBe(10_000);
    expect(found.at(-1)).toBe(30 * 86_400_000);
    expect(prochainTick(horaire, 0)).toBe(60_000);
  });
});
