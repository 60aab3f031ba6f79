import type { FastifyInstance } from 'fastify';
import type { ApiDeps } from '../deps.ts';
import { routesDEcriture } from '../ecritures.ts';
import { routeDElement } from '../elements.ts';
import { routeDeListe } from '../listes.ts';
import { RESSOURCE_COMMANDES } from '../ressources/commandes.ts';
import { SAISIE_COMMANDES } from '../saisies/commandes.ts';
import { parametresNumero, parametresStatus } from '../schemas/commandes.ts';

export function routesCommandesVolets(app: FastifyInstance, deps: ApiDeps): void {
  routeDeListe(app, deps, RESSOURCE_COMMANDES);
  routeDeListe(app, deps, RESSOURCE_COMMANDES, {
    chemin: '/commandes-volets/by-numero/:numero',
    operationId: 'lister_commandes_par_numero',
    summary: 'Lister : les commandes d’un numéro, une par extension',
    params: parametresNumero,
    filtres: { numero: 'numero_commande' },
  });
  routeDeListe(app, deps, RESSOURCE_COMMANDES, {
    chemin: '/commandes-volets/by-status/:status',
    operationId: 'lister_commandes_par_statut',
    summary: 'Lister : les commandes d’un statut',
    params: parametresStatus,
    filtres: { status: 'status' },
  });
  routeDElement(app, deps, RESSOURCE_COMMANDES);
  routesDEcriture(app, deps, SAISIE_COMMANDES);
}
