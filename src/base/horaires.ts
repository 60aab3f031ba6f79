import { isDate } from './time.ts';

/** Working hours that begin on some days of the week. */
export interface PlageHoraire {
  /** days on which they begin: 1 Monday to 7 Sunday */
  readonly jours: readonly number[];
  /** seconds after local midnight */
  readonly debut: number;
  /** seconds after local midnight of the same day; more than a day when it is on the next */
  readonly fin: number;
}

/** Working hours of the workshop, and of the centres that have their own. */
export interface Horaires {
  readonly defaut: readonly PlageHoraire[];
  readonly parCentre: ReadonlyMap<string, readonly PlageHoraire[]>;
}

/** Days on which nobody works. */
export interface Feries {
  /** the legal holidays of France */
  readonly france: boolean;
  /** `MM-JJ`, every year */
  readonly annuels: ReadonlySet<string>;
  /** `AAAA-MM-JJ`, first and last day */
  readonly periodes: readonly (readonly [premier: string, dernier: string])[];
}

const JOURS = ['lun', 'mar', 'mer', 'jeu', 'ven', 'sam', 'dim'];
const JOUR = JOURS.join('|');
const ENTREE = new RegExp(
  `^(?:(.+?)\\s*:\\s*)?(jamais|(?:tous|(?:${JOUR})(?:\\s*[-,]\\s*(?:${JOUR}))*)\\s+(\\d\\d:\\d\\d\\s*-.*))$`,
);
const SECONDES_PAR_JOUR = 86_400;

/**
 * Reads `lun-ven 06:00-12:00,13:00-22:00; DEM12: lun-sam 05:00-21:00; SU12: jamais`. Hours that end before they begin end on
 * the next day. Adds a line to `problems` for each entry that is none.
 *
 * @param sinon what the workshop has when only centres are named
 */
export function lireHoraires(name: string, value: string, sinon: string, problems: string[]): Horaires {
  let defaut: PlageHoraire[] | undefined;
  const parCentre = new Map<string, PlageHoraire[]>();
  for (const entree of morceaux(value)) {
    const match = ENTREE.exec(entree);
    const plages = match ? lireEntree(match[2]!, match[3]) : undefined;
    if (!plages) {
      problems.push(
        `${name} : « ${entree} » n’a pas la forme [CENTRE:] lun-ven 06:00-22:00 (jours ${JOURS.join(', ')}, tous ; ou « jamais »)`,
      );
      continue;
    }
    const centre = match![1];
    if (centre === undefined) defaut = [...(defaut ?? []), ...plages];
    else parCentre.set(centre, [...(parCentre.get(centre) ?? []), ...plages]);
  }
  return {
    defaut: defaut ?? (sinon === '' ? [] : lireHoraires(name, sinon, '', problems).defaut),
    parCentre,
  };
}

function lireEntree(texte: string, heures: string | undefined): PlageHoraire[] | undefined {
  if (heures === undefined) return [];
  const jours = lireJours(texte.slice(0, texte.length - heures.length).trim());
  const plages: PlageHoraire[] = [];
  for (const plage of heures.split(',').map((part) => part.trim())) {
    const [, de = '', a = ''] = /^(\d\d:\d\d)\s*-\s*(\d\d:\d\d)$/.exec(plage) ?? [];
    const [debut, fin] = [secondes(de), secondes(a)];
    if (debut === undefined || fin === undefined || debut === SECONDES_PAR_JOUR || debut === fin) {
      return undefined;
    }
    plages.push({ jours, debut, fin: fin > debut ? fin : fin + SECONDES_PAR_JOUR });
  }
  return plages;
}

function lireJours(texte: string): number[] {
  if (texte === 'tous') return [1, 2, 3, 4, 5, 6, 7];
  const jours = new Set<number>();
  for (const part of texte.split(',')) {
    const [de = '', a = de] = part.split('-').map((jour) => jour.trim());
    const dernier = JOURS.indexOf(a);
    // « sam-lun » goes over the end of the week.
    for (let jour = JOURS.indexOf(de); ; jour = (jour + 1) % 7) {
      jours.add(jour + 1);
      if (jour === dernier) break;
    }
  }
  return [...jours].sort();
}

/** Seconds after midnight, the midnight at the end of the day included. */
function secondes(texte: string): number | undefined {
  const match = /^([01]\d|2[0-4]):([0-5]\d)$/.exec(texte);
  if (!match || (match[1] === '24' && match[2] !== '00')) return undefined;
  return Number(match[1]) * 3600 + Number(match[2]) * 60;
}

/** Reads `france; 12-24; 2026-08-03..2026-08-21`; `non`: every day is like another. */
export function lireFeries(name: string, value: string, problems: string[]): Feries {
  let france = false;
  const annuels = new Set<string>();
  const periodes: (readonly [string, string])[] = [];
  for (const entree of value === 'non' ? [] : morceaux(value.replaceAll(',', ';'))) {
    const [, premier = '', dernier = premier] =
      /^(\d{4}-\d\d-\d\d)(?:\s*\.\.\s*(\d{4}-\d\d-\d\d))?$/.exec(entree) ?? [];
    if (entree === 'france') france = true;
    else if (/^\d\d-\d\d$/.test(entree) && existe(`2024-${entree}`)) annuels.add(entree);
    else if (existe(premier) && existe(dernier) && premier <= dernier) periodes.push([premier, dernier]);
    else {
      problems.push(
        `${name} : « ${entree} » n’est ni france, ni MM-JJ, ni AAAA-MM-JJ, ni AAAA-MM-JJ..AAAA-MM-JJ`,
      );
    }
  }
  return { france, annuels, periodes };
}

function existe(date: string): boolean {
  const [annee = 0, mois = 0, jour = 0] = date.split('-').map(Number);
  return date.length === 10 && isDate(annee, mois, jour);
}

function morceaux(value: string): string[] {
  return value
    .split(';')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
