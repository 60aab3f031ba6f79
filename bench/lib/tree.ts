import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { simulateTree } from '../../src/embedded/simulator/tree.ts';

export const NOISE = 0.3;
const SEED = 1;
/** Days from which the size of a day is guessed. */
const SAMPLE = 30;

export interface Tree {
  readonly dir: string;
  readonly files: readonly string[];
  readonly days: number;
  readonly bytes: number;
}

/** Simulates as many days of three centres as make about `bytes` bytes. */
export async function makeTree(dir: string, bytes: number): Promise<Tree> {
  const simulate = (days: number) => simulateTree({ dir, days, noise: NOISE, seed: SEED });
  let days = Math.min(SAMPLE, Math.ceil(bytes / 3e6));
  let made = await simulate(days);
  // Days differ: come near from below, so that no day has to be taken away again.
  for (let more = 1; made.bytes < bytes * 0.97 && more > 0; ) {
    more = Math.floor(((bytes - made.bytes) / made.bytes) * days);
    days += more;
    if (more > 0) made = await simulate(days);
  }
  return { dir, files: await listFiles(dir), days, bytes: made.bytes };
}

export async function listFiles(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** The day's log whose size is nearest to `bytes`. */
export async function dayFileOf(tree: Tree, bytes: number): Promise<string> {
  let best = '';
  let distance = Number.POSITIVE_INFINITY;
  for (const path of tree.files.filter((name) => /[/\\]\d{8}\.LOG$/.test(name))) {
    const { size } = await stat(path);
    if (Math.abs(size - bytes) >= distance) continue;
    distance = Math.abs(size - bytes);
    best = path;
  }
  return best;
}
