/** A session's figures taken apart: by the engine that made them, from the periods as they are stored. */
import type { z } from 'zod';
import { type Interval, measure } from '../domain/intervals.ts';
import {
  type Decimal,
  formatDecimal,
  formatDecimalMicros,
  hours,
  percent,
} from '../domain/session/decimal.ts';
import { type Decoupage, divide, type PeriodeCalculee } from '../domain/session/session.ts';
import type { ChiffresStockes, PeriodeExacte, SessionAExpliquer } from '../postgres/lecture/explication.ts';
import { lieuDe } from './provenance.ts';
import type { explicationDeSession } from './schemas/explication.ts';

export type Explication = z.infer<typeof explicationDeSession>;
type Periode = Explication['periodes_attente'][number];

const MICROS = 1_000_000;
const NOTE_MANUELLE =
  'Session saisie à la main : ses chiffres ont été saisis tels quels, rien n’en a été calculé.';

/** @param zone IANA name in which instants are written */
export function expliquer(session: SessionAExpliquer, zone: string): Explication {
  const { id, centre_usinage_id, date_production, origine } = session;
  const base = {
    ...{ session_id: id, centre_usinage_id, date_production, origine },
    chiffres: chiffresDe(session),
    sources: session.sources.map(({ sha256, fichiers, lignes }) => ({ ...lieuDe(fichiers), sha256, lignes })),
  };
  if (origine === 'manuel' || session.purgeeLe !== null) {
    const none = { fenetre: [], arrets: [], attentes: [], effectif: [] };
    const note = origine === 'manuel' ? NOTE_MANUELLE : notePurgee(session.purgeeLe);
    return {
      ...base,
      ...{ note, conforme: null, totaux_secondes: null, formules: [] },
      ...{ ...none, periodes_arret: [], periodes_attente: [] },
    };
  }
  const first = session.premiere?.secondes;
  const last = session.derniere?.secondes;
  const parts = divide(first, last, session.arrets.map(calculee), session.attentes.map(calculee));
  const fenetre = measure(parts.fenetre);
  const arrets = measure(parts.arrets);
  const attentes = measure(parts.attentes);
  const effectif = measure(parts.effectif);
  const figures: Figures = { fenetre, arrets, attentes, effectif };
  const intervals = (set: readonly Interval[]): Explication['fenetre'] =>
    set.map(({ start, end }) => ({
      debut: instant(parts.origine, start, zone),
      fin: instant(parts.origine, end, zone),
      duree_secondes: (end - start) / MICROS,
    }));
  const formules = formulesDe(session, figures, intervals(parts.fenetre)[0]);
  return {
    ...base,
    note: null,
    conforme: formules.every(({ chiffre, valeur }) => Number(session[chiffre]) === valeur),
    fenetre: intervals(parts.fenetre),
    arrets: intervals(parts.arrets),
    attentes: intervals(parts.attentes),
    effectif: intervals(parts.effectif),
    totaux_secondes: {
      fenetre: fenetre / MICROS,
      arrets: arrets / MICROS,
      attentes: attentes / MICROS,
      effectif: effectif / MICROS,
    },
    periodes_arret: partager(session.arrets, parts, parts.arrets, [], zone),
    periodes_attente: partager(session.attentes, parts, parts.attentes, parts.arrets, zone),
    formules,
  };
}

function notePurgee(le: string | null): string {
  return `Les pièces et les périodes de cette journée ont été effacées le ${le} : leur durée de conservation est passée. Les chiffres sont ceux d’alors.`;
}

/** Microseconds. */
interface Figures {
  readonly fenetre: number;
  readonly arrets: number;
  readonly attentes: number;
  readonly effectif: number;
}

function calculee({ debut, duree }: PeriodeExacte): PeriodeCalculee {
  const nowhere = { version: 0, ligne: 0 };
  return {
    debut: debut.secondes,
    decalage: debut.micros,
    duree,
    provenance: nowhere,
    provenanceFin: undefined,
  };
}

/**
 * Shares every period out, to the microsecond: what lies outside the window, what a stop covers, what an earlier period
 * of the same kind has counted already, and the rest, which counts. What counts adds up to the figure.
 *
 * @param comptes the set that the figure is measured on
 */
function partager(
  periodes: readonly PeriodeExacte[],
  { origine, fenetre }: Decoupage,
  comptes: readonly Interval[],
  arrets: readonly Interval[],
  zone: string,
): Periode[] {
  const inWindow = mesureAvant(fenetre);
  const inStops = mesureAvant(arrets);
  const counted = mesureAvant(comptes);
  const sorted = periodes
    .map(({ debut, duree }, index) => {
      const start = (debut.secondes - origine) * MICROS + debut.micros;
      return { index, start, end: start + duree };
    })
    .sort((a, b) => a.start - b.start);
  const shares: Periode[] = [];
  // Earlier periods begin before this one: what they cover of it is its beginning, up to where the last of them ends.
  let reached = Number.NEGATIVE_INFINITY;
  for (const { index, start, end } of sorted) {
    const { id, debut, duree } = periodes[index]!;
    const own = Math.min(Math.max(start, reached), end);
    reached = Math.max(reached, end);
    const hors = duree - (inWindow(end) - inWindow(start));
    const dansArret = inStops(end) - inStops(start);
    const compte = counted(end) - counted(own);
    const deja = duree - hors - dansArret - compte;
    shares[index] = {
      id,
      timestamp_debut: instant(debut.secondes, debut.micros, zone),
      timestamp_fin: instant(debut.secondes, debut.micros + duree, zone),
      duree_secondes: duree / MICROS,
      compte_secondes: compte / MICROS,
      hors_fenetre_secondes: hors / MICROS,
      dans_un_arret_secondes: dansArret / MICROS,
      deja_compte_secondes: deja / MICROS,
      pourquoi: pourquoi(hors, dansArret, deja),
    };
  }
  return shares;
}

function pourquoi(hors: number, dansArret: number, deja: number): string | null {
  const reasons = [
    hors > 0 && `${secondes(hors)} hors de la fenêtre (avant la première ou après la dernière pièce)`,
    dansArret > 0 && `${secondes(dansArret)} pendant un arrêt, qui compte comme arrêt`,
    deja > 0 && `${secondes(deja)} déjà comptées par une période qui la recouvre`,
  ].filter((reason) => reason !== false);
  return reasons.length === 0 ? null : `Ne comptent pas : ${reasons.join(' ; ')}.`;
}

/** How much of a set lies before a point: prefix sums and a binary search. */
function mesureAvant(set: readonly Interval[]): (point: number) => number {
  const before = [0];
  for (const { start, end } of set) before.push(before.at(-1)! + end - start);
  return (point) => {
    let low = 0;
    let high = set.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (set[middle]!.start < point) low = middle + 1;
      else high = middle;
    }
    if (low === 0) return 0;
    const { start, end } = set[low - 1]!;
    return before[low - 1]! + Math.min(point, end) - start;
  };
}

function formulesDe(
  session: SessionAExpliquer,
  { fenetre, arrets, attentes, effectif }: Figures,
  window: Explication['fenetre'][number] | undefined,
): Explication['formules'] {
  const [w, s, a, e] = [fenetre, arrets, attentes, effectif].map(secondes) as [
    string,
    string,
    string,
    string,
  ];
  const hour = (
    chiffre: keyof ChiffresStockes,
    micros: number,
    how: string,
  ): Explication['formules'][number] => {
    const valeur = hours(micros);
    return { chiffre, formule: `${how} ÷ 3600 = ${texte(valeur)} h`, valeur: nombre(valeur) };
  };
  const rate = (chiffre: keyof ChiffresStockes, micros: number): Explication['formules'][number] => {
    const valeur = percent(micros, fenetre);
    const formule =
      fenetre === 0 ? 'fenêtre vide : 0 %' : `${secondes(micros)} ÷ ${w} × 100 = ${texte(valeur)} %`;
    return { chiffre, formule, valeur: nombre(valeur) };
  };
  const span = window ? `de ${window.debut} à ${window.fin} : ` : '';
  return [
    {
      chiffre: 'total_pieces',
      formule: `${session.pieces} ligne${session.pieces > 1 ? 's' : ''} StukUitgevoerd`,
      valeur: session.pieces,
    },
    hour('duree_production_totale', fenetre, `${span}${w}`),
    hour('temps_arret_volontaire', arrets, `arrêts réunis, coupés à la fenêtre : ${s}`),
    hour('temps_attente', attentes, `attentes réunies, hors arrêts, coupées à la fenêtre : ${a}`),
    hour('temps_production_effectif', effectif, `${w} − ${s} − ${a} = ${e} ; ${e}`),
    rate('taux_occupation', effectif),
    rate('taux_attente', attentes),
    rate('taux_arret_volontaire', arrets),
  ];
}

function chiffresDe(session: ChiffresStockes): Explication['chiffres'] {
  return {
    total_pieces: session.total_pieces,
    duree_production_totale: Number(session.duree_production_totale),
    temps_production_effectif: Number(session.temps_production_effectif),
    temps_attente: Number(session.temps_attente),
    temps_arret_volontaire: Number(session.temps_arret_volontaire),
    taux_occupation: Number(session.taux_occupation),
    taux_attente: Number(session.taux_attente),
    taux_arret_volontaire: Number(session.taux_arret_volontaire),
  };
}

function nombre(value: Decimal): number {
  return Number(formatDecimal(value));
}

/** French: `1,3000`. */
function texte(value: Decimal): string {
  return formatDecimal(value).replace('.', ',');
}

/** Microseconds as `12,5 s`. */
function secondes(micros: number): string {
  return `${formatDecimalMicros(micros)
    .replace(/\.?0+$/, '')
    .replace('.', ',')} s`;
}

/** ISO 8601 with offset, as the database writes instants. */
function instant(seconds: number, micros: number, zone: string): string {
  const nanoseconds = BigInt(seconds) * 1_000_000_000n + BigInt(micros) * 1000n;
  return Temporal.Instant.fromEpochNanoseconds(nanoseconds)
    .toZonedDateTimeISO(zone)
    .toString({ timeZoneName: 'never' });
}
