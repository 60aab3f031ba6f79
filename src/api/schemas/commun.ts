/** Pieces that the schemas of all resources are made of. Everything in OpenAPI comes from these. */
import { z } from 'zod';
import './francais.ts';

/** Largest id: whatever a JSON number carries exactly. */
const MAX_ID = Number.MAX_SAFE_INTEGER;
/** NUL cannot be stored in PostgreSQL: it is refused by name, not by a failing query. */
const NUL = '\u0000';

/** An identifier in a path or a query, as text there. */
export const idTexte = z
  .string()
  .regex(/^\d{1,16}$/, 'Un identifiant est un entier positif.')
  .transform(Number)
  .refine((n) => n <= MAX_ID, 'Identifiant trop grand.')
  .meta({ type: 'integer', minimum: 0, description: 'Identifiant', examples: [1] });

export const parametresId = z.strictObject({ id: idTexte });

export const id = z.int().meta({ description: 'Identifiant' });

/** Text that can be stored. */
export function texte(max: number): z.ZodString {
  return z
    .string()
    .max(max)
    .refine((value) => !value.includes(NUL), 'Un texte ne porte pas de caractère NUL.')
    .refine((value) => value.isWellFormed(), 'Texte mal formé (demi-caractère UTF-16).');
}

/** `YYYY-MM-DD`, a day that exists. */
export const date = z.iso.date('Une date s’écrit AAAA-MM-JJ.').meta({ examples: ['2025-05-28'] });

const SEPARATEUR = '[T ]';
const DECALAGE = '(Z|[+-]\\d{2}:\\d{2})';
const INSTANT =
  `^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])${SEPARATEUR}([01]\\d|2[0-3]):[0-5]\\d` +
  `(:[0-5]\\d(\\.\\d+)?)?${DECALAGE}?$`;

/**
 * An instant as clients send it: ISO 8601, or the same with a space for the T. Without offset it is one of the
 * factory's clock: `FactoryTime.situer` says which.
 */
export const instant = z
  .string()
  .regex(
    new RegExp(INSTANT),
    'Un instant s’écrit 2025-05-28T06:12:00+02:00, ou sans décalage, à l’heure de l’atelier ; dans une adresse, + s’écrit %2B.',
  )
  .refine((value) => existe(value), 'Cet instant n’existe pas au calendrier.')
  .meta({ examples: ['2025-05-28T06:12:00+02:00'] });

/** Whether there is such a day, and such an offset. */
function existe(text: string): boolean {
  const offset = /[+-](\d{2}):(\d{2})$/.exec(text.slice(11));
  if (offset && (Number(offset[1]) > 23 || Number(offset[2]) > 59)) return false;
  return z.iso.date().safeParse(text.slice(0, 10)).success;
}

/** An instant of an answer: PostgreSQL writes it in the factory's zone. */
export const instantLu = z.iso.datetime({ offset: true }).meta({ examples: ['2025-05-28T06:12:00+02:00'] });

export const booleenTexte = z
  .enum(['true', 'false'], 'Attendu true ou false.')
  .transform((value) => value === 'true');

/** A whole number in a query. */
/** @param sinon what to do instead, when a value is refused */
export function entierTexte(min: number, max: number, sinon = ''): z.ZodType<number, string> {
  const message = `Attendu un entier de ${min} à ${max}${sinon}.`;
  return z
    .string()
    .regex(/^\d{1,16}$/, message)
    .transform(Number)
    .refine((n) => n >= min && n <= max, message)
    .meta({ type: 'integer', minimum: min, maximum: max });
}

export const probleme = z
  .object({
    type: z.string().meta({ description: 'about:blank : le titre et le détail disent tout' }),
    title: z.string(),
    status: z.int(),
    detail: z.string().meta({ description: 'Ce qui ne va pas, et que faire' }),
    instance: z
      .string()
      .meta({ description: 'Numéro de la requête, le même que dans le journal du serveur' }),
    errors: z
      .array(
        z.object({
          pointer: z.string().meta({ description: 'Où : /body/champ, /query/parametre, /path/id' }),
          detail: z.string(),
        }),
      )
      .optional()
      .meta({ description: 'Chaque champ invalide' }),
  })
  .meta({ id: 'Probleme', description: 'Erreur (RFC 9457)' });

/** What an error answer means, by status; the same text on every route. */
export const TEXTES_ERREURS: Readonly<Record<number, string>> = {
  304: 'Inchangé depuis l’ETag donné',
  400: 'Requête mal formée',
  401: 'Jeton absent, faux, expiré ou révoqué',
  403: 'Le rôle ou la portée de la clé ne le permettent pas',
  404: 'Rien sous cet identifiant',
  406: 'Aucune des formes que Accept demande n’existe',
  408: 'La requête a mis trop de temps à arriver',
  409: 'Conflit : doublon, ligne calculée des journaux, ou ligne dont d’autres dépendent',
  410: 'Effacé : la durée de conservation est passée',
  412: 'If-Match ne correspond plus : la ligne a changé entre-temps',
  413: 'Corps trop grand',
  414: 'Adresse trop longue',
  415: 'Type de contenu non pris en charge',
  416: 'La plage demandée commence après la fin ; Content-Range donne la taille',
  421: 'Ce nom n’est pas de ceux auxquels ce serveur répond (HOTES)',
  422: 'Paramètre ou champ invalide ou inconnu',
  429: 'Trop d’essais ; voir Retry-After',
  431: 'En-têtes trop longs',
  500: 'Erreur inattendue ; le journal du serveur la décrit sous le numéro de requête',
  503: 'Base de données momentanément absente ; voir Retry-After',
};

interface Reponse {
  readonly description: string;
  readonly content: Record<string, { schema: z.ZodType }>;
}

/** Error answers of a route, by status. */
export function erreurs(...statuts: readonly number[]): Record<number, Reponse | z.ZodType> {
  return Object.fromEntries(
    statuts.map((statut) => {
      const description = TEXTES_ERREURS[statut] ?? 'Erreur';
      return statut === 304
        ? [statut, z.undefined().describe(description)]
        : [statut, { description, content: { 'application/problem+json': { schema: probleme } } }];
    }),
  );
}

/** A JSON answer. */
export function json(description: string, schema: z.ZodType): Reponse {
  return { description, content: { 'application/json': { schema } } };
}
