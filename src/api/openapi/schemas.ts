/** Schemas as clients and their generators want them: one clean name each, without what only our validator needs. */
import { type Document, operationsDe, PREFIXE_SCHEMA, type Schema } from './types.ts';

/** Formats that say all that the long pattern beside them says. */
const FORMATS = new Set(['date', 'date-time', 'uuid', 'email']);

/**
 * Gives every schema that is used one name. The schema library makes two of each, `Nom` (as it is answered) and
 * `NomInput` (as it is sent): where only one is used, or both are equal, it is `Nom`.
 */
export function nommerSchemas(document: Document): void {
  const all = document.components.schemas ?? {};
  parcourir(all, simplifier);
  for (const { operation } of operationsDe(document)) parcourir(operation, simplifier);
  const used = atteints(document.paths, all);
  const renamed = new Map<string, string>();
  for (const name of used) {
    const plain = name.replace(/Input$/, '');
    if (name === plain || !Object.hasOwn(all, plain)) continue;
    if (!used.has(plain) || pareils(all[name]!, all[plain]!)) renamed.set(name, plain);
  }
  const kept: Record<string, Schema> = {};
  for (const name of [...used].sort()) kept[renamed.get(name) ?? name] ??= all[name]!;
  // What is sent is refused for a field too many; what is answered may grow, and clients must not fall over it.
  const sent = atteints(
    operationsDe(document).map(({ operation }) => operation.requestBody),
    all,
  );
  for (const name of used) {
    if (!sent.has(name)) ouvrir(all[name]!);
  }
  for (const { operation } of operationsDe(document)) ouvrir(operation.responses);
  document.components.schemas = Object.fromEntries(Object.entries(kept).sort(([a], [b]) => (a < b ? -1 : 1)));
  parcourir(document.paths, (node) => renommer(node, renamed));
  parcourir(document.components.schemas, (node) => renommer(node, renamed));
}

/** Calls `visite` with every object below, the deepest last. */
export function parcourir(node: unknown, visite: (objet: Schema) => void): void {
  if (typeof node !== 'object' || node === null) return;
  if (!Array.isArray(node)) visite(node as Schema);
  for (const child of Object.values(node)) parcourir(child, visite);
}

/** Names of the schemas that something refers to, directly or through others. */
function atteints(from: unknown, all: Readonly<Record<string, Schema>>): Set<string> {
  const found = new Set<string>();
  const follow = (node: unknown): void =>
    parcourir(node, ({ $ref }) => {
      if (typeof $ref !== 'string' || !$ref.startsWith(PREFIXE_SCHEMA)) return;
      const name = $ref.slice(PREFIXE_SCHEMA.length);
      if (found.has(name)) return;
      found.add(name);
      follow(all[name]);
    });
  follow(from);
  return found;
}

function renommer(node: Schema, names: ReadonlyMap<string, string>): void {
  if (typeof node.$ref !== 'string' || !node.$ref.startsWith(PREFIXE_SCHEMA)) return;
  const name = node.$ref.slice(PREFIXE_SCHEMA.length);
  node.$ref = PREFIXE_SCHEMA + (names.get(name) ?? name);
}

function pareils(a: Schema, b: Schema): boolean {
  const text = (schema: Schema): string => {
    const copy = structuredClone(schema);
    ouvrir(copy);
    return JSON.stringify(copy).replaceAll(/Input"/g, '"');
  };
  return text(a) === text(b);
}

function ouvrir(schema: unknown): void {
  parcourir(schema, (node) => {
    if (node.additionalProperties === false) delete node.additionalProperties;
  });
}

/** One schema object, in place. */
function simplifier(schema: Schema): void {
  if (schema.format !== undefined && FORMATS.has(schema.format)) delete schema.pattern;
  if (schema.type === 'integer') {
    // In a query it is text for our validator; for clients it is a number.
    delete schema.pattern;
    // The bounds of what a JSON number carries exactly are no bounds of the value.
    if (schema.maximum === Number.MAX_SAFE_INTEGER) {
      delete schema.maximum;
      schema.format ??= 'int64';
    }
    if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
  }
  ouNull(schema);
}

/** « this or null » in one: `type: [string, null]`. */
function ouNull(schema: Schema): void {
  const [one, other, more] = schema.anyOf ?? [];
  if (!one || other?.type !== 'null' || more !== undefined || typeof one.type !== 'string') return;
  if (one.enum !== undefined || one.const !== undefined) return;
  simplifier(one);
  delete schema.anyOf;
  // What was said of both wins.
  Object.assign(schema, { ...one, ...schema, type: [one.type, 'null'] });
}
