import { dayNumber, formatDay } from '../../base/time.ts';

/** Days on which nobody works; dates as `AAAA-MM-JJ`. */
export interface Feries {
  readonly france: boolean;
  /** `MM-JJ`, every year */
  readonly annuels: ReadonlySet<string>;
  readonly periodes: readonly (readonly [premier: string, dernier: string])[];
}

const FRANCE = new Set(['01-01', '05-01', '05-08', '07-14', '08-15', '11-01', '11-11', '12-25']);
/** Days after Easter Sunday: Easter Monday, Ascension Day, Whit Monday. */
const APRES_PAQUES = [1, 39, 50];

/** Whether a day (days since 1970-01-01) is free. */
export function estFerie(feries: Feries, jour: number): boolean {
  const date = formatDay(jour);
  const moisJour = date.slice(5);
  if (feries.annuels.has(moisJour)) return true;
  if (feries.periodes.some(([premier, dernier]) => premier <= date && date <= dernier)) return true;
  if (!feries.france) return false;
  return FRANCE.has(moisJour) || APRES_PAQUES.includes(jour - paques(Number(date.slice(0, 4))));
}

/** Easter Sunday of a year, as days since 1970-01-01 (the anonymous Gregorian computus). */
export function paques(annee: number): number {
  const a = annee % 19;
  const b = Math.floor(annee / 100);
  const c = annee % 100;
  const d = Math.floor((8 * b + 13) / 25);
  const h = (19 * a + b - Math.floor(b / 4) - d + 15) % 30;
  const l = (32 + 2 * (b % 4) + 2 * Math.floor(c / 4) - h - (c % 4)) % 7;
  const m = Math.floor((a + 11 * h + 19 * l) / 433);
  const mois = Math.floor((h + l - 7 * m + 90) / 25);
  return dayNumber(annee, mois, (h + l - 7 * m + 33 * mois + 19) % 32);
}
