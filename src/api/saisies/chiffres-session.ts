/** Figures of a session that somebody enters: what is not said is computed, what contradicts itself is refused. */
import { type Decimal, formatDecimal, hours, percent } from '../../domain/session/decimal.ts';
import type { Valeurs } from '../../postgres/production/saisie.ts';
import { champInvalide } from '../ecritures.ts';
import { HEURES_MAX } from '../schemas/sessions.ts';

/** Microseconds of the fourth decimal of an hour, the last that is stored. */
const UNITE = 360_000;
/** Three rounded times may pass their rounded sum by this much (units of the fourth decimal of an hour). */
const ARRONDI = 2;
/** Three rounded rates may add up to this much (percent). */
const TOTAL_DES_TAUX = 100.03;

const TEMPS = ['temps_attente', 'temps_arret_volontaire', 'temps_production_effectif'] as const;
const TAUX = ['taux_occupation', 'taux_attente', 'taux_arret_volontaire'] as const;

/**
 * The figures to write for a new session (`avant` undefined) or for a change: those sent, and those that follow from
 * others and were not sent, as soon as one of those they follow from was. Rules as for computed sessions
 * (docs/regles-journaux.md): the duration is the span between first and last piece, effective time is what waits and
 * stops leave of it, rates are parts of it.
 *
 * @throws Probleme 422
 */
export function chiffresDeSession(avant: Valeurs | undefined, corps: Valeurs): Valeurs {
  const sent = (nom: string): boolean => corps[nom] !== undefined;
  const value = (nom: string): unknown => (sent(nom) ? corps[nom] : avant?.[nom]);
  const units = (nom: string): number => Math.round(Number(value(nom) ?? 0) * 10_000);
  const fresh = avant === undefined;

  const window = fenetre(value('heure_premiere_piece'), value('heure_derniere_piece'));
  const moved = fresh || sent('heure_premiere_piece') || sent('heure_derniere_piece');
  const spanned = !sent('duree_production_totale') && window !== undefined && moved;
  const duree = spanned
    ? hours(window).units
    : fresh && !sent('duree_production_totale')
      ? TEMPS.reduce((sum, nom) => sum + units(nom), 0)
      : units('duree_production_totale');
  const dureeTouched = fresh || spanned || sent('duree_production_totale');
  // The exact span where the duration is that span, rounded.
  const whole = window !== undefined && hours(window).units === duree ? window : duree * UNITE;

  const attente = units('temps_attente');
  const arret = units('temps_arret_volontaire');
  const left = whole - (attente + arret) * UNITE;
  const deduced =
    !sent('temps_production_effectif') &&
    (dureeTouched || sent('temps_attente') || sent('temps_arret_volontaire'));
  const effectif = deduced ? hours(Math.max(0, left)).units : units('temps_production_effectif');
  if (attente + arret + effectif > duree + ARRONDI) refuserSomme({ attente, arret, effectif, duree });

  const result: Record<string, unknown> = { ...corps };
  if (dureeTouched) result['duree_production_totale'] = heures(duree);
  for (const nom of TEMPS) if (sent(nom)) result[nom] = heures(units(nom));
  if (deduced) result['temps_production_effectif'] = heures(effectif);
  const parts = {
    taux_occupation: [deduced ? Math.max(0, left) : effectif * UNITE, deduced],
    taux_attente: [attente * UNITE, false],
    taux_arret_volontaire: [arret * UNITE, false],
  } as const;
  const times = {
    taux_occupation: 'temps_production_effectif',
    taux_attente: 'temps_attente',
    taux_arret_volontaire: 'temps_arret_volontaire',
  } as const;
  for (const nom of TAUX) {
    const [part, changed] = parts[nom];
    if (!sent(nom) && (changed || dureeTouched || sent(times[nom]))) {
      result[nom] = formatDecimal(percent(Math.min(part, whole), whole));
    }
  }
  if (TAUX.some(sent)) refuserTaux(avant, result);
  return result;
}

/** The span between first and last piece in microseconds; undefined when one is missing. */
function fenetre(premiere: unknown, derniere: unknown): number | undefined {
  if (typeof premiere !== 'string' || typeof derniere !== 'string') return undefined;
  const span = micros(derniere) - micros(premiere);
  if (span < 0) {
    throw champInvalide('heure_derniere_piece', 'La dernière pièce ne vient pas avant la première.');
  }
  if (span > HEURES_MAX * 10_000 * UNITE) {
    throw champInvalide(
      'heure_derniere_piece',
      `Une session est une journée : de la première à la dernière pièce, ${HEURES_MAX} h au plus.`,
    );
  }
  return span;
}

/** Microseconds since the epoch of an ISO 8601 instant. */
export function micros(instant: string): number {
  return Number(Temporal.Instant.from(instant).epochNanoseconds / 1000n);
}

function heures(units: number): string {
  return formatDecimal(enHeures(units));
}

function enHeures(units: number): Decimal {
  return { units, places: 4 };
}

function refuserSomme({
  attente,
  arret,
  effectif,
  duree,
}: {
  attente: number;
  arret: number;
  effectif: number;
  duree: number;
}): never {
  throw champInvalide(
    'duree_production_totale',
    `Attente (${heures(attente)} h), arrêt (${heures(arret)} h) et production effective (${heures(effectif)} h) dépassent ensemble la durée totale (${heures(duree)} h).`,
  );
}

function refuserTaux(avant: Valeurs | undefined, written: Valeurs): void {
  const rates = TAUX.map((nom) => Number(written[nom] ?? avant?.[nom] ?? 0));
  if (rates.reduce((sum, rate) => sum + rate, 0) <= TOTAL_DES_TAUX) return;
  const said = TAUX.find((nom) => typeof written[nom] === 'number');
  throw champInvalide(said ?? TAUX[0], `Les trois taux font plus de 100 % ensemble (${rates.join(' + ')}).`);
}
