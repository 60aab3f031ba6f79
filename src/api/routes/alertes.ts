import type { FastifyInstance } from 'fastify';
import { acquitter } from '../../postgres/alertes.ts';
import { noter } from '../../postgres/audit.ts';
import { lireLigne } from '../../postgres/lecture/page.ts';
import { transaction, withClient } from '../../postgres/pool.ts';
import { ecrire } from '../acces.ts';
import { ligneAudit } from '../auth/trace.ts';
import type { ApiDeps } from '../deps.ts';
import { routeDElement } from '../elements.ts';
import { etagDe } from '../etag.ts';
import { routeDeListe } from '../listes.ts';
import { introuvable, Probleme } from '../problemes.ts';
import { RESSOURCE_ALERTES } from '../ressources/alertes.ts';
import { erreurs, json, parametresId } from '../schemas/commun.ts';
import { SANS_PARAMETRE } from '../schemas/saisie.ts';

/** Alerts: to be read by everybody, to be taken on by a gestionnaire. Looking for them is the worker's. */
export function routesAlertes(app: FastifyInstance, deps: ApiDeps): void {
  const { libelle, lu, table } = RESSOURCE_ALERTES;
  routeDeListe(app, deps, RESSOURCE_ALERTES);
  routeDElement(app, deps, RESSOURCE_ALERTES);
  app.post(
    '/alertes/:id/acquittement',
    {
      config: { acces: ecrire('alertes') },
      schema: {
        tags: ['alertes'],
        operationId: 'acquitter_alerte',
        summary: 'Acquitter une alerte',
        description:
          'Dit que quelqu’un s’en occupe : elle n’est plus rappelée, et reste ouverte tant que cela ne va pas. Qui l’a acquittée le premier le reste. Sans corps.',
        params: parametresId,
        querystring: SANS_PARAMETRE,
        response: {
          200: json('L’alerte, comme une lecture la rend', lu),
          ...erreurs(400, 401, 403, 404, 409, 422, 503),
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params as { id: number };
      const corps = await withClient(deps.pool, (client) =>
        transaction(client, async () => {
          const par = request.acteur?.userId;
          const fait = await acquitter(client, id, { par, maintenant: deps.maintenant() / 1000 });
          if (fait === undefined) throw introuvable(libelle);
          if (fait === 'resolue') {
            throw new Probleme(409, 'Cette alerte est déjà résolue : il n’y a plus rien à acquitter.');
          }
          if (fait === 'acquittee') {
            await noter(client, ligneAudit(request, 'alerte_acquittee', { cible: `alertes/${id}` }));
          }
          return (await lireLigne(client, table, id))!;
        }),
      );
      return reply
        .headers({ etag: etagDe(corps), 'cache-control': 'no-store' })
        .type('application/json; charset=utf-8')
        .send(corps);
    },
  );
}
