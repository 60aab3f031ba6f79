import fc from 'fast-check';

/** A whole number of the environment, for longer runs and for replays. */
export function setting(name: string, otherwise: number): number {
  const value = Number(process.env[name] ?? otherwise);
  if (!Number.isSafeInteger(value)) throw new Error(`${name} : nombre entier attendu`);
  return value;
}

/** Seed of this run: ATELIER_GRAINE, to replay one that failed, else another each time. */
export const SEED = setting('ATELIER_GRAINE', Math.floor(Math.random() * 0x7fffffff));

/** Asserts a property, and says with which seed, whatever the outcome. */
export async function assertProperty<T>(
  name: string,
  property: fc.IProperty<T> | fc.IAsyncProperty<T>,
  options: { numRuns: number; seed?: number },
): Promise<void> {
  const seed = options.seed ?? SEED;
  process.stdout.write(`${name} : ${options.numRuns} essais, ATELIER_GRAINE=${seed}\n`);
  await fc.assert(property, { numRuns: options.numRuns, seed });
}
