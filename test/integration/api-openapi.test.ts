// S30 (API9): what the document says is what there is. The document is linted, and every example in it is one.
import { readFileSync } from 'node:fs';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openapiDocument } from '../../scripts/openapi.ts';
import { parcourir } from '../../src/api/openapi/schemas.ts';
import type { Document, Media, Schema } from '../../src/api/openapi/types.ts';
import { type ApiDEssai, createApi } from '../harness/api.ts';
import { Validateur } from '../harness/json-schema.ts';
import { enRoute, operationsLues, resoudre, routesVivantes } from '../harness/openapi.ts';

/** Routes that answer and are not in the document: the document itself, the page that shows it, and CORS. */
const CACHEES = [
  'GET /docs',
  'GET /docs*',
  'GET /docs/json',
  'GET /docs/static/index.html',
  'GET /docs/static/swagger-initializer.js',
  'GET /docs/yaml',
  'GET /openapi.json',
  'OPTIONS *',
];

const text = await openapiDocument();
const document = JSON.parse(text) as Document;
const operations = operationsLues(document);
const validateur = new Validateur(document);
let api: ApiDEssai;
beforeAll(async () => {
  api = await createApi({ comptes: false });
});
afterAll(async () => api?.close());

describe('openapi.json', () => {
  it('the committed file is the one that the routes make', () => {
    expect(
      readFileSync(new URL('../../openapi.json', import.meta.url), 'utf8') === text,
      'npm run generate',
    ).toBe(true);
  });

  it('has the version of the program', () => {
    const program = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    expect(document['info']).toMatchObject({ version: program.version });
  });

  it('is made the same every time', async () => {
    expect(await openapiDocument()).toBe(text);
  });

  it('is what the server answers, with an ETag, to whoever asks', async () => {
    const answer = await api.app.inject('/openapi.json');
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual(document);
    const again = await api.app.inject({
      url: '/openapi.json',
      headers: { 'if-none-match': String(answer.headers.etag) },
    });
    expect([again.statusCode, again.body]).toEqual([304, '']);
  });

  it('S30: lists exactly the live routes', () => {
    const listed = operations.map(({ methode, chemin }) => `${methode} ${enRoute(chemin)}`);
    expect([...listed, ...CACHEES].sort()).toEqual(routesVivantes(api.app));
  });

  it('S18: each path allows exactly the methods that it lists, in both spellings', async () => {
    for (const [chemin, item] of Object.entries(document.paths)) {
      const path = chemin.replaceAll(/\{\w+\}/g, '1').replace(/(?<=.)\/$/, '');
      const listed = Object.keys(item).map((method) => method.toUpperCase());
      for (const url of [path, `${path}/`]) {
        const answer = await api.app.inject({ method: 'PATCH', url });
        expect([url, answer.statusCode]).toEqual([url, 405]);
        const allowed = String(answer.headers.allow).split(', ');
        // `/users/me` is `/users/{id}` too, to the router that looks for what would be allowed.
        expect(allowed, url).toEqual(expect.arrayContaining(listed));
      }
    }
  });

  it('passes the strict rules of the linter', async () => {
    const config = await createConfig({
      extends: ['recommended-strict'],
      rules: {
        // The contract writes collections with a slash at their end; both spellings answer.
        'no-path-trailing-slash': 'off',
        // Rules that `recommended-strict` leaves out, and that hold here.
        'component-name-unique': 'error',
        'no-unused-components': 'error',
        'no-http-verbs-in-paths': 'error',
        'operation-description': 'error',
        'operation-singular-tag': 'error',
        'operation-tag-defined': 'error',
        'parameter-description': 'error',
        'path-params-defined': 'error',
      },
    });
    const problems = await lintFromString({ source: text, absoluteRef: 'openapi.json', config });
    expect(
      problems.map(({ ruleId, message, location }) => `${ruleId}: ${message} ${location[0]?.pointer ?? ''}`),
    ).toEqual([]);
  });
});

describe.each(operations)('$nom', ({ methode, operation, parametres }) => {
  it('says what it does, and who may', () => {
    expect(operation.summary).toMatch(/^\p{Lu}.{5,}[^.]$/u);
    expect(operation.tags).toHaveLength(1);
    expect(operation.operationId).toMatch(/^[a-z]+(_[a-z]+)+$/);
    const open = operation.security?.some((way) => Object.keys(way).length === 0);
    const isPublic = operation.security?.length === 0;
    const refusals = Object.keys(operation.responses).filter(
      (status) => status === '401' || status === '403',
    );
    if (!isPublic) {
      // A token of its own has no roles: it opens, or it does not.
      const own = operation.security?.some((way) => 'metriques' in way);
      expect(refusals).toEqual(own ? ['401'] : ['401', '403']);
      if (!open) expect(operation.description).toContain('**Accès**');
    }
  });

  it('gives an example of each parameter, body and answer that is text', () => {
    const faults: string[] = [];
    const look = (what: string, schema: Schema | undefined, examples: readonly unknown[]): void => {
      if (examples.length === 0) faults.push(`${what} : sans exemple`);
      for (const example of examples) faults.push(...validateur.fautes(schema ?? {}, example, what));
    };
    for (const { name, in: place, schema = {}, example } of parametres) {
      const told = [example, ...(schema.examples ?? []), ...(schema.enum ?? [])].filter(
        (e) => e !== undefined,
      );
      look(`${place} ${name}`, schema, told);
    }
    const media = (what: string, { schema, example }: Media): void => {
      const bytes = schema === undefined || Object.keys(schema).length === 0 || schema.format === 'binary';
      if (!bytes) look(what, schema, example === undefined ? [] : [example]);
    };
    for (const [type, body] of Object.entries(operation.requestBody?.content ?? {})) media(type, body);
    for (const [status, { content = {} }] of Object.entries(operation.responses)) {
      for (const [type, body] of Object.entries(content)) media(`${status} ${type}`, body);
    }
    expect(faults).toEqual([]);
  });

  it('S20: declares its errors as problems, and what goes with them', () => {
    for (const [status, response] of Object.entries(operation.responses)) {
      expect(response.description, status).toMatch(/\S/);
      const names = Object.keys(response.headers ?? {});
      expect(names, status).toContain('X-Request-Id');
      if (status === '401') expect(names).toContain('WWW-Authenticate');
      if (status === '429' || status === '503') expect(names, status).toContain('Retry-After');
      if (status === '201') expect(names).toContain('Location');
      if (Number(status) < 400) continue;
      const types = Object.keys(response.content ?? {});
      const oauth = operation.tags?.[0] === 'token' && ['400', '401', '415', '429'].includes(status);
      expect(types, status).toEqual([oauth ? 'application/json' : 'application/problem+json']);
    }
    expect(Object.keys(operation.responses)).toEqual(
      expect.arrayContaining(['400', '414', '431', '500', ...(methode === 'GET' ? [] : ['413'])]),
    );
  });

  it('says what a list and a read carry in their headers', () => {
    const query = parametres.filter(({ in: place }) => place === 'query').map(({ name }) => name);
    const names = Object.keys(operation.responses['200']?.headers ?? {});
    if (query.includes('skip')) {
      expect(names).toEqual(expect.arrayContaining(['Link', 'X-Total-Count', 'X-Total-Count-Kind', 'ETag']));
    }
    if (query.includes('cursor')) expect(names).toContain('X-Next-Cursor');
    if ('304' in operation.responses) expect(names).toContain('ETag');
  });
});

describe('schemas', () => {
  it('every reference leads somewhere', () => {
    parcourir(document, (node) => {
      if (typeof node.$ref === 'string') resoudre(document, node);
    });
  });

  it('have names of their own, none that the schema library made up', () => {
    const names = Object.keys(document.components.schemas ?? {});
    expect(names.filter((name) => !/^[A-Z][A-Za-z]+$/.test(name) || name.endsWith('Input'))).toEqual([]);
    expect(new Set(operations.map(({ operation }) => operation.operationId)).size).toBe(operations.length);
  });

  it('S14: what is sent is closed; what is answered may grow', () => {
    for (const { nom, operation } of operations) {
      for (const { schema = {} } of Object.values(operation.requestBody?.content ?? {})) {
        expect(validateur.suivre(schema).additionalProperties, nom).toBe(false);
      }
      for (const { content = {} } of Object.values(operation.responses)) {
        for (const { schema = {} } of Object.values(content)) {
          expect(JSON.stringify(validateur.suivre(schema)), nom).not.toContain(
            '"additionalProperties":false',
          );
        }
      }
    }
  });

  it('their own examples are right', () => {
    const faults: string[] = [];
    for (const [name, schema] of Object.entries(document.components.schemas ?? {})) {
      parcourir(schema, (node) => {
        if (!Array.isArray(node.examples)) return;
        for (const example of node.examples) faults.push(...validateur.fautes(node, example, name));
      });
    }
    expect(faults).toEqual([]);
  });

  it('S15: no secret has a place in an answer', () => {
    const secrets = /mot_de_passe|password|empreinte|_chiffre|_index|version_jetons|secret/i;
    const found: string[] = [];
    for (const { nom, operation } of operations) {
      for (const { content = {} } of Object.values(operation.responses)) {
        for (const { schema = {} } of Object.values(content)) {
          const whole = validateur.suivre('items' in schema && schema.items ? schema.items : schema);
          parcourir(whole.properties, (node) => {
            for (const key of Object.keys(node.properties ?? {}))
              if (secrets.test(key)) found.push(`${nom} ${key}`);
          });
          for (const key of Object.keys(whole.properties ?? {}))
            if (secrets.test(key)) found.push(`${nom} ${key}`);
        }
      }
    }
    expect(found).toEqual([]);
  });
});
