import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Ressource } from './acces.ts';

/**
 * What rows an answer brings along that are another resource's: a key needs the scope of each (spec: « A scope covers what
 * is included or explained too »). Nobody declares it for a route: it is read from the schema of its answer, where every
 * schema of somebody's rows says whose they are.
 */
export interface Inclusions {
  /** in every answer */
  readonly toujours: readonly Ressource[];
  /** only when asked for by `?inclure=`: part of the answer → resource */
  readonly selon: Readonly<Record<string, Ressource>>;
}

export const SANS_INCLUSION: Inclusions = { toujours: [], selon: {} };

const OF = z.registry<{ ressource: Ressource }>();

/** Says that what a schema describes are rows, or lines of logs, of a resource. Whoever describes them the same way is one of them. */
export function de<T extends z.ZodType>(ressource: Ressource, schema: T): T {
  const known = OF.get(schema)?.ressource;
  if (known !== undefined && known !== ressource)
    throw new Error(`${ressource}: this schema is that of ${known}`);
  if (known === undefined) OF.add(schema, { ressource });
  return schema;
}

/** Whose rows a schema describes. */
export function aQui(schema: z.ZodType): Ressource | undefined {
  return OF.get(schema)?.ressource;
}

/**
 * What an answer includes beyond its own resource.
 *
 * @param answer schema of the answer that is no error
 * @param own resource of the route
 * @param onDemand whether parts that may be absent come only when `?inclure=` names them
 */
export function inclusions(answer: z.ZodType, own: Ressource, onDemand: boolean): Inclusions {
  const toujours = new Set<Ressource>();
  const selon: Record<string, Ressource> = {};
  for (const { path, ressource, optional } of rowsIn(answer, '', false)) {
    if (ressource === own) continue;
    if (onDemand && optional) selon[path] = ressource;
    else toujours.add(ressource);
  }
  return { toujours: [...toujours].sort(), selon };
}

interface Rows {
  /** name of the outermost part */
  readonly path: string;
  readonly ressource: Ressource;
  readonly optional: boolean;
}

/** Whose rows are where in a schema; those in rows of somebody are his affair as well as theirs. */
function* rowsIn(schema: z.core.$ZodType, path: string, optional: boolean): Generator<Rows> {
  const found = OF.get(schema as z.ZodType);
  if (found) yield { path, ressource: found.ressource, optional };
  const { def } = schema._zod as unknown as { def: Readonly<Record<string, unknown>> & { type: string } };
  for (const [name, inner] of Object.entries((def['shape'] ?? {}) as Record<string, z.core.$ZodType>))
    yield* rowsIn(inner, path === '' ? name : path, optional);
  const inside = [def['element'], def['innerType'], def['in'], def['out'], def['valueType']];
  for (const inner of [...inside, ...((def['options'] ?? []) as unknown[])])
    if (inner instanceof z.ZodType) yield* rowsIn(inner, path, optional || def.type === 'optional');
}

/** What the answers of a route include, from its schemas. */
export function inclusionsDeRoute(
  schema: { readonly response?: unknown; readonly querystring?: unknown } | undefined,
  own: Ressource,
): Inclusions {
  const onDemand = schema?.querystring instanceof z.ZodObject && 'inclure' in schema.querystring.shape;
  const all = Object.entries((schema?.response ?? {}) as Record<string, unknown>)
    .filter(([status]) => status.startsWith('2'))
    .flatMap(([, answer]) => schemasOf(answer))
    .map((answer) => inclusions(answer, own, onDemand));
  return {
    toujours: [...new Set(all.flatMap(({ toujours }) => toujours))].sort(),
    selon: Object.assign({}, ...all.map(({ selon }) => selon)),
  };
}

/** Schemas of an answer, one for each media type. */
function schemasOf(answer: unknown): z.ZodType[] {
  if (answer instanceof z.ZodType) return [answer];
  const content = (answer as { content?: Readonly<Record<string, { schema?: unknown }>> }).content ?? {};
  return Object.values(content).flatMap(({ schema }) => (schema instanceof z.ZodType ? [schema] : []));
}

/** What one request gets, once its query has been read: the answer's own inclusions and those that it asks for. */
export function inclusDe(request: FastifyRequest): Ressource[] {
  const { toujours, selon } = request.routeOptions.config.inclus ?? SANS_INCLUSION;
  const { inclure } = (request.query ?? {}) as { inclure?: unknown };
  const asked = Array.isArray(inclure) ? inclure.map((part) => selon[String(part)]) : [];
  return [...new Set([...toujours, ...asked.filter((name) => name !== undefined)])];
}
