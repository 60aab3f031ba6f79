import type { ByteWriter } from './byte-writer.ts';
import type { Random } from './random.ts';

/** Fixed text, then a varying number or word (or nothing, at the end of a template). */
interface Part {
  readonly text: string;
  readonly words: readonly string[];
  readonly min: number;
  readonly span: number;
  /** −1: no number */
  readonly decimals: number;
}

/**
 * The text of an event with places that vary: `{12..40}` a whole number, `{5.0..20.0}` a number with as many
 * decimals as its bounds, `{A/B/C}` one of several words. Compiled once, because it is written a million times.
 */
export class LineTemplate {
  readonly #parts: readonly Part[];
  /** more bytes than any line of this template takes */
  readonly room: number;

  constructor(source: string) {
    const parts: Part[] = [];
    let from = 0;
    for (const slot of source.matchAll(/\{([^}]*)\}/g)) {
      parts.push(compile(source.slice(from, slot.index), slot[1]!));
      from = slot.index + slot[0].length;
    }
    parts.push({ text: source.slice(from), words: [], min: 0, span: 0, decimals: -1 });
    this.#parts = parts;
    this.room = source.length + 20 * parts.length;
  }

  /** Writes one variant. */
  write(writer: ByteWriter, random: Random): void {
    writer.reserve(this.room);
    for (const part of this.#parts) {
      writer.ascii(part.text);
      if (part.decimals >= 0) {
        writer.scaled(part.min + Math.floor(random.unit() * part.span), part.decimals);
      } else if (part.words.length > 0) {
        writer.ascii(random.pick(part.words));
      }
    }
  }
}

function compile(text: string, slot: string): Part {
  const range = /^(-?\d+)(?:\.(\d+))?\.\.(-?\d+)(?:\.(\d+))?$/.exec(slot);
  if (!range) return { text, words: slot.split('/'), min: 0, span: 0, decimals: -1 };
  const decimals = range[2]?.length ?? 0;
  const min = Number(`${range[1]}${range[2] ?? ''}`);
  const max = Number(`${range[3]}${range[4] ?? ''}`);
  return { text, words: [], min, span: max - min + 1, decimals };
}
