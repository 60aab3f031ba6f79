import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AtelierError, codeOf, messageOf } from '../../base/errors.ts';
import { ajouterLignes } from '../ajout.ts';

/**
 * Journals that lie beside the archives and are only ever added to: what was erased for good, and what the archives do
 * not say of themselves. Backups take a copy; a restoration unites the copy with what is there.
 */
export const JOURNAUX = ['effacements.jsonl', 'index.jsonl'] as const;

/** A journal of ARCHIVES_DIR as it lies there; empty when there is none. */
export async function lireJournal(archives: string, nom: string): Promise<Buffer> {
  return await readFile(join(archives, nom)).catch((cause: unknown) => {
    if (codeOf(cause) === 'ENOENT') return Buffer.alloc(0);
    throw new AtelierError('ATL_B901', `Lecture de ${join(archives, nom)} : ${messageOf(cause)}`, { cause });
  });
}

/**
 * Adds to a journal the lines of another state of it that it does not have; they are on the disk when this returns. A
 * line is an event with its instant, so the order in which they lie matters little.
 *
 * @returns how many lines were added
 */
export async function unirJournal(archives: string, nom: string, autre: Buffer): Promise<number> {
  const own = new Set((await lireJournal(archives, nom)).toString('utf8').split('\n'));
  const missing = autre
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '' && !own.has(line));
  if (missing.length === 0) return 0;
  try {
    await ajouterLignes(archives, nom, `${missing.join('\n')}\n`);
  } catch (cause) {
    throw new AtelierError('ATL_B901', `Écriture de ${join(archives, nom)} : ${messageOf(cause)}`, { cause });
  }
  return missing.length;
}
