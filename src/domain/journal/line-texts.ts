import { ByteLines, type OnLine } from './byte-lines.ts';
import { decodeBytes, type Encoding } from './encoding.ts';
import { MAX_LINE } from './line-grammar.ts';
import { Utf16Lines } from './utf16-lines.ts';

/** The texts of all lines, as the parser counts them (rules 1 to 4); of those that are too long, the beginning. */
export async function* lineTexts(
  pieces: Iterable<Buffer> | AsyncIterable<Buffer>,
  { name, bom }: Encoding,
): AsyncGenerator<string> {
  let found: string[] = [];
  const wide = name === 'utf-16le' || name === 'utf-16be';
  const onLine: OnLine = (bytes, start, end) =>
    void found.push(decodeBytes(bytes, start, Math.min(end, start + MAX_LINE), wide ? 'utf-8' : name));
  const cutter = wide ? new Utf16Lines(name, onLine) : new ByteLines(onLine);
  let skip = bom;
  for await (const piece of pieces) {
    const skipped = Math.min(skip, piece.length);
    skip -= skipped;
    cutter.push(piece.subarray(skipped));
    yield* found;
    found = [];
  }
  cutter.end();
  yield* found;
}
