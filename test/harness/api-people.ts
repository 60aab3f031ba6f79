import type { ApiDEssai, CompteDEssai } from './api.ts';
import { OTHER_PASSWORD } from './mots-de-passe.ts';

export { OTHER_PASSWORD };

let n = 0;
/** A name that no other test of the file has. */
export const newName = (): string => `essai-${++n}`;

/** The body that makes an account with `OTHER_PASSWORD`. */
export const person = (
  username = newName(),
  local = username,
): { username: string; email: string; password: string } => ({
  ...{ username, email: `${local}@exemple.test`, password: OTHER_PASSWORD },
});

/** A `lecteur` that no other test has, signed in. */
export const someone = (api: ApiDEssai): Promise<CompteDEssai> => api.compte(newName(), 'lecteur');
