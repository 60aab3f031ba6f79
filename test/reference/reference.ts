// The whole state as a function of the set of bytes ever seen: one pass, in memory, slow and obvious.
// Written from the contract and docs/regles-journaux.md alone; it shares no code with the implementation.

import { createHash } from 'node:crypto';
import { linesOf } from './decode.ts';
import { parseLine, type Reason } from './line.ts';
import { type Session, type SessionEvent, sessionOf } from './session.ts';
import { compareInstants, instantOf, isoOf, productionDayOf } from './time.ts';

export type SeenVersion = { centre: string; chemin: string; octets: Uint8Array };
/**
 * A version that no longer counts at that path through --replace. `gardee`: SHA-256 of the bytes that the path
 * had at that moment; needed only when those are themselves a prefix of the replaced version (rule 19).
 */
export type Replaced = { centre: string; chemin: string; sha256: string; gardee?: string };
export type ReferenceInput = {
  versions: SeenVersion[];
  remplacees?: Replaced[];
  fuseau: string;
  journeeDebut: string;
  attente?: Record<string, 'debut' | 'fin'>;
};
export type Rejet = { centre: string; sha256: string; ligne: number; raison: Reason; texte: string };
export type Autre = { centre: string; nom: string; nombre: number; premier: string; dernier: string };
export type VersionCounts = {
  centre: string;
  sha256: string;
  octets: number;
  lignes: number;
  evenements: number;
  autres: number;
  rejets: number;
  ignorees: number;
};
export type ReferenceState = {
  sessions: Session[];
  rejets: Rejet[];
  autres: Autre[];
  versions: VersionCounts[];
};

/** Code-point order of two strings. */
export function compareText(a: string, b: string): number {
  const left = [...a].map((char) => char.codePointAt(0) ?? 0);
  const right = [...b].map((char) => char.codePointAt(0) ?? 0);
  for (let at = 0; at < Math.min(left.length, right.length); at += 1) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** Sorts by the first comparison that decides. */
function by<T>(...comparisons: ((a: T, b: T) => number)[]): (a: T, b: T) => number {
  return (a, b) => comparisons.map((compare) => compare(a, b)).find((result) => result !== 0) ?? 0;
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Rule 15: whether `v` counts for nothing beside `w`; equal bytes are one version and no case of it. */
function saysNothingBeside(v: Uint8Array, w: Uint8Array): boolean {
  if (v.length > w.length || !v.every((byte, at) => byte === 0 || byte === w[at])) return false;
  return v.length < w.length || v.some((byte, at) => byte !== w[at]);
}

// ---------------------------------------------------------------------------------------------------------
// Which versions count (rules 15 and 19)

/** A version of one centre that counts, with the paths at which it does. */
type Version = { centre: string; sha256: string; octets: Uint8Array; chemins: string[] };

function countingVersions(input: ReferenceInput): Version[] {
  const seen = input.versions.map((version) => ({ ...version, sha256: sha256Of(version.octets) }));
  const replaced = input.remplacees ?? [];

  type Seen = (typeof seen)[number];
  // Rule 19: replaced versions stop counting at that path, "and so do their prefixes" (the bytes kept excepted).
  const stopped = ({ centre, chemin, sha256, octets }: Seen): boolean =>
    replaced.some((entry) => {
      if (entry.centre !== centre || entry.chemin !== chemin) return false;
      if (entry.sha256 === sha256) return true;
      if (entry.gardee === sha256) return false;
      const bytes = seen.find((other) => other.centre === centre && other.sha256 === entry.sha256)?.octets;
      return bytes !== undefined && saysNothingBeside(octets, bytes);
    });
  const alive = seen.filter((version) => !stopped(version));

  // Rule 15: a version that says nothing beside another of the same path "counts for nothing".
  const counting = alive.filter(
    (version) =>
      !alive.some(
        (other) =>
          other.centre === version.centre &&
          other.chemin === version.chemin &&
          saysNothingBeside(version.octets, other.octets),
      ),
  );

  // Rule 15: "Equal bytes under several paths are one version."
  const versions = new Map<string, Version>();
  for (const { centre, chemin, sha256, octets } of counting) {
    const key = JSON.stringify([centre, sha256]);
    const version = versions.get(key) ?? { centre, sha256, octets, chemins: [] };
    versions.set(key, version);
    if (!version.chemins.includes(chemin)) version.chemins.push(chemin);
  }
  return [...versions.values()].sort(
    by(
      (a, b) => compareText(a.centre, b.centre),
      (a, b) => compareText(a.sha256, b.sha256),
    ),
  );
}

/** Rule 17: names of the form YYYYMMDD.LOG (any case), then shorter, then code-point order. */
function bestPath(chemins: string[]): string {
  const usual = (chemin: string): number => (/^[0-9]{8}\.log$/i.test(chemin.split('/').at(-1) ?? '') ? 0 : 1);
  const sorted = [...chemins].sort(
    by(
      (a, b) => usual(a) - usual(b),
      (a, b) => [...a].length - [...b].length,
      compareText,
    ),
  );
  return sorted[0] ?? '';
}

// ---------------------------------------------------------------------------------------------------------
// One version

type Content = {
  version: Version;
  events: (SessionEvent & { jour: string })[];
  rejets: Rejet[];
  autres: Map<string, { nombre: number; premier: bigint; dernier: bigint }>;
  counts: VersionCounts;
};

function readVersion(version: Version, input: ReferenceInput): Content {
  const { centre, sha256 } = version;
  const lines = linesOf(version.octets);
  const counts = { centre, sha256, octets: version.octets.length, lignes: lines.length };
  const tally = { evenements: 0, autres: 0, rejets: 0, ignorees: 0 };
  const content: Content = {
    version,
    events: [],
    rejets: [],
    autres: new Map(),
    counts: { ...counts, ...tally },
  };
  /** Rule 13: the latest instant of all earlier lines with a valid stamp, whatever became of them. */
  let latest: bigint | null = null;

  for (const line of lines) {
    const parsed = parseLine(line);
    const instant: bigint | null =
      parsed.stamp === null ? null : instantOf(parsed.stamp, input.fuseau, latest);
    if (instant !== null && (latest === null || instant > latest)) latest = instant;

    if (parsed.kind === 'blank') content.counts.ignorees += 1;
    if (parsed.kind === 'reject') {
      const { raison, texte } = parsed;
      content.counts.rejets += 1;
      content.rejets.push({ centre, sha256, ligne: line.numero, raison, texte });
    }
    if (parsed.kind === 'other' && instant !== null) {
      content.counts.autres += 1;
      countOther(content.autres, parsed.nom, instant);
    }
    if (parsed.kind === 'event' && instant !== null) {
      const { nom, details, duree, profil } = parsed;
      const jour = productionDayOf(instant, input.fuseau, input.journeeDebut);
      const source = { sha256, ligne: line.numero };
      content.counts.evenements += 1;
      content.events.push({ instant, nom, details, duree, profil, source, jour });
    }
  }
  return content;
}

/** Rule 11: "A version with more than 1,000 names counts the further ones under `(autres)`." */
function countOther(autres: Content['autres'], name: string, instant: bigint): void {
  const nom = autres.has(name) || autres.size < 1_000 ? name : '(autres)';
  const entry = autres.get(nom) ?? { nombre: 0, premier: instant, dernier: instant };
  const [premier = instant] = [entry.premier, instant].sort(compareInstants);
  const [, dernier = instant] = [entry.dernier, instant].sort(compareInstants);
  autres.set(nom, { nombre: entry.nombre + 1, premier, dernier });
}

// ---------------------------------------------------------------------------------------------------------
// Union and sessions (rules 16 and 17)

function lineKey(event: SessionEvent): string {
  return JSON.stringify([event.instant.toString(), event.nom, event.details]);
}

function sessionOfDay(centre: string, jour: string, contents: Content[], input: ReferenceInput): Session {
  const ofDay = contents
    .map(({ version, events }) => ({ version, events: events.filter((event) => event.jour === jour) }))
    .filter(({ events }) => events.length > 0);
  const firstInstant = (events: SessionEvent[]): bigint =>
    events.map(({ instant }) => instant).sort(compareInstants)[0] ?? 0n;
  // Rule 16: earliest first event instant, then most events, then SHA-256.
  const ranked = ofDay.sort(
    by(
      (a, b) => compareInstants(firstInstant(a.events), firstInstant(b.events)),
      (a, b) => b.events.length - a.events.length,
      (a, b) => compareText(a.version.sha256, b.version.sha256),
    ),
  );

  // Rule 16: "Occurrence k of an event line is taken from the first version in that order which holds it k
  // times or more". Going through the versions in rank order, the k-th of a version is new if no one before
  // had k. Union: an event line counts as often as in the version that holds it most often.
  const taken: (SessionEvent & { rank: number })[] = [];
  const highest = new Map<string, number>();
  ranked.forEach(({ events }, rank) => {
    const here = new Map<string, number>();
    for (const event of events) {
      const key = lineKey(event);
      const k = (here.get(key) ?? 0) + 1;
      here.set(key, k);
      if (k > (highest.get(key) ?? 0)) {
        highest.set(key, k);
        taken.push({ ...event, rank });
      }
    }
  });
  // Rule 16: "ordered by instant, then rank, then line".
  taken.sort(
    by(
      (a, b) => compareInstants(a.instant, b.instant),
      (a, b) => a.rank - b.rank,
      (a, b) => a.source.ligne - b.source.ligne,
    ),
  );

  // Rule 17: the version that gave most of the session's events, first in rank among equals (the sort is stable).
  const given = ranked.map((entry, rank) => ({
    chemins: entry.version.chemins,
    nombre: taken.filter((event) => event.rank === rank).length,
  }));
  given.sort((a, b) => b.nombre - a.nombre);
  const fichier_log_source = bestPath(given[0]?.chemins ?? []);
  const identity = { centre, date_production: jour, fichier_log_source };
  return sessionOf(identity, taken, input.attente?.[centre] ?? 'debut');
}

function sumOfOthers(centre: string, contents: Content[]): Autre[] {
  const names = [...new Set(contents.flatMap(({ autres }) => [...autres.keys()]))].sort(compareText);
  return names.map((nom) => {
    const entries = contents.flatMap(({ autres }) => autres.get(nom) ?? []);
    const seen = entries.flatMap((entry) => [entry.premier, entry.dernier]).sort(compareInstants);
    const premier = isoOf(seen[0] ?? 0n);
    const dernier = isoOf(seen.at(-1) ?? 0n);
    const nombre = entries.reduce((sum, entry) => sum + entry.nombre, 0);
    return { centre, nom, nombre, premier, dernier };
  });
}

export function reference(input: ReferenceInput): ReferenceState {
  const state: ReferenceState = { sessions: [], rejets: [], autres: [], versions: [] };
  const versions = countingVersions(input);
  const centres = [...new Set(versions.map(({ centre }) => centre))]; // sorted, as the versions are
  for (const centre of centres) {
    const contents = versions.filter((v) => v.centre === centre).map((v) => readVersion(v, input));
    const jours = [...new Set(contents.flatMap(({ events }) => events.map(({ jour }) => jour)))];
    for (const jour of jours.sort(compareText)) {
      state.sessions.push(sessionOfDay(centre, jour, contents, input));
    }
    state.rejets.push(...contents.flatMap(({ rejets }) => rejets));
    state.autres.push(...sumOfOthers(centre, contents));
    state.versions.push(...contents.map(({ counts }) => counts));
  }
  return state;
}
