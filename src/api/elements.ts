import type { FastifyInstance } from 'fastify';
import { lireLigne } from '../postgres/lecture/page.ts';
import { lire } from './acces.ts';
import type { ApiDeps } from './deps.ts';
import { envoyerJson } from './etag.ts';
import { introuvable } from './problemes.ts';
import type { Ressource } from './ressource.ts';
import { erreurs, json, parametresId } from './schemas/commun.ts';
import { SANS_PARAMETRE } from './schemas/saisie.ts';

/** `GET /noun/{id}`: one row, with its ETag. */
export function routeDElement(app: FastifyInstance, deps: ApiDeps, ressource: Ressource): void {
  const { nom, libelle, table, lu } = ressource;
  app.get(
    `/${nom}/:id`,
    {
      config: { acces: lire(nom) },
      schema: {
        tags: [nom],
        operationId: `lire_${table.nom}`,
        summary: `Lire : ${libelle}`,
        params: parametresId,
        querystring: SANS_PARAMETRE,
        response: { 200: json(libelle, lu), ...erreurs(304, 400, 401, 403, 404, 422, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params as { id: number };
      // From the main database: whoever just wrote a row reads it back.
      const corps = await lireLigne(deps.pool, table, id);
      if (corps === undefined) throw introuvable(libelle);
      return envoyerJson(request, reply, corps);
    },
  );
}
