import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../base/errors.ts';
import { ajouterLignes } from './ajout.ts';

const NAME = 'installation.jsonl';

/**
 * Beside the archives, whether this installation has ever had an account: a database that is made anew, or brought back
 * from a time before, does not know it any more.
 */
export class Amorcage {
  readonly path: string;
  readonly #dir: string;

  /** @param racine ARCHIVES_DIR */
  constructor(racine: string) {
    this.#dir = racine;
    this.path = join(racine, NAME);
  }

  /** Whether it has. Where one may not look, it may have: the door that depends on it stays closed. */
  async connu(): Promise<boolean> {
    try {
      await stat(this.path);
      return true;
    } catch (error) {
      return codeOf(error) !== 'ENOENT' && codeOf(error) !== 'ENOTDIR';
    }
  }

  /** Writes it down, once; it is on the disk when this returns. @throws the file system's error */
  async noter(maintenant = Date.now()): Promise<void> {
    if (await this.connu()) return;
    const line = JSON.stringify({ evenement: 'premier_compte', le: new Date(maintenant).toISOString() });
    await ajouterLignes(this.#dir, NAME, `${line}\n`);
  }
}
