import type { FastifyInstance } from 'fastify';
import { lireSessionAExpliquer, MAX_PERIODES } from '../../postgres/lecture/explication.ts';
import { lire } from '../acces.ts';
import type { ApiDeps } from '../deps.ts';
import { envoyerJson } from '../etag.ts';
import { expliquer } from '../explication.ts';
import { introuvable, Probleme } from '../problemes.ts';
import { RESSOURCE_SESSIONS } from '../ressources/sessions.ts';
import { erreurs, json, parametresId } from '../schemas/commun.ts';
import { explicationDeSession } from '../schemas/explication.ts';

/** `GET /sessions/{id}/explication`: the intervals that a session's figures are made of. */
export function routesExplication(app: FastifyInstance, deps: ApiDeps): void {
  app.get(
    '/sessions/:id/explication',
    {
      config: { acces: lire('sessions') },
      schema: {
        tags: ['sessions'],
        operationId: 'expliquer_session',
        summary: 'De quoi sont faits les chiffres d’une session : intervalles, périodes, formules, fichiers',
        description:
          'Les intervalles sont ceux du moteur qui a calculé la session. De chaque attente et de chaque arrêt : ce qui en compte, et pourquoi pas le reste. Une session saisie à la main n’a rien de calculé : ses listes sont vides.',
        params: parametresId,
        response: {
          200: json('L’explication', explicationDeSession),
          ...erreurs(304, 400, 401, 403, 404, 422, 503),
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params as { id: number };
      const session = await lireSessionAExpliquer(deps.pool, id);
      if (!session) throw introuvable(RESSOURCE_SESSIONS.libelle);
      if (Math.max(session.arrets.length, session.attentes.length) > MAX_PERIODES) {
        throw new Probleme(
          422,
          `Cette session a plus de ${MAX_PERIODES} périodes : trop pour une réponse. Lisez /periodes-attente/ et /periodes-arret/ avec session_id=${id}.`,
        );
      }
      return envoyerJson(request, reply, JSON.stringify(expliquer(session, deps.time.zone)));
    },
  );
}
