/** Pieces that the schemas of hand-entered rows are made of. */
import { z } from 'zod';
import { date, instant } from './commun.ts';

/** Years that somebody may enter: beyond them lie slips of the keyboard, and what JSON and PostgreSQL write apart. */
const [PREMIER, DERNIER] = ['1970-01-01', '2199-12-31'] as const;
const BORNES = `Attendu un jour du ${PREMIER} au ${DERNIER}.`;

/** Identifier of another row, in a body. */
export const idSaisi = z.int().min(1, 'Un identifiant est un entier positif.');

/** A day, as entered. */
export const dateSaisie = date
  .refine((value) => value >= PREMIER && value <= DERNIER, BORNES)
  .meta({ examples: ['2025-05-28'] });

/** An instant, as entered: to the microsecond, which is what is stored. */
export const instantSaisi = instant
  .refine((value) => value >= PREMIER && value.slice(0, 10) <= DERNIER, BORNES)
  .refine((value) => !/\.\d{7}/.test(value), 'Un instant porte au plus six décimales de seconde.')
  .refine((value) => !/[+-](?:1[4-9]|2\d):(?!00$)|[+-](?:1[5-9]|2\d):/.test(value), 'Décalage impossible.')
  .meta({ examples: ['2025-05-28T06:12:00+02:00'] });

/** The same object with every field optional, of which at least one is there. */
export function modification<S extends z.ZodObject>(
  saisie: S,
  nom: string,
  exemple: Readonly<Record<string, unknown>>,
): z.ZodType {
  return saisie
    .partial()
    .refine((value) => Object.keys(value).length > 0, 'Donnez au moins un champ à changer.')
    .meta({
      id: nom,
      description: 'Les champs à changer ; ceux qui manquent restent comme ils sont',
      minProperties: 1,
      examples: [exemple],
    });
}

/** `GET` and writes of one row take no query parameter. */
export const SANS_PARAMETRE = z.strictObject({});
