import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { Pret } from '../../postgres/pret.ts';
import { ETATS_REPLICA, type EtatReplica } from '../../postgres/replica.ts';
import type { ApiDeps } from '../deps.ts';
import { Probleme } from '../problemes.ts';
import { erreurs, json } from '../schemas/commun.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** whether requests should be sent here; whoever stops the server tells it first */
    pret: Pret;
  }
}

const pretSante = z
  .object({
    status: z.literal('ok'),
    replica: z
      .object({
        etat: z.enum(ETATS_REPLICA).meta({
          description:
            '`lu` : listes et exports y sont lus ; sinon ils le sont sur la base principale, parce que le réplica est `en_retard`, `absent`, `promu` (il ne suit plus) ou celui d’une autre base (`autre_base`)',
        }),
        retard_secondes: z.number().meta({ description: 'Âge de ce qu’il montre' }),
      })
      .optional()
      .meta({ description: 'Absent sans DATABASE_READ_URL' }),
  })
  .meta({ id: 'SantePrete' });
const sante = z.object({ status: z.literal('ok') }).meta({ id: 'Sante' });
const PUBLIC = { acces: { acces: 'public' } } as const;
const OK = { status: 'ok' } as const;

/** Whether the API works, in three depths; none says anything else to anyone. */
export function routesSante(app: FastifyInstance, deps: ApiDeps): void {
  app.get(
    '/health',
    {
      config: PUBLIC,
      schema: {
        tags: ['santé'],
        operationId: 'lire_sante',
        summary: 'L’API répond-elle, et sa base ?',
        security: [],
        response: { 200: json('Tout va', sante), ...erreurs(503) },
      },
    },
    async (_request, reply) => {
      await deps.accesPool.query('SELECT 1');
      return reply.header('cache-control', 'no-store').send(OK);
    },
  );

  app.get(
    '/health/live',
    {
      config: PUBLIC,
      schema: {
        tags: ['santé'],
        operationId: 'lire_sante_live',
        summary: 'Le processus vit-il ?',
        description:
          'Ne regarde rien d’autre que lui-même : sans réponse, il faut le relancer ; une base absente n’y change rien.',
        security: [],
        response: { 200: json('Il vit', sante) },
      },
    },
    async (_request, reply) => reply.header('cache-control', 'no-store').send(OK),
  );

  const pret = new Pret(deps.accesPool);
  app.decorate('pret', pret);
  app.get(
    '/health/ready',
    {
      config: PUBLIC,
      schema: {
        tags: ['santé'],
        operationId: 'lire_sante_ready',
        summary: 'Faut-il lui envoyer des requêtes ?',
        description:
          'Non (503) tant que la base est absente ou que son schéma n’est pas celui du programme, et dès qu’un arrêt est demandé. Regardé au plus une fois par seconde. Un réplica absent n’y change rien : `replica` dit où listes et exports sont lus.',
        security: [],
        response: { 200: json('Prêt', pretSante), ...erreurs(503) },
      },
    },
    async (_request, reply) => {
      if (!(await pret.estPret())) {
        throw new Probleme(503, 'Pas prêt : réessayez dans quelques secondes.', {
          headers: { 'retry-after': '5' },
        });
      }
      return reply.header('cache-control', 'no-store').send({ status: 'ok' as const, ...etatReplica(deps) });
    },
  );
}

/** Where lists are read, when there is a choice; not how the servers are named. */
function etatReplica({ replica }: ApiDeps): { replica?: { etat: EtatReplica; retard_secondes: number } } {
  if (!replica) return {};
  return { replica: { etat: replica.etat, retard_secondes: Math.round(replica.retard * 1000) / 1000 } };
}
