import type { FastifyInstance } from 'fastify';
import type { ApiDeps } from '../deps.ts';
import { routesDEcriture } from '../ecritures.ts';
import { routeDElement } from '../elements.ts';
import { routeDeListe } from '../listes.ts';
import { RESSOURCE_JOB_PROFILS } from '../ressources/job-profils.ts';
import { SAISIE_JOB_PROFILS } from '../saisies/details.ts';

export function routesJobProfils(app: FastifyInstance, deps: ApiDeps): void {
  routeDeListe(app, deps, RESSOURCE_JOB_PROFILS);
  routeDElement(app, deps, RESSOURCE_JOB_PROFILS);
  routesDEcriture(app, deps, SAISIE_JOB_PROFILS);
}
