/** Headers of requests and answers that routes have in common. */
import type { Entete, Operation, Parametre } from './types.ts';

/** Headers of answers. */
export const ENTETES: Readonly<Record<string, Entete>> = {
  'X-Request-Id': {
    description: 'Numéro de la requête, le même que dans le journal du serveur',
    schema: { type: 'string', format: 'uuid' },
  },
  ETag: {
    description: 'Empreinte de la réponse, pour If-None-Match (lecture) et If-Match (écriture)',
    schema: { type: 'string', examples: ['"sWWrBnDZZqYGqNJ8rJQQmRMqvW8"'] },
  },
  Location: {
    description: 'Adresse de ce qui vient d’être créé',
    schema: { type: 'string', format: 'uri-reference', examples: ['/centres/4'] },
  },
  Link: {
    description: 'Pages voisines (RFC 8288)',
    schema: { type: 'string', examples: ['</sessions/?skip=100&limit=100>; rel="next"'] },
  },
  'X-Total-Count': {
    description: 'Nombre de lignes de toutes les pages ; absent quand on suit un curseur, sauf total=exact',
    schema: { type: 'integer', minimum: 0, examples: [1408] },
  },
  'X-Total-Count-Kind': {
    description: 'exact ; ou estimate : une estimation, au-delà de 100 000 lignes',
    schema: { type: 'string', enum: ['exact', 'estimate'] },
  },
  'X-Next-Cursor': {
    description: 'Curseur de la suite (paramètre cursor) ; absent à la fin',
    schema: { type: 'string', examples: ['WyJpZCIsWyIxMDAiXV0'] },
  },
  'Content-Disposition': {
    description: 'Nom du fichier',
    schema: { type: 'string', examples: ['attachment; filename="sessions_2025-06-30.csv"'] },
  },
  'Content-Range': {
    description: 'La plage rendue, et la taille du tout',
    schema: { type: 'string', examples: ['bytes 0-1023/96411'] },
  },
  'Set-Cookie': {
    description: 'Cookie du tableau de bord (HttpOnly, SameSite=Strict, pour /token seulement)',
    schema: { type: 'string' },
  },
  'WWW-Authenticate': {
    description: 'Ce qui manque au jeton (RFC 6750)',
    schema: { type: 'string', examples: ['Bearer realm="atelier", error="invalid_token"'] },
  },
  'Retry-After': {
    description: 'Secondes à attendre avant de recommencer',
    schema: { type: 'integer', minimum: 1, examples: [5] },
  },
};

/** Headers that a request may have. */
export const PARAMETRES: Readonly<Record<string, Parametre>> = {
  IfMatch: {
    name: 'If-Match',
    in: 'header',
    description: 'ETag de la lecture : l’écriture est refusée (412) si la ligne a changé depuis',
    schema: { type: 'string', examples: ['"sWWrBnDZZqYGqNJ8rJQQmRMqvW8"'] },
  },
  IfNoneMatch: {
    name: 'If-None-Match',
    in: 'header',
    description: 'ETag d’une lecture d’avant : 304 si rien n’a changé',
    schema: { type: 'string', examples: ['"sWWrBnDZZqYGqNJ8rJQQmRMqvW8"'] },
  },
  Range: {
    name: 'Range',
    in: 'header',
    description: 'Une plage d’octets',
    schema: { type: 'string', examples: ['bytes=0-1023'] },
  },
  AcceptLanguage: {
    name: 'Accept-Language',
    in: 'header',
    description:
      'fr : CSV comme Excel en français le lit (« ; », virgule décimale, BOM, instants comme 02/06/2025 05:29:55, à l’heure de l’atelier et à la seconde) ; sinon virgules, points et ISO 8601',
    schema: { type: 'string', examples: ['fr-FR,fr;q=0.9'] },
  },
};

/** Names of those that an operation looks at. */
export function parametresCommuns({ parameters = [], responses }: Operation): string[] {
  const names: string[] = [];
  if ('412' in responses) names.push('IfMatch');
  if ('304' in responses) names.push('IfNoneMatch');
  if ('206' in responses) names.push('Range');
  if (parameters.some((p) => p.in === 'query' && p.name === 'format')) names.push('AcceptLanguage');
  return names;
}

/** Headers of an error, by status. */
export const PAR_STATUT: Readonly<Record<number, string>> = {
  401: 'WWW-Authenticate',
  403: 'WWW-Authenticate',
  412: 'ETag',
  416: 'Content-Range',
  429: 'Retry-After',
  503: 'Retry-After',
};

/** Names of the headers that an answer of an operation has, or may have. */
export function nomsDEntetes(status: number, operation: Operation): (string | undefined)[] {
  const { parameters = [], responses } = operation;
  const takes = (name: string): boolean => parameters.some((p) => p.in === 'query' && p.name === name);
  const names: (string | undefined)[] = ['X-Request-Id', PAR_STATUT[status]];
  if (status === 201) names.push('Location');
  // Accounts and keys are answered without one: they are not written back as they came.
  if (status === 201 && operation.security === undefined) names.push('ETag');
  // Reads that know « unchanged », and writes that answer the row.
  const row = '412' in responses || status === 304 || '304' in responses;
  if (row && (status === 200 || status === 304)) names.push('ETag');
  const page = takes('skip') && takes('limit');
  if (page && (status === 200 || status === 304)) names.push('Link', 'X-Total-Count', 'X-Total-Count-Kind');
  if (page && takes('cursor') && (status === 200 || status === 304)) names.push('X-Next-Cursor');
  if (status === 200 && takes('format')) names.push('Content-Disposition');
  if ('206' in responses && (status === 200 || status === 206)) names.push('Content-Disposition');
  if (status === 206) names.push('ETag', 'Content-Range');
  if (operation.tags?.includes('token') && (status === 200 || status === 204)) names.push('Set-Cookie');
  return names;
}
