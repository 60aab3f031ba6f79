import type { z } from 'zod';
import type { TableLue, Tri } from '../postgres/lecture/table-lue.ts';
import type { Ressource as NomDeRessource } from './acces.ts';

/**
 * What data say of persons, as lists and exports tell it. None is anonymous: of a machine that one person drives even the
 * figures of a day speak of her.
 */
export const NATURES = {
  agrege:
    'Données agrégées par centre et par journée : d’une machine que conduit une seule personne, elles parlent aussi d’elle.',
  pseudonymise:
    'Données pseudonymisées : aucun nom, mais qui connaît les équipes ou les comptes peut y reconnaître quelqu’un.',
  sans_personne: 'Ces données ne parlent de personne.',
} as const;
export type Nature = keyof typeof NATURES;

/** A table of the contract as a resource of the API: one per noun, beside its routes. */
export interface Ressource {
  /** path and scope: `pieces-production` */
  readonly nom: NomDeRessource;
  /** what one row is called, French, with its article: « Une pièce » */
  readonly libelle: string;
  /** several of them, without article: « pièces » */
  readonly pluriel: string;
  readonly table: TableLue;
  /** what it says of persons */
  readonly nature: Nature;
  /** one row of an answer */
  readonly lu: z.ZodObject;
  /** query parameter → filter of the table, with the schema of its value */
  readonly filtres: Readonly<Record<string, z.ZodType>>;
  /** order when none is asked for */
  readonly triDefaut: readonly Tri[];
  /** rows hold text of a machine’s log, in which operators may be named: that somebody read them is noted */
  readonly texteDeJournal?: true;
  /** order when none is asked for and one of these parameters is given: the one that its index has */
  readonly triRestreint?: { readonly par: readonly string[]; readonly tri: readonly Tri[] };
}
