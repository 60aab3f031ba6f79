import { MAX_LINE } from './line-grammar.ts';

/** Cuts UTF-16 into lines of text without NULs, and says how many bytes of the file each took. */
export class Utf16Lines {
  readonly #decoder: TextDecoder;
  readonly #line: (text: string, raw: number) => void;
  #kept = '';
  /** bytes of the line under way */
  #raw = 0;
  #bytesIn = 0;
  #bytesOut = 0;

  constructor(encoding: 'utf-16le' | 'utf-16be', line: (text: string, raw: number) => void) {
    this.#decoder = new TextDecoder(encoding, { ignoreBOM: true });
    this.#line = line;
  }

  push(bytes: Buffer): void {
    this.#bytesIn += bytes.length;
    this.#text(this.#decoder.decode(bytes, { stream: true }));
  }

  end(): void {
    this.#text(this.#decoder.decode());
    // An odd last byte gives one character for one byte: what is left over belongs to the last line.
    this.#raw += this.#bytesIn - this.#bytesOut;
    if (this.#raw > 0) this.#finish();
  }

  #text(text: string): void {
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      this.#keep(text.slice(start, end));
      this.#raw += 2;
      this.#bytesOut += 2;
      this.#finish();
      start = end + 1;
    }
    this.#keep(text.slice(start));
  }

  #keep(piece: string): void {
    this.#raw += piece.length * 2;
    this.#bytesOut += piece.length * 2;
    // One character more than a line may have bytes is enough to see that it is too long.
    if (this.#kept.length <= MAX_LINE + 1) {
      this.#kept += piece.replaceAll('\0', '').slice(0, MAX_LINE + 2 - this.#kept.length);
    }
  }

  #finish(): void {
    const text = this.#kept.endsWith('\r') ? this.#kept.slice(0, -1) : this.#kept;
    const raw = this.#raw;
    this.#kept = '';
    this.#raw = 0;
    this.#line(text, raw);
  }
}
