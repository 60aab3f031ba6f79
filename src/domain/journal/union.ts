import type { Evenement } from './events.ts';

/** What one version of the bytes holds of one production day, in file order. */
export interface VersionDuJour {
  /** lower-case hexadecimal; breaks ties between versions */
  readonly sha256: string;
  readonly evenements: readonly Evenement[];
}

/** An event of a united day and the place it is taken from. */
export interface EvenementUni {
  readonly evenement: Evenement;
  /** index in the ranked versions */
  readonly version: number;
}

/**
 * The versions that hold events, in the order in which they are asked (rule 16): earliest first event, then most
 * events, then SHA-256. It depends on the set of versions only, not on how they are given.
 */
export function rank<V extends VersionDuJour>(versions: readonly V[]): V[] {
  return versions
    .filter((version) => version.evenements.length > 0)
    .map((version) => ({ version, first: firstInstant(version.evenements) }))
    .sort(
      (a, b) =>
        a.first - b.first ||
        b.version.evenements.length - a.version.evenements.length ||
        (a.version.sha256 < b.version.sha256 ? -1 : 1),
    )
    .map(({ version }) => version);
}

/**
 * Unites the versions of one production day, given in order of rank: each event line counts as often as in the
 * version that holds it most often. The result is sorted by instant, then rank, then line.
 */
export function unite(ranked: readonly VersionDuJour[]): EvenementUni[] {
  const united: EvenementUni[] = [];
  if (ranked.length === 1) {
    for (const evenement of ranked[0]!.evenements) united.push({ evenement, version: 0 });
  } else {
    const taken = new Map<string, number>();
    ranked.forEach(({ evenements }, version) => {
      const here = new Map<string, number>();
      for (const evenement of evenements) {
        const key = `${evenement.instant}|${evenement.genre}|${evenement.details}`;
        const occurrence = (here.get(key) ?? 0) + 1;
        here.set(key, occurrence);
        if (occurrence > (taken.get(key) ?? 0)) {
          taken.set(key, occurrence);
          united.push({ evenement, version });
        }
      }
    });
  }
  // Stable: events of one instant stay in order of rank, then of line.
  return isSorted(united) ? united : united.sort((a, b) => a.evenement.instant - b.evenement.instant);
}

function firstInstant(evenements: readonly Evenement[]): number {
  let first = Number.POSITIVE_INFINITY;
  for (const { instant } of evenements) if (instant < first) first = instant;
  return first;
}

function isSorted(events: readonly EvenementUni[]): boolean {
  for (let i = 1; i < events.length; i++) {
    if (events[i]!.evenement.instant < events[i - 1]!.evenement.instant) return false;
  }
  return true;
}
