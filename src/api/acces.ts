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

/** Whether an actor may call a route. */
export function autorise(acteur: Acteur, acces: Acces): boolean {
  if (acces.acces === 'public') return true;
  if (!aLeRole(acteur.role, acces.role)) return false;
  if (!acteur.cle) return true;
  if (acces.acces === 'compte') return false;
  const { ressource, action } = acces;
  return acteur.cle.portees.some((portee) => portee === `${ressource}:${action}` || portee === `*:${action}`);
}

/** Reading a resource, or writing it. */
export function lire(ressource: Ressource): Acces {
  return { acces: 'donnees', role: 'lecteur', ressource, action: 'lire' };
}
export function ecrire(ressource: Ressource): Acces {
  return { acces: 'donnees', role: 'gestionnaire', ressource, action: 'ecrire' };
}
