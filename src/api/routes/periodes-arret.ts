import type { FastifyInstance } from 'fastify';
import type { ApiDeps } from '../deps.ts';
import { routesDEcriture } from '../ecritures.ts';
import { routeDElement } from '../elements.ts';
import { routeDeListe } from '../listes.ts';
import { RESSOURCE_PERIODES_ARRET } from '../ressources/periodes.ts';
import { SAISIE_PERIODES_ARRET } from '../saisies/details.ts';

export function routesPeriodesArret(app: FastifyInstance, deps: ApiDeps): void {
  routeDeListe(app, deps, RESSOURCE_PERIODES_ARRET);
  routeDElement(app, deps, RESSOURCE_PERIODES_ARRET);
  routesDEcriture(app, deps, SAISIE_PERIODES_ARRET);
}
