/** What the document of the API gets beyond what its schemas say by themselves. */
import type { Acces } from '../acces.ts';
import { type Inclusions, SANS_INCLUSION } from '../inclusions.ts';
import { parametresCommuns } from './entetes.ts';
import { exempleDe } from './exemples.ts';
import { completerReponses, composantsCommuns } from './reponses.ts';
import { nommerSchemas } from './schemas.ts';
import { type Document, type Media, type Operation, operationsDe, type Schema } from './types.ts';

const FLUX = `retry: 3000

id: 1
event: resynchroniser
data: {}

id: 2
event: sessions
data: {"action":"update","ids":[25],"nombre":1}

`;

/** Completes the document, in place, and returns it. */
export function finirDocument(document: Document): Document {
  nommerSchemas(document);
  const schemas = document.components.schemas ?? {};
  for (const { operation, methode } of operationsDe(document)) {
    completerReponses(operation, methode);
    exemplesDeParametres(operation, schemas);
    const shared = parametresCommuns(operation).map((name) => ({ $ref: `#/components/parameters/${name}` }));
    if (shared.length > 0) operation.parameters = [...(operation.parameters ?? []), ...shared];
    for (const media of Object.values(operation.requestBody?.content ?? {})) exempleDeMedia(media, schemas);
    for (const [status, { content }] of Object.entries(operation.responses)) {
      for (const [type, media] of Object.entries(content ?? {})) {
        if (type === 'text/csv') media.example ??= exempleCsv(content?.['application/json'], schemas);
        else if (type === 'text/event-stream') media.example ??= FLUX;
        else exempleDeMedia(media, schemas);
        if (media.schema?.$ref?.endsWith('/ErreurOAuth')) media.example = erreurOAuth(status);
      }
    }
  }
  Object.assign(document.components, composantsCommuns());
  return document;
}

/** Who may call a route, as OpenAPI has it. */
export function securiteDe(acces: Acces | undefined): Record<string, string[]>[] | undefined {
  if (acces?.acces === 'public') return [];
  if (acces?.acces === 'compte') return [{ motDePasse: [] }];
  return undefined;
}

/**
 * The same in words, for whoever reads.
 *
 * @param security what the document says of the route; one that decides by itself says so in its own words
 */
export function accesEnMots(
  acces: Acces | undefined,
  security: readonly object[] | undefined,
  inclus: Inclusions = SANS_INCLUSION,
): string | undefined {
  if (!acces) return undefined;
  if (acces.acces === 'public') return security?.length === 0 ? '**Accès** : ouvert à tous.' : undefined;
  const role = acces.role === 'lecteur' ? 'tout compte' : `rôle \`${acces.role}\``;
  if (acces.acces === 'compte') return `**Accès** : ${role} ; pas de clé d’API.`;
  const also = inclus.toujours.map((nom) => `, \`${nom}:lire\``).join('');
  const asked = Object.entries(inclus.selon).map(([part, nom]) => `\`${nom}:lire\` pour ${part}`);
  const more = asked.length > 0 ? ` ; et ce que inclure demande : ${asked.join(', ')}` : '';
  return `**Accès** : ${role} ; clé d’API avec ${also === '' ? 'la portée' : 'les portées'} \`${acces.ressource}:${acces.action}\`${also}${more}.`;
}

/**
 * In a query an example is told, not proposed: beside the parameter, the page of `/docs` would send it along with
 * every try.
 */
function exemplesDeParametres(
  { parameters = [] }: Operation,
  schemas: Readonly<Record<string, Schema>>,
): void {
  for (const parameter of parameters) {
    const schema = parameter.schema ?? {};
    const known = parameter.example ?? Object.values(parameter.examples ?? {})[0]?.value;
    const example = known ?? exempleDe(schema, schemas, parameter.name ?? '');
    delete parameter.examples;
    if (parameter.in === 'path') parameter.description ??= 'Identifiant';
    if (parameter.in === 'path' || parameter.required) parameter.example = example;
    else {
      delete parameter.example;
      if (schema.$ref === undefined && schema.enum === undefined) schema.examples = [example];
    }
  }
}

function exempleDeMedia(media: Media, schemas: Readonly<Record<string, Schema>>): void {
  const { schema } = media;
  if (media.example !== undefined || media.examples !== undefined || !schema) return;
  // Bytes have no example that would help.
  if (Object.keys(schema).length === 0 || schema.format === 'binary') return;
  media.example = exempleDe(schema, schemas);
}

/** The same row as the JSON beside it, as a file has it. */
function exempleCsv(json: Media | undefined, schemas: Readonly<Record<string, Schema>>): string | undefined {
  const rows = json?.schema === undefined ? undefined : exempleDe(json.schema, schemas);
  const [row] = Array.isArray(rows) ? (rows as Record<string, unknown>[]) : [];
  if (!row) return undefined;
  const cells = Object.values(row).map((value) => (Array.isArray(value) ? value.join(' | ') : (value ?? '')));
  return `${Object.keys(row).join(',')}\n${cells.join(',')}\n`;
}

function erreurOAuth(status: string): Record<string, string> {
  if (status === '400')
    return { error: 'invalid_request', error_description: 'username : Le champ est necessaire.' };
  if (status === '429') {
    return {
      error: 'temporarily_unavailable',
      error_description: "Trop d'essais : attendez 8 s avant le suivant.",
    };
  }
  return { error: 'invalid_grant', error_description: 'Nom ou mot de passe incorrect.' };
}
