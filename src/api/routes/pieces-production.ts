import type { FastifyInstance } from 'fastify';
import type { ApiDeps } from '../deps.ts';
import { routesDEcriture } from '../ecritures.ts';
import { routeDElement } from '../elements.ts';
import { routeDeListe } from '../listes.ts';
import { RESSOURCE_PIECES } from '../ressources/pieces.ts';
import { SAISIE_PIECES } from '../saisies/details.ts';

export function routesPiecesProduction(app: FastifyInstance, deps: ApiDeps): void {
  routeDeListe(app, deps, RESSOURCE_PIECES);
  routeDElement(app, deps, RESSOURCE_PIECES);
  routesDEcriture(app, deps, SAISIE_PIECES);
}
