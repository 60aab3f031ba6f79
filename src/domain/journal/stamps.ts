import { isDate } from '../../base/time.ts';

const SPACE = 0x20;
const COLON = 0x3a;
const BAR = 0x7c;
const AT = 0x40;

/** Bytes of `YYYYMMDD HH:MM:SS`. */
const CLOCK = 17;
/** Bytes of `YYYYMMDD HH:MM:SS|@`. */
export const STAMP = CLOCK + 2;

/**
 * Where the first `YYYYMMDD HH:MM:SS|@` with a date and a time of the calendar begins in `bytes[from, end)`; -1 when
 * there is none.
 *
 * Every line is asked this over its whole length, so it does not look at every byte: each 17th is enough to hit the 17
 * characters before a bar, and those are digits, one space and two colons only.
 */
export function nextStamp(bytes: Buffer, from: number, end: number): number {
  const last = end - 2;
  for (let probe = from + CLOCK - 1; probe < last; probe += CLOCK) {
    if (!isOfClock(bytes[probe]!)) continue;
    const far = Math.min(last, probe + CLOCK);
    let at = probe + 1;
    while (at < far && isOfClock(bytes[at]!)) at++;
    if (bytes[at] !== BAR || bytes[at + 1] !== AT) continue;
    const start = at - CLOCK;
    if (start >= from && isStamp(bytes, start)) return start;
  }
  return -1;
}

/** Digits, the colon that follows them in ASCII, and the space. */
function isOfClock(byte: number): boolean {
  return (byte >= 0x30 && byte <= COLON) || byte === SPACE;
}

/** Whether the 17 bytes from `at` are a date and a time. */
function isStamp(b: Buffer, at: number): boolean {
  if (b[at + 8] !== SPACE || b[at + 11] !== COLON || b[at + 14] !== COLON) return false;
  if (twoDigits(b, at + 9) > 23 || twoDigits(b, at + 12) > 59 || twoDigits(b, at + 15) > 59) return false;
  const century = twoDigits(b, at);
  const year = twoDigits(b, at + 2);
  // What is no digit gives more than 99.
  return (
    century <= 99 && year <= 99 && isDate(century * 100 + year, twoDigits(b, at + 4), twoDigits(b, at + 6))
  );
}

/** Value of two digits; more than 99 when one is none. */
export function twoDigits(b: Buffer, at: number): number {
  const tens = (b[at]! - 48) | 0;
  const units = (b[at + 1]! - 48) | 0;
  return tens >= 0 && tens <= 9 && units >= 0 && units <= 9 ? tens * 10 + units : 100;
}
