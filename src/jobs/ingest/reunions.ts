import type { Evenement } from '../../domain/journal/events.ts';
import { Reunion, type Union } from '../../domain/journal/union.ts';

/** The newest versions of a day, which may still grow: a machine writes one file, and ends another. */
const NEWEST = 4;

/** A version of a day, by its row and its bytes. */
interface Version {
  readonly versionId: number;
  readonly sha256: string;
}

/**
 * One production day of one centre as its versions say, kept for the next time: a file that drops its head as it grows is a
 * new version each time, and the former ones need not be read again for it. What is kept depends on the bytes of the
 * versions alone, which their hashes name: whoever has lost it reads them again and finds the same.
 */
export class JourReuni {
  /** versions that are expected to stay as they are */
  #reunion = new Reunion();
  /** those, by SHA-256: the ids of their rows */
  readonly #unies = new Map<string, number>();
  /** the others, by SHA-256: a union cannot be undone when they grow */
  readonly #apart = new Map<string, readonly Evenement[]>();
  /** ids of the rows that are kept apart: the newest, and those that grew all the same */
  #moving = new Set<number>();
  readonly #grew = new Set<number>();

  /** What it keeps in memory, in events. */
  get poids(): number {
    let sum = this.#reunion.taille;
    for (const evenements of this.#apart.values()) sum += evenements.length;
    return sum;
  }

  /**
   * Says which versions count now.
   *
   * @returns SHA-256 of those that are to be read: `add` them, then `unir`
   */
  commencer(active: readonly Version[]): Set<string> {
    const ids = new Set(active.map(({ versionId }) => versionId));
    const shas = new Set(active.map(({ sha256 }) => sha256));
    const gone = [...this.#unies].filter(([sha256]) => !shas.has(sha256));
    if (gone.length > 0) {
      for (const [, id] of gone) if (ids.has(id)) this.#grew.add(id);
      this.#reunion = new Reunion();
      this.#unies.clear();
    }
    for (const id of this.#grew) if (!ids.has(id)) this.#grew.delete(id);
    this.#moving = new Set([...[...ids].sort((a, b) => b - a).slice(0, NEWEST), ...this.#grew]);
    for (const sha256 of this.#apart.keys()) if (!shas.has(sha256)) this.#apart.delete(sha256);
    for (const version of active) {
      const evenements = this.#apart.get(version.sha256);
      if (evenements && !this.#moving.has(version.versionId)) {
        this.#apart.delete(version.sha256);
        this.add(version, evenements);
      }
    }
    return new Set([...shas].filter((sha256) => !this.#unies.has(sha256) && !this.#apart.has(sha256)));
  }

  add({ versionId, sha256 }: Version, evenements: readonly Evenement[]): void {
    if (this.#moving.has(versionId)) this.#apart.set(sha256, evenements);
    else {
      this.#reunion.add({ sha256, evenements });
      this.#unies.set(sha256, versionId);
    }
  }

  unir(): Union {
    return this.#reunion.with([...this.#apart].map(([sha256, evenements]) => ({ sha256, evenements })));
  }
}

/** Days of several versions, by centre and day; those untouched for longest go when there are too many. */
export class Reunions {
  readonly #days = new Map<string, JourReuni>();
  readonly #most: () => number;
  #poids = 0;

  /** @param most events of all days that may be kept now */
  constructor(most: () => number) {
    this.#most = most;
  }

  /** Takes a day out, so that nobody else changes it meanwhile: it is put back when it was computed well. */
  take(centreId: number, jour: number): JourReuni {
    const key = `${centreId} ${jour}`;
    const day = this.#days.get(key);
    if (!day) return new JourReuni();
    this.#forget(key, day);
    return day;
  }

  put(centreId: number, jour: number, day: JourReuni): void {
    const key = `${centreId} ${jour}`;
    const before = this.#days.get(key);
    if (before) this.#forget(key, before);
    this.#days.set(key, day);
    this.#poids += day.poids;
    for (const [oldest, one] of this.#days) {
      if (this.#poids <= this.#most()) return;
      this.#forget(oldest, one);
    }
  }

  #forget(key: string, day: JourReuni): void {
    this.#days.delete(key);
    this.#poids -= day.poids;
  }
}
