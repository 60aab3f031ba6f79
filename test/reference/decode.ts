// Bytes of one file version -> lines with their numbers. Rules 1 to 4 of docs/regles-journaux.md (the cut at stamps is in
// there, too, for it makes lines).
// Slow and obvious on purpose; nothing here comes from the real implementation.

import { parseStamp } from './time.ts';

export type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252';

/**
 * One line: its number (from 1), its text without NULs and ending, its size as rule 4 counts it, and whether a stamp
 * begins the next line where it ends (rule 3a).
 */
export type Line = { numero: number; texte: string; octets: number; collee: boolean };

const NUL = 0x00;
const TOO_LONG = 65_536;
const SAMPLE = 4_096;

function startsWith(bytes: Uint8Array, head: number[]): boolean {
  return head.every((byte, at) => bytes[at] === byte);
}

/** Rule 1: BOM, else the UTF-16 pattern, else UTF-8 if valid, else Windows-1252. */
export function encodingOf(bytes: Uint8Array): { encoding: Encoding; bom: number } {
  // Rule 1.1
  if (startsWith(bytes, [0xef, 0xbb, 0xbf])) return { encoding: 'utf-8', bom: 3 };
  if (startsWith(bytes, [0xff, 0xfe])) return { encoding: 'utf-16le', bom: 2 };
  if (startsWith(bytes, [0xfe, 0xff])) return { encoding: 'utf-16be', bom: 2 };
  // Rule 1.2
  const pattern = utf16Pattern(bytes);
  if (pattern !== null) return { encoding: pattern, bom: 0 };
  // Rules 1.3 and 1.4
  return { encoding: isValidUtf8(bytes) ? 'utf-8' : 'windows-1252', bom: 0 };
}

function utf16Pattern(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | null {
  const firstNotNul = bytes.findIndex((byte) => byte !== NUL);
  if (firstNotNul === -1) return null;
  // "from the even offset at or just before the first byte that is not NUL"
  const start = firstNotNul - (firstNotNul % 2);
  const sample = bytes.subarray(start, start + SAMPLE);
  let pairs = 0;
  let little = 0;
  let big = 0;
  // `at + 1 < length` leaves out an odd last byte.
  for (let at = 0; at + 1 < sample.length; at += 2) {
    const first = sample[at];
    const second = sample[at + 1];
    if (first === NUL && second === NUL) continue;
    pairs += 1;
    if (first !== NUL && second === NUL) little += 1;
    if (first === NUL && second !== NUL) big += 1;
  }
  if (pairs < 8) return null;
  // "at least three quarters", in whole numbers
  if (4 * little >= 3 * pairs) return 'utf-16le';
  if (4 * big >= 3 * pairs) return 'utf-16be';
  return null;
}

function isValidUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

// WHATWG windows-1252, bytes 0x80 to 0x9F; every other byte is the code point of the same number.
const WINDOWS_1252_HIGH =
  '\u20AC\u0081\u201A\u0192\u201E\u2026\u2020\u2021\u02C6\u2030\u0160\u2039\u0152\u008D\u017D\u008F' +
  '\u0090\u2018\u2019\u201C\u201D\u2022\u2013\u2014\u02DC\u2122\u0161\u203A\u0153\u009D\u017E\u0178';

function decodeWindows1252(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) {
    text += byte >= 0x80 && byte <= 0x9f ? WINDOWS_1252_HIGH[byte - 0x80] : String.fromCharCode(byte);
  }
  return text;
}

function decodeUtf8(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}

/** UTF-16 by hand. Lone surrogates and a cut end become one U+FFFD each, as in the WHATWG decoder. */
export function decodeUtf16(bytes: Uint8Array, littleEndian: boolean): string {
  let text = '';
  let lead = '';
  for (let at = 0; at + 1 < bytes.length; at += 2) {
    const first = bytes[at] ?? 0;
    const second = bytes[at + 1] ?? 0;
    const unit = littleEndian ? first + 256 * second : 256 * first + second;
    const isLead = unit >= 0xd800 && unit <= 0xdbff;
    const isTrail = unit >= 0xdc00 && unit <= 0xdfff;
    if (lead !== '' && isTrail) {
      text += lead + String.fromCharCode(unit);
      lead = '';
      continue;
    }
    if (lead !== '') text += '\uFFFD';
    lead = '';
    if (isLead) lead = String.fromCharCode(unit);
    else text += isTrail ? '\uFFFD' : String.fromCharCode(unit);
  }
  if (lead !== '' || bytes.length % 2 === 1) text += '\uFFFD';
  return text;
}

/** A character of a text, or a byte of an 8-bit encoding as the character of that number. */
type Units = string;

/** Rule 2: an ending is CR, NULs if any, LF; or CR; or LF. What follows the last one is a line if it is not empty. */
function splitLines(raw: Units): Units[] {
  const pieces = raw.split(/\r\0*\n|\r|\n/);
  if (pieces.at(-1) === '') pieces.pop();
  return pieces;
}

/** Rule 3a: whether only blanks of ASCII and characters above U+007F stand there. */
function saysNothing(text: Units): boolean {
  return [...text].every((char) => char > '\x7f' || char.trim() === '');
}

/** Rule 3a: the pieces of a line; each but the last is glued to what follows it. */
function cutAtStamps(line: Units): Units[] {
  for (let bar = line.indexOf('|@', 18); bar !== -1; bar = line.indexOf('|@', bar + 2)) {
    const at = bar - 17;
    if (parseStamp(line.slice(at, bar)) === null || saysNothing(line.slice(0, at))) continue;
    return [line.slice(0, at), ...cutAtStamps(line.slice(at))];
  }
  return [line];
}

export function linesOf(bytes: Uint8Array): Line[] {
  const { encoding, bom } = encodingOf(bytes);
  const body = bytes.subarray(bom);
  const wide = encoding === 'utf-16le' || encoding === 'utf-16be';
  // Rule 3: NULs go "outside UTF-16 as bytes, before decoding", so that one inside a character does not break it.
  const raw = wide ? decodeUtf16(body, encoding === 'utf-16le') : Buffer.from(body).toString('latin1');
  const pieces = splitLines(raw).flatMap((line) => {
    const cut = cutAtStamps(line.replaceAll('\0', ''));
    return cut.map((units, index) => ({ units, collee: index < cut.length - 1 }));
  });
  return pieces.map(({ units, collee }, index) => {
    const numero = index + 1;
    // Rule 4: "In UTF-16 the bytes of its UTF-8 form count."
    if (wide) return { numero, texte: units, octets: new TextEncoder().encode(units).length, collee };
    const kept = Uint8Array.from(units, (unit) => unit.charCodeAt(0));
    const texte = encoding === 'utf-8' ? decodeUtf8(kept) : decodeWindows1252(kept);
    return { numero, texte, octets: kept.length, collee };
  });
}

/** Rule 4. */
export function isTooLong(line: Line): boolean {
  return line.octets > TOO_LONG;
}
