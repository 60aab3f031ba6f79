import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { type FiltreDeStats, resumerCentre, resumerProduction } from '../../postgres/lecture/stats.ts';
import { lire } from '../acces.ts';
import type { ApiDeps } from '../deps.ts';
import { envoyerJson } from '../etag.ts';
import { enLecture } from '../lectures.ts';
import { introuvable } from '../problemes.ts';
import { NATURES } from '../ressource.ts';
import { RESSOURCE_CENTRES } from '../ressources/centres.ts';
import { erreurs, json, parametresId } from '../schemas/commun.ts';
import {
  productionDeCentre,
  productionParJour,
  questionDeResume,
  questionParCentre,
} from '../schemas/stats.ts';

const DESCRIPTION =
  'Les temps sont additionnés, puis divisés : le taux moyen n’est pas une moyenne de taux. Un jour qui a une session calculée des journaux et une session saisie compte deux fois (jours_avec_deux_origines le dit) : les chiffres sont ceux des lignes que /sessions/ donne avec les mêmes filtres ; `origine` choisit. ' +
  NATURES.agrege;

/** Figures per centre over a range of days. */
export function routesStats(app: FastifyInstance, deps: ApiDeps): void {
  app.get(
    '/stats/production-summary',
    {
      config: { acces: lire('stats') },
      schema: {
        tags: ['stats'],
        operationId: 'resumer_production',
        summary: 'Production de chaque centre, aussi de ceux qui n’ont rien produit',
        description: DESCRIPTION,
        querystring: questionDeResume,
        response: {
          200: json('Un objet par centre', z.array(productionDeCentre)),
          ...erreurs(304, 400, 401, 403, 422, 503),
        },
      },
    },
    async (request, reply) =>
      envoyerJson(
        request,
        reply,
        await enLecture(deps, request, (pool) => resumerProduction(pool, request.query as FiltreDeStats)),
      ),
  );
  app.get(
    '/stats/production-by-centre/:id',
    {
      config: { acces: lire('stats') },
      schema: {
        tags: ['stats'],
        operationId: 'resumer_centre',
        summary: 'Production d’un centre, et ses sessions par jour',
        description: DESCRIPTION,
        params: parametresId,
        querystring: questionParCentre,
        response: {
          200: json('Le centre', productionParJour),
          ...erreurs(304, 400, 401, 403, 404, 422, 503),
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params as { id: number };
      const corps = await enLecture(deps, request, (pool) =>
        resumerCentre(pool, id, request.query as FiltreDeStats),
      );
      if (corps === undefined) throw introuvable(RESSOURCE_CENTRES.libelle);
      return envoyerJson(request, reply, corps);
    },
  );
}
