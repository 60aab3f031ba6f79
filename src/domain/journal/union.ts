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
export function unite(ranked: readonly VersionDuJour[]): JourUni {
  if (ranked.length === 1) return { evenements: inOrder(ranked[0]!.evenements), versions: undefined };
  const united: { evenement: Evenement; version: number }[] = [];
  const taken = new Map<string, number>();
  for (const [version, { evenements }] of ranked.entries()) {
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
  }
  // Stable: events of one instant stay in order of rank, then of line.
  united.sort((a, b) => a.evenement.instant - b.evenement.instant);
  return { evenements: united.map((u) => u.evenement), versions: united.map((u) => u.version) };
}

function firstInstant(evenements: readonly Evenement[]): number {
  let first = Number.POSITIVE_INFINITY;
  for (const { instant } of evenements) if (instant < first) first = instant;
  return first;
}

/** By instant; a log is nearly always in order already. */
function inOrder(events: readonly Evenement[]): readonly Evenement[] {
  for (let i = 1; i < events.length; i++) {
    if (events[i]!.instant < events[i - 1]!.instant) return events.toSorted((a, b) => a.instant - b.instant);
  }
  return events;
}
