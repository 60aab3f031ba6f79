import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { AtelierError, codeOf, messageOf } from '../../base/errors.ts';
import { dayNumber } from '../../base/time.ts';
import { DEFAULT_CENTRES, type SimulatedCentre } from './centres.ts';
import { simulateDay } from './day-files.ts';

/**
 * Last day of a tree unless told otherwise: with the usual 30 days it holds June 2025. Fixed, so that the
 * demonstration shows the same figures whenever it runs.
 */
export const DEFAULT_END = dayNumber(2025, 6, 30);

/** The tree of the demonstration: the same bytes on every machine, whatever the day. */
export const DEMO_TREE = { days: 30, noise: 0.3, seed: 1 } as const;

export interface TreeOptions {
  /** root of the logs; one folder a centre is made below it */
  readonly dir: string;
  /** calendar days, Sundays counted (they have no file) */
  readonly days: number;
  /** last day (number of days since 1970-01-01) */
  readonly end?: number;
  readonly centres?: readonly SimulatedCentre[];
  /** from 0 to 1 */
  readonly noise: number;
  readonly seed: number;
  readonly signal?: AbortSignal;
  /** after each centre and day */
  readonly onProgress?: (progress: { done: number; total: number; path: string }) => void;
}

export interface TreeResult {
  /** files that the tree now holds for these options */
  readonly files: number;
  /** of these, files that were not yet there with the same bytes */
  readonly written: number;
  readonly bytes: number;
  /** usable pieces, each counted once however many files hold it */
  readonly pieces: number;
}

/**
 * Writes the logs of some centres and days. Same options, same bytes; a file that has them already is left
 * alone, other files of the folders too.
 *
 * @throws AtelierError ATL_L201 when a folder or file cannot be written
 */
export async function simulateTree(options: TreeOptions): Promise<TreeResult> {
  const { seed, noise, days, end = DEFAULT_END, centres = DEFAULT_CENTRES } = options;
  const result = { files: 0, written: 0, bytes: 0, pieces: 0 };
  const total = centres.length * days;
  let done = 0;
  for (const centre of centres) {
    const folder = join(options.dir, centre.dossier ?? centre.nom);
    for (let day = end - days + 1; day <= end; day++) {
      options.signal?.throwIfAborted();
      const { files, pieces } = simulateDay({ seed, centre, day, noise });
      for (const file of files) {
        if (await put(join(folder, file.path), file.content)) result.written++;
        result.files++;
        result.bytes += file.content.length;
      }
      result.pieces += pieces;
      options.onProgress?.({ done: ++done, total, path: folder });
    }
  }
  return result;
}

/** Writes a file under a name that ingestion ignores, then renames it. False when nothing had to be done. */
async function put(path: string, content: Buffer): Promise<boolean> {
  const temporary = join(dirname(path), `.${basename(path)}.tmp`);
  try {
    if (await holds(path, content)) return false;
    await mkdir(dirname(path), { recursive: true });
    await writeFile(temporary, content);
    await rename(temporary, path);
    return true;
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => {});
    throw new AtelierError('ATL_L201', `Écriture de ${path} : ${messageOf(cause)}`, { cause });
  }
}

async function holds(path: string, content: Buffer): Promise<boolean> {
  try {
    const found = await stat(path);
    return found.size === content.length && content.equals(await readFile(path));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}
