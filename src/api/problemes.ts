/** Errors as clients see them: RFC 9457 `application/problem+json`, French, without internals. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { codeOf } from '../base/errors.ts';
import { attenteTropLongue, isServerAway } from '../postgres/pool.ts';

/** One invalid value of a request. */
export interface Faute {
  /** JSON pointer: `/body/role`, `/query/limit` */
  readonly pointer: string;
  readonly detail: string;
}

/** Titles of problems, by status. */
export const TITRES: Readonly<Record<number, string>> = {
  400: 'Requête mal formée',
  401: 'Authentification nécessaire',
  403: 'Action non permise',
  404: 'Introuvable',
  405: 'Méthode non permise',
  406: 'Format non disponible',
  408: 'Requête trop lente',
  409: 'Conflit',
  410: 'Effacé',
  412: 'Modifié entre-temps',
  413: 'Corps trop grand',
  414: 'Adresse trop longue',
  415: 'Type de contenu non pris en charge',
  417: 'Attente impossible',
  416: 'Plage impossible',
  421: 'Nom inconnu ici',
  422: 'Champ invalide',
  429: 'Trop d’essais',
  431: 'En-têtes trop longs',
  500: 'Erreur interne',
  503: 'Service momentanément indisponible',
};

/** Thrown anywhere in a handler, becomes the answer. */
export class Probleme extends Error {
  readonly status: number;
  readonly errors: readonly Faute[] | undefined;
  readonly headers: Readonly<Record<string, string>>;

  /** @param detail French sentence: what is wrong with this request, and what to do */
  constructor(
    status: number,
    detail: string,
    options: { errors?: readonly Faute[]; headers?: Readonly<Record<string, string>>; cause?: unknown } = {},
  ) {
    super(detail, { cause: options.cause });
    this.name = 'Probleme';
    this.status = status;
    this.errors = options.errors;
    this.headers = options.headers ?? {};
  }
}

/** The one answer to « there is no such row ». */
export function introuvable(quoi: string): Probleme {
  return new Probleme(404, `${quoi} : il n’y a rien sous cet identifiant.`);
}

/** Body of a problem; `instance` is the number of the request, the same as in the server's log. */
export function corpsDeProbleme(
  status: number,
  detail: string,
  id: string,
  errors?: readonly Faute[],
): string {
  return JSON.stringify({
    type: 'about:blank',
    title: TITRES[status] ?? 'Erreur',
    status,
    detail,
    instance: `urn:requete:${id}`,
    ...(errors ? { errors } : {}),
  });
}

export function envoyerProbleme(
  request: FastifyRequest,
  reply: FastifyReply,
  probleme: Probleme,
): FastifyReply {
  const { status, message, headers, errors } = probleme;
  return reply
    .code(status)
    .headers({ 'cache-control': 'no-store', ...headers })
    .type('application/problem+json; charset=utf-8')
    .send(corpsDeProbleme(status, message, request.id, errors));
}

/** What the framework throws, by its code. */
const FRAMEWORK: Readonly<Record<string, readonly [number, string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: [413, 'Le corps de la requête dépasse la taille permise.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    415,
    'Ce type de contenu n’est pas pris en charge ici ; envoyez du JSON (application/json), ou un formulaire pour /token.',
  ],
  FST_CP_ERR_INVALID_CONTENT_ENCODING: [
    415,
    'Cette compression du corps (Content-Encoding) n’est pas prise en charge ; envoyez-le sans, ou en gzip.',
  ],
  FST_CP_ERR_INVALID_CONTENT: [400, 'Le corps ne se décompresse pas (Content-Encoding).'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [400, 'La longueur annoncée n’est pas celle du corps.'],
  FST_ERR_CTP_INVALID_JSON_BODY: [400, 'Le corps n’est pas du JSON valide.'],
  FST_ERR_BAD_URL: [
    400,
    'L’adresse est mal formée : un « % » n’y est suivi ni de deux chiffres hexadécimaux ni d’UTF-8 (é s’écrit %C3%A9).',
  ],
  FST_ERR_MAX_PARAM_LENGTH: [414, 'Un élément de l’adresse est trop long.'],
};

const OUT_OF_RANGE = [422, 'Une valeur est hors des limites de ce que la base peut garder.'] as const;
/** What the database refuses although the schemas let it pass: conflicts with rows that are there. */
const DATABASE: Readonly<Record<string, readonly [number, string]>> = {
  23505: [409, 'Une ligne avec ces valeurs existe déjà.'],
  23503: [409, 'Cette ligne est liée à d’autres : elles manquent, ou dépendent d’elle.'],
  23514: [422, 'Une valeur ne respecte pas les règles de la table.'],
};

/** Turns whatever was thrown into a problem; what nobody foresaw is a 500 that says nothing of its inside. */
export function enProbleme(error: unknown): Probleme {
  if (error instanceof Probleme) return error;
  // The client went away in the middle of its body: the code is one that a lost database has, too.
  if (codeOf(error) === 'ECONNRESET' && statusOf(error) === 400) {
    return new Probleme(400, 'La requête a été interrompue avant sa fin.', { cause: error });
  }
  if (codeOf(error) === '25006') {
    return new Probleme(
      503,
      'La base principale n’accepte pas d’écriture pour l’instant (bascule en cours ?) ; réessayez dans quelques secondes.',
      { headers: { 'retry-after': '5' }, cause: error },
    );
  }
  if (attenteTropLongue(error)) {
    return new Probleme(
      503,
      'La base de données a trop à faire pour l’instant ; réessayez dans quelques secondes.',
      { headers: { 'retry-after': '5' }, cause: error },
    );
  }
  if (isServerAway(error)) {
    return new Probleme(
      503,
      'La base de données ne répond pas pour l’instant ; réessayez dans quelques secondes.',
      {
        headers: { 'retry-after': '5' },
        cause: error,
      },
    );
  }
  const code = codeOf(error) ?? '';
  const known = FRAMEWORK[code];
  if (known) return new Probleme(known[0], known[1], { cause: error });
  // Two that wrote at the same time, and PostgreSQL gave up this one whole: nothing was changed, the same again may do.
  if (code === '40001' || code === '40P01') {
    return new Probleme(
      503,
      'Une autre écriture a eu lieu en même temps, rien n’a été changé ; recommencez.',
      {
        headers: { 'retry-after': '1' },
        cause: error,
      },
    );
  }
  if (code === '57014') {
    return new Probleme(
      503,
      'La requête a duré trop longtemps et a été arrêtée ; restreignez-la (dates, centre, limit).',
      {
        headers: { 'retry-after': '30' },
        cause: error,
      },
    );
  }
  const refused = DATABASE[code] ?? (/^22/.test(code) ? OUT_OF_RANGE : undefined);
  if (refused) return new Probleme(refused[0], refused[1], { cause: error });
  // A client that went away or sent a broken body: the framework gives these a status of their own.
  const status = statusOf(error);
  if (status !== undefined && status >= 400 && status < 500) {
    return new Probleme(status, TITRES[status] ?? 'Requête refusée', { cause: error });
  }
  return new Probleme(
    500,
    'Une erreur inattendue est survenue ; le journal du serveur la décrit sous ce numéro de requête.',
    {
      cause: error,
    },
  );
}

function statusOf(error: unknown): number | undefined {
  if (
    typeof error === 'object' &&
    error !== null &&
    'statusCode' in error &&
    typeof error.statusCode === 'number'
  ) {
    return error.statusCode;
  }
  return undefined;
}

const LIEUX: Readonly<Record<string, string>> = {
  body: 'body',
  querystring: 'query',
  params: 'path',
  headers: 'header',
};

/** How a field is called, by its place. */
const NOMS_DE_CHAMP: Readonly<Record<string, readonly [manque: string, inconnu: string]>> = {
  query: ['Paramètre obligatoire manquant', 'Paramètre inconnu'],
  path: ['Élément de l’adresse manquant', 'Élément inconnu'],
  header: ['En-tête obligatoire manquant', 'En-tête inconnu'],
};
const CHAMP = ['Champ obligatoire manquant', 'Champ inconnu'] as const;

/**
 * Invalid input: every fault at once, by its place.
 *
 * @param lieu part of the request, as the framework calls it
 * @param data what was looked at
 */
export function fautesDe(error: z.core.$ZodError, lieu: string, data: unknown): Probleme {
  const errors = error.issues.flatMap((issue) => fautes(issue, LIEUX[lieu] ?? lieu, data));
  const names = [...new Set(errors.map(({ pointer }) => pointer.split('/').slice(2).join('.')))];
  const detail = errors.length === 1 ? errors[0]!.detail : `${errors.length} champs sont invalides`;
  if (errors.length > 1) return new Probleme(422, `${detail} : ${enumerer(names)}.`, { errors });
  return new Probleme(422, avecNom(names[0] ?? '', detail), { errors });
}

/** A sentence about a field, with its name before it unless it has it. */
export function avecNom(champ: string, detail: string): string {
  const shown = printable(champ);
  return champ === '' || detail.includes(shown) ? detail : `${shown} : ${detail}`;
}

function enumerer(names: readonly string[]): string {
  const shown = names
    .filter((name) => name !== '')
    .slice(0, 10)
    .map(printable);
  return shown.join(', ') + (names.length > 10 ? '…' : '');
}

function fautes(issue: z.core.$ZodIssue, lieu: string, data: unknown): Faute[] {
  const base = `/${lieu}`;
  const [manque, inconnu] = NOMS_DE_CHAMP[lieu] ?? CHAMP;
  const at = (path: readonly PropertyKey[]): string =>
    base + path.map((part) => `/${pointerPart(part)}`).join('');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      pointer: at([...issue.path, key]),
      detail: `${inconnu} : ${printable(key)}.`,
    }));
  }
  const name = issue.path.at(-1);
  if (name !== undefined && issue.code !== 'custom' && absent(data, issue.path)) {
    return [{ pointer: at(issue.path), detail: `${manque} : ${printable(String(name))}.` }];
  }
  return [{ pointer: at(issue.path), detail: issue.message }];
}

/** Whether there is nothing at a place. */
function absent(data: unknown, path: readonly PropertyKey[]): boolean {
  let inside = data;
  for (const part of path) {
    if (typeof inside !== 'object' || inside === null) return false;
    inside = Object.hasOwn(inside, part) ? (inside as Record<PropertyKey, unknown>)[part] : undefined;
  }
  return inside === undefined;
}

function pointerPart(part: PropertyKey): string {
  return String(part).replaceAll('~', '~0').replaceAll('/', '~1');
}

function printable(text: string): string {
  const short = text.length > 80 ? `${text.slice(0, 80)}…` : text;
  return short.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, '�');
}
