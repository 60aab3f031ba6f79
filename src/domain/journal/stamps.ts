import { isDate } from '../../base/time.ts';

const SPACE = 0x20;
const COLON = 0x3a;
const BAR = 0x7c;
const AT = 0x40;

/** Bytes of `YYYYMMDD HH:MM:SS`. */
const CLOCK = 17;
/** Bytes of `YYYYMMDD HH:MM:SS|@`. */
export const STAMP = CLOCK + 2;

/** Distance between two looks: whatever its place, a stamp then holds a look and the three bytes behind it. */
const STEP = CLOCK - 3;

/** 1 for what stands before the bar of a stamp: digits, the colon (it follows them in ASCII), and the space. */
const OF_CLOCK = new Uint8Array(256).fill(1, 0x30, COLON + 1);
OF_CLOCK[SPACE] = 1;

/**
 * Where the first `YYYYMMDD HH:MM:SS|@` with a date and a time of the calendar begins in `bytes[from, end)`; -1 when
 * there is none. Every line is asked this over its whole length, so it does not look at every byte.
 */
export function nextStamp(bytes: Buffer, from: number, end: number): number {
  const last = end - 5;
  for (let look = from + STEP - 1; look < last; look += STEP) {
    // Most of a log is letters: one comparison is done with them.
    const byte = bytes[look]!;
    if (byte > COLON || byte < SPACE) continue;
    if (
      (OF_CLOCK[byte]! &
        OF_CLOCK[bytes[look + 1]!]! &
        OF_CLOCK[bytes[look + 2]!]! &
        OF_CLOCK[bytes[look + 3]!]!) ===
      0
    )
      continue;
    const far = Math.min(end - 2, look + CLOCK);
    let at = look + 4;
    while (at < far && OF_CLOCK[bytes[at]!] === 1) at++;
    if (bytes[at] !== BAR || bytes[at + 1] !== AT) continue;
    const start = at - CLOCK;
    if (start >= from && isStamp(bytes, start)) return start;
  }
  return -1;
}

/**
 * Where the next stamp may begin in a line that begins at `start`: behind its own, as two stamps cannot overlap (what
 * stands before the bar of the one is not the bar of the other).
 */
export function afterStamp(bytes: Buffer, start: number): number {
  return bytes[start + CLOCK] === BAR && bytes[start + CLOCK + 1] === AT ? start + STAMP : start + 1;
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
