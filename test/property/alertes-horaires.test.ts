// Working hours as time that passes: against a count of every minute, over changes of the clock and holidays (O8).

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lireFeries, lireHoraires } from '../../src/base/horaires.ts';
import { FactoryTime, formatDay, parseDay } from '../../src/base/time.ts';
import { estFerie, paques } from '../../src/domain/alertes/feries.ts';
import { type Plage, tempsDeTravail } from '../../src/domain/alertes/horaires.ts';
import { assertProperty } from '../harness/property.ts';

const PARIS = new FactoryTime('Europe/Paris');
const AUCUN = lireFeries('FERIES', 'non', []);
const plages = (texte: string): readonly Plage[] => {
  const problems: string[] = [];
  const { defaut } = lireHoraires('HORAIRES', texte, '', problems);
  expect(problems).toEqual([]);
  return defaut;
};
const instant = (texte: string): number => Date.parse(texte) / 1000;

/** Minutes between two instants at which somebody works, one by one. */
function compter(
  own: readonly Plage[],
  zone: string,
  jourLibre: (date: string) => boolean,
  de: number,
  a: number,
): number {
  const spans: [number, number][] = [];
  for (let day = Math.floor(de / 86_400) - 3; day <= Math.floor(a / 86_400) + 3; day++) {
    const date = Temporal.PlainDate.from(formatDay(day));
    if (jourLibre(date.toString())) continue;
    const at = (seconds: number): number =>
      date
        .add({ days: Math.floor(seconds / 86_400) })
        .toPlainDateTime(Temporal.PlainTime.from('00:00').add({ seconds: seconds % 86_400 }))
        .toZonedDateTime(zone, { disambiguation: 'compatible' }).epochMilliseconds / 1000;
    for (const { jours, debut, fin } of own) {
      if (jours.includes(date.dayOfWeek)) spans.push([at(debut), at(fin)]);
    }
  }
  let minutes = 0;
  for (let t = de; t < a; t += 60) if (spans.some(([from, to]) => from <= t && t < to)) minutes++;
  return minutes * 60;
}

const plage = fc
  .record({
    jours: fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: 1 }),
    debut: fc.integer({ min: 0, max: 95 }).map((quarter) => quarter * 900),
    duree: fc.integer({ min: 1, max: 96 }).map((quarter) => quarter * 900),
  })
  .map(({ jours, debut, duree }): Plage => ({ jours, debut, fin: debut + duree }));

/** Around the last Sundays of March and October, the first in New York and Lord Howe, and any other time. */
const debuts = fc.oneof(
  fc.constantFrom(
    '2025-03-28',
    '2025-10-24',
    '2026-03-27',
    '2026-10-23',
    '2025-03-07',
    '2025-10-31',
    '2025-04-04',
  ),
  fc.integer({ min: 0, max: 2000 }).map((days) => formatDay(parseDay('2024-01-01') + days)),
);

describe('O8 working time', () => {
  it('is the number of minutes at which somebody works, whatever the hours, the zone and the clock do', async () => {
    await assertProperty(
      'temps de travail',
      fc.property(
        fc.array(plage, { maxLength: 4 }),
        fc.constantFrom('Europe/Paris', 'America/New_York', 'Australia/Lord_Howe', 'UTC'),
        debuts,
        fc.integer({ min: 0, max: 1439 }),
        fc.integer({ min: 0, max: 5 * 1440 }),
        fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 2 }),
        (own, zone, date, minute, length, off) => {
          const de = parseDay(date) * 86_400 + minute * 60;
          const a = de + length * 60;
          const libres = off.map((days) => formatDay(parseDay(date) + days - 1));
          const feries = lireFeries('FERIES', libres.join(';') || 'non', []);
          const time = new FactoryTime(zone);
          const expected = compter(own, zone, (day) => libres.includes(day), de, a);
          expect(tempsDeTravail(own, feries, time, { de, a })).toBe(expected);
          // Who asks for less is told at least that, and whether it is reached.
          const assez = Math.floor(expected / 2) + 60;
          expect(tempsDeTravail(own, feries, time, { de, a, assez }) >= assez).toBe(expected >= assez);
        },
      ),
      { numRuns: 600 },
    );
  });

  it('adds up: from here to there and on is from here to the end; it never shrinks', async () => {
    await assertProperty(
      'temps de travail, somme',
      fc.property(
        fc.array(plage, { maxLength: 4 }),
        debuts,
        fc.tuple(...Array.from({ length: 3 }, () => fc.integer({ min: 0, max: 14 * 86_400 }))),
        (own, date, offsets) => {
          const [x, y, z] = offsets.map((o) => parseDay(date) * 86_400 + o).sort((m, n) => m - n) as [
            number,
            number,
            number,
          ];
          const travail = (de: number, a: number): number => tempsDeTravail(own, AUCUN, PARIS, { de, a });
          expect(travail(x, y) + travail(y, z)).toBe(travail(x, z));
          expect(travail(x, z)).toBeLessThanOrEqual(z - x);
          expect(travail(z, x)).toBe(0);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('a night shift over the change of the clock has the hours that pass', () => {
    const nuit = plages('tous 22:00-06:00');
    const entre = (de: string, a: string): number =>
      tempsDeTravail(nuit, AUCUN, PARIS, { de: instant(de), a: instant(a) }) / 3600;
    expect(entre('2026-03-28T12:00+01:00', '2026-03-29T12:00+02:00')).toBe(7);
    expect(entre('2026-10-24T12:00+02:00', '2026-10-25T12:00+01:00')).toBe(9);
    expect(entre('2026-06-01T12:00+02:00', '2026-06-02T12:00+02:00')).toBe(8);
  });

  it('a weekend, a holiday and a closed summer do not count', () => {
    const jours = plages('lun-ven 08:00-17:00');
    const france = lireFeries('FERIES', 'france; 12-24; 2026-08-03..2026-08-21', []);
    const entre = (de: string, a: string): number =>
      tempsDeTravail(jours, france, PARIS, { de: instant(de), a: instant(a) }) / 3600;
    expect(entre('2026-06-05T17:00+02:00', '2026-06-08T09:30+02:00')).toBe(1.5);
    // Bastille Day is a Tuesday.
    expect(entre('2026-07-13T17:00+02:00', '2026-07-15T08:00+02:00')).toBe(0);
    expect(entre('2026-07-31T17:00+02:00', '2026-08-24T09:00+02:00')).toBe(1);
    expect(entre('2026-12-23T17:00+01:00', '2026-12-28T09:00+01:00')).toBe(1);
  });
});

describe('French holidays', () => {
  it('Easter is when it was and will be', () => {
    const known = [
      '1961-04-02',
      '2000-04-23',
      '2024-03-31',
      '2025-04-20',
      '2026-04-05',
      '2027-03-28',
      '2038-04-25',
      '2285-03-22',
    ];
    expect(known.map((date) => formatDay(paques(Number(date.slice(0, 4)))))).toEqual(known);
  });

  it('2026 has these eleven', () => {
    const feries = lireFeries('FERIES', 'france', []);
    const first = parseDay('2026-01-01');
    const days = Array.from({ length: 365 }, (_, i) => first + i).filter((day) => estFerie(feries, day));
    expect(days.map((day) => formatDay(day).slice(5)).join(' ')).toBe(
      '01-01 04-06 05-01 05-08 05-14 05-25 07-14 08-15 11-01 11-11 12-25',
    );
  });
});
