import type { FastifyInstance } from 'fastify';
import type { ApiDeps } from '../deps.ts';
import { routesDEcriture } from '../ecritures.ts';
import { routeDElement } from '../elements.ts';
import { routeDeListe } from '../listes.ts';
import { RESSOURCE_PERIODES_ATTENTE } from '../ressources/periodes.ts';
import { SAISIE_PERIODES_ATTENTE } from '../saisies/details.ts';

export function routesPeriodesAttente(app: FastifyInstance, deps: ApiDeps): void {
  routeDeListe(app, deps, RESSOURCE_PERIODES_ATTENTE);
  routeDElement(app, deps, RESSOURCE_PERIODES_ATTENTE);
  routesDEcriture(app, deps, SAISIE_PERIODES_ATTENTE);
}
