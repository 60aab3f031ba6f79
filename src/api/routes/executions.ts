import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import { noter } from '../../postgres/audit.ts';
import { nomsConnus } from '../../postgres/centres.ts';
import { lireLigne } from '../../postgres/lecture/page.ts';
import { type Client, withClient } from '../../postgres/pool.ts';
import { demander } from '../../postgres/taches/demandes.ts';
import type { Acces } from '../acces.ts';
import { acteurDe } from '../auth/authentifier.ts';
import { ligneAudit } from '../auth/trace.ts';
import type { ApiDeps } from '../deps.ts';
import { champInvalide } from '../ecritures.ts';
import { routeDElement } from '../elements.ts';
import { routeDeListe } from '../listes.ts';
import { Probleme } from '../problemes.ts';
import { RESSOURCE_EXECUTIONS } from '../ressources/executions.ts';
import { erreurs, json } from '../schemas/commun.ts';
import { executionDemandee, executionLue, OPTIONS_PAR_TACHE } from '../schemas/executions.ts';
import { SANS_PARAMETRE } from '../schemas/saisie.ts';

const DEMANDER: Acces = { acces: 'donnees', role: 'admin', ressource: 'executions', action: 'ecrire' };

export function routesExecutions(app: FastifyInstance, deps: ApiDeps): void {
  routeDeListe(app, deps, RESSOURCE_EXECUTIONS);
  routeDElement(app, deps, RESSOURCE_EXECUTIONS);
  routeDemande(app, deps);
}

/** Asks for a run; a worker takes it from the queue. */
function routeDemande(app: FastifyInstance, deps: ApiDeps): void {
  app.post(
    '/executions/',
    {
      config: { acces: DEMANDER },
      schema: {
        tags: ['executions'],
        operationId: 'demander_execution',
        summary: 'Demander le passage d’une tâche',
        description:
          'La tâche est mise en file, un worker la prend ; `Location` dit où suivre son passage. Si elle y attend déjà, c’est le passage qui attend que l’on reçoit : répéter la requête n’ajoute rien. Les essais suivants d’un passage échoué se lisent par `GET /executions/?travail=…`.',
        querystring: SANS_PARAMETRE,
        body: executionDemandee,
        response: {
          202: json('Le passage, en attente', executionLue),
          ...erreurs(400, 401, 403, 409, 413, 415, 422, 503),
        },
      },
    },
    async (request, reply) => {
      const { tache, options = {} } = request.body as z.infer<typeof executionDemandee>;
      const allowed: readonly string[] = OPTIONS_PAR_TACHE[tache];
      for (const name of Object.keys(options)) {
        if (!allowed.includes(name)) {
          throw champInvalide(`options/${name}`, `La tâche ${tache} n’a pas cette option.`);
        }
      }
      const demande = { tache, options, demandeur: acteurDe(request).userId };
      const corps = await withClient(deps.pool, async (client) => {
        if (options.centre !== undefined) await exigerCentre(client, deps, options.centre);
        const recue = await demander(client, demande, deps.config.planification, async ({ execution }) => {
          const cible = `executions/${execution}`;
          await noter(
            client,
            ligneAudit(request, 'execution_demandee', { cible, details: { tache, options } }),
          );
        });
        if (!recue.memesOptions) {
          throw new Probleme(
            409,
            `La tâche ${tache} attend déjà avec d’autres options (passage ${recue.execution}) ; demandez de nouveau quand elle aura commencé.`,
          );
        }
        reply.header('location', `/executions/${recue.execution}`);
        return (await lireLigne(client, RESSOURCE_EXECUTIONS.table, recue.execution))!;
      });
      return reply
        .code(202)
        .header('cache-control', 'no-store')
        .type('application/json; charset=utf-8')
        .send(corps);
    },
  );
}

/** A misspelt one would fail attempt after attempt, minutes apart, and raise an alarm. */
async function exigerCentre(client: Client, { config }: ApiDeps, nom: string): Promise<void> {
  const known = await nomsConnus(client, config.centres);
  if (known.includes(nom)) return;
  throw champInvalide('options/centre', `Centre inconnu ; attendu l’un de ${known.join(', ')}.`);
}
