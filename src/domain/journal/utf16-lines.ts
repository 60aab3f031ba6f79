import { ByteLines, type OnLine } from './byte-lines.ts';

/** Cuts UTF-16 into lines as `ByteLines` does: the lines it hands over are UTF-8, their sizes those in the file. */
export class Utf16Lines {
  readonly #decoder: TextDecoder;
  readonly #lines: ByteLines;
  #bytesIn = 0;
  #bytesOut = 0;

  constructor(encoding: 'utf-16le' | 'utf-16be', line: OnLine) {
    this.#decoder = new TextDecoder(encoding, { ignoreBOM: true });
    this.#lines = new ByteLines(line, sizeInUtf16);
  }

  push(bytes: Buffer): void {
    this.#bytesIn += bytes.length;
    this.#push(this.#decoder.decode(bytes, { stream: true }));
  }

  settle(): void {
    this.#lines.settle();
  }

  end(): void {
    this.#push(this.#decoder.decode());
    // An odd last byte gives one character for one byte, half a character one for more: the last line takes the rest.
    this.#lines.end(this.#bytesIn - this.#bytesOut);
  }

  #push(text: string): void {
    if (text === '') return;
    this.#bytesOut += text.length * 2;
    this.#lines.push(Buffer.from(text));
  }
}

/** Bytes that UTF-8 text takes in UTF-16. */
function sizeInUtf16(bytes: Buffer, start: number, end: number): number {
  let size = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (byte >= 0xf0) size += 4;
    else if (byte < 0x80 || byte >= 0xc0) size += 2;
  }
  return size;
}
