/**
 * Algebra of time intervals. An interval is `[start, end)` in microseconds from any common origin; a *set* is
 * sorted, its intervals are not empty, neither overlap nor touch. Every function is exact on integers.
 */
export interface Interval {
  readonly start: number;
  readonly end: number;
}

/** The set that covers what any of the intervals covers; they may come in any order and overlap. */
export function union(intervals: readonly Interval[]): Interval[] {
  const sorted = intervals.filter((i) => i.end > i.start).sort((a, b) => a.start - b.start);
  const set: { start: number; end: number }[] = [];
  for (const { start, end } of sorted) {
    const last = set.at(-1);
    if (last && start <= last.end) last.end = Math.max(last.end, end);
    else set.push({ start, end });
  }
  return set;
}

/** What both sets cover. */
export function intersect(a: readonly Interval[], b: readonly Interval[]): Interval[] {
  const set: Interval[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const [left, right] = [a[i]!, b[j]!];
    const start = Math.max(left.start, right.start);
    const end = Math.min(left.end, right.end);
    if (start < end) set.push({ start, end });
    if (left.end < right.end) i++;
    else j++;
  }
  return set;
}

/** What the first set covers and the second does not. */
export function subtract(a: readonly Interval[], b: readonly Interval[]): Interval[] {
  const set: Interval[] = [];
  let j = 0;
  for (const { start, end } of a) {
    let from = start;
    while (j < b.length && b[j]!.end <= from) j++;
    for (let k = j; k < b.length && b[k]!.start < end; k++) {
      if (b[k]!.start > from) set.push({ start: from, end: b[k]!.start });
      from = Math.max(from, b[k]!.end);
    }
    if (from < end) set.push({ start: from, end });
  }
  return set;
}

/** Total length of a set. */
export function measure(set: readonly Interval[]): number {
  return set.reduce((sum, { start, end }) => sum + end - start, 0);
}
