/** Roles, each allowed what the ones before it are. */
export const ROLES = ['lecteur', 'gestionnaire', 'admin'] as const;
export type Role = (typeof ROLES)[number];
