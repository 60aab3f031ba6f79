import { MAX_LINE } from './line-grammar.ts';
import { afterStamp, nextStamp, STAMP } from './stamps.ts';

const NUL = 0;
const LF = 10;
const CR = 13;
const SPACE = 0x20;

/** What is kept of a line's beginning: enough to tell that it is too long, and for its text. */
const HEAD = MAX_LINE + 2;
/** Bytes of an unfinished line in memory before its middle is let go. */
const MOST = 3 * HEAD;
const NOTHING = Buffer.alloc(0);
/** Beyond every place, and a small integer: the engine reckons faster with those. */
const NOWHERE = 0x3fffffff;

/**
 * Is given each line as `bytes[start, end)`, without ending and NULs, and how many bytes of the file it took. `collee`:
 * it ends where a stamp begins the next line, not with an end of line.
 */
export type OnLine = (bytes: Buffer, start: number, end: number, raw: number, collee: boolean) => void;

/**
 * Cuts bytes of an 8-bit encoding or of UTF-8 into lines without NULs (rules 2 to 3a), in constant memory. Where they
 * are cut does not depend on how the bytes come in pieces.
 */
export class ByteLines {
  readonly #line: OnLine;
  /** whether bytes of the file are others than those here */
  readonly #wide: boolean;
  readonly #size: (bytes: Buffer, start: number, end: number) => number;
  // The unfinished last line of the pieces before.
  /** its bytes without NULs, of a very long one the head and the last few */
  #held = NOTHING;
  #length = 0;
  /** all bytes of the file that it took */
  #raw = 0;
  /** where NULs stood in it, and bytes of the file that they took */
  #nuls: { readonly at: number; size: number }[] = [];
  /** where in `#held` its middle was let go (0: it was not), and the bytes of the file that this was */
  #seam = 0;
  #gap = 0;
  /** whether what was let go says something beside blanks */
  #gapSpeaks = false;
  /** it ended with a CR; an LF may follow, behind NULs that took so many bytes of the file */
  #afterCr = false;
  #afterCrNuls = 0;

  /** @param size how many bytes of the file stand for `bytes[start, end)`; as many, when it is left out */
  constructor(line: OnLine, size: (bytes: Buffer, start: number, end: number) => number = sizeOf) {
    this.#line = line;
    this.#size = size;
    this.#wide = size !== sizeOf;
  }

  push(bytes: Buffer): void {
    let start = this.#afterCr ? this.#endOfCr(bytes) : 0;
    let lf = position(bytes, LF, start);
    let cr = position(bytes, CR, start);
    let nul = position(bytes, NUL, start);
    // A CR right before an LF is no end of its own.
    for (let stop = cr < lf - 1 ? cr : lf; stop < bytes.length; stop = cr < lf - 1 ? cr : lf) {
      let next = stop + 1;
      let end = stop;
      if (stop === lf) {
        if (cr < lf) end = cr;
      } else {
        while (bytes[next] === NUL) next++;
        if (next === bytes.length) {
          this.#hold(bytes, start, stop);
          this.#raw += this.#size(bytes, stop, stop + 1);
          this.#afterCr = true;
          this.#afterCrNuls = this.#size(bytes, stop + 1, next);
          return;
        }
        next = bytes[next] === LF ? next + 1 : stop + 1;
      }
      if (this.#raw > 0 || nul < stop) {
        this.#hold(bytes, start, end);
        this.#raw += this.#size(bytes, end, next);
        this.#finish();
      } else {
        const raw = this.#wide ? this.#size(bytes, start, next) : next - start;
        if (nextStamp(bytes, afterStamp(bytes, start), end) < 0) this.#line(bytes, start, end, raw, false);
        else this.#cut(bytes, start, end, raw);
      }
      start = next;
      if (lf < start) lf = position(bytes, LF, start);
      if (cr < start) cr = position(bytes, CR, start);
      if (nul < start) nul = position(bytes, NUL, start);
    }
    if (start < bytes.length) this.#hold(bytes, start, bytes.length);
  }

  /** It is known that no LF follows: a line that ends with a CR is over. */
  settle(): void {
    if (this.#afterCr) this.#endOfCr(NOTHING, true);
  }

  /** @param size bytes of the file that were not pushed, and belong to the last line */
  end(size = 0): void {
    this.settle();
    this.#raw += size;
    if (this.#raw > 0) this.#finish();
  }

  /** Finds out whether an LF belongs to the CR before it; returns where the next line begins. */
  #endOfCr(bytes: Buffer, last = false): number {
    let at = 0;
    while (at < bytes.length && bytes[at] === NUL) at++;
    if (at === bytes.length && !last) {
      this.#afterCrNuls += this.#size(bytes, 0, at);
      return at;
    }
    this.#afterCr = false;
    if (bytes[at] === LF) {
      this.#raw += this.#afterCrNuls + this.#size(bytes, 0, at + 1);
      this.#finish();
      return at + 1;
    }
    this.#finish();
    // These NULs begin the next line.
    if (this.#afterCrNuls > 0) this.#holdNuls(this.#afterCrNuls);
    return 0;
  }

  /** Hands over a line that lies in one piece. */
  #cut(bytes: Buffer, start: number, end: number, raw: number): void {
    let from = start;
    let left = raw;
    for (let at = nextStamp(bytes, start + 1, end); at >= 0; at = nextStamp(bytes, at + 1, end)) {
      if (!speaks(bytes, from, at)) continue;
      const size = this.#size(bytes, from, at);
      this.#line(bytes, from, at, size, true);
      left -= size;
      from = at;
    }
    this.#line(bytes, from, end, left, false);
  }

  #finish(): void {
    this.#cutHeld();
    const raw = this.#raw;
    const length = this.#length;
    this.#forget(length);
    this.#raw = 0;
    this.#line(this.#held, 0, length, raw, false);
  }

  /** Hands over what stands before stamps in the unfinished line. */
  #cutHeld(): void {
    for (
      let at = nextStamp(this.#held, Math.max(1, this.#seam), this.#length);
      at >= 0;
      at = nextStamp(this.#held, at + 1, this.#length)
    ) {
      if (!this.#gapSpeaks && !speaks(this.#held, 0, at)) continue;
      const size = this.#rawBefore(at);
      this.#line(this.#held, 0, at, size, true);
      this.#raw -= size;
      this.#held.copyWithin(0, at, this.#length);
      this.#forget(at);
      at = 0;
    }
  }

  /** The first bytes of the unfinished line are done with. */
  #forget(bytes: number): void {
    this.#length -= bytes;
    this.#nuls = this.#nuls.flatMap(({ at, size }) => (at > bytes ? [{ at: at - bytes, size }] : []));
    this.#seam = 0;
    this.#gap = 0;
    this.#gapSpeaks = false;
  }

  /** Bytes of the file before a place in the unfinished line; NULs right before it are among them. */
  #rawBefore(place: number): number {
    let raw = this.#size(this.#held, 0, place);
    if (this.#seam > 0 && place >= this.#seam) raw += this.#gap;
    for (const { at, size } of this.#nuls) if (at <= place) raw += size;
    return raw;
  }

  /** Keeps bytes of an unfinished line, without NULs. */
  #hold(bytes: Buffer, start: number, end: number): void {
    for (let at = start; at < end; ) {
      if (bytes[at] === NUL) {
        const first = at;
        while (at < end && bytes[at] === NUL) at++;
        this.#holdNuls(this.#size(bytes, first, at));
        continue;
      }
      let stop = bytes.indexOf(NUL, at);
      if (stop < 0 || stop > end) stop = end;
      if (this.#length === MOST) this.#thin();
      stop = Math.min(stop, at + MOST - this.#length);
      if (this.#held.length < this.#length + stop - at) {
        const grown = Buffer.allocUnsafe(Math.min(MOST, (this.#length + stop - at) * 2));
        this.#held.copy(grown, 0, 0, this.#length);
        this.#held = grown;
      }
      this.#raw += this.#size(bytes, at, stop);
      this.#length += bytes.copy(this.#held, this.#length, at, stop);
      at = stop;
    }
  }

  #holdNuls(size: number): void {
    this.#raw += size;
    const last = this.#nuls.at(-1);
    if (last?.at === this.#length) last.size += size;
    else this.#nuls.push({ at: this.#length, size });
  }

  /** Makes room in an unfinished line: what stands before a stamp is a line, the middle of a very long one is let go. */
  #thin(): void {
    this.#cutHeld();
    // A stamp may have begun in the last few bytes.
    const tail = this.#length - (STAMP - 1);
    if (tail <= HEAD) return;
    this.#gap += this.#size(this.#held, HEAD, tail);
    this.#gapSpeaks ||= speaks(this.#held, 0, tail);
    this.#held.copyWithin(HEAD, tail, this.#length);
    this.#length = HEAD + STAMP - 1;
    this.#seam = HEAD;
    const before = this.#nuls.filter(({ at }) => at <= tail).reduce((sum, { size }) => sum + size, 0);
    const after = this.#nuls.filter(({ at }) => at > tail);
    this.#nuls = after.map(({ at, size }) => ({ at: at - tail + HEAD, size }));
    if (before > 0) this.#nuls.unshift({ at: HEAD, size: before });
  }
}

function sizeOf(_: Buffer, start: number, end: number): number {
  return end - start;
}

/** Whether anything but blanks and what is not ASCII stands in `bytes[start, end)`: that may stand before a stamp. */
function speaks(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (byte < 0x80 && byte !== SPACE && (byte < 9 || byte > CR)) return true;
  }
  return false;
}

/** Where a byte stands next, `NOWHERE` when nowhere. */
function position(bytes: Buffer, byte: number, from: number): number {
  const at = bytes.indexOf(byte, from);
  return at < 0 ? NOWHERE : at;
}
