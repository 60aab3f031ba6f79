// Ordered events of one centre and one production day -> one session.
// "From events to a session" of the contract; rules 16 (order), 18 and 20 of docs/regles-journaux.md.

import { decimal, type EventName, type Profile } from './line.ts';
import { compareInstants, isoOf, MICROSECONDS } from './time.ts';

/** Which version and which of its lines a row comes from. */
export type Source = { sha256: string; ligne: number };

export type SessionEvent = {
  instant: bigint;
  nom: EventName;
  details: string | null;
  duree: bigint | null;
  profil: Profile | null;
  source: Source;
};

export type JobProfil = {
  numero: number;
  timestamp_debut: string;
  reference: string;
  longueur: string;
  couleur: string | null;
  source: Source;
};
export type Periode = {
  numero: number;
  timestamp_debut: string;
  timestamp_fin: string;
  duree_secondes: string;
  source: Source;
};
/** `source` is the line of the MachineStop, `fin` that of the MachineStart. */
export type PeriodeArret = Periode & { fin: Source };
export type Piece = {
  numero: number;
  timestamp_production: string;
  details: string | null;
  /** `numero` of the job profile in force, or null. */
  job_profil: number | null;
  source: Source;
};
export type Session = {
  centre: string;
  date_production: string;
  heure_premiere_piece: string | null;
  heure_derniere_piece: string | null;
  heure_premier_machine_start: string | null;
  heure_dernier_machine_stop: string | null;
  total_pieces: number;
  duree_production_totale: string;
  temps_attente: string;
  temps_arret_volontaire: string;
  temps_production_effectif: string;
  taux_occupation: string;
  taux_attente: string;
  taux_arret_volontaire: string;
  fichier_log_source: string;
  job_profils: JobProfil[];
  periodes_attente: Periode[];
  periodes_arret: PeriodeArret[];
  pieces: Piece[];
};

type Span = { debut: bigint; fin: bigint };

function covers(spans: Span[], debut: bigint, fin: bigint): boolean {
  return spans.some((span) => span.debut <= debut && fin <= span.fin);
}

function isoOrNull(event: SessionEvent | undefined): string | null {
  return event === undefined ? null : isoOf(event.instant);
}

/** Rule 20: numerator / denominator to `places`, halves away from zero (nothing here is negative). */
export function rounded(numerator: bigint, denominator: bigint, places: number): string {
  const scaled = numerator * 10n ** BigInt(places);
  const units = (2n * scaled + denominator) / (2n * denominator);
  const digits = units.toString().padStart(places + 1, '0');
  return `${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

/** `[t, t + d]`, or `[t - d, t]` with rule 18. */
function waitSpan(event: SessionEvent, attente: 'debut' | 'fin'): Span {
  const duree = event.duree ?? 0n;
  if (attente === 'fin') return { debut: event.instant - duree, fin: event.instant };
  return { debut: event.instant, fin: event.instant + duree };
}

/** "stopped from the first MachineStop after it ran (or after the start of the session) until the next MachineStart" */
function stopPeriods(events: SessionEvent[]): { stop: SessionEvent; start: SessionEvent }[] {
  const periods: { stop: SessionEvent; start: SessionEvent }[] = [];
  let stop: SessionEvent | null = null;
  for (const event of events) {
    // A MachineStop while stopped makes no period, nor does it move the beginning of the one that runs.
    if (event.nom === 'MachineStop' && stop === null) stop = event;
    if (event.nom === 'MachineStart' && stop !== null) {
      if (event.instant > stop.instant) periods.push({ stop, start: event }); // none of zero length
      stop = null;
    }
  }
  return periods; // "A stop without restart makes no period."
}

/**
 * The time inside W, cut at every boundary into segments that lie wholly inside or outside each period:
 * each segment is a stop, else a wait, else effective. A union never counts anything twice.
 */
function measure(
  window: Span | null,
  waits: Span[],
  stops: Span[],
): { w: bigint; wait: bigint; stop: bigint } {
  const total = { w: 0n, wait: 0n, stop: 0n };
  if (window === null) return total;
  const bounds = [window, ...waits, ...stops].flatMap((span) => [span.debut, span.fin]);
  bounds.sort(compareInstants);
  for (let at = 0; at + 1 < bounds.length; at += 1) {
    const debut = bounds[at] ?? 0n;
    const fin = bounds[at + 1] ?? 0n;
    if (debut === fin || !covers([window], debut, fin)) continue;
    total.w += fin - debut;
    if (covers(stops, debut, fin)) total.stop += fin - debut;
    else if (covers(waits, debut, fin)) total.wait += fin - debut;
  }
  return total;
}

/** `events`: usable events of one centre and day, in the order of rule 16. */
export function sessionOf(
  identity: { centre: string; date_production: string; fichier_log_source: string },
  events: SessionEvent[],
  attente: 'debut' | 'fin',
): Session {
  const named = (nom: EventName): SessionEvent[] => events.filter((event) => event.nom === nom);
  const pieceEvents = named('StukUitgevoerd');
  const profileEvents = named('JobProfiel');
  const waitEvents = named('MachineWait');
  const stopEvents = stopPeriods(events);

  const first = pieceEvents[0];
  const last = pieceEvents.at(-1);
  const window = first && last ? { debut: first.instant, fin: last.instant } : null;
  const waits = waitEvents.map((event) => waitSpan(event, attente));
  const stops = stopEvents.map(({ stop, start }) => ({ debut: stop.instant, fin: start.instant }));
  const { w, wait, stop } = measure(window, waits, stops);
  const effective = w - stop - wait;

  const hours = (microseconds: bigint): string => rounded(microseconds, 3_600n * MICROSECONDS, 4);
  // "all 0 when |W| = 0"
  const rate = (microseconds: bigint): string => (w === 0n ? '0.00' : rounded(100n * microseconds, w, 2));
  const period = (span: Span, index: number, source: Source): Periode => ({
    numero: index + 1,
    timestamp_debut: isoOf(span.debut),
    timestamp_fin: isoOf(span.fin),
    duree_secondes: decimal(span.fin - span.debut, 6),
    source,
  });

  return {
    centre: identity.centre,
    date_production: identity.date_production,
    heure_premiere_piece: isoOrNull(first),
    heure_derniere_piece: isoOrNull(last),
    heure_premier_machine_start: isoOrNull(named('MachineStart')[0]),
    heure_dernier_machine_stop: isoOrNull(named('MachineStop').at(-1)),
    total_pieces: pieceEvents.length,
    duree_production_totale: hours(w),
    temps_attente: hours(wait),
    temps_arret_volontaire: hours(stop),
    temps_production_effectif: hours(effective),
    taux_occupation: rate(effective),
    taux_attente: rate(wait),
    taux_arret_volontaire: rate(stop),
    fichier_log_source: identity.fichier_log_source,
    job_profils: profileEvents.map((event, index) => ({
      numero: index + 1,
      timestamp_debut: isoOf(event.instant),
      reference: event.profil?.reference ?? '',
      longueur: event.profil?.longueur ?? '',
      couleur: event.profil?.couleur ?? null,
      source: event.source,
    })),
    periodes_attente: waitEvents.map((event, index) => period(waitSpan(event, attente), index, event.source)),
    periodes_arret: stopEvents.map(({ stop: from, start: to }, index) => ({
      ...period({ debut: from.instant, fin: to.instant }, index, from.source),
      fin: to.source,
    })),
    pieces: pieceEvents.map((event, index) => {
      // "the last JobProfiel of the session at or before it": before it in the order of the session's events.
      const before = events.slice(0, events.indexOf(event)).filter((other) => other.nom === 'JobProfiel');
      return {
        numero: index + 1,
        timestamp_production: isoOf(event.instant),
        details: event.details,
        job_profil: before.length === 0 ? null : before.length,
        source: event.source,
      };
    }),
  };
}
