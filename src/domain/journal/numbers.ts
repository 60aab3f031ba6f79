// Numbers as controllers and people write them (rule 9). A part of a number is never taken for the number.

/** Digits, or thousands parted by blanks, and a fraction; or a fraction alone. */
const NUMBER = /^(?:(\d{1,3}(?:\s\d{3})+|\d+)(?:[.,](\d+))?|[.,](\d+))$/;
const DIGIT = /\d/;
const BLANK = /\s/;
const LETTER = /\p{L}/u;

/** A decimal number, its digits as they were written but for the blanks. */
export interface Decimal {
  readonly whole: string;
  readonly fraction: string;
}

/** Reads a text that is a number and nothing else; undefined when it is none. */
export function parseNumber(text: string): Decimal | undefined {
  const match = NUMBER.exec(text);
  if (!match) return undefined;
  return { whole: (match[1] ?? '').replace(/\s/g, ''), fraction: match[2] ?? match[3] ?? '' };
}

/**
 * Where the number begins whose last digit stands right before `end`; -1 when what stands there is only the end of
 * something: of `-5`, `1.234,5`, `1:30`, `1e3`, `12 34`.
 */
export function startOfNumber(text: string, end: number): number {
  let start = startOfDigits(text, end);
  if (text[start - 1] === '.' || text[start - 1] === ',') {
    const point = start - 1;
    start = startOfDigits(text, point);
    if (start === point) return isPart(text, point) ? -1 : point;
    end = point;
  }
  // Thousands: three digits, a blank, digits again.
  while (end - start === 3 && is(BLANK, text[start - 1]) && is(DIGIT, text[start - 2])) {
    end = start - 1;
    start = startOfDigits(text, end);
    if (end - start > 3) return -1;
  }
  return isPart(text, start) ? -1 : start;
}

function startOfDigits(text: string, end: number): number {
  let start = end;
  while (is(DIGIT, text[start - 1])) start--;
  return start;
}

/** Whether what begins at `start` goes on from something before it. */
function isPart(text: string, start: number): boolean {
  const before = [...text.slice(Math.max(0, start - 2), start)].at(-1);
  if (before === undefined) return false;
  if (before === '-' || before === '−') return true;
  if (is(BLANK, before)) return is(DIGIT, text.slice(0, start).trimEnd().at(-1));
  const joins = !is(LETTER, before) || before === 'e' || before === 'E';
  return joins && is(DIGIT, text[start - before.length - 1]);
}

function is(kind: RegExp, char: string | undefined): boolean {
  return char !== undefined && kind.test(char);
}
