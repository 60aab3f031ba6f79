import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Pool } from '../postgres/pool.ts';
import { LECTURE_SIMPLE, type LectureSuivie } from '../postgres/replica.ts';
import type { ApiDeps } from './deps.ts';

/** Methods that change nothing. */
const LIT = ['GET', 'HEAD', 'OPTIONS'];

/**
 * Reads what may be a moment old (lists, figures, exports) from the replica when there is one and it may answer, else
 * from the main database. Single rows are not read this way: their ETag is what the next `If-Match` is compared with.
 */
export async function enLecture<T>(
  deps: ApiDeps,
  request: FastifyRequest,
  work: (pool: Pool, lecture: LectureSuivie) => Promise<T>,
): Promise<T> {
  if (!deps.replica) return await work(deps.readPool, LECTURE_SIMPLE);
  return await deps.replica.lire(request.acteur?.userId, work);
}

/** Whoever wrote reads it back: before he has his answer, the replica is told that he did. */
export function retenirEcritures(app: FastifyInstance, { replica }: ApiDeps): void {
  if (!replica) return;
  app.addHook('onSend', async (request) => {
    if (request.acteur && !LIT.includes(request.method)) replica.ecriture(request.acteur.userId);
  });
}
