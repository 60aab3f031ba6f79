// S30: a proxy that holds every request and every answer against openapi.json stands between clients and the server, as
// API gateways do: what the server accepts the contract allows, and what it answers the contract describes.
import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openapiDocument } from '../../scripts/openapi.ts';
import type { Document, Schema } from '../../src/api/openapi/types.ts';
import { type Demande, demande } from '../fuzz/arbitraires.ts';
import { type ApiAvecDonnees, createApiAvecDonnees } from '../harness/api-donnees.ts';
import { type OperationLue, operationsLues } from '../harness/openapi.ts';
import { SEED } from '../harness/property.ts';

/** Requests to each operation. */
const DEMANDES = 8;

const document = JSON.parse(await openapiDocument()) as Document;
const operations = operationsLues(document);
/** what did not fit, one line each */
const fautes: string[] = [];
const vues = { demandes: 0, acceptees: 0 };
let donnees: ApiAvecDonnees;
let mandataire: Server;
let port = 0;

const ajv = new Ajv2020({ strict: false, allErrors: true, coerceTypes: false });
(formats as unknown as (ajv: Ajv2020) => void)(ajv);
ajv.addFormat('int64', true).addFormat('binary', true).addFormat('password', true);
ajv.addSchema({ $id: 'contrat', components: document.components });
const compiled = new Map<string, ValidateFunction>();

/** Whether a value is of a schema of the document. */
function convient(schema: Schema, value: unknown): string | undefined {
  const text = JSON.stringify(schema).replaceAll('"#/components/', '"contrat#/components/');
  const validate = compiled.get(text) ?? ajv.compile(JSON.parse(text) as object);
  compiled.set(text, validate);
  return validate(value) ? undefined : ajv.errorsText(validate.errors);
}

/** A value of an address, as its schema has it. */
function lue(text: string, schema: Schema): unknown {
  const types = [schema.type ?? []].flat();
  if ((types.includes('integer') || types.includes('number')) && /^-?\d+(\.\d+)?$/.test(text))
    return Number(text);
  if (types.includes('boolean') && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}

/** Why a request is none that the contract allows; undefined when it is one. */
function refus(
  { operation, parametres, chemin }: OperationLue,
  url: string,
  body: Buffer,
): string | undefined {
  const { pathname, searchParams } = new URL(url, 'http://x');
  const parts = pathname.split('/');
  for (const { name, in: place, schema = {}, required } of parametres) {
    const values =
      place === 'path'
        ? [decodeURIComponent(parts[chemin.split('/').indexOf(`{${name}}`)] ?? '')]
        : place === 'query'
          ? searchParams.getAll(name)
          : [];
    if (place === 'query' && required && values.length === 0) return `${name} manque`;
    if (values.length > 1) return `${name} deux fois`;
    for (const value of values) {
      const fault = convient(schema, lue(value, schema));
      if (fault) return `${place} ${name} : ${fault}`;
    }
  }
  const known = parametres.filter(({ in: place }) => place === 'query').map(({ name }) => name);
  for (const name of searchParams.keys()) if (!known.includes(name)) return `paramètre inconnu ${name}`;
  const schema = operation.requestBody?.content['application/json']?.schema;
  if (!schema) return undefined;
  try {
    return convient(schema, JSON.parse(body.toString()));
  } catch {
    return 'pas du JSON';
  }
}

/** What is wrong with an answer. */
function regarder(
  { nom, operation }: OperationLue,
  status: number,
  headers: IncomingMessage['headers'],
  body: Buffer,
): string[] {
  const declared = operation.responses[String(status)];
  if (!declared) return [`${nom} : ${status} non déclaré`];
  const type = headers['content-type']?.split(';')[0];
  const faults: string[] = [];
  if (body.length > 0) {
    const schema = declared.content?.[type ?? '']?.schema;
    if (!schema) faults.push(`${nom} ${status} : ${type} sans schéma`);
    else {
      const value: unknown = type?.endsWith('json') ? JSON.parse(body.toString()) : body.toString('latin1');
      const fault = convient(schema, value);
      if (fault) faults.push(`${nom} ${status} : ${fault}`);
    }
  }
  for (const [name, header] of Object.entries(declared.headers ?? {})) {
    const value = headers[name.toLowerCase()];
    const real = document.components.headers?.[name] ?? header;
    if (value === undefined || Array.isArray(value) || !real.schema) continue;
    const fault = convient(real.schema, lue(value, real.schema));
    if (fault) faults.push(`${nom} ${status}, en-tête ${name} : ${fault}`);
  }
  return faults;
}

const parNom = new Map(operations.map((one) => [one.nom, one]));

beforeAll(async () => {
  donnees = await createApiAvecDonnees();
  const { app } = donnees.api;
  await app.listen({ port: 0, host: '127.0.0.1' });
  const target = (app.server.address() as AddressInfo).port;
  mandataire = createServer((incoming, outgoing) => {
    void (async () => {
      const body = Buffer.concat(await incoming.toArray());
      const { 'x-operation': nom = '', 'accept-encoding': _, ...headers } = incoming.headers;
      const operation = parNom.get(String(nom))!;
      const against = refus(operation, incoming.url!, body);
      const sent = httpRequest({
        port: target,
        host: '127.0.0.1',
        path: incoming.url!,
        method: incoming.method!,
        headers,
      });
      sent.end(body);
      const [answer] = (await once(sent, 'response')) as [IncomingMessage];
      const answered = Buffer.concat(await answer.toArray());
      const status = answer.statusCode!;
      vues.demandes++;
      if (status < 300) vues.acceptees++;
      if (status < 300 && against)
        fautes.push(`${operation.nom} ${incoming.url} ${body} accepté : ${against}`);
      fautes.push(...regarder(operation, status, answer.headers, answered));
      outgoing.writeHead(status, answer.headers).end(answered);
    })().catch((error: unknown) => {
      fautes.push(`${incoming.method} ${incoming.url} : ${String(error)}`);
      outgoing.writeHead(502).end();
    });
  });
  mandataire.listen(0, '127.0.0.1');
  await once(mandataire, 'listening');
  port = (mandataire.address() as AddressInfo).port;
});
afterAll(async () => {
  mandataire?.closeAllConnections();
  mandataire?.close();
  await donnees?.close();
});

function adresse({ chemin }: OperationLue, { elements, question }: Demande): string {
  let at = 0;
  const path = chemin.replaceAll(/\{\w+\}/g, () => {
    const element = elements[at++]!;
    return 'texte' in element
      ? encodeURIComponent(element.texte.replaceAll(/[^\w-]/g, 'x') || 'x')
      : String(1 + (element.rang % 30));
  });
  return question === '' ? path : `${path}?${question}`;
}

/** Probes may add what they like; streams never end, and whoever deletes himself could not go on. */
const SANS = /^GET \/health|^GET \/evenements|^DELETE \/users|^PUT \/users|^GET \/metrics|\/octets$/;

it('a few hundred requests, sound and broken: both sides keep to the contract', {
  timeout: 600_000,
}, async () => {
  const { api, ids } = donnees;
  const reels = { session_id: [Number(ids.session)], centre_usinage_id: [Number(ids.centre)] };
  const { authorization } = api.comptes.admin.entete;
  for (const [i, operation] of operations.entries()) {
    if (SANS.test(operation.nom)) continue;
    const asked = fc.sample(demande(operation, { document, reels }), {
      numRuns: DEMANDES,
      seed: (SEED + i) | 0,
    });
    for (const one of asked) {
      const json = 'application/json' in (operation.operation.requestBody?.content ?? {});
      const form = operation.operation.requestBody !== undefined && !json;
      const answer = await fetch(`http://127.0.0.1:${port}${adresse(operation, one)}`, {
        method: operation.methode,
        headers: {
          ...{ authorization, 'x-operation': operation.nom, 'x-requested-with': 'atelier' },
          ...(form ? { 'content-type': 'application/x-www-form-urlencoded' } : {}),
          ...(json ? { 'content-type': 'application/json' } : {}),
        },
        ...(operation.operation.requestBody && one.corps !== undefined
          ? { body: one.corps.toWellFormed() }
          : {}),
      });
      await answer.arrayBuffer();
    }
  }
  expect(fautes).toEqual([]);
  expect(vues.demandes).toBeGreaterThan(300);
  expect(vues.acceptees).toBeGreaterThan(60);
});
