import { expect } from 'vitest';
import { z } from 'zod';
import type { Role } from '../../src/base/roles.ts';
import type { ApiDEssai, CompteDEssai } from './api.ts';

export type Answer = Awaited<ReturnType<ApiDEssai['app']['inject']>>;
export type Json = Record<string, unknown>;
export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE' | 'PATCH';

export interface Ask {
  /** an account or the text of a token or key; nobody without */
  readonly as?: CompteDEssai | string | undefined;
  readonly payload?: unknown;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** Headers of whoever has stolen a token: nobody knows the password. */
export const TOKEN_ALONE = { 'x-password-actuel': '' } as const;

/** One request, whatever comes of it. */
export async function ask(
  { app }: ApiDEssai,
  method: Method,
  url: string,
  { as, payload, headers }: Ask = {},
): Promise<Answer> {
  const entete = typeof as === 'string' ? { authorization: `Bearer ${as}` } : as?.entete;
  return await app.inject({
    ...{ method, url, headers: { ...entete, ...headers } },
    ...(payload === undefined ? {} : { payload: payload as object }),
  });
}

/** A row as the API gives it. */
export interface Row extends Json {
  readonly id: number;
}

/** Requests of one account. */
export interface Requests {
  send(
    method: Method,
    url: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answer>;
  /** sends; asserts the status; gives the JSON body */
  get<T = Json>(url: string, status?: number): Promise<T>;
  post<T = Row>(url: string, body: unknown, status?: number): Promise<T>;
  put<T = Row>(url: string, body: unknown, status?: number): Promise<T>;
  del(url: string, status?: number): Promise<Json | undefined>;
}

export function requestsOf(api: ApiDEssai, role: Role = 'gestionnaire'): Requests {
  const as = api.comptes[role];
  const send: Requests['send'] = (method, url, payload, headers) =>
    ask(api, method, url, { as, payload, headers });
  const json = async (method: Method, url: string, body: unknown, status: number): Promise<unknown> => {
    const answer = await send(method, url, body);
    expect(answer.statusCode, `${method} ${url} ${JSON.stringify(body) ?? ''} : ${answer.body}`).toBe(status);
    if (status >= 400) return problemOf(answer, status);
    return answer.body === '' ? undefined : answer.json();
  };
  return {
    send,
    get: async <T>(url: string, status = 200) => (await json('GET', url, undefined, status)) as T,
    post: async <T>(url: string, body: unknown, status = 201) => (await json('POST', url, body, status)) as T,
    put: async <T>(url: string, body: unknown, status = 200) => (await json('PUT', url, body, status)) as T,
    del: async (url, status = 204) => (await json('DELETE', url, undefined, status)) as Json | undefined,
  };
}

const problem = z.strictObject({
  type: z.literal('about:blank'),
  title: z.string().min(1),
  status: z.int(),
  detail: z.string().min(1),
  instance: z.string().startsWith('urn:requete:'),
  errors: z
    .array(z.strictObject({ pointer: z.string().startsWith('/'), detail: z.string().min(1) }))
    .optional(),
});
export type Problem = z.infer<typeof problem>;

/** Asserts that an answer is an RFC 9457 problem of that status, and gives it. */
export function problemOf(answer: Answer, status: number): Problem {
  expect(answer.statusCode, answer.body).toBe(status);
  expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
  const body = problem.parse(answer.json());
  expect(body.status).toBe(status);
  return body;
}

/** The fields that a problem names. */
export function pointersOf(body: unknown): string[] {
  return (problem.parse(body).errors ?? []).map(({ pointer }) => pointer).sort();
}

/** Where `Link` (RFC 8288) says that a neighbouring page is. */
export function linkOf(answer: Answer, rel: string): string | undefined {
  const links = String(answer.headers.link ?? '').split(', ');
  return links.map((link) => /^<([^>]*)>; rel="(\w+)"$/.exec(link)).find((match) => match?.[2] === rel)?.[1];
}
