import { Probleme } from '../problemes.ts';
import type { Essai } from './freinage.ts';
import { HachageSature } from './mot-de-passe.ts';

/** Runs work on passwords; too many people at once is « come back in a moment », not a failure of ours. */
export async function patienter<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof HachageSature)) throw error;
    throw new Probleme(503, 'Trop de personnes se connectent à la fois ; réessayez dans quelques secondes.', {
      headers: { 'retry-after': String(error.attendre) },
      cause: error,
    });
  }
}

/**
 * Checks a password in an attempt that has been counted: one that could not be looked at (server busy, database away)
 * is not held against anybody.
 */
export async function verifierEssai<T>(essai: Essai, work: () => Promise<T>): Promise<T> {
  try {
    return await patienter(work);
  } catch (error) {
    // The first error is the one to tell.
    await essai.annuler().catch(() => undefined);
    throw error;
  }
}
