import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dayNumber, FactoryTime, formatDay, isDate, parseDay, parseTimeOfDay } from '../../src/base/time.ts';
import { assertProperty } from '../harness/property.ts';

const ZONES = [
  'Europe/Paris',
  // half an hour of summer time
  'Australia/Lord_Howe',
  // skipped a whole day, 2011-12-30
  'Pacific/Apia',
  // changes at midnight
  'America/Sao_Paulo',
  // two hours at once
  'Antarctica/Troll',
  // changes on other days than everybody, negative summer time
  'Africa/Casablanca',
  'America/St_Johns',
  'Pacific/Kwajalein',
  'UTC',
];
const RUNS = 300;
const EPOCH = Temporal.PlainDate.from('1970-01-01');
const second = fc.integer({ min: 0, max: 86_399 });

function wall(day: number, at: number): Temporal.PlainDateTime {
  return EPOCH.add({ days: day }).toPlainDateTime().add({ seconds: at });
}

function seconds(instant: Temporal.ZonedDateTime): number {
  return instant.epochMilliseconds / 1000;
}

/** Days of 1960 to 2100, most of them within two days of a change of the clock. */
function days(zone: string): fc.Arbitrary<number> {
  const any = fc.integer({ min: -3652, max: 47_481 });
  const near = fc.tuple(any, fc.integer({ min: -2, max: 2 })).map(([day, shift]) => {
    const start = EPOCH.add({ days: day }).toZonedDateTime(zone);
    const change = start.getTimeZoneTransition('next') ?? start;
    return EPOCH.until(change.toPlainDate()).days + shift;
  });
  return fc.oneof(any, near, near);
}

describe.each(ZONES)('%s', (zone) => {
  test('a reading is the instant that Temporal gives', async () => {
    await assertProperty(
      `horloge de ${zone}`,
      fc.property(days(zone), second, fc.integer({ min: -7200, max: 7200 }), (day, at, before) => {
        const time = new FactoryTime(zone);
        const reading = wall(day, at);
        const earlier = seconds(reading.toZonedDateTime(zone, { disambiguation: 'compatible' }));
        // In a gap `later` is `compatible`; in the repeated hour it is the second reading.
        const later = seconds(reading.toZonedDateTime(zone, { disambiguation: 'later' }));
        expect(time.instant(day, at)).toBe(earlier);
        const latest = earlier + before;
        expect(time.instant(day, at, latest)).toBe(latest > earlier ? later : earlier);
      }),
      { numRuns: RUNS },
    );
  });

  test('every instant has one production day, and days follow each other', async () => {
    await assertProperty(
      `journées de ${zone}`,
      fc.property(days(zone), second, second, (day, start, at) => {
        const time = new FactoryTime(zone, start);
        const begin = time.startOf(day);
        expect(begin).toBe(seconds(wall(day, start).toZonedDateTime(zone)));
        expect(time.startOf(day + 1)).toBeGreaterThanOrEqual(begin);
        const instant = time.instant(day, at);
        const found = time.productionDay(instant, day);
        expect(time.startOf(found)).toBeLessThanOrEqual(instant);
        expect(time.startOf(found + 1)).toBeGreaterThan(instant);
        // The day does not hang on where the search starts.
        expect(time.productionDay(instant, day + 2)).toBe(found);
        expect(time.productionDay(instant, day - 2)).toBe(found);
      }),
      { numRuns: RUNS },
    );
  });

  test('instants are written in the zone, and read back the same', async () => {
    await assertProperty(
      `écriture en ${zone}`,
      fc.property(days(zone), second, (day, at) => {
        const time = new FactoryTime(zone);
        const instant = time.instant(day, at);
        const text = time.format(instant);
        expect(Temporal.Instant.from(text).epochMilliseconds / 1000).toBe(instant);
        expect(text.slice(11, 19)).toBe(time.formatTime(instant));
        // A day that the zone skipped is no day that a clock can show.
        const exists = EPOCH.add({ days: day }).toZonedDateTime(zone).toPlainDate();
        if (time.changesOn(day) || EPOCH.until(exists).days !== day) return;
        expect(text.slice(0, 19)).toBe(wall(day, at).toString({ smallestUnit: 'second' }));
      }),
      { numRuns: RUNS },
    );
  });
});

test('Paris, both nights of 2025', () => {
  const time = new FactoryTime('Europe/Paris');
  const at = (text: string, latest?: string): string => {
    const { year, month, day, hour, minute } = Temporal.PlainDateTime.from(text);
    const before = latest === undefined ? undefined : Temporal.Instant.from(latest).epochMilliseconds / 1000;
    return time.format(time.instant(dayNumber(year, month, day), hour * 3600 + minute * 60, before));
  };
  expect(at('2025-03-30T01:59')).toBe('2025-03-30T01:59:00+01:00');
  expect(at('2025-03-30T02:30')).toBe('2025-03-30T03:30:00+02:00');
  expect(at('2025-03-30T03:00')).toBe('2025-03-30T03:00:00+02:00');
  expect(at('2025-10-26T02:30')).toBe('2025-10-26T02:30:00+02:00');
  expect(at('2025-10-26T02:30', '2025-10-26T02:30:00+02:00')).toBe('2025-10-26T02:30:00+02:00');
  expect(at('2025-10-26T02:30', '2025-10-26T02:31:00+02:00')).toBe('2025-10-26T02:30:00+01:00');
  expect(at('2025-10-26T03:00')).toBe('2025-10-26T03:00:00+01:00');
});

test('the calendar is that of Temporal, from the year 2 to 9998', async () => {
  const date = fc.record({
    year: fc.integer({ min: -1, max: 10_001 }),
    month: fc.integer({ min: -1, max: 14 }),
    day: fc.integer({ min: -1, max: 33 }),
  });
  await assertProperty(
    'calendrier',
    fc.property(date, ({ year, month, day }) => {
      let known: Temporal.PlainDate | undefined;
      try {
        known = Temporal.PlainDate.from({ year, month, day }, { overflow: 'reject' });
      } catch {
        // Not in the calendar.
      }
      expect(isDate(year, month, day)).toBe(known !== undefined && year >= 2 && year <= 9998);
      if (!known || !isDate(year, month, day)) return;
      const number = dayNumber(year, month, day);
      expect(number).toBe(EPOCH.until(known).days);
      expect(formatDay(number)).toBe(known.toString());
      expect(parseDay(known.toString())).toBe(number);
    }),
    { numRuns: 5000 },
  );
});

test('the first and the last day hold in every zone and for every start of the day', () => {
  for (const zone of ZONES) {
    for (const start of [0, 86_340]) {
      const time = new FactoryTime(zone, start);
      for (const day of [dayNumber(2, 1, 1), dayNumber(9998, 12, 31)]) {
        const found = time.productionDay(time.instant(day, 0), day);
        expect(Math.abs(found - day)).toBeLessThanOrEqual(1);
        expect(formatDay(found)).toMatch(/^\d{4}-\d\d-\d\d$/);
      }
    }
  }
});

test('times of day', () => {
  expect(['00:00', '05:30', '23:59'].map(parseTimeOfDay)).toEqual([0, 19_800, 86_340]);
  for (const text of ['24:00', '5:30', '05:60', '', '05-30']) expect(parseTimeOfDay(text)).toBeUndefined();
});
