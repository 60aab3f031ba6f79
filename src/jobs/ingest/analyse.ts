import type { FactoryTime } from '../../base/time.ts';
import type { Encoding } from '../../domain/journal/encoding.ts';
import type { Evenement, Raison, Rejet } from '../../domain/journal/events.ts';
import type { Masquage } from '../../domain/journal/masquage.ts';
import { LogParser, type Reading, type Sink } from '../../domain/journal/parser.ts';

/**
 * Events and rejects of one version that are kept in memory; a version with more is read again from its archive, a
 * group of days at a time. A day has some 1,000 events.
 */
export const MEMORY_BUDGET = 25_000;
/** More events than a machine can write in a day (11 a second): the version is put aside (ATL_L204). */
export const MAX_EVENTS_PER_DAY = 1_000_000;

/** A line in quarantine, and the production day that it belongs to for its retention. */
export interface RejetDate extends Rejet {
  /** of the last known event before it in the file; undefined when nobody knows */
  readonly jour: number | undefined;
}

/** What a version holds. */
export interface ContenuLu {
  readonly encodage: Encoding;
  readonly reading: Reading;
  /** events by production day; undefined when there were too many to keep */
  readonly jours: ReadonlyMap<number, readonly Evenement[]> | undefined;
  readonly evenementsParJour: ReadonlyMap<number, number>;
  /** undefined when there were too many to keep */
  readonly rejets: readonly Rejet[] | undefined;
  readonly rejetsParRaison: ReadonlyMap<Raison, number>;
}

/**
 * Parses a whole version.
 *
 * @param regles what must not be kept of its lines
 */
export async function analyse(
  pieces: Iterable<Buffer> | AsyncIterable<Buffer>,
  encodage: Encoding,
  time: FactoryTime,
  regles: Masquage | undefined,
): Promise<ContenuLu> {
  let kept = 0;
  let jours: Map<number, Evenement[]> | undefined = new Map();
  let rejets: Rejet[] | undefined = [];
  const evenementsParJour = new Map<number, number>();
  const rejetsParRaison = new Map<Raison, number>();
  const sink: Sink = {
    evenement(evenement) {
      evenementsParJour.set(evenement.jour, (evenementsParJour.get(evenement.jour) ?? 0) + 1);
      if (!jours) return;
      if (++kept > MEMORY_BUDGET) {
        jours = undefined;
        return;
      }
      const day = jours.get(evenement.jour);
      if (day) day.push(evenement);
      else jours.set(evenement.jour, [evenement]);
    },
    rejet(rejet) {
      rejetsParRaison.set(rejet.raison, (rejetsParRaison.get(rejet.raison) ?? 0) + 1);
      if (!rejets) return;
      // A reject's text may be 2,000 characters long: it weighs as much as several events.
      kept += 1 + rejet.texte.length / 100;
      if (kept > MEMORY_BUDGET) rejets = undefined;
      else rejets.push(rejet);
    },
  };
  const parser = new LogParser(encodage, time, sink, regles);
  for await (const piece of pieces) parser.push(piece);
  const reading = parser.end();
  return { encodage, reading, jours, evenementsParJour, rejets, rejetsParRaison };
}

/** Parses a version again, for some of its days only. */
export async function lireJours(
  pieces: AsyncIterable<Buffer>,
  encodage: Encoding,
  time: FactoryTime,
  regles: Masquage | undefined,
  wanted: ReadonlySet<number>,
): Promise<Map<number, Evenement[]>> {
  const jours = new Map<number, Evenement[]>();
  const sink: Sink = {
    evenement(evenement) {
      if (!wanted.has(evenement.jour)) return;
      const day = jours.get(evenement.jour);
      if (day) day.push(evenement);
      else jours.set(evenement.jour, [evenement]);
    },
    rejet() {},
  };
  const parser = new LogParser(encodage, time, sink, regles);
  for await (const piece of pieces) parser.push(piece);
  parser.end();
  return jours;
}

/**
 * The rejects of a version with their days, from what is in memory.
 *
 * @returns undefined when too much was read to keep it all: {@link lireRejets} finds them again
 */
export function daterRejets({ jours, rejets }: ContenuLu): RejetDate[] | undefined {
  if (!jours || !rejets) return undefined;
  if (rejets.length === 0) return [];
  const events = [...jours.values()].flat().sort((a, b) => a.ligne - b.ligne);
  let next = 0;
  return rejets.map((rejet) => {
    while (next < events.length && events[next]!.ligne < rejet.ligne) next++;
    // Those before the first event go with it: a file begins with the day that it is about.
    return { ...rejet, jour: events[Math.max(0, next - 1)]?.jour };
  });
}

/** The rejects of a version, one after the other, in memory that does not grow with their number. */
export async function* lireRejets(
  pieces: AsyncIterable<Buffer>,
  encodage: Encoding,
  time: FactoryTime,
  regles: Masquage | undefined,
): AsyncGenerator<RejetDate> {
  let found: RejetDate[] = [];
  let jour: number | undefined;
  const sink: Sink = {
    evenement: (evenement) => {
      jour = evenement.jour;
    },
    rejet: (rejet) => void found.push({ ...rejet, jour }),
  };
  const parser = new LogParser(encodage, time, sink, regles);
  for await (const piece of pieces) {
    parser.push(piece);
    yield* found;
    found = [];
  }
  parser.end();
  yield* found;
}
