import type { Profil } from './events.ts';
import { type Decimal, parseNumber, startOfNumber } from './numbers.ts';

const SEC = /\d\s*sec/;
/** A wait as long as this (115 days) is no wait. */
const MAX_WAIT_SECONDS = 10_000_000;

/** Words for hours and minutes in the languages of workshops; other spans of time before seconds are not read. */
const HOURS = 'h|hrs?|hours?|u|uur|uren|heures?|std|stunden?';
const MINUTES = 'min|mins|minutes?|minuut|minuten|mn';
const OTHERS = 'm|d|days?|dag|dagen|j|jours?|tage?';
const UNIT = new RegExp(`(?<=[\\d\\s])(?:(${HOURS})|(${MINUTES})|(${OTHERS}))\\.?$`, 'i');
const ELSEWHERE = new RegExp(`\\d\\s*(?:${HOURS}|${MINUTES})(?!\\p{L})`, 'iu');
/** What may join minutes and seconds. */
const JOINT = /(?:[,+&]|(?<=[\s.])(?:en|et|and|und))$/i;

const KEY = /(^|\s)([A-Z]):/g;
/** Longest texts of a profile, in characters: what the screens and the ERP can hold. */
const MAX_REFERENCE = 64;
const MAX_COULEUR = 200;

/**
 * Duration of a `MachineWait` in microseconds (rule 9).
 *
 * @returns undefined when the details hold no usable duration (`attente_sans_duree`)
 */
export function parseWait(details: string): number | undefined {
  const sec = SEC.exec(details);
  if (!sec) {
    const number = parseNumber(details);
    return number && number.fraction !== '' ? microsOf(number) : undefined;
  }
  const end = sec.index + 1;
  const start = startOfNumber(details, end);
  if (start < 0) return undefined;
  const seconds = parseNumber(details.slice(start, end))!;
  if (start === 0) return microsOf(seconds);
  return withMinutes(details.slice(0, start), seconds);
}

function microsOf({ whole, fraction }: Decimal): number | undefined {
  const seconds = whole.replace(/^0+/, '');
  if (seconds.length > 7) return undefined;
  const digits = fraction.padEnd(7, '0');
  const micros = Number(seconds) * 1e6 + Number(digits.slice(0, 6)) + (digits[6]! >= '5' ? 1 : 0);
  return micros > 0 && micros < MAX_WAIT_SECONDS * 1e6 ? micros : undefined;
}

/** Seconds, and the hours and minutes that stand right before them. */
function withMinutes(before: string, seconds: Decimal): number | undefined {
  let text = before;
  let total: bigint | undefined;
  for (let last = 1; ; ) {
    const joined = text.trimEnd().replace(JOINT, '').trimEnd();
    const unit = UNIT.exec(joined);
    const end = unit ? joined.slice(0, unit.index).trimEnd().length : 0;
    // A word alone is no span of time.
    if (!unit || end === 0 || !/\d/.test(joined[end - 1]!)) break;
    const of = unit[1] ? 3600 : unit[2] ? 60 : 0;
    const start = startOfNumber(joined, end);
    if (of <= last || start < 0) return undefined;
    const nanos = nanosOf(parseNumber(joined.slice(start, end))!);
    if (nanos === undefined) return undefined;
    total = (total ?? 0n) + nanos * BigInt(of);
    last = of;
    text = joined.slice(0, start);
  }
  // Hours or minutes that something parts from the seconds: nobody knows whether they count.
  if (ELSEWHERE.test(text)) return undefined;
  if (total === undefined) return microsOf(seconds);
  const own = nanosOf({ ...seconds, fraction: seconds.fraction.slice(0, 9) });
  if (own === undefined) return undefined;
  const micros = Number((total + own + 500n) / 1000n);
  return micros > 0 && micros < MAX_WAIT_SECONDS * 1e6 ? micros : undefined;
}

/** A number in billionths; undefined when it is too large or too fine for a time. */
function nanosOf({ whole, fraction }: Decimal): bigint | undefined {
  const integer = whole.replace(/^0+/, '');
  if (integer.length > 7 || fraction.length > 9) return undefined;
  return BigInt(integer || '0') * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'));
}

/**
 * The profile that a `JobProfiel` names (rule 10).
 *
 * @returns the reason when it cannot be used: without a reference or a length, or with a text that is too long
 */
export function parseProfile(details: string): Profil | 'profil_incomplet' | 'profil_trop_long' {
  const ranges = profileRanges(details);
  const value = (key: string): string => {
    const range = ranges.get(key);
    return range ? details.slice(range[0], range[1]) : '';
  };
  const reference = value('R');
  const longueur = parseLength(value('L'));
  const couleur = value('C') || null;
  if (!reference || longueur === undefined) return 'profil_incomplet';
  if (isLonger(reference, MAX_REFERENCE) || isLonger(couleur ?? '', MAX_COULEUR)) return 'profil_trop_long';
  return { reference, longueur, couleur };
}

/** Where the value of each key stands in the details of a `JobProfiel`: from, to (exclusive), without blanks around it. */
export function profileRanges(details: string): Map<string, readonly [number, number]> {
  const ranges = new Map<string, readonly [number, number]>();
  let key: string | undefined;
  let start = 0;
  const keep = (end: number): void => {
    if (key === undefined || ranges.has(key)) return;
    const text = details.slice(start, end);
    const from = start + text.length - text.trimStart().length;
    ranges.set(key, [from, from + text.trim().length]);
  };
  for (const match of details.matchAll(KEY)) {
    keep(match.index);
    key = match[2]!;
    start = match.index + match[0].length;
  }
  keep(details.length);
  return ranges;
}

/** Whether a text has more characters (code points) than that. */
function isLonger(text: string, limit: number): boolean {
  if (text.length <= limit) return false;
  return text.length > limit * 2 || [...text].length > limit;
}

function parseLength(text: string): string | undefined {
  const number = parseNumber(text);
  if (!number || number.whole.length > 9 || number.fraction.length > 6) return undefined;
  const decimals = number.fraction.replace(/0+$/, '');
  const integer = number.whole.replace(/^0+(?=\d)/, '') || '0';
  return decimals ? `${integer}.${decimals}` : integer;
}
