/** A change that no test can notice, or need not. */
export interface Explique {
  readonly fichier: string;
  /** the line, without blanks around it */
  readonly code: string;
  /** kind and what stands there instead, or how that begins */
  readonly mutation: string;
  readonly pourquoi: string;
}

/** Survivors that were looked at, one by one. Each line must still be in its file (test/unit/mutation.test.ts). */
export const EXPLIQUES: readonly Explique[] = [];
