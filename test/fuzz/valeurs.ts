/** Values that the schemas of the document take. */
import fc from 'fast-check';
import type { Document, Schema } from '../../src/api/openapi/types.ts';

/** Rarely broken: what is broken everywhere is refused for the first fault, and nothing behind it is reached. */
export const rarely = <T>(usual: fc.Arbitrary<T>, odd: fc.Arbitrary<T>, weight = 4): fc.Arbitrary<T> =>
  fc.oneof({ weight, arbitrary: usual }, { weight: 1, arbitrary: odd });

/** What requests are made for. */
export interface Lieu {
  readonly document: Document;
  /** name of a field that refers to a row → ids of rows that there are */
  readonly reels: Readonly<Record<string, readonly number[]>>;
}

/** Values that a schema takes. */
export function valide(schema: Schema, lieu: Lieu, nom = ''): fc.Arbitrary<unknown> {
  if (schema.$ref !== undefined) {
    return valide(
      lieu.document.components.schemas![schema.$ref.replace('#/components/schemas/', '')]!,
      lieu,
      nom,
    );
  }
  const examples = schema.examples ?? [];
  const own = parGenre(schema, lieu, nom);
  const rows = lieu.reels[nom];
  if (rows && rows.length > 0) return rarely<unknown>(fc.constantFrom(...rows), own);
  return examples.length === 0 ? own : fc.oneof({ weight: 2, arbitrary: own }, fc.constantFrom(...examples));
}

function parGenre(schema: Schema, lieu: Lieu, nom: string): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return fc.oneof(...choices.map((choice) => valide(choice, lieu, nom)));
  const types = [schema.type ?? []].flat();
  return fc.oneof(...types.map((type) => parType(type, schema, lieu, nom)));
}

function parType(type: string, schema: Schema, lieu: Lieu, nom: string): fc.Arbitrary<unknown> {
  switch (type) {
    case 'null':
      return fc.constant(null);
    case 'boolean':
      return fc.boolean();
    case 'integer': {
      // Ids of rows are small here.
      const max = nom.endsWith('id') ? 40 : Math.min(schema.maximum ?? 2_000, 1e12);
      return fc.integer({ min: Math.max(schema.minimum ?? 0, 0), max });
    }
    case 'number':
      return fc.double({
        min: schema.exclusiveMinimum ?? schema.minimum ?? -1e6,
        max: schema.maximum ?? 1e6,
        noNaN: true,
        minExcluded: schema.exclusiveMinimum !== undefined,
      });
    case 'array':
      return fc.array(valide(schema.items ?? {}, lieu, nom), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.max(schema.minItems ?? 0, 3),
      });
    case 'object': {
      const fields = Object.entries(schema.properties ?? {}).map(
        ([key, field]): [string, fc.Arbitrary<unknown>] => [key, valide(field, lieu, key)],
      );
      return fc.record(Object.fromEntries(fields), { requiredKeys: schema.required ?? [] });
    }
    default:
      return texte(schema);
  }
}

function texte(schema: Schema): fc.Arbitrary<unknown> {
  const day = fc
    .date({ min: new Date('1990-01-01'), max: new Date('2100-12-31'), noInvalidDate: true })
    .map((date) => date.toISOString());
  if (schema.format === 'date') return day.map((text) => text.slice(0, 10));
  if (schema.format === 'date-time') {
    const offset = fc.constantFrom('Z', '+02:00', '-11:30', '+00:00');
    return fc.tuple(day, offset).map(([text, zone]) => text.slice(0, 19) + zone);
  }
  // What is sent may have no offset.
  if (schema.pattern?.startsWith('^\\d{4}-')) {
    const offset = fc.constantFrom('Z', '+02:00', '', '', '+00:00');
    return fc.tuple(day, offset).map(([text, zone]) => text.slice(0, 19) + zone);
  }
  if (schema.format === 'uuid') return fc.uuid();
  if (schema.format === 'email') return fc.emailAddress({ size: 'small' });
  if (schema.pattern !== undefined) {
    return fc.stringMatching(new RegExp(schema.pattern), {
      size: 'small',
      maxLength: schema.maxLength ?? 200,
    });
  }
  const minLength = schema.minLength ?? 0;
  return fc
    .string({
      unit: 'grapheme',
      minLength,
      maxLength: Math.max(minLength, Math.min(schema.maxLength ?? 30, 30)),
    })
    .filter((text) => text.length <= (schema.maxLength ?? 30));
}
