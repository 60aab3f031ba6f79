import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { ApiDeps } from '../deps.ts';
import { erreurs, json } from '../schemas/commun.ts';

const sante = z.object({ status: z.literal('ok') }).meta({ id: 'Sante' });

/** `GET /health`: whether the API answers and reaches its database. Says nothing else to anyone. */
export function routesSante(app: FastifyInstance, deps: ApiDeps): void {
  app.get(
    '/health',
    {
      config: { acces: { acces: 'public' } },
      schema: {
        tags: ['santé'],
        operationId: 'lire_sante',
        summary: 'L’API répond-elle, et sa base ?',
        security: [],
        response: { 200: json('Tout va', sante), ...erreurs(503) },
      },
    },
    async (_request, reply) => {
      await deps.pool.query('SELECT 1');
      return reply.header('cache-control', 'no-store').send({ status: 'ok' as const });
    },
  );
}
