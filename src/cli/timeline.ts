import { type Interval, intersect, measure } from '../domain/intervals.ts';
import type { Decoupage } from '../domain/session/session.ts';

/** Shapes, not colours: they are told apart on any screen and by any eye. */
const SHAPES = { effectif: '█', attentes: '▒', arrets: '_' } as const;

/** A day on one line of `width` characters; each shows the state that takes most of its time. */
export function timeline(parts: Decoupage, width: number): string {
  const end = parts.fenetre.at(-1)?.end ?? 0;
  let line = '';
  for (let cell = 0; cell < width; cell++) {
    const slot = { start: Math.round((cell * end) / width), end: Math.round(((cell + 1) * end) / width) };
    line += SHAPES[longest(parts, slot)];
  }
  return line;
}

function longest(parts: Decoupage, slot: Interval): keyof typeof SHAPES {
  let best: keyof typeof SHAPES = 'effectif';
  let most = 0;
  for (const state of ['effectif', 'attentes', 'arrets'] as const) {
    const length = measure(intersect(parts[state], [slot]));
    if (length > most) [best, most] = [state, length];
  }
  return best;
}
