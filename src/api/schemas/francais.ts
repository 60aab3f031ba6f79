/** What the schema library says of a value that does not fit, in the words of our users. */
import { z } from 'zod';

const TYPES: Readonly<Record<string, string>> = {
  string: 'un texte',
  number: 'un nombre',
  int: 'un entier',
  boolean: 'true ou false',
  array: 'une liste',
  object: 'un objet',
  record: 'un objet',
  null: 'null',
  undefined: 'rien',
};
const UNITES: Readonly<Record<string, string>> = { string: ' caractères', array: ' éléments' };

const fallback = z.locales.fr().localeError;

/** @returns a sentence; undefined leaves it to the library */
function phrase(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return `Attendu ${type(issue.expected)}, reçu ${type(z.core.util.parsedType(issue.input))}.`;
    case 'invalid_value':
      return `Attendu ${issue.values.map((value) => JSON.stringify(value)).join(' ou ')}.`;
    case 'too_big':
      return `Au plus ${issue.maximum}${UNITES[issue.origin] ?? ''}.`;
    case 'too_small':
      return `Au moins ${issue.minimum}${UNITES[issue.origin] ?? ''}.`;
    default:
      return undefined;
  }
}

function type(name: string): string {
  return TYPES[name] ?? name;
}

z.config({
  localeError: (issue) => {
    const said = phrase(issue);
    if (said !== undefined) return said;
    const other = fallback?.(issue);
    const text = typeof other === 'string' ? other : (other?.message ?? 'Valeur invalide');
    return /[.!?]$/.test(text) ? text : `${text}.`;
  },
});
