import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { porteJeton } from '../../base/jeton-metriques.ts';
import {
  assembler,
  mesurerProcessus,
  refusAuthentification,
  registre,
  suivreReserve,
} from '../../base/metrics.ts';
import { registreEtat } from '../../postgres/registre-etat.ts';
import { DEFI } from '../auth/authentifier.ts';
import type { ApiDeps } from '../deps.ts';
import { Probleme } from '../problemes.ts';
import { erreurs } from '../schemas/commun.ts';

/** `GET /metrics` for Prometheus: there only when METRICS_JETON is set, and for whoever has it (S30). */
export function routesMetriques(app: FastifyInstance, deps: ApiDeps): void {
  const jeton = deps.config.observation.metricsJeton;
  if (jeton !== undefined) mesurerProcessus();
  const forget = [...new Set([deps.pool, deps.accesPool, deps.readPool, deps.exportPool ?? deps.pool])].map(
    suivreReserve,
  );
  app.addHook('onClose', async () => {
    for (const each of forget) each();
  });
  const page = assembler(registre, registreEtat(deps.pool));
  app.get(
    '/metrics',
    {
      config: { acces: { acces: 'public' } },
      schema: {
        tags: ['santé'],
        operationId: 'lire_metriques',
        summary: 'Mesures pour Prometheus',
        description:
          '**Accès** : le jeton METRICS_JETON, en `Authorization: Bearer` ; ni compte ni clé d’API. Sans ce réglage l’adresse ne répond rien (404). docs/observabilite.md explique chaque mesure.',
        security: [{ metriques: [] }],
        response: {
          200: {
            description: 'Les mesures, au format texte de Prometheus',
            content: {
              'text/plain': {
                schema: z.string().meta({ examples: ['atelier_database_up 1\n'] }),
              },
            },
          },
          ...erreurs(401, 404),
        },
      },
    },
    async (request, reply) => {
      if (jeton === undefined) {
        throw new Probleme(404, 'Cette adresse n’existe pas ; /docs donne celles qui existent.');
      }
      if (!porteJeton(jeton, request.headers.authorization)) {
        refusAuthentification.inc({ reason: 'metriques' });
        throw new Probleme(401, 'Il faut le jeton METRICS_JETON : Authorization: Bearer …', {
          headers: DEFI,
        });
      }
      const text = await page.metrics();
      return reply.header('cache-control', 'no-store').type(page.contentType).send(text);
    },
  );
}
