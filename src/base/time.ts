/**
 * The one file that knows the factory's time zone.
 *
 * Instants are whole seconds since 1970-01-01T00:00:00Z. Days are whole days since 1970-01-01, without a zone.
 * A wall clock reading is a day and a number of seconds since its midnight (0 to 86,399).
 */

const SECONDS_PER_DAY = 86_400;
const DAYS_PER_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

/** What the offset from UTC does on one local day. Offsets are seconds east of UTC. */
interface DayOffsets {
  /** offset at the start of the day (before the change, if there is one) */
  readonly before: number;
  /** offset after the change; equal to `before` on an ordinary day */
  readonly after: number;
  /** instant of the change; `Infinity` on an ordinary day */
  readonly change: number;
}

/**
 * Whether year, month (1-12) and day exist in the Gregorian calendar. Years 0002 to 9998 only: the days around them
 * must still be dates in every zone, for every hour at which a production day may start.
 */
export function isDate(year: number, month: number, day: number): boolean {
  if (year < 2 || year > 9998 || month < 1 || month > 12 || day < 1) return false;
  if (month === 2 && day === 29) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return day <= DAYS_PER_MONTH[month - 1]!;
}

/** Days from 1970-01-01 to the given Gregorian date (negative before). */
export function dayNumber(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** `YYYY-MM-DD` of a day number. */
export function formatDay(day: number): string {
  return Temporal.PlainDate.from('1970-01-01').add({ days: day }).toString();
}

/** Day number of `YYYY-MM-DD`; throws a RangeError when it is not a date. */
export function parseDay(text: string): number {
  const date = Temporal.PlainDate.from(text, { overflow: 'reject' });
  return dayNumber(date.year, date.month, date.day);
}

/** Seconds since midnight of `HH:MM`, or undefined when it is not a time of day. */
export function parseTimeOfDay(text: string): number | undefined {
  const match = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text);
  return match ? Number(match[1]) * 3600 + Number(match[2]) * 60 : undefined;
}

/** The factory's clock: a time zone and the hour at which a production day starts. */
export class FactoryTime {
  /** IANA name, for example `Europe/Paris` */
  readonly zone: string;
  /** seconds since local midnight at which a production day starts (`JOURNEE_DEBUT`) */
  readonly dayStart: number;
  readonly #offsets = new Map<number, DayOffsets>();

  constructor(zone: string, dayStart = 0) {
    this.zone = zone;
    this.dayStart = dayStart;
  }

  /**
   * The instant of a wall clock reading.
   *
   * A reading in the repeated hour takes the earlier offset unless `latestSoFar`, the latest instant met
   * before in the same file, already lies after it; a reading in the skipped hour is taken with the offset
   * before the change.
   */
  instant(day: number, secondOfDay: number, latestSoFar = Number.NEGATIVE_INFINITY): number {
    const { before, after, change } = this.offsets(day);
    const wall = day * SECONDS_PER_DAY + secondOfDay;
    const early = wall - before;
    if (early < change) {
      const late = wall - after;
      // Both readings exist: the hour is repeated.
      return late >= change && latestSoFar > early ? late : early;
    }
    const late = wall - after;
    return late >= change ? late : early;
  }

  /** First instant of a production day. */
  startOf(productionDay: number): number {
    return this.instant(productionDay, this.dayStart);
  }

  /** The production day that an instant read on a given local day belongs to. */
  productionDay(instant: number, localDay: number): number {
    let day = localDay;
    while (instant < this.startOf(day)) day--;
    while (instant >= this.startOf(day + 1)) day++;
    return day;
  }

  /** True when the clock changes on this local day (then wall clock arithmetic is not enough). */
  changesOn(day: number): boolean {
    return this.offsets(day).change !== Number.POSITIVE_INFINITY;
  }

  /** Offsets from UTC of a local day; one change a day is all that any zone does. */
  offsets(day: number): DayOffsets {
    const known = this.#offsets.get(day);
    if (known) return known;
    const date = Temporal.PlainDate.from('1970-01-01').add({ days: day });
    // A change just before or after the day repeats or skips readings of it too: St. John's once went back two hours
    // at a minute past midnight.
    const start = date.toZonedDateTime(this.zone).subtract({ hours: 3 });
    const end = date.add({ days: 1 }).toZonedDateTime(this.zone).add({ hours: 3 });
    const next = start.getTimeZoneTransition('next');
    const before = start.offsetNanoseconds / 1e9;
    const found: DayOffsets =
      next && next.epochNanoseconds < end.epochNanoseconds
        ? {
            before,
            after: next.offsetNanoseconds / 1e9,
            change: Number(next.epochNanoseconds / 1_000_000_000n),
          }
        : { before, after: before, change: Number.POSITIVE_INFINITY };
    // A file of nonsense dates must not grow the cache without end.
    if (this.#offsets.size > 20_000) this.#offsets.clear();
    this.#offsets.set(day, found);
    return found;
  }

  /**
   * ISO 8601 with offset of a reading that may have none, which is then one of the factory's clock: rules as of
   * `instant`, to the microsecond.
   *
   * @param text `2025-05-28T06:12:00`, seconds, fraction and offset or not, a space for the T or not
   * @param notBefore ISO 8601 with offset: in the repeated hour, the reading that does not lie before it
   */
  situer(text: string, notBefore?: string): string {
    const iso = text.replace(' ', 'T');
    if (/(?:Z|[+-]\d\d:\d\d)$/.test(iso)) return iso;
    const wall = Temporal.PlainDateTime.from(iso);
    let found = wall.toZonedDateTime(this.zone, { disambiguation: 'compatible' });
    if (notBefore !== undefined && found.epochNanoseconds < Temporal.Instant.from(notBefore).epochNanoseconds)
      found = wall.toZonedDateTime(this.zone, { disambiguation: 'later' });
    return found.toString({ timeZoneName: 'never' });
  }

  /** ISO 8601 with offset, in the factory's zone, for example `2025-05-28T06:12:00+02:00`. */
  format(instant: number): string {
    return this.#zoned(instant).toString({ timeZoneName: 'never' });
  }

  /** `YYYY-MM-DD` that the factory's calendar shows at an instant. */
  formatDate(instant: number): string {
    return this.#zoned(instant).toPlainDate().toString();
  }

  /** `HH:MM:SS` in the factory's zone. */
  formatTime(instant: number): string {
    return this.#zoned(instant).toPlainTime().toString({ smallestUnit: 'second' });
  }

  #zoned(instant: number): Temporal.ZonedDateTime {
    return Temporal.Instant.fromEpochMilliseconds(instant * 1000).toZonedDateTimeISO(this.zone);
  }
}
