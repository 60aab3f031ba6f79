import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { noter } from '../../postgres/audit.ts';
import { compterRejets, lireRejet } from '../../postgres/lecture/rejets.ts';
import { lire } from '../acces.ts';
import { ligneAudit } from '../auth/trace.ts';
import type { ApiDeps } from '../deps.ts';
import { envoyerJson } from '../etag.ts';
import { enLecture } from '../lectures.ts';
import { routeDeListe } from '../listes.ts';
import { introuvable } from '../problemes.ts';
import { RESSOURCE_REJETS } from '../ressources/fichiers.ts';
import { erreurs, json } from '../schemas/commun.ts';
import { rejetsParRaison } from '../schemas/fichiers.ts';
import { FILTRES } from '../schemas/listes.ts';

/** Version and line: digits that fit the columns. */
const ID = /^(\d{1,10})-(\d{1,16})$/;

/** The quarantine; like `atelier rejets`, only of versions that count. */
export function routesRejets(app: FastifyInstance, deps: ApiDeps): void {
  const { libelle, lu } = RESSOURCE_REJETS;
  routeDeListe(app, deps, RESSOURCE_REJETS);
  app.get(
    '/rejets/par-raison',
    {
      config: { acces: lire('rejets') },
      schema: {
        tags: ['rejets'],
        operationId: 'compter_rejets_par_raison',
        summary: 'Compter la quarantaine par centre et par raison',
        querystring: z.strictObject({
          centre_usinage_id: FILTRES.centre_usinage_id.optional(),
          type_cu: FILTRES.type_cu.optional(),
        }),
        response: {
          200: json('Par centre, la raison la plus fréquente d’abord', z.array(rejetsParRaison)),
          ...erreurs(304, 400, 401, 403, 422, 503),
        },
      },
    },
    async (request, reply) => {
      const { centre_usinage_id: centreId, type_cu: typeCu } = request.query as {
        centre_usinage_id?: number;
        type_cu?: string;
      };
      return envoyerJson(
        request,
        reply,
        await enLecture(deps, request, (pool) => compterRejets(pool, { centreId, typeCu })),
      );
    },
  );
  app.get(
    '/rejets/:id',
    {
      config: { acces: lire('rejets') },
      schema: {
        tags: ['rejets'],
        operationId: 'lire_ligne_rejetee',
        summary: `Lire : ${libelle}`,
        params: z.strictObject({
          id: z
            .string()
            .regex(ID, 'Un rejet se nomme par sa version et sa ligne : 12-345.')
            .meta({ description: 'Version et ligne', examples: ['12-345'] }),
        }),
        response: {
          200: json(libelle, lu),
          ...erreurs(304, 400, 401, 403, 404, 422, 503),
        },
      },
    },
    async (request, reply) => {
      const [, version = '', ligne = ''] = ID.exec((request.params as { id: string }).id) ?? [];
      const corps = await lireRejet(deps.pool, version, ligne);
      if (corps === undefined) throw introuvable(libelle);
      await noter(deps.pool, ligneAudit(request, 'lignes_lues', { cible: `rejets/${version}-${ligne}` }));
      return envoyerJson(request, reply, corps);
    },
  );
}
