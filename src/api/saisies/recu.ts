/** What a client sent, as the rows have it: instants placed, what a reading gave and was sent back taken out. */
import { isDeepStrictEqual } from 'node:util';
import type { FactoryTime } from '../../base/time.ts';
import type { TableSaisie, Valeurs } from '../../postgres/production/saisie.ts';
import { type Faute, Probleme } from '../problemes.ts';

/** Of two readings in the repeated hour of autumn, the end of something is the one that is not before its beginning. */
const APRES: Readonly<Record<string, string>> = {
  timestamp_fin: 'timestamp_debut',
  heure_derniere_piece: 'heure_premiere_piece',
  heure_dernier_machine_stop: 'heure_premier_machine_start',
};

/**
 * The values with an offset in each instant: without, it is one of the factory's clock.
 *
 * @param avant the row that is changed, for the beginning of an end that is sent alone
 */
export function situerInstants(
  { colonnes }: TableSaisie,
  corps: Valeurs,
  time: FactoryTime,
  avant: Valeurs = {},
): Valeurs {
  const placed: Record<string, unknown> = { ...corps };
  const names = Object.keys(corps).filter((nom) => colonnes[nom] === 'timestamptz');
  // Beginnings first: ends look at them.
  for (const nom of names.toSorted((a, b) => Number(a in APRES) - Number(b in APRES))) {
    const value = corps[nom];
    if (typeof value !== 'string') continue;
    const begin = placed[APRES[nom] ?? ''] ?? avant[APRES[nom] ?? ''];
    placed[nom] = time.situer(value, typeof begin === 'string' ? begin : undefined);
  }
  return placed;
}

export interface Changements {
  /** what is to be written */
  readonly valeurs: Valeurs;
  /** false: the row was sent back as it is */
  readonly differe: boolean;
}

/**
 * What a body says of a row. One that is sent back as it was read, whole or with what nobody changes, says only what
 * differs: the rest follows from that, as if it had not been sent. Otherwise everything that is sent is said.
 *
 * @param corps instants with offset
 * @param ligne the row, as a GET gives it
 * @throws Probleme 422 for each read-only field that is not the stored one
 */
export function changements({ colonnes, lue }: TableSaisie, corps: Valeurs, ligne: Valeurs): Changements {
  const said: Record<string, unknown> = {};
  const differing: Record<string, unknown> = {};
  const refused: string[] = [];
  const shown = lue.colonnes.map(([nom]) => nom);
  const writable = shown.filter((nom) => Object.hasOwn(colonnes, nom) && !LECTURE_SEULE.has(nom));
  let rendue = writable.every((nom) => corps[nom] !== undefined);
  for (const [nom, valeur] of Object.entries(corps)) {
    if (valeur === undefined) continue;
    const readOnly = !writable.includes(nom);
    const same = egal(
      readOnly && nom.startsWith('date_') ? 'timestamptz' : colonnes[nom],
      valeur,
      ligne[nom],
    );
    if (!readOnly) {
      said[nom] = valeur;
      if (!same) differing[nom] = valeur;
      continue;
    }
    rendue = true;
    if (!same) refused.push(nom);
  }
  if (refused.length > 0) throw enLectureSeule(refused);
  return { valeurs: rendue ? differing : said, differe: !rendue || Object.keys(differing).length > 0 };
}

/** Written by us, though they are columns of rows that people write. */
const LECTURE_SEULE = new Set(['origine']);

/** 422 for fields that nobody changes. */
export function enLectureSeule(champs: readonly string[]): Probleme {
  const errors = champs.map(
    (champ): Faute => ({
      pointer: `/body/${champ}`,
      detail: `${champ} est en lecture seule : laissez-le de côté, ou renvoyez la valeur lue.`,
    }),
  );
  const detail = errors.length === 1 ? errors[0]!.detail : `Champs en lecture seule : ${champs.join(', ')}.`;
  return new Probleme(422, detail, { errors });
}

function egal(type: string | undefined, a: unknown, b: unknown): boolean {
  if (typeof a === 'string' && typeof b === 'string' && type === 'timestamptz') {
    return Temporal.Instant.compare(a.replace(' ', 'T'), b) === 0;
  }
  return isDeepStrictEqual(a ?? null, b ?? null);
}
