import { type Interval, intersect, measure, subtract, union } from '../intervals.ts';
import type { Profil } from '../journal/events.ts';
import type { JourUni } from '../journal/union.ts';
import { type Decimal, hours, percent } from './decimal.ts';

/** Where a computed row comes from: index of the version among those united, and line number in it. */
export interface Provenance {
  readonly version: number;
  readonly ligne: number;
}

export interface ProfilCalcule extends Profil {
  /** seconds since the epoch */
  readonly debut: number;
  readonly provenance: Provenance;
}

/** A wait or stop, whole, not cut to the window. */
export interface PeriodeCalculee {
  /** seconds since the epoch; of a wait whose stamp is its end, the microseconds before it are in `decalage` */
  readonly debut: number;
  /** microseconds to add to `debut` (0 to 999,999) */
  readonly decalage: number;
  /** microseconds */
  readonly duree: number;
  readonly provenance: Provenance;
  /** of the `MachineStart` that ends a stop */
  readonly provenanceFin: Provenance | undefined;
}

export interface PieceCalculee {
  /** seconds since the epoch */
  readonly instant: number;
  readonly details: string | null;
  /** index in `profils`, -1 when none is in force */
  readonly profil: number;
  /** provenance, not as an object of its own: there are a thousand pieces a day */
  readonly version: number;
  readonly ligne: number;
}

/** All that a production day of a centre says; instants in seconds since the epoch. */
export interface SessionCalculee {
  readonly premierePiece: number | undefined;
  readonly dernierePiece: number | undefined;
  readonly premierStart: number | undefined;
  readonly dernierStop: number | undefined;
  readonly dureeProductionTotale: Decimal;
  readonly tempsAttente: Decimal;
  readonly tempsArretVolontaire: Decimal;
  readonly tempsProductionEffectif: Decimal;
  readonly tauxOccupation: Decimal;
  readonly tauxAttente: Decimal;
  readonly tauxArretVolontaire: Decimal;
  readonly profils: readonly ProfilCalcule[];
  readonly attentes: readonly PeriodeCalculee[];
  readonly arrets: readonly PeriodeCalculee[];
  readonly pieces: readonly PieceCalculee[];
  /** index of the version that gave most of the events */
  readonly source: number;
}

/** The intervals that a session's times are measured on, in microseconds from `origine`. */
export interface Decoupage {
  /** seconds since the epoch */
  readonly origine: number;
  readonly fenetre: readonly Interval[];
  readonly arrets: readonly Interval[];
  readonly attentes: readonly Interval[];
  readonly effectif: readonly Interval[];
}

const MICROS = 1_000_000;

/**
 * Computes the session of one centre and production day from its united events, in order.
 *
 * @param attente whether the stamp of a wait is its start or its end
 */
export function computeSession({ evenements, versions }: JourUni, attente: 'debut' | 'fin'): SessionCalculee {
  const profils: ProfilCalcule[] = [];
  const attentes: PeriodeCalculee[] = [];
  const arrets: PeriodeCalculee[] = [];
  const pieces: PieceCalculee[] = [];
  let premierStart: number | undefined;
  let dernierStop: number | undefined;
  /** the `MachineStop` that the machine has been standing still since */
  let stopped: { instant: number; provenance: Provenance } | undefined;

  for (let i = 0; i < evenements.length; i++) {
    const evenement = evenements[i]!;
    const { genre, instant, ligne } = evenement;
    const version = versions?.[i] ?? 0;
    switch (genre) {
      case 'StukUitgevoerd':
        pieces.push({
          instant,
          details: (evenement.masques ?? evenement.details) || null,
          profil: profils.length - 1,
          version,
          ligne,
        });
        break;
      case 'JobProfiel':
        profils.push({ ...evenement.profil!, debut: instant, provenance: { version, ligne } });
        break;
      case 'MachineWait':
        attentes.push(wait(instant, evenement.attente, attente, { version, ligne }));
        break;
      case 'MachineStop':
        dernierStop = instant;
        stopped ??= { instant, provenance: { version, ligne } };
        break;
      case 'MachineStart':
        premierStart ??= instant;
        if (stopped && instant > stopped.instant) {
          arrets.push({
            debut: stopped.instant,
            decalage: 0,
            duree: (instant - stopped.instant) * MICROS,
            provenance: stopped.provenance,
            provenanceFin: { version, ligne },
          });
        }
        stopped = undefined;
        break;
      default:
        // A new event does not compile until it has a meaning here.
        genre satisfies never;
    }
  }

  const premierePiece = pieces[0]?.instant;
  const dernierePiece = pieces.at(-1)?.instant;
  const parts = divide(premierePiece, dernierePiece, arrets, attentes);
  const window = measure(parts.fenetre);
  const stops = measure(parts.arrets);
  const waits = measure(parts.attentes);
  const effective = window - stops - waits;
  return {
    premierePiece,
    dernierePiece,
    premierStart,
    dernierStop,
    dureeProductionTotale: hours(window),
    tempsAttente: hours(waits),
    tempsArretVolontaire: hours(stops),
    tempsProductionEffectif: hours(effective),
    tauxOccupation: percent(effective, window),
    tauxAttente: percent(waits, window),
    tauxArretVolontaire: percent(stops, window),
    profils,
    attentes,
    arrets,
    pieces,
    source: mostOf(versions ?? [0]),
  };
}

/** Divides the window between first and last piece into stops, waits outside stops, and the rest. */
export function divide(
  premierePiece: number | undefined,
  dernierePiece: number | undefined,
  arrets: readonly PeriodeCalculee[],
  attentes: readonly PeriodeCalculee[],
): Decoupage {
  const origine = premierePiece ?? 0;
  const fenetre = union([{ start: 0, end: ((dernierePiece ?? 0) - origine) * MICROS }]);
  const interval = ({ debut, decalage, duree }: PeriodeCalculee): Interval => {
    const start = (debut - origine) * MICROS + decalage;
    return { start, end: start + duree };
  };
  const stops = union(arrets.map(interval));
  const waits = subtract(union(attentes.map(interval)), stops);
  const arretsDansFenetre = intersect(stops, fenetre);
  const attentesDansFenetre = intersect(waits, fenetre);
  return {
    origine,
    fenetre,
    arrets: arretsDansFenetre,
    attentes: attentesDansFenetre,
    effectif: subtract(fenetre, union([...arretsDansFenetre, ...attentesDansFenetre])),
  };
}

function wait(
  instant: number,
  duree: number,
  ancre: 'debut' | 'fin',
  provenance: Provenance,
): PeriodeCalculee {
  if (ancre === 'debut') return { debut: instant, decalage: 0, duree, provenance, provenanceFin: undefined };
  const whole = Math.ceil(duree / MICROS);
  return {
    debut: instant - whole,
    decalage: whole * MICROS - duree,
    duree,
    provenance,
    provenanceFin: undefined,
  };
}

/** The version that stands there most often; the first in rank among equals (rule 17). */
function mostOf(versions: readonly number[]): number {
  const counts: number[] = [];
  for (const version of versions) counts[version] = (counts[version] ?? 0) + 1;
  return counts.reduce((best, count, version) => (count > (counts[best] ?? 0) ? version : best), 0);
}
