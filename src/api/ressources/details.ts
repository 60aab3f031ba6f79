import type { Ressource } from '../ressource.ts';
import { FILTRES } from '../schemas/listes.ts';

/** Filters of all rows that hang on a session; their dates are instants. */
export const FILTRES_DE_DETAIL = {
  session_id: FILTRES.session_id,
  centre_usinage_id: FILTRES.centre_usinage_id,
  type_cu: FILTRES.type_cu,
  date_debut: FILTRES.instant_debut,
  date_fin: FILTRES.instant_fin,
  origine: FILTRES.origine,
} as const;

/**
 * Rows of a time or of a centre come in the order of time: the index by centre and time then gives a page whatever part
 * of the table it is in, while reading on by `id` until some are found could mean reading everything.
 *
 * @param instant column of the instant
 */
export function dansLeTemps(instant: string): NonNullable<Ressource['triRestreint']> {
  return {
    par: ['centre_usinage_id', 'type_cu', 'date_debut', 'date_fin'],
    tri: [{ colonne: instant, sens: 'asc' }],
  };
}
