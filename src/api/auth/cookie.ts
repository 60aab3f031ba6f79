import type { FastifyReply, FastifyRequest } from 'fastify';

/** The cookie of the dashboard; scripts of a page cannot read it, and it is sent to `/token` alone. */
const COOKIE = 'atelier_rafraichir';
/** Header that a page of another site cannot add without asking (CORS), beside `SameSite=Strict`. */
export const ENTETE_CSRF = 'x-requested-with';
export const VALEUR_CSRF = 'atelier';

const SECRET = /^[A-Za-z0-9_-]{43}$/;
const LOOPBACK = /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i;

/** A refresh token on its way to the browser. Times are ms since the epoch. */
export interface Cookie {
  readonly secret: string;
  /** end of the sign-in */
  readonly expire: number;
  readonly maintenant: number;
}

/** The refresh token that came with a request, undefined when none of its form did. */
export function secretRecu(request: FastifyRequest): string | undefined {
  const value = request.cookies[COOKIE];
  return value !== undefined && SECRET.test(value) ? value : undefined;
}

export function poserCookie(request: FastifyRequest, reply: FastifyReply, cookie: Cookie): void {
  const maxAge = Math.max(0, Math.floor((cookie.expire - cookie.maintenant) / 1000));
  reply.setCookie(COOKIE, cookie.secret, { ...attributes(request), maxAge });
}

export function effacerCookie(request: FastifyRequest, reply: FastifyReply): void {
  reply.setCookie(COOKIE, '', { ...attributes(request), maxAge: 0 });
}

function attributes(request: FastifyRequest): {
  path: string;
  httpOnly: true;
  sameSite: 'strict';
  secure: boolean;
} {
  // Over plain HTTP only this very machine is trusted with it: not every browser takes a `Secure` cookie from there.
  // From elsewhere over plain HTTP the browser drops it, and one signs in again when the access token ends.
  const secure = request.protocol === 'https' || !LOOPBACK.test(request.hostname);
  return { path: '/token', httpOnly: true, sameSite: 'strict', secure };
}
