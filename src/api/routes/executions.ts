import type { FastifyInstance } from 'fastify';
import type { ApiDeps } from '../deps.ts';
import { routeDElement } from '../elements.ts';
import { routeDeListe } from '../listes.ts';
import { RESSOURCE_EXECUTIONS } from '../ressources/executions.ts';

export function routesExecutions(app: FastifyInstance, deps: ApiDeps): void {
  routeDeListe(app, deps, RESSOURCE_EXECUTIONS);
  routeDElement(app, deps, RESSOURCE_EXECUTIONS);
}
