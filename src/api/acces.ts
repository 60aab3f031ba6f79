/** Who may do what (spec: REST API, « Who may do what »). */

import { ROLES, type Role } from '../base/roles.ts';

/** What an API key may be allowed on; also the noun that a route belongs to. */
export const RESSOURCES = [
  'centres',
  'sessions',
  'job-profils',
  'periodes-attente',
  'periodes-arret',
  'pieces-production',
  'commandes-volets',
  'stats',
  'fichiers',
  'rejets',
  'executions',
  'alertes',
  'evenements',
] as const;
export type Ressource = (typeof RESSOURCES)[number];

export type Action = 'lire' | 'ecrire';

/** What a route asks of whoever calls it; every route declares one. */
export type Acces =
  /** anyone */
  | { readonly acces: 'public' }
  /** a person with at least this role; keys have no access (accounts, keys) */
  | { readonly acces: 'compte'; readonly role: Role }
  /** a person with at least this role, or a key of such a person with the scope */
  | {
      readonly acces: 'donnees';
      readonly role: Role;
      readonly ressource: Ressource;
      readonly action: Action;
    };

/** Whoever made a request. */
export interface Acteur {
  readonly userId: string;
  readonly role: Role;
  /** the API key used, undefined for a person; scopes as `sessions:lire`, `centres:ecrire`, `*:lire`, `*:ecrire` */
  readonly cle: { readonly id: string; readonly portees: readonly string[] } | undefined;
  /** instant (seconds since the epoch) after which the credential is worth nothing */
  readonly expire: number;
}

/** Whether a role is at least another. */
export function aLeRole(role: Role, voulu: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(voulu);
}

/**
 * Whether an actor may call a route.
 *
 * @param inclus resources of which its answer brings rows along
 */
export function autorise(acteur: Acteur, acces: Acces, inclus: readonly Ressource[] = []): boolean {
  if (acces.acces === 'public') return true;
  if (!aLeRole(acteur.role, acces.role)) return false;
  if (!acteur.cle) return true;
  if (acces.acces === 'compte') return false;
  return porteesManquantes(acteur, acces, inclus).length === 0;
}

/** Scopes that a key lacks for a route and what its answer includes; of a person, none. */
export function porteesManquantes(
  { cle }: Acteur,
  { ressource, action }: Extract<Acces, { acces: 'donnees' }>,
  inclus: readonly Ressource[],
): string[] {
  if (!cle) return [];
  const has = (nom: Ressource, what: Action): boolean =>
    cle.portees.some((portee) => portee === `${nom}:${what}` || portee === `*:${what}`);
  return [
    ...(has(ressource, action) ? [] : [`${ressource}:${action}`]),
    // Whatever the route does, what it includes it only shows.
    ...inclus.filter((nom) => !has(nom, 'lire')).map((nom) => `${nom}:lire`),
  ];
}

/** Reading a resource, or writing it. */
export function lire(ressource: Ressource): Acces {
  return { acces: 'donnees', role: 'lecteur', ressource, action: 'lire' };
}
/** Reading what may name people as it was received: for an admin (spec: REST API; RGPD, data minimisation). */
export function lireBrut(ressource: Ressource): Acces {
  return { acces: 'donnees', role: 'admin', ressource, action: 'lire' };
}
export function ecrire(ressource: Ressource): Acces {
  return { acces: 'donnees', role: 'gestionnaire', ressource, action: 'ecrire' };
}
