import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import { lireSessionComplete } from '../../postgres/lecture/session-complete.ts';
import { lire } from '../acces.ts';
import type { ApiDeps } from '../deps.ts';
import { routesDEcriture } from '../ecritures.ts';
import { envoyerJson } from '../etag.ts';
import { routeDeListe } from '../listes.ts';
import { introuvable } from '../problemes.ts';
import { RESSOURCE_SESSIONS } from '../ressources/sessions.ts';
import { SAISIE_SESSIONS } from '../saisies/sessions.ts';
import { erreurs, json, parametresId } from '../schemas/commun.ts';
import { parametresSession, sessionComplete } from '../schemas/sessions.ts';

export function routesSessions(app: FastifyInstance, deps: ApiDeps): void {
  routeDeListe(app, deps, RESSOURCE_SESSIONS);
  routeDeSession(app, deps);
  routesDEcriture(app, deps, SAISIE_SESSIONS);
}

/** `GET /sessions/{id}`, with its details when they are asked for: one statement, whatever is included. */
function routeDeSession(app: FastifyInstance, deps: ApiDeps): void {
  const { nom, libelle } = RESSOURCE_SESSIONS;
  app.get(
    `/${nom}/:id`,
    {
      config: { acces: lire(nom) },
      schema: {
        tags: [nom],
        operationId: 'lire_session_production',
        summary: `Lire : ${libelle}`,
        description:
          '`inclure` joint ses profilés, attentes, arrêts et pièces, tels que leurs listes les donnent, dans l’ordre de leur numéro. L’ETag est celui de ce qui est rendu ; `If-Match` d’une écriture attend celui de la session sans rien d’inclus.',
        params: parametresId,
        querystring: parametresSession,
        response: { 200: json(libelle, sessionComplete), ...erreurs(304, 400, 401, 403, 404, 422, 503) },
      },
    },
    async (request, reply) => {
      const { id } = request.params as z.infer<typeof parametresId>;
      const { inclure = [] } = request.query as z.infer<typeof parametresSession>;
      // From the main database: whoever just wrote a row reads it back.
      const corps = await lireSessionComplete(deps.pool, id, inclure);
      if (corps === undefined) throw introuvable(libelle);
      return envoyerJson(request, reply, corps);
    },
  );
}
