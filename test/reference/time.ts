// Stamps, instants and production days. Rules 7, 13 and 14 of docs/regles-journaux.md.
// An instant is a BigInt: microseconds since 1970-01-01T00:00:00Z. Nothing is ever rounded here.

export const MICROSECONDS = 1_000_000n;

export function compareInstants(a: bigint, b: bigint): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function microsecondsOf(zoned: Temporal.ZonedDateTime): bigint {
  return zoned.epochNanoseconds / 1_000n;
}

/**
 * Rule 13. `latest` is the latest instant of all earlier lines of the file with a valid stamp, or null.
 * 'compatible' is the earlier offset in a repeated hour and the offset before the change in a skipped one;
 * 'later' differs from it in a repeated hour only.
 */
export function instantOf(stamp: Temporal.PlainDateTime, fuseau: string, latest: bigint | null): bigint {
  const first = microsecondsOf(stamp.toZonedDateTime(fuseau, { disambiguation: 'compatible' }));
  const second = microsecondsOf(stamp.toZonedDateTime(fuseau, { disambiguation: 'later' }));
  const anEarlierLineLiesAfter = latest !== null && latest > first;
  return anEarlierLineLiesAfter ? second : first;
}

/** Rule 14: the instant at which production day `day` begins. */
export function startOfDay(day: Temporal.PlainDate, fuseau: string, journeeDebut: string): bigint {
  const stamp = day.toPlainDateTime(Temporal.PlainTime.from(journeeDebut));
  return instantOf(stamp, fuseau, null);
}

/** Rule 14: the production day D with start(D) <= instant < start(D + 1), looked for around the local date. */
export function productionDayOf(instant: bigint, fuseau: string, journeeDebut: string): string {
  const local = Temporal.Instant.fromEpochNanoseconds(instant * 1_000n).toZonedDateTimeISO(fuseau);
  for (const offset of [-2, -1, 0, 1, 2]) {
    const day = local.toPlainDate().add({ days: offset });
    const begins = startOfDay(day, fuseau, journeeDebut);
    const ends = startOfDay(day.add({ days: 1 }), fuseau, journeeDebut);
    if (begins <= instant && instant < ends) return day.toString();
  }
  throw new Error(`no production day for ${instant}`);
}

/** UTC with microseconds: 2025-05-28T04:12:00.000000Z. */
export function isoOf(instant: bigint): string {
  return Temporal.Instant.fromEpochNanoseconds(instant * 1_000n).toString({ fractionalSecondDigits: 6 });
}

/** Rule 7: `YYYYMMDD HH:MM:SS`, a real date of years 0002 to 9998, 00:00:00 to 23:59:59; else null. */
export function parseStamp(text: string): Temporal.PlainDateTime | null {
  const match = /^([0-9]{4})([0-9]{2})([0-9]{2}) ([0-9]{2}):([0-9]{2}):([0-9]{2})$/.exec(text);
  if (match === null) return null;
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number);
  if (year === undefined || year < 2 || year > 9998) return null;
  // Temporal would otherwise read 60 as a leap second or refuse it: refuse it here, plainly.
  if (hour === undefined || hour > 23 || minute === undefined || minute > 59) return null;
  if (second === undefined || second > 59) return null;
  try {
    return Temporal.PlainDateTime.from(
      { year, month: month ?? 0, day: day ?? 0, hour, minute, second },
      { overflow: 'reject' },
    );
  } catch {
    return null;
  }
}
