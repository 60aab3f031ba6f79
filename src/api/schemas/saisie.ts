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
  .meta({
    description: 'Sans décalage : à l’heure de l’atelier (FUSEAU)',
    examples: ['2025-05-28T06:12:00+02:00'],
  });

const DECIMAL = '^[+-]?\\d{1,15}(\\.\\d{1,15})?$';
const decimal = new RegExp(DECIMAL);

/**
 * A decimal number, as entered: a JSON number, or the same as text (`"12.5"`), which is what languages with exact
 * decimals write.
 *
 * @param schema bounds of the number
 */
export function decimalSaisi(schema: z.ZodNumber): z.ZodType<number, unknown> {
  const { minimum, maximum } = z.toJSONSchema(schema);
  return z
    .preprocess((value) => (typeof value === 'string' && decimal.test(value) ? Number(value) : value), schema)
    .meta({ type: ['number', 'string'], pattern: DECIMAL, minimum, maximum });
}

/** What is said of a number that is none. */
export const NOMBRE = 'Attendu un nombre : 12.5, ou le même en texte, "12.5".';

/**
 * The same object with every field optional, of which at least one is there. What a reading gives beyond it may be
 * sent back, as it is stored (`changements`).
 *
 * @param lue the row, as a reading gives it
 */
export function modification<S extends z.ZodObject>(
  saisie: S,
  nom: string,
  exemple: Readonly<Record<string, unknown>>,
  lue: z.ZodObject,
): z.ZodType {
  return z
    .strictObject({ ...saisie.partial().shape, ...lectureSeule(lue, Object.keys(saisie.shape)) })
    .refine((value) => Object.keys(value).length > 0, 'Donnez au moins un champ à changer.')
    .meta({
      id: nom,
      description: `Les champs à changer ; ceux qui manquent restent comme ils sont. ${RENDU}`,
      minProperties: 1,
      examples: [exemple],
    });
}

/** What is said of changes that have fields which nobody changes. */
export const RENDU =
  'Une ligne lue peut être renvoyée entière : les champs en lecture seule sont ignorés s’ils sont ceux de la ligne, refusés sinon (422)';

/** Fields of a row that cannot be written, as they may be sent back. */
export function lectureSeule(lue: z.ZodObject, saisis: readonly string[]): Record<string, z.ZodType> {
  const fields = Object.entries(lue.shape as Record<string, z.ZodType>).filter(
    ([name]) => !saisis.includes(name),
  );
  return Object.fromEntries(
    fields.map(([name, schema]) => [
      name,
      schema.optional().meta({ description: 'Lecture seule : ce que la ligne a déjà' }),
    ]),
  );
}

/** `GET` and writes of one row take no query parameter. */
export const SANS_PARAMETRE = z.strictObject({});
