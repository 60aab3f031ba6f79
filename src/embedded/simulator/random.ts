const UNIT = 2 ** -32;

/**
 * Seeded random numbers (sfc32): our own, because a simulated day must be the same on every machine and
 * under every version of the runtime, which `Math.random` does not promise.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** The same keys always give the same numbers; any other key gives an unrelated stream. */
  constructor(...keys: readonly (string | number)[]) {
    const text = keys.join('\u0000');
    let a = 0x9e3779b9;
    let b = 0x243f6a88;
    let c = 0xb7e15162;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      a = Math.imul(a ^ unit, 0x85ebca6b);
      b = Math.imul(b ^ unit ^ (a >>> 15), 0xc2b2ae35);
      c = Math.imul(c ^ unit ^ (b >>> 13), 0x27d4eb2f);
    }
    this.#a = a | 0;
    this.#b = b | 0;
    this.#c = c | 0;
    // The first outputs still show the keys.
    for (let i = 0; i < 16; i++) this.next();
  }

  /** A whole number from 0 to 2³² − 1. */
  next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    this.#c |= 0;
    return sum >>> 0;
  }

  /** A number from 0 (included) to 1 (excluded). */
  unit(): number {
    return this.next() * UNIT;
  }

  /** A number between two bounds. */
  between(min: number, max: number): number {
    return min + this.unit() * (max - min);
  }

  /** A whole number between two bounds, both included. */
  int(min: number, max: number): number {
    return min + Math.floor(this.unit() * (max - min + 1));
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  /** One of the entries of a list that is not empty. */
  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.unit() * list.length)]!;
  }

  /** A number around `mean`, bell-shaped; never further away than 3.5 deviations. */
  bell(mean: number, deviation: number): number {
    let sum = 0;
    for (let i = 0; i < 12; i++) sum += this.unit();
    return mean + Math.max(-3.5, Math.min(3.5, sum - 6)) * deviation;
  }

  /** How often something rare happens that happens `mean` times on average (Poisson). */
  count(mean: number): number {
    const floor = Math.exp(-mean);
    let product = this.unit();
    let count = 0;
    while (product > floor) {
      product *= this.unit();
      count++;
    }
    return count;
  }
}
