import type { ApiDEssai, CompteDEssai } from './api.ts';

/** As good as `MOT_DE_PASSE`, and nobody's until a test gives it. */
export const OTHER_PASSWORD = 'Persienne-bleue-5010';

let n = 0;
/** A name that no other test of the file has. */
export const newName = (): string => `essai-${++n}`;

/** The body that makes an account with `OTHER_PASSWORD`. */
export const person = (username = newName()): { username: string; email: string; password: string } => ({
  ...{ username, email: `${username}@exemple.test`, password: OTHER_PASSWORD },
});

/** A `lecteur` that no other test has, signed in. */
export const someone = (api: ApiDEssai): Promise<CompteDEssai> => api.compte(newName(), 'lecteur');
