import { MAX_LINE } from './line-grammar.ts';

const LF = 10;

/** Cuts bytes of an 8-bit encoding or of UTF-8 into lines without NULs, in constant memory. */
export class ByteLines {
  readonly #line: (bytes: Buffer, start: number, end: number, raw: number) => void;
  /** the unfinished last line of the piece before, without NULs, at most MAX_LINE and a little */
  #carry = Buffer.alloc(0);
  #carryLength = 0;
  /** all bytes of that line */
  #carryRaw = 0;

  /** @param line is given each line as `bytes[start, end)`, without LF, and how many bytes of the file it took */
  constructor(line: (bytes: Buffer, start: number, end: number, raw: number) => void) {
    this.#line = line;
  }

  push(bytes: Buffer): void {
    let nextNul = position(bytes, 0, 0);
    let start = 0;
    let end = bytes.indexOf(LF);
    if (this.#carryRaw > 0 && end >= 0) {
      this.#addToCarry(bytes, 0, end);
      this.#carryRaw += 1;
      this.#finishCarry();
      start = end + 1;
      end = bytes.indexOf(LF, start);
    }
    while (end >= 0) {
      const raw = end + 1 - start;
      if (nextNul < start) nextNul = position(bytes, 0, start);
      if (nextNul < end) {
        this.#addToCarry(bytes, start, end);
        this.#carryRaw += 1;
        this.#finishCarry();
      } else {
        this.#line(bytes, start, end, raw);
      }
      start = end + 1;
      end = bytes.indexOf(LF, start);
    }
    if (start < bytes.length) this.#addToCarry(bytes, start, bytes.length);
  }

  end(): void {
    if (this.#carryRaw > 0) this.#finishCarry();
  }

  /** Keeps bytes of an unfinished line, without NULs, and never more than tell that it is too long. */
  #addToCarry(bytes: Buffer, start: number, end: number): void {
    this.#carryRaw += end - start;
    const limit = MAX_LINE + 2;
    for (let at = start; at < end && this.#carryLength < limit; ) {
      if (bytes[at] === 0) {
        at++;
        while (at < end && bytes[at] === 0) at++;
        continue;
      }
      let stop = bytes.indexOf(0, at);
      if (stop < 0 || stop > end) stop = end;
      stop = Math.min(stop, at + limit - this.#carryLength);
      if (this.#carry.length < this.#carryLength + stop - at) {
        const grown = Buffer.allocUnsafe(Math.min(limit, (this.#carryLength + stop - at) * 2));
        this.#carry.copy(grown, 0, 0, this.#carryLength);
        this.#carry = grown;
      }
      this.#carryLength += bytes.copy(this.#carry, this.#carryLength, at, stop);
      at = stop;
    }
  }

  #finishCarry(): void {
    const raw = this.#carryRaw;
    const length = this.#carryLength;
    this.#carryRaw = 0;
    this.#carryLength = 0;
    this.#line(this.#carry, 0, length, raw);
  }
}

/** Where a byte stands next, `Infinity` when nowhere. */
function position(bytes: Buffer, byte: number, from: number): number {
  const at = bytes.indexOf(byte, from);
  return at < 0 ? Number.POSITIVE_INFINITY : at;
}
