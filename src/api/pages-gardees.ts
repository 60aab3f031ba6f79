import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';
import { Probleme } from './problemes.ts';
import { envoyerStatique, preparerStatique, presenterStatique, type Statique } from './statiques.ts';

/** What is compressed in itself. */
const DEJA_COMPRIME = /^(image\/(png|jpeg|gif)|font\/)/;
/** Where the plugin has its files. */
const FICHIERS = join(dirname(fileURLToPath(import.meta.resolve('@fastify/swagger-ui'))), 'static');

/**
 * Keeps what the pages of the documentation are made of: each is read and compressed when it is first asked for, and
 * then sent from memory. Only addresses that there are, so that nobody can fill it; any other is a 404.
 *
 * @param app where those routes, and no others, are registered next
 */
export async function garderPages(app: FastifyInstance, prefixe: string): Promise<void> {
  const pages = ['', '/', '/json', '/yaml', '/static/index.html', '/static/swagger-initializer.js'];
  const fichiers = (await readdir(FICHIERS)).map((name) => `/static/${name}`);
  const known = new Set([...pages, ...fichiers].map((page) => prefixe + page));
  const kept = new Map<string, Promise<Statique>>();

  app.addHook('onRequest', async (request, reply) => {
    const page = pageDe(request.url, known);
    if (page === undefined) throw new Probleme(404, 'Cette page n’existe pas ; /docs est la documentation.');
    const statique = await kept.get(page);
    if (statique) return envoyerStatique(request, reply, statique);
    // The whole of it is wanted, to be kept; what the client has already is looked at below.
    if (request.method === 'GET') for (const name of PARTIELS) delete request.headers[name];
    return undefined;
  });

  app.addHook('onSend', async (request, reply, payload) => {
    const page = pageDe(request.url, known);
    if (page === undefined || request.method !== 'GET' || reply.statusCode !== 200) return payload;
    if (reply.hasHeader('content-encoding')) return payload;
    const type = String(reply.getHeader('content-type'));
    let made = kept.get(page);
    if (made) {
      if (payload instanceof Readable) payload.destroy();
    } else {
      made = entier(payload).then((bytes) => preparerStatique(bytes, type, !DEJA_COMPRIME.test(type)));
      kept.set(page, made);
      // What could not be read this time may be the next.
      made.catch(() => kept.delete(page));
    }
    for (const name of ['accept-ranges', 'last-modified']) reply.removeHeader(name);
    return presenterStatique(request, reply, await made);
  });
}

const PARTIELS = ['range', 'if-range', 'if-modified-since'];

/** The address without what does not count, if there is such a page. */
function pageDe(url: string, known: ReadonlySet<string>): string | undefined {
  const path = url.split('?', 1)[0]!;
  if (known.has(path)) return path;
  const bare = path.replace(/\/$/, '');
  return known.has(bare) ? bare : undefined;
}

async function entier(payload: unknown): Promise<string | Buffer> {
  if (payload instanceof Readable) return await buffer(payload);
  return typeof payload === 'string' || Buffer.isBuffer(payload) ? payload : '';
}
