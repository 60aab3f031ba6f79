/**
 * Answers that are the same for everyone: compressed once, kept, and shared by all who ask. Their routes have
 * `compress: false`: nobody makes us compress them again by asking in another way.
 */
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { correspond, etagDe } from './etag.ts';

const compresser = { br: promisify(brotliCompress), gzip: promisify(gzip) };
/** Dearer than for an answer that is made for one client: this is paid once in the life of the process. */
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } };
const GZIP = { level: 9 };
/** Below, a compressed answer is hardly shorter (bytes). */
const SEUIL = 1024;

type Codage = 'br' | 'gzip' | 'identity';

/** A text or file with its compressed forms. */
export interface Statique {
  readonly type: string;
  readonly etag: string;
  readonly formes: Readonly<Record<Codage, Buffer>>;
}

/** @param compressible false for what is compressed in itself (images) */
export async function preparerStatique(
  contenu: string | Buffer,
  type: string,
  compressible = true,
): Promise<Statique> {
  const identity = typeof contenu === 'string' ? Buffer.from(contenu) : contenu;
  const small = !compressible || identity.length < SEUIL;
  const [br, gz] = small
    ? [identity, identity]
    : await Promise.all([compresser.br(identity, BROTLI), compresser.gzip(identity, GZIP)]);
  return { type, etag: etagDe(identity), formes: { br, gzip: gz, identity } };
}

/**
 * Sets the headers of a kept answer.
 *
 * @returns what to send; undefined: 304, the client has it
 */
export function presenterStatique(
  request: FastifyRequest,
  reply: FastifyReply,
  statique: Statique,
): Buffer | undefined {
  const { formes, etag, type } = statique;
  const codage = choisirCodage(request.headers['accept-encoding']);
  const corps = formes[codage];
  reply.headers({
    etag,
    'cache-control': 'private, no-cache',
    vary: [reply.getHeader('vary'), 'Accept-Encoding'].flat().filter(Boolean).join(', '),
  });
  if (correspond(request.headers['if-none-match'], etag)) {
    reply.code(304).removeHeader('content-length');
    return undefined;
  }
  reply.type(type);
  if (corps !== formes.identity) reply.header('content-encoding', codage);
  reply.header('content-length', corps.length);
  return corps;
}

/** Sends a kept answer, or 304. */
export function envoyerStatique(
  request: FastifyRequest,
  reply: FastifyReply,
  statique: Statique,
): FastifyReply {
  return reply.send(presenterStatique(request, reply, statique));
}

/** The shortest form that a client takes (RFC 9110, 12.5.3). */
export function choisirCodage(accept: string | undefined): Codage {
  if (accept === undefined) return 'identity';
  const weights = new Map<string, number>();
  for (const part of accept.toLowerCase().split(',')) {
    const [name = '', ...params] = part.split(';').map((text) => text.trim());
    const q = params.find((param) => param.startsWith('q='));
    const weight = q === undefined ? 1 : Number(q.slice(2));
    weights.set(name, Number.isFinite(weight) ? weight : 0);
  }
  const taken = (name: string): boolean => (weights.get(name) ?? weights.get('*') ?? 0) > 0;
  if (taken('br')) return 'br';
  return taken('gzip') ? 'gzip' : 'identity';
}
