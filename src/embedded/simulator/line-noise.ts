import { DAMAGES } from './damage.ts';
import { LINE_NOISE, type LineNoise } from './noise-kinds.ts';
import type { Random } from './random.ts';

/** A stretch of the clean log, of whole lines, and what stands in its place. */
interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: Buffer;
  readonly pieces: number;
}

const LF = 0x0a;

/**
 * Damages lines of a clean log here and there.
 *
 * @returns the new bytes (Windows-1252), the kinds that struck, and by how much the number of usable
 *   `StukUitgevoerd` changed (0 or less)
 */
export function damageLines(
  clean: Buffer,
  random: Random,
  noise: number,
): { bytes: Buffer; kinds: LineNoise[]; pieces: number } {
  const edits: Edit[] = [];
  const kinds: LineNoise[] = [];
  for (const kind of Object.keys(LINE_NOISE) as LineNoise[]) {
    for (let left = random.count(LINE_NOISE[kind] * noise); left > 0; left--) {
      const edit = draw(clean, random, kind);
      // Two damages on one line would hide each other.
      if (!edit || edits.some((other) => edit.start < other.end && other.start < edit.end)) continue;
      edits.push(edit);
      if (kinds.at(-1) !== kind) kinds.push(kind);
    }
  }
  edits.sort((one, other) => one.start - other.start);
  const parts: Buffer[] = [];
  let from = 0;
  for (const edit of edits) {
    parts.push(clean.subarray(from, edit.start), edit.text);
    from = edit.end;
  }
  parts.push(clean.subarray(from));
  return { bytes: Buffer.concat(parts), kinds, pieces: edits.reduce((sum, edit) => sum + edit.pieces, 0) };
}

/** One damage on the first fitting line behind a random place; nothing when the log has no such line there. */
function draw(clean: Buffer, random: Random, kind: LineNoise): Edit | undefined {
  const damage = DAMAGES[kind];
  const hit = clean.indexOf(damage.on, random.int(0, clean.length - 1), 'latin1');
  if (hit < 0) return undefined;
  const start = clean.lastIndexOf(LF, hit) + 1;
  const firstEnd = clean.indexOf(LF, hit);
  const end = damage.lines === 2 ? clean.indexOf(LF, firstEnd + 1) : firstEnd;
  if (end < 0) return undefined;
  const before = clean.toString('latin1', start, end);
  const text = damage.apply(
    random,
    clean.toString('latin1', start, firstEnd),
    clean.toString('latin1', firstEnd + 1, end),
  );
  return {
    start,
    end,
    text: Buffer.from(text, 'latin1'),
    pieces: countPieces(text) - countPieces(before),
  };
}

const STAMP = /\d{4}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]) (?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\|@/g;

/** Usable pieces among lines that `damage.ts` may have made: enough of the log's rules for these, not a parser. */
function countPieces(text: string): number {
  let pieces = 0;
  for (const line of text.replaceAll('\0', '').split('\n')) {
    // Each stamp begins an event, also behind the rest of another line (`ligne_collee`).
    for (const { 0: stamp, index } of line.matchAll(STAMP)) {
      const event = line.slice(index + stamp.length);
      if (/^StukUitgevoerd(?::|$)/.test(event)) pieces++;
    }
  }
  return pieces;
}
