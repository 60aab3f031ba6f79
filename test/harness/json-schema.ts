import type { Document, Schema } from '../../src/api/openapi/types.ts';

/** Keywords that say nothing about a value. */
const ANNOTATIONS = ['description', 'examples', 'default', 'title', 'deprecated', 'contentMediaType'];
const FORMATS: Readonly<Record<string, (text: string) => boolean>> = {
  date: (text) => /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)),
  'date-time': (text) =>
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(Date.parse(text)),
  uuid: (text) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text),
  email: (text) => /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(text),
  'uri-reference': (text) => !/\s/.test(text),
  password: () => true,
  binary: () => true,
  int64: () => true,
};

type Test = (value: never, limit: never, schema: Schema) => boolean;

/** Keywords that only bind values of a type, and what they bind. */
const BINDS: Readonly<Record<string, readonly [type: string, holds: Test]>> = {
  pattern: ['string', (value: string, limit: string) => new RegExp(limit, 'u').test(value)],
  format: ['string', (value: string, limit: string) => FORMATS[limit]?.(value) ?? unknownFormat(limit)],
  minLength: ['string', (value: string, limit: number) => [...value].length >= limit],
  // Ours counts UTF-16 units, JSON Schema code points: never more of these.
  maxLength: ['string', (value: string, limit: number) => [...value].length <= limit],
  minimum: ['number', (value: number, limit: number) => value >= limit],
  maximum: ['number', (value: number, limit: number) => value <= limit],
  exclusiveMinimum: ['number', (value: number, limit: number) => value > limit],
  exclusiveMaximum: ['number', (value: number, limit: number) => value < limit],
  multipleOf: ['number', (value: number, limit: number) => Number.isInteger(value / limit)],
  minItems: ['array', (value: unknown[], limit: number) => value.length >= limit],
  maxItems: ['array', (value: unknown[], limit: number) => value.length <= limit],
  uniqueItems: [
    'array',
    (value: unknown[], limit: boolean) =>
      !limit || new Set(value.map((v) => JSON.stringify(v))).size === value.length,
  ],
  minProperties: ['object', (value: object, limit: number) => Object.keys(value).length >= limit],
  maxProperties: ['object', (value: object, limit: number) => Object.keys(value).length <= limit],
  required: ['object', (value: object, names: string[]) => names.every((name) => Object.hasOwn(value, name))],
};

/**
 * A validator of JSON Schema 2020-12, as much of it as `openapi.json` has; independent of what made the document.
 */
export class Validateur {
  readonly #schemas: Readonly<Record<string, Schema>>;
  readonly #closed: boolean;

  /** @param options `ferme`: a field that a schema does not name is a fault, even where it is open to more */
  constructor(document: Pick<Document, 'components'>, options: { ferme?: boolean } = {}) {
    this.#schemas = document.components.schemas ?? {};
    this.#closed = options.ferme ?? false;
  }

  /**
   * What is wrong with a value, each with its place; empty: nothing.
   *
   * @throws TypeError on a keyword or format that it does not know: nothing is passed over in silence
   */
  fautes(schema: Schema, value: unknown, at = ''): string[] {
    return Object.entries(schema).flatMap(([keyword, limit]) => {
      if (limit === undefined || ANNOTATIONS.includes(keyword)) return [];
      const bound = BINDS[keyword];
      if (bound) {
        const [type, holds] = bound;
        const ok = typeOf(value) !== type || holds(value as never, limit as never, schema);
        return ok ? [] : [`${at || '/'} : ${keyword} ${JSON.stringify(limit)}, reçu ${short(value)}`];
      }
      return this.#structure(keyword, schema, value, at);
    });
  }

  #structure(keyword: string, schema: Schema, value: unknown, at: string): string[] {
    switch (keyword) {
      case '$ref':
        return this.fautes(this.suivre(schema), value, at);
      case 'type': {
        const types = [schema.type ?? []].flat();
        return types.some((type) => isOf(type, value))
          ? []
          : [`${at || '/'} : type ${types.join(' ou ')}, reçu ${short(value)}`];
      }
      case 'enum':
        return schema.enum!.includes(value) ? [] : [`${at || '/'} : une des valeurs, reçu ${short(value)}`];
      case 'const':
        return schema.const === value ? [] : [`${at || '/'} : ${String(schema.const)}, reçu ${short(value)}`];
      case 'items':
        return Array.isArray(value)
          ? value.flatMap((item, i) => this.fautes(schema.items!, item, `${at}/${i}`))
          : [];
      case 'properties':
      case 'additionalProperties':
        // Looked at once for both.
        return keyword === 'properties' || schema.properties === undefined
          ? this.#champs(schema, value, at)
          : [];
      case 'propertyNames':
        return typeOf(value) === 'object'
          ? Object.keys(value as object).flatMap((name) =>
              this.fautes(schema['propertyNames'] as Schema, name, at),
            )
          : [];
      case 'allOf':
        return schema.allOf!.flatMap((part) => this.fautes(part, value, at));
      case 'anyOf':
      case 'oneOf': {
        const faults = (schema[keyword] as Schema[]).map((part) => this.fautes(part, value, at));
        const fitting = faults.filter((list) => list.length === 0).length;
        if (keyword === 'anyOf' ? fitting > 0 : fitting === 1) return [];
        return [`${at || '/'} : ${keyword}, ${fitting} conviennent (${faults.flat().join(' | ')})`];
      }
      default:
        throw new TypeError(`${at || '/'} : mot-clé inconnu ${keyword}`);
    }
  }

  #champs(schema: Schema, value: unknown, at: string): string[] {
    if (typeOf(value) !== 'object') return [];
    const { properties = {}, additionalProperties: more } = schema;
    return Object.entries(value as object).flatMap(([key, field]) => {
      if (Object.hasOwn(properties, key)) return this.fautes(properties[key]!, field, `${at}/${key}`);
      if (typeof more === 'object') return this.fautes(more, field, `${at}/${key}`);
      const refused = more === false || (more === undefined && this.#closed);
      return refused ? [`${at}/${key} : champ que le schéma ne connaît pas`] : [];
    });
  }

  /** The schema itself, where it is a reference to one. */
  suivre(schema: Schema): Schema {
    if (schema.$ref === undefined) return schema;
    const found = this.#schemas[schema.$ref.replace('#/components/schemas/', '')];
    if (!found) throw new TypeError(`référence sans suite : ${schema.$ref}`);
    return found;
  }
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

function isOf(type: string, value: unknown): boolean {
  if (type === 'integer') return Number.isInteger(value);
  return typeOf(value) === type;
}

function short(value: unknown): string {
  return (JSON.stringify(value) ?? 'undefined').slice(0, 120);
}

function unknownFormat(name: string): never {
  throw new TypeError(`format inconnu : ${name}`);
}
