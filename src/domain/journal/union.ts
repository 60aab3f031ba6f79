import type { Evenement } from './events.ts';

/** What one version of the bytes holds of one production day, in file order. */
export interface VersionDuJour {
  /** lower-case hexadecimal; breaks ties between versions */
  readonly sha256: string;
  readonly evenements: readonly Evenement[];
}

/** The events of a united day, in order, and the place that each is taken from. */
export interface JourUni {
  readonly evenements: readonly Evenement[];
  /** index of each event's version in the ranked versions; undefined: there is only one */
  readonly versions: readonly number[] | undefined;
}

/** A united day, and the versions that give its events. */
export interface Union {
  readonly jour: JourUni;
  /** SHA-256 of the versions that events are taken from, in order of rank */
  readonly versions: readonly string[];
}

/**
 * What versions are asked by (rule 16): earliest first event of the day, then most events, then SHA-256. It depends on the
 * version alone, never on the others.
 */
interface Rang {
  readonly sha256: string;
  readonly premier: number;
  readonly nombre: number;
}

/** Where an event line that counts is taken from. */
interface Place {
  readonly evenement: Evenement;
  readonly rang: Rang;
}

/**
 * The versions of one production day, united (rule 16): each event line counts as often as in the version that holds it most
 * often, and its nth occurrence is taken from the first version in rank that has as many. That is a choice of the best
 * for each line and n: versions may come in any order and any number of times, so that one more does not need the others.
 */
export class Reunion {
  /** by line; the nth occurrence at n - 1 */
  readonly #places = new Map<string, readonly Place[]>();
  #taille = 0;

  /** Event lines that count. */
  get taille(): number {
    return this.#taille;
  }

  add(version: VersionDuJour): void {
    const rang = rangDe(version);
    for (const [line, evenements] of occurrences(version)) {
      const before = this.#places.get(line) ?? [];
      const after = best(before, evenements, rang);
      this.#taille += after.length - before.length;
      this.#places.set(line, after);
    }
  }

  /** The day with some versions more, sorted by instant, then rank, then line; nothing is added. */
  with(others: readonly VersionDuJour[]): Union {
    const [only] = others;
    if (this.#taille === 0 && others.length === 1 && only!.evenements.length > 0) {
      return {
        jour: { evenements: inOrder(only!.evenements), versions: undefined },
        versions: [only!.sha256],
      };
    }
    const changed = new Map<string, readonly Place[]>();
    for (const version of others) {
      const rang = rangDe(version);
      for (const [line, evenements] of occurrences(version)) {
        const before = changed.get(line) ?? this.#places.get(line) ?? [];
        changed.set(line, best(before, evenements, rang));
      }
    }
    const places: Place[] = [];
    for (const [line, same] of this.#places) if (!changed.has(line)) places.push(...same);
    for (const same of changed.values()) places.push(...same);
    return inRank(places);
  }
}

/** Unites the versions of one production day. */
export function unite(versions: readonly VersionDuJour[]): Union {
  return new Reunion().with(versions);
}

function inRank(places: readonly Place[]): Union {
  const ranked = [...new Map(places.map(({ rang }) => [rang.sha256, rang])).values()].sort(compareRangs);
  const index = new Map(ranked.map(({ sha256 }, i) => [sha256, i]));
  const united = places.map(({ evenement, rang }) => ({ evenement, version: index.get(rang.sha256)! }));
  united.sort(
    (a, b) =>
      a.evenement.instant - b.evenement.instant ||
      a.version - b.version ||
      a.evenement.ligne - b.evenement.ligne,
  );
  const evenements = united.map((u) => u.evenement);
  const versions = ranked.length === 1 ? undefined : united.map((u) => u.version);
  return { jour: { evenements, versions }, versions: ranked.map(({ sha256 }) => sha256) };
}

/** The occurrences of one line, each from the first version in rank that has it. */
function best(before: readonly Place[], evenements: readonly Evenement[], rang: Rang): readonly Place[] {
  const after = [...before];
  for (const [n, evenement] of evenements.entries()) {
    const place = after[n];
    if (!place || compareRangs(rang, place.rang) < 0) after[n] = { evenement, rang };
  }
  return after;
}

/** The events of a version by their line, in file order. */
function occurrences({ evenements }: VersionDuJour): Map<string, Evenement[]> {
  const lines = new Map<string, Evenement[]>();
  for (const evenement of evenements) {
    const line = `${evenement.instant}|${evenement.genre}|${evenement.details}`;
    const same = lines.get(line);
    if (same) same.push(evenement);
    else lines.set(line, [evenement]);
  }
  return lines;
}

function rangDe({ sha256, evenements }: VersionDuJour): Rang {
  let premier = Number.POSITIVE_INFINITY;
  for (const { instant } of evenements) if (instant < premier) premier = instant;
  return { sha256, premier, nombre: evenements.length };
}

function compareRangs(a: Rang, b: Rang): number {
  if (a.sha256 === b.sha256) return 0;
  return a.premier - b.premier || b.nombre - a.nombre || (a.sha256 < b.sha256 ? -1 : 1);
}

/** By instant; a log is nearly always in order already. */
function inOrder(events: readonly Evenement[]): readonly Evenement[] {
  for (let i = 1; i < events.length; i++) {
    if (events[i]!.instant < events[i - 1]!.instant) return events.toSorted((a, b) => a.instant - b.instant);
  }
  return events;
}
