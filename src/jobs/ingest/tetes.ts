import { hash } from 'node:crypto';
import type { ContenuConnu } from '../../domain/journal/versions.ts';

/** Beginnings of these many bytes are compared. */
const LENGTHS = [64, 512, 4_096, 32_768];
const DIGITS = 8;
/** Versions whose beginnings are kept: some 20 MB. */
const MOST = 100_000;

/** What the first bytes of a version look like: equal bytes look equal. */
export type Tete = string;

/** @param debut the first bytes, as many as are at hand */
export function teteDe(debut: Buffer): Tete {
  return LENGTHS.filter((length) => length <= debut.length)
    .map((length) => hash('sha256', debut.subarray(0, length), 'base64').slice(0, DIGITS))
    .join('');
}

/**
 * How versions begin. Two that begin differently are not each other's beginning, and need not be read to know: a file that
 * drops its head as it grows would have all its former contents read at each of its changes.
 */
export class Tetes {
  readonly #bySha = new Map<string, Tete>();

  /** Those of the known contents of a path that new bytes may begin with, or continue, or be. */
  async parents(
    lecture: {
      readonly sha256: string;
      readonly tete: Tete;
      readonly nuls: boolean;
      readonly debuts: ReadonlyMap<number, string>;
    },
    contenus: readonly ContenuConnu[],
    read: (sha256: string) => AsyncIterable<Buffer>,
  ): Promise<readonly ContenuConnu[]> {
    this.#set(lecture.sha256, lecture.tete);
    const kept: ContenuConnu[] = [];
    for (const contenu of contenus) {
      // A NUL says nothing: bytes that begin with some may go with any others (rule 15).
      if (lecture.nuls || contenu.nuls !== false) {
        kept.push(contenu);
        continue;
      }
      // Of these it is known already whether the new bytes begin with them.
      const known = lecture.debuts.has(contenu.taille) ? lecture.tete : await this.#get(contenu, read);
      if (maybeSame(lecture.tete, known)) kept.push(contenu);
    }
    return kept;
  }

  async #get(
    { sha256, purgee }: ContenuConnu,
    read: (sha256: string) => AsyncIterable<Buffer>,
  ): Promise<Tete> {
    const known = this.#bySha.get(sha256);
    if (known !== undefined || purgee) return known ?? '';
    try {
      for await (const piece of read(sha256)) {
        this.#set(sha256, teteDe(piece));
        break;
      }
    } catch {
      // Whoever needs these bytes will say what is wrong with them.
      return '';
    }
    return this.#bySha.get(sha256) ?? '';
  }

  #set(sha256: string, tete: Tete): void {
    this.#bySha.delete(sha256);
    this.#bySha.set(sha256, tete);
    if (this.#bySha.size > MOST) this.#bySha.delete(this.#bySha.keys().next().value!);
  }
}

function maybeSame(a: Tete, b: Tete): boolean {
  return a.startsWith(b) || b.startsWith(a);
}
