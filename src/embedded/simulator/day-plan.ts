import type { Random } from './random.ts';

/** A span of seconds since local midnight. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** The frame of a working day: when the machine runs, and how many pieces it makes meanwhile. */
export interface DayPlan {
  readonly pieces: number;
  /** in order; between two of them the machine is stopped on purpose */
  readonly running: readonly Span[];
}

const MINUTE = 60;
const HOUR = 3600;
const BREAKS = {
  week: [
    { at: 9 * HOUR, minutes: 15 },
    { at: 12.5 * HOUR, minutes: 30 },
    { at: 17 * HOUR, minutes: 15 },
  ],
  saturday: [{ at: 9 * HOUR, minutes: 15 }],
};

/** 0 for Sunday to 6 for Saturday. */
export function weekday(day: number): number {
  return (((day + 4) % 7) + 7) % 7;
}

/** Plans one day of a centre, or nothing on a Sunday. `usual` is its mean number of pieces a weekday. */
export function planDay(random: Random, day: number, usual: number): DayPlan | undefined {
  const name = weekday(day);
  if (name === 0) return undefined;
  const saturday = name === 6;
  const start = jitter(random, saturday ? 6 * HOUR : 5.5 * HOUR, 8 * MINUTE);
  const end = jitter(random, saturday ? 12.5 * HOUR : 21 * HOUR, 10 * MINUTE);
  const stops = (saturday ? BREAKS.saturday : BREAKS.week).map((pause) => {
    const from = jitter(random, pause.at, 6 * MINUTE);
    return { from, to: from + jitter(random, pause.minutes * MINUTE, 2 * MINUTE) };
  });
  addUnplanned(random, stops, start, end, saturday ? random.int(1, 2) : random.int(2, 5));
  stops.sort((one, other) => one.from - other.from);
  const running: Span[] = [];
  let from = start;
  for (const stop of stops) {
    running.push({ from, to: stop.from });
    from = stop.to;
  }
  running.push({ from, to: end });
  return { pieces: drawPieces(random, saturday, usual), running };
}

/** Tool changes, cleaning, maintenance: short stops, well apart from the others so that none is swallowed. */
function addUnplanned(random: Random, stops: Span[], start: number, end: number, count: number): void {
  const margin = 10 * MINUTE;
  for (let i = 0; i < count; i++) {
    const from = random.int(start + margin, end - 40 * MINUTE);
    const to = from + random.int(2 * MINUTE, 24 * MINUTE);
    if (stops.every((stop) => to + margin < stop.from || from > stop.to + margin)) stops.push({ from, to });
  }
}

function drawPieces(random: Random, saturday: boolean, usual: number): number {
  // A day of one large series of small pieces comes up about every other week.
  const series = random.chance(0.06) ? 1.7 : 1;
  const drawn = saturday
    ? random.bell(usual * 0.46, usual * 0.08)
    : random.bell(usual * 0.96, usual * 0.22) * series;
  return Math.round(Math.max(saturday ? 300 : 480, Math.min(2000, drawn)));
}

function jitter(random: Random, around: number, by: number): number {
  return random.int(around - by, around + by);
}
