/** Bodies of requests: which are read, and how. An empty one is none, whatever its type is said to be. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Probleme } from './problemes.ts';
import { lirePaires, lireUtf8 } from './utf8.ts';

const JSON_TYPE = 'application/json';
const FORM_TYPE = 'application/x-www-form-urlencoded';
/** Bytes of a form. */
const FORM_LIMIT = 16_384;
const CORPS = 'Le corps de la requête';

/** A body in another coding of characters: 415 everywhere, also where errors have another form. */
export class AutreCodage extends Probleme {
  constructor(detail: string) {
    super(415, detail);
  }
}

/** How a form becomes a body; what it throws becomes the answer. */
export type Formulaire = (paires: readonly (readonly [nom: string, valeur: string])[]) => unknown;

/**
 * Reads bodies in `app`, and nowhere else but what is below it: JSON and forms in strict UTF-8; any other type or
 * another charset is a 415.
 *
 * @param options `json`: false where only forms are read
 */
export function lireCorps(app: FastifyInstance, options: { json: boolean; formulaire: Formulaire }): void {
  app.removeAllContentTypeParsers();
  if (options.json) {
    const parse = app.getDefaultJsonParser('error', 'error');
    app.addContentTypeParser(JSON_TYPE, { parseAs: 'buffer' }, (request, body: Buffer, done) => {
      const text = texteDe(request, body);
      if (text === '') done(null, undefined);
      else void parse(request, text, done);
    });
  }
  app.addContentTypeParser(
    FORM_TYPE,
    { parseAs: 'buffer', bodyLimit: FORM_LIMIT },
    (request, body: Buffer, done) => {
      const text = texteDe(request, body);
      done(null, text === '' ? undefined : options.formulaire(lirePaires(text, 'Le formulaire')));
    },
  );
  // A client that sets a type on everything it sends also sets it where it sends nothing.
  app.addContentTypeParser('*', (request, _payload, done) => {
    if (request.headers['content-length'] === '0' || request.is404) done(null, undefined);
    else done(autreType(options.json));
  });
}

/** Where a body is wanted, one is there. @throws Probleme 400 */
export function exigerCorps({ body, routeOptions: { schema } }: FastifyRequest): void {
  if (body !== undefined || schema?.body === undefined) return;
  const wanted = schema.consumes?.includes(FORM_TYPE)
    ? `un formulaire (Content-Type: ${FORM_TYPE})`
    : `un objet JSON (Content-Type: ${JSON_TYPE})`;
  throw new Probleme(400, `Le corps de la requête manque : envoyez ${wanted}.`);
}

/** The text of a body. @throws Probleme 400 (not UTF-8), 415 (another charset) */
function texteDe({ headers }: FastifyRequest, body: Buffer): string {
  if (body.length === 0) return '';
  for (const charset of charsets(headers['content-type'] ?? '')) {
    if (!/^utf-?8$/i.test(charset)) {
      throw new AutreCodage(
        `Le corps se dit en ${court(charset)} (Content-Type) ; seul UTF-8 est lu : envoyez-le en UTF-8, avec charset=utf-8 ou sans charset.`,
      );
    }
  }
  return lireUtf8(body, CORPS);
}

/** Every charset that a `Content-Type` names, without quotes. */
function charsets(type: string): string[] {
  return [...type.matchAll(/;\s*charset\s*=\s*("[^"]*"|'[^']*'|[^;]*)/gi)].map(([, value = '']) =>
    value.trim().replaceAll(/^["']|["']$/g, ''),
  );
}

function autreType(json: boolean): Probleme {
  return new Probleme(
    415,
    json
      ? 'Ce type de contenu n’est pas pris en charge ici ; envoyez du JSON (Content-Type: application/json).'
      : 'Ce type de contenu n’est pas pris en charge ici ; envoyez un formulaire (Content-Type: application/x-www-form-urlencoded).',
  );
}

function court(text: string): string {
  return text.slice(0, 40).replaceAll(/[^\x20-\x7e]/g, '�');
}
