/** What must be true of every answer, whatever was asked (S15, S16, S20). */
import type { Document, Schema } from '../../src/api/openapi/types.ts';
import { Validateur } from '../harness/json-schema.ts';
import type { OperationLue } from '../harness/openapi.ts';

export interface Reponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
}

/** What clients must never read: code, paths, SQL. */
const DEDANS =
  /node_modules|\.ts:\d|\bat [A-Za-z.]+ \(|\bSELECT\b.*\bFROM\b|\bINSERT INTO\b|pg_|syntax error|\/src\/|\/tmp\//;
const PROBLEME = 'application/problem+json; charset=utf-8';

export class Controle {
  readonly #operations: readonly OperationLue[];
  readonly #validateur: Validateur;
  /** status → how often, over all requests */
  readonly statuts = new Map<number, number>();

  constructor(document: Document, operations: readonly OperationLue[]) {
    this.#operations = operations;
    this.#validateur = new Validateur(document, { ferme: true });
  }

  /** What is wrong with an answer; empty: nothing. */
  fautes(methode: string, url: string, reponse: Reponse): string[] {
    const { statusCode, headers, body } = reponse;
    this.statuts.set(statusCode, (this.statuts.get(statusCode) ?? 0) + 1);
    const faults: string[] = [];
    if (statusCode >= 500) faults.push(`${statusCode} : ${body}`);
    if (!/^[0-9a-f-]{36}$/.test(String(headers['x-request-id']))) faults.push('sans x-request-id');
    const texte = body.toString();
    const erreur = statusCode >= 400;
    if (erreur && DEDANS.test(texte)) faults.push(`montre son intérieur : ${texte.slice(0, 300)}`);
    const operation = this.operationDe(methode === 'HEAD' ? 'GET' : methode, url);
    if (methode === 'HEAD' || statusCode === 204 || statusCode === 304) {
      if (body.length > 0) faults.push(`${methode} ${statusCode} a un corps`);
      if (operation && !(statusCode in operation.operation.responses) && methode !== 'HEAD') {
        faults.push(`statut ${statusCode} non déclaré`);
      }
      return faults;
    }
    if (!operation) return [...faults, ...this.#ailleurs(reponse)];
    const declared = operation.operation.responses[String(statusCode)];
    if (!declared)
      return [...faults, `${operation.nom} : statut ${statusCode} non déclaré : ${texte.slice(0, 300)}`];
    const type = String(headers['content-type']).split(';')[0]!;
    const media = declared.content?.[type];
    if (!media) return [...faults, `${operation.nom} ${statusCode} : type ${type} non déclaré`];
    if (type.endsWith('json')) faults.push(...this.#json(media.schema ?? {}, texte, statusCode, headers));
    else if (type === 'text/csv' && !/^\ufeff?"?id"?[,;\n]|^\ufeff?"?[a-z_]+"?[,;]/.test(texte))
      faults.push('CSV sans en-tête');
    else if (type.includes('spreadsheetml') && body.subarray(0, 2).toString() !== 'PK')
      faults.push('XLSX qui n’en est pas un');
    return faults;
  }

  #json(schema: Schema, texte: string, status: number, headers: Reponse['headers']): string[] {
    let value: unknown;
    try {
      value = JSON.parse(texte);
    } catch {
      return [`pas du JSON : ${texte.slice(0, 200)}`];
    }
    const faults = this.#validateur.fautes(schema, value).map((fault) => `${status} ${fault}`);
    if (status === 401 && headers['www-authenticate'] === undefined && !('error' in (value as object))) {
      faults.push('401 sans WWW-Authenticate');
    }
    if (status === 429 && headers['retry-after'] === undefined) faults.push('429 sans Retry-After');
    if (status === 201 && !String(headers['location']).startsWith('/')) faults.push('201 sans Location');
    return faults;
  }

  /** Addresses and methods that are none of ours. */
  #ailleurs({ statusCode, headers, body }: Reponse): string[] {
    // The answer of CORS to whoever asks for permission, and the document itself, are in no operation.
    if (statusCode === 204 || statusCode === 200) return [];
    // A body is looked at before it is known that nobody wants it.
    if (![400, 404, 405, 413, 414, 415].includes(statusCode))
      return [`adresse inconnue : ${statusCode} ${body}`];
    const faults: string[] = [];
    if (headers['content-type'] !== PROBLEME)
      faults.push(`pas un problème : ${String(headers['content-type'])}`);
    if (statusCode === 405 && !/^[A-Z]+(, [A-Z]+)*$/.test(String(headers['allow'])))
      faults.push('405 sans Allow');
    faults.push(
      ...this.#json({ $ref: '#/components/schemas/Probleme' }, body.toString(), statusCode, headers),
    );
    return faults;
  }

  /** The operation that an address belongs to; one without `{…}` goes before one with. */
  operationDe(methode: string, url: string): OperationLue | undefined {
    const path = new URL(url, 'http://localhost').pathname.replace(/(?<=.)\/$/, '');
    const fitting = this.#operations.filter(
      (operation) => operation.methode === methode && motif(operation.chemin).test(path),
    );
    return fitting.sort((a, b) => a.chemin.split('{').length - b.chemin.split('{').length)[0];
  }
}

function motif(chemin: string): RegExp {
  return new RegExp(`^${chemin.replace(/(?<=.)\/$/, '').replaceAll(/\{\w+\}/g, '[^/]*')}$`);
}
