import type { FastifyInstance } from 'fastify';
import { type Document, type Operation, operationsDe, type Parametre } from '../../src/api/openapi/types.ts';

/** An operation of the document, with everything that it refers to in place. */
export interface OperationLue {
  /** `GET /centres/{id}` */
  readonly nom: string;
  readonly methode: string;
  /** as the document has it */
  readonly chemin: string;
  readonly operation: Operation;
  readonly parametres: readonly (Parametre & { name: string; in: string })[];
}

/** The document of a live API, a copy. */
export function documentDe(app: FastifyInstance): Document {
  return structuredClone(app.swagger()) as unknown as Document;
}

/** All operations; parameters and answers that are shared are resolved, schemas stay references. */
export function operationsLues(document: Document): OperationLue[] {
  return operationsDe(document).map(({ chemin, methode, operation }) => {
    const responses = Object.fromEntries(
      Object.entries(operation.responses).map(([status, response]) => [status, resoudre(document, response)]),
    );
    return {
      nom: `${methode.toUpperCase()} ${chemin}`,
      methode: methode.toUpperCase(),
      chemin,
      operation: { ...operation, responses },
      parametres: (operation.parameters ?? []).map((p) =>
        resoudre(document, p),
      ) as OperationLue['parametres'],
    };
  });
}

/** What a reference stands for; anything else is itself. */
export function resoudre<T extends { $ref?: string }>(document: Document, node: T): T {
  if (node.$ref === undefined) return node;
  const found = node.$ref
    .replace(/^#\//, '')
    .split('/')
    .reduce<unknown>(
      (inside, part) =>
        typeof inside === 'object' && inside !== null && Object.hasOwn(inside, part)
          ? (inside as Record<string, unknown>)[part]
          : undefined,
      document,
    );
  if (found === undefined) throw new Error(`référence sans suite : ${node.$ref}`);
  return found as T;
}

/** Every route that the router knows, `GET /centres/:id`, without slash at the end; without the HEAD of each GET. */
export function routesVivantes(app: FastifyInstance): string[] {
  const stack: string[] = [];
  const routes: string[] = [];
  for (const line of app.printRoutes({ commonPrefix: false }).split('\n')) {
    const [, indent, part, methods] = /^([\s│]*)[├└]── (\S+) \(([A-Z, ]+)\)$/.exec(line) ?? [];
    if (indent === undefined || part === undefined || methods === undefined) {
      if (line.trim() !== '') throw new Error(`ligne de printRoutes non comprise : ${line}`);
      continue;
    }
    const depth = indent.length / 4;
    stack.length = depth;
    stack.push(part);
    const all = methods.split(', ');
    for (const method of all) {
      if (method === 'HEAD' && all.includes('GET')) continue;
      routes.push(`${method} ${stack.join('')}`);
    }
  }
  return routes.sort();
}

/** `/centres/{id}` as the router writes it. */
export function enRoute(chemin: string): string {
  return chemin.replaceAll(/\{(\w+)\}/g, ':$1').replace(/(?<=.)\/$/, '');
}
