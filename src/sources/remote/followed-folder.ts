import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../base/errors.ts';
import type { EntreeSource } from '../source.ts';

/** Time between two listings (ms); a slow one is given as much rest as it took, up to the second figure. */
const EVERY = 1_000;
const REST_AT_MOST = 10_000;

/**
 * A centre's folder on a disk that may not answer, while it is followed: a loop of its own lists it, and whoever asks gets
 * what was found last at once.
 */
export class FollowedFolder {
  #found: readonly EntreeSource[] | undefined;
  readonly #first = Promise.withResolvers<void>();

  /**
   * @param list one listing, which may fail
   * @param onHint told each path that was not so before
   */
  constructor(
    dossier: string,
    list: () => AsyncIterable<EntreeSource>,
    onHint: (chemin: string) => void,
    signal: AbortSignal,
  ) {
    void this.#loop(dossier, list, onHint, signal);
  }

  /** What was found last; waits for the first listing only. */
  async *list(): AsyncGenerator<EntreeSource> {
    await this.#first.promise;
    yield* this.#found ?? [];
  }

  async #loop(
    dossier: string,
    list: () => AsyncIterable<EntreeSource>,
    onHint: (chemin: string) => void,
    signal: AbortSignal,
  ): Promise<void> {
    let told = new Map<string, string>();
    while (!signal.aborted) {
      const started = performance.now();
      const found: EntreeSource[] = [];
      try {
        for await (const entree of list()) found.push(entree);
      } catch (error) {
        found.push({ kind: 'ecarte', chemin: dossier, raison: messageOf(error), erreur: true });
      }
      this.#found = found;
      this.#first.resolve();
      if (signal.aborted) break;
      const now = new Map(found.map(printOf));
      for (const [chemin, print] of now) if (told.get(chemin) !== print) onHint(chemin);
      told = now;
      const rest = Math.max(EVERY, Math.min(REST_AT_MOST, performance.now() - started));
      await sleep(rest, undefined, { signal }).catch(() => undefined);
    }
    this.#first.resolve();
  }
}

/** Path of an entry, and a text that is another one when there is something to read. */
function printOf(entree: EntreeSource): readonly [string, string] {
  if (entree.kind === 'dossier') return [entree.dossier, ''];
  if (entree.kind === 'ecarte') return [entree.chemin, entree.raison];
  const { chemin, taille, signature } = entree.fichier;
  return [chemin, `${taille} ${signature}`];
}
