/** Working hours of a centre as time that passes: how much of it lies between two instants. Instants are seconds. */
import type { FactoryTime } from '../../base/time.ts';
import { estFerie, type Feries } from './feries.ts';

/** Working hours that begin on some days of the week. */
export interface Plage {
  /** days on which they begin: 1 Monday to 7 Sunday */
  readonly jours: readonly number[];
  /** seconds after local midnight */
  readonly debut: number;
  /** seconds after the same midnight; more than a day when it is on the next */
  readonly fin: number;
}

const JOUR = 86_400;
/** Days that are looked at in one go; who asks beyond is told at least what lies within. */
const LIMITE = 4_000;

/**
 * Working seconds between two instants, or some number of at least `assez` as soon as there are that many. They are
 * seconds that really pass: a night in which the clock changes is an hour shorter or longer.
 */
export function tempsDeTravail(
  plages: readonly Plage[],
  feries: Feries,
  time: FactoryTime,
  { de, a, assez = Number.POSITIVE_INFINITY }: { de: number; a: number; assez?: number },
): number {
  let total = 0;
  let fini = de;
  // Two days before: hours of the day before may reach into this one, and no zone is a whole day away from UTC.
  const premier = Math.floor(de / JOUR) - 2;
  const dernier = Math.min(Math.floor(a / JOUR) + 1, premier + LIMITE);
  for (let jour = premier; jour <= dernier && total < assez; jour++) {
    for (const [debut, fin] of plagesDuJour(plages, feries, time, jour)) {
      // Hours that overlap count once.
      const from = Math.max(debut, fini);
      const to = Math.min(fin, a);
      if (to <= from) continue;
      total += to - from;
      fini = to;
    }
  }
  return total;
}

/** Working hours that begin on a day, as instants, in their order. */
function plagesDuJour(
  plages: readonly Plage[],
  feries: Feries,
  time: FactoryTime,
  jour: number,
): [debut: number, fin: number][] {
  // 1970-01-01 was a Thursday.
  const semaine = ((((jour + 3) % 7) + 7) % 7) + 1;
  const own = plages.filter(({ jours }) => jours.includes(semaine));
  if (own.length === 0 || estFerie(feries, jour)) return [];
  return own
    .map(({ debut, fin }): [number, number] => [instant(time, jour, debut), instant(time, jour, fin)])
    .sort(([a], [b]) => a - b);
}

function instant(time: FactoryTime, jour: number, secondes: number): number {
  return time.instant(jour + Math.floor(secondes / JOUR), secondes % JOUR);
}
