import type { z } from 'zod';
import type { TableLue, Tri } from '../postgres/lecture/table-lue.ts';
import type { Ressource as NomDeRessource } from './acces.ts';

/** A table of the contract as a resource of the API: one per noun, beside its routes. */
export interface Ressource {
  /** path and scope: `pieces-production` */
  readonly nom: NomDeRessource;
  /** what one row is called, French, with its article: « Une pièce » */
  readonly libelle: string;
  /** several of them, without article: « pièces » */
  readonly pluriel: string;
  readonly table: TableLue;
  /** one row of an answer */
  readonly lu: z.ZodObject;
  /** query parameter → filter of the table, with the schema of its value */
  readonly filtres: Readonly<Record<string, z.ZodType>>;
  /** order when none is asked for */
  readonly triDefaut: readonly Tri[];
  /** order when none is asked for and one of these parameters is given: the one that its index has */
  readonly triRestreint?: { readonly par: readonly string[]; readonly tri: readonly Tri[] };
}
