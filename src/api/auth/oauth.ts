import type { FastifyReply } from 'fastify';
import { AutreCodage } from '../corps.ts';
import { enProbleme } from '../problemes.ts';
import type { ERREURS_OAUTH } from '../schemas/token.ts';

/** An error of the routes below `/token`, in the words of RFC 6749 (5.2). */
export class ErreurOAuth extends Error {
  readonly status: number;
  readonly error: (typeof ERREURS_OAUTH)[number];
  readonly headers: Readonly<Record<string, string>>;

  /** @param description French; loses its accents on the way, as the RFC allows printable ASCII only */
  constructor(
    status: number,
    error: (typeof ERREURS_OAUTH)[number],
    description: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(description);
    this.name = 'ErreurOAuth';
    this.status = status;
    this.error = error;
    this.headers = headers;
  }
}

/** What every answer below `/token` says to caches (RFC 6749, 5.1). */
export const NO_STORE = { 'cache-control': 'no-store', pragma: 'no-cache' };

/** Broken requests, whatever broke them, are one error to OAuth clients. */
const BROKEN = [400, 415, 422];

/** What was thrown below `/token` as OAuth has it, or undefined when it is a matter of the whole server. */
export function enErreurOAuth(error: unknown): ErreurOAuth | undefined {
  if (error instanceof ErreurOAuth) return error;
  const { status, message, errors } = enProbleme(error);
  if (!BROKEN.includes(status)) return undefined;
  const faults = errors?.map(({ pointer, detail }) => `${pointer.replace(/^\/body\/?/, '')} : ${detail}`);
  const code = error instanceof AutreCodage ? status : 400;
  return new ErreurOAuth(code, 'invalid_request', faults?.join(' ') ?? message);
}

export function envoyerErreurOAuth(reply: FastifyReply, error: ErreurOAuth): FastifyReply {
  return reply
    .code(error.status)
    .headers({ ...NO_STORE, ...error.headers })
    .type('application/json; charset=utf-8')
    .send(JSON.stringify({ error: error.error, error_description: ascii(error.message) }));
}

/** The characters that `error_description` may have: printable ASCII without `"` and `\`. */
function ascii(text: string): string {
  return text
    .slice(0, 500)
    .replaceAll('’', "'")
    .normalize('NFD')
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[^\x20-\x21\x23-\x5b\x5d-\x7e]+/g, ' ')
    .replaceAll(/ +/g, ' ')
    .trim();
}
