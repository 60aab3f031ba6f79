import { hash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Probleme } from './problemes.ts';

/** ETag of a representation: its content and nothing else, so that any process gives the same. */
export function etagDe(corps: string | Buffer): string {
  return `"${hash('sha1', corps, 'base64url')}"`;
}

/** Sends JSON, as text or as bytes, or 304 when the client has it already. Production data may be kept, but is asked for anew. */
export function envoyerJson(
  request: FastifyRequest,
  reply: FastifyReply,
  corps: string | Buffer,
): FastifyReply {
  // As bytes once: its tag, its length, and what is sent are made of the same.
  const octets = typeof corps === 'string' ? Buffer.from(corps) : corps;
  const etag = etagDe(octets);
  reply.headers({ etag, 'cache-control': 'private, no-cache' });
  if (correspond(request.headers['if-none-match'], etag)) return reply.code(304).send();
  return reply.type('application/json; charset=utf-8').send(octets);
}

/**
 * Honours `If-Match` on a write, when sent.
 *
 * @param actuel JSON of the row as a GET would answer it now
 * @throws Probleme 412
 */
export function exigerIfMatch(request: FastifyRequest, actuel: string): void {
  const sent = request.headers['if-match'];
  if (sent === undefined || sent.trim() === '*') return;
  const etag = etagDe(actuel);
  // A strong comparison: `W/"…"` never matches (RFC 9110, 13.1.1).
  if (sent.split(',').some((tag) => tag.trim() === etag)) return;
  throw new Probleme(
    412,
    'La ligne a changé depuis votre lecture (If-Match) : relisez-la, puis recommencez.',
    {
      headers: { etag },
    },
  );
}

/** Weak comparison, as If-None-Match wants (RFC 9110, 13.1.2): a proxy that compresses weakens tags. */
export function correspond(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  if (header.trim() === '*') return true;
  return header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
}
