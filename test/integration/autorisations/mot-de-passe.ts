/**
 * Which routes ask for the password again (S4): what outlives or destroys a sign-in. By hand, every route that is not a
 * mere reading: a new one has to take a side here.
 */

/** The token is not enough. */
export const AVEC_MOT_DE_PASSE: readonly string[] = [
  'POST /users/',
  'PUT /users/me',
  'DELETE /users/me',
  // But for disabling somebody: in a hurry, and undone by whoever has the password.
  'PUT /users/{id}',
  'DELETE /users/{id}',
  'POST /cles/',
];

/** It is enough, and why. */
export const SANS_MOT_DE_PASSE: Readonly<Record<string, string>> = {
  'POST /token': 'it is the password itself',
  'POST /token/refresh': 'the cookie of a sign-in, which ends when that was to end; no token makes one',
  'POST /token/revoke': 'ends but the sign-in whose cookie comes along',
  'DELETE /cles/{id}': 'in a hurry: a key that has leaked; another is made with the password',
  ...rows('centres'),
  ...rows('sessions'),
  ...rows('job-profils'),
  ...rows('periodes-attente'),
  ...rows('periodes-arret'),
  ...rows('pieces-production'),
  ...rows('commandes-volets'),
  'POST /executions/': 'a run that comes by itself sooner or later',
  'POST /alertes/{id}/acquittement': 'says that somebody has seen it',
};

/** Readings hold no door open: the export of one's own data has nothing that the account's pages do not show. */
export const LECTURE = /^GET /;

function rows(nom: string): Record<string, string> {
  const why = 'rows of production: neither account nor key';
  return { [`POST /${nom}/`]: why, [`PUT /${nom}/{id}`]: why, [`DELETE /${nom}/{id}`]: why };
}
