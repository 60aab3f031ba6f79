import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { lireEtatTaches } from '../../postgres/lecture/etat-taches.ts';
import { lire } from '../acces.ts';
import type { ApiDeps } from '../deps.ts';
import { envoyerJson } from '../etag.ts';
import { enLecture } from '../lectures.ts';
import { erreurs, json } from '../schemas/commun.ts';
import { tachePlanifiee } from '../schemas/planification.ts';
import { SANS_PARAMETRE } from '../schemas/saisie.ts';

/** When tasks run next, and how they last did. */
export function routesPlanification(app: FastifyInstance, deps: ApiDeps): void {
  app.get(
    '/planification/',
    {
      config: { acces: lire('executions') },
      schema: {
        tags: ['executions'],
        operationId: 'lire_planification',
        summary: 'Lire la planification des tâches',
        description: 'Toutes les tâches, planifiées ou non : prochaine échéance, file, dernier passage.',
        querystring: SANS_PARAMETRE,
        response: {
          200: json('Les tâches', z.array(tachePlanifiee)),
          ...erreurs(304, 400, 401, 403, 422, 503),
        },
      },
    },
    async (request, reply) => {
      const instant = (seconds: number | null): string | null =>
        seconds === null ? null : deps.time.format(seconds);
      const taches = (await enLecture(deps, request, (pool) => lireEtatTaches(pool))).map((t) => ({
        ...t,
        prochaine_echeance: instant(t.prochaine_echeance),
        derniere_echeance: instant(t.derniere_echeance),
        derniere_reussite: instant(t.derniere_reussite),
        dernier_passage: t.dernier_passage && {
          ...t.dernier_passage,
          debut: instant(t.dernier_passage.debut),
          fin: instant(t.dernier_passage.fin),
        },
      }));
      return envoyerJson(request, reply, JSON.stringify(taches));
    },
  );
}
