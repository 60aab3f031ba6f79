import { isUtf8 } from 'node:buffer';

/** How the bytes of a file version are to be read (rule 1). */
export interface Encoding {
  readonly name: 'utf-8' | 'windows-1252' | 'utf-16le' | 'utf-16be';
  /** bytes of the BOM at the start of the file, 0 without one */
  readonly bom: number;
}

const SAMPLE = 4096;
const MIN_PAIRS = 8;

/**
 * Decides the encoding of a file from all its bytes, in any number of pieces, in constant memory.
 * The answer does not depend on where the pieces are cut.
 */
export class EncodingDetector {
  /** first bytes, for the BOM */
  #head = Buffer.alloc(0);
  #sample: Buffer | undefined;
  #sampleLength = 0;
  /** bytes before the next piece: whether the sample starts at an even or an odd offset hangs on it */
  #position = 0;
  #utf8 = true;
  /** start of a character that the last piece cut in two */
  #rest = Buffer.alloc(0);

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    if (this.#head.length < 3)
      this.#head = Buffer.concat([this.#head, chunk.subarray(0, 3 - this.#head.length)]);
    this.#takeSample(chunk);
    if (this.#utf8) this.#checkUtf8(chunk);
    this.#position += chunk.length;
  }

  end(): Encoding {
    const [a, b, c] = this.#head;
    if (a === 0xef && b === 0xbb && c === 0xbf) return { name: 'utf-8', bom: 3 };
    if (a === 0xff && b === 0xfe) return { name: 'utf-16le', bom: 2 };
    if (a === 0xfe && b === 0xff) return { name: 'utf-16be', bom: 2 };
    const wide = this.#sample ? utf16Pattern(this.#sample.subarray(0, this.#sampleLength)) : undefined;
    if (wide) return { name: wide, bom: 0 };
    return { name: this.#utf8 && this.#rest.length === 0 ? 'utf-8' : 'windows-1252', bom: 0 };
  }

  #takeSample(chunk: Buffer): void {
    if (this.#sampleLength === SAMPLE) return;
    let from = 0;
    if (!this.#sample) {
      while (from < chunk.length && chunk[from] === 0) from++;
      if (from === chunk.length) return;
      this.#sample = Buffer.alloc(SAMPLE);
      // The sample starts at an even offset; an odd start means that the byte before is a NUL.
      if ((this.#position + from) % 2 === 1) this.#sampleLength = 1;
    }
    const copied = chunk.copy(this.#sample, this.#sampleLength, from);
    this.#sampleLength += copied;
  }

  #checkUtf8(chunk: Buffer): void {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    const cutAt = bytes.length - unfinished(bytes);
    this.#utf8 = isUtf8(cutAt === bytes.length ? bytes : bytes.subarray(0, cutAt));
    this.#rest = Buffer.from(bytes.subarray(cutAt));
  }
}

/** Bytes at the end that start a UTF-8 character without finishing it (0 to 3). */
function unfinished(bytes: Buffer): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back]!;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return length > back ? back : 0;
    }
  }
  return 0;
}

function utf16Pattern(sample: Buffer): 'utf-16le' | 'utf-16be' | undefined {
  let pairs = 0;
  let little = 0;
  let big = 0;
  for (let at = 0; at + 1 < sample.length; at += 2) {
    const first = sample[at];
    const second = sample[at + 1];
    if (first === 0 && second === 0) continue;
    pairs++;
    if (second === 0) little++;
    else if (first === 0) big++;
  }
  if (pairs < MIN_PAIRS) return undefined;
  if (little * 4 >= pairs * 3) return 'utf-16le';
  return big * 4 >= pairs * 3 ? 'utf-16be' : undefined;
}

// WHATWG windows-1252, 0x80 to 0x9f; the five holes keep their control character.
const CP1252 =
  '\u20ac\x81\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\x8d\u017d\x8f' +
  '\x90\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\x9d\u017e\u0178';

/** Whether no byte stands for anything but ASCII: so it is with nearly every line, and then decoding is copying. */
export function isAsciiRange(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at]! >= 0x80) return false;
  return true;
}

/** Text of bytes in a one-byte or UTF-8 encoding (not UTF-16). */
export function decodeBytes(bytes: Buffer, start: number, end: number, encoding: Encoding['name']): string {
  if (isAsciiRange(bytes, start, end)) return bytes.toString('latin1', start, end);
  if (encoding === 'utf-8') return bytes.toString('utf8', start, end);
  return bytes.toString('latin1', start, end).replace(/[\x80-\x9f]/g, (c) => CP1252[c.charCodeAt(0) - 0x80]!);
}

/** An encoding as it is kept with a version, for example `utf-8+bom`. */
export function formatEncoding({ name, bom }: Encoding): string {
  return bom > 0 ? `${name}+bom` : name;
}

/** The encoding that `formatEncoding` wrote. */
export function parseEncoding(text: string): Encoding {
  const [name, bom] = text.split('+') as [Encoding['name'], string | undefined];
  return { name, bom: bom ? (name === 'utf-8' ? 3 : 2) : 0 };
}
