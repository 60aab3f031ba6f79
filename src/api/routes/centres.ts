import type { FastifyInstance } from 'fastify';
import type { ApiDeps } from '../deps.ts';
import { routesDEcriture } from '../ecritures.ts';
import { routeDElement } from '../elements.ts';
import { routeDeListe } from '../listes.ts';
import { RESSOURCE_CENTRES } from '../ressources/centres.ts';
import { SAISIE_CENTRES } from '../saisies/centres.ts';

export function routesCentres(app: FastifyInstance, deps: ApiDeps): void {
  routeDeListe(app, deps, RESSOURCE_CENTRES);
  routeDElement(app, deps, RESSOURCE_CENTRES);
  routesDEcriture(app, deps, SAISIE_CENTRES);
}
