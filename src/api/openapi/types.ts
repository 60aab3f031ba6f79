/** The parts of an OpenAPI 3.1 document that we touch; the rest passes through as it is. */

/** A schema (JSON Schema 2020-12), or a reference to one. */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  additionalProperties?: boolean | Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  examples?: unknown[];
  description?: string;
  format?: string;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  minProperties?: number;
  [autre: string]: unknown;
}

export interface Media {
  schema?: Schema;
  example?: unknown;
  examples?: Record<string, { value: unknown }>;
}

export interface Entete {
  $ref?: string;
  description?: string;
  schema?: Schema;
}

export interface Reponse {
  $ref?: string;
  description?: string;
  headers?: Record<string, Entete>;
  content?: Record<string, Media>;
}

export interface Parametre {
  $ref?: string;
  name?: string;
  in?: 'query' | 'path' | 'header' | 'cookie';
  required?: boolean;
  description?: string;
  schema?: Schema;
  example?: unknown;
  examples?: Record<string, { value: unknown }>;
}

export interface Operation {
  operationId?: string;
  summary?: string;
  description?: string;
  tags?: string[];
  security?: Record<string, string[]>[];
  parameters?: Parametre[];
  requestBody?: { required?: boolean; content: Record<string, Media> };
  responses: Record<string, Reponse>;
}

const METHODES = ['get', 'head', 'post', 'put', 'patch', 'delete'] as const;
export type Methode = (typeof METHODES)[number];
export type Chemin = Partial<Record<Methode, Operation>>;

export interface Composants {
  schemas?: Record<string, Schema>;
  responses?: Record<string, Reponse>;
  headers?: Record<string, Entete>;
  parameters?: Record<string, Parametre>;
  [autre: string]: unknown;
}

export interface Document {
  openapi: string;
  paths: Record<string, Chemin>;
  components: Composants;
  tags?: { name: string; description?: string }[];
  [autre: string]: unknown;
}

/** Every operation with its method and path, in the order of the document. */
export function operationsDe(
  document: Pick<Document, 'paths'>,
): { chemin: string; methode: Methode; operation: Operation }[] {
  return Object.entries(document.paths).flatMap(([chemin, item]) =>
    METHODES.flatMap((methode) => {
      const operation = item[methode];
      return operation ? [{ chemin, methode, operation }] : [];
    }),
  );
}

export const PREFIXE_SCHEMA = '#/components/schemas/';
