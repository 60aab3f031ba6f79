import { setTimeout as sleep } from 'node:timers/promises';
import type { Machine } from './machines.ts';

/** How often the database is asked how far it is (ms): what the lags are exact to. */
const POLL = 20;

/** Lags of lines, from the moment they were on the disk. */
export class Retards {
  readonly #machines: ReadonlyMap<string, Machine>;
  readonly #seen = new Map<string, number>();
  readonly ms: number[] = [];

  constructor(machines: readonly Machine[]) {
    this.#machines = new Map(machines.map((machine) => [machine.centre, machine]));
    // Lines that were written before are no business of this measure.
    for (const { centre, ecrites } of machines) this.#seen.set(centre, ecrites.length);
  }

  /** Of a centre's appended lines, `count` have arrived by now. */
  note(centre: string, count: number, now: number): void {
    const { ecrites } = this.#machines.get(centre)!;
    let seen = this.#seen.get(centre) ?? 0;
    for (; seen < Math.min(count, ecrites.length); seen++) this.ms.push(now - ecrites[seen]!);
    this.#seen.set(centre, seen);
  }

  /** Lines that were written and have not arrived. */
  get missing(): number {
    return [...this.#machines].reduce(
      (sum, [centre, { ecrites }]) => sum + ecrites.length - (this.#seen.get(centre) ?? 0),
      0,
    );
  }

  /** @param share for example 0.99 */
  quantile(share: number): number {
    const sorted = this.ms.toSorted((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
  }
}

/**
 * Asks again and again how many lines of each centre have arrived, until `stopped`, and then until all have.
 *
 * @param ask lines of each centre that arrived since the measure began
 */
export async function watchArrivals(
  retards: Retards,
  ask: () => Promise<readonly (readonly [string, number])[]>,
  stopped: () => boolean,
): Promise<void> {
  let end = Number.POSITIVE_INFINITY;
  while (!(stopped() && retards.missing === 0)) {
    if (stopped()) end = Math.min(end, performance.now() + 60_000);
    if (performance.now() > end) throw new Error(`${retards.missing} lines never arrived`);
    for (const [centre, count] of await ask()) retards.note(centre, count, performance.now());
    await sleep(POLL);
  }
}
