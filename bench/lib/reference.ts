import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * A figure that may be compared between runs: a ratio of two things measured in turn in one run, or memory. Times are
 * not: they are the machine's and its neighbours'.
 */
export interface Ratio {
  readonly nom: string;
  readonly valeur: number;
  /** which direction is good */
  readonly mieux: 'petit' | 'grand';
}

/** Last saved ratios, by title of the run: it names the sizes, and only the same sizes compare. */
export type Reference = Readonly<Record<string, { readonly le: string; readonly ratios: readonly Ratio[] }>>;

/** A difference below this means nothing on a machine that is shared (README.md). */
export const SEUIL = 1.5;

/** One ratio beside the one that was saved. */
export interface Ecart {
  readonly nom: string;
  readonly avant: number | undefined;
  readonly maintenant: number;
  /** how many times as bad as before; below 1: better */
  readonly facteur: number | undefined;
  readonly pire: boolean;
}

/** Compares a run with what was saved of the same. What is new has no past, and is not worse. */
export function comparer(ratios: readonly Ratio[], avant: readonly Ratio[], seuil = SEUIL): Ecart[] {
  return ratios.map(({ nom, valeur, mieux }) => {
    const old = avant.find((one) => one.nom === nom)?.valeur;
    const facteur = old === undefined ? undefined : mieux === 'petit' ? valeur / old : old / valeur;
    return {
      nom,
      avant: old,
      maintenant: valeur,
      facteur,
      pire: facteur !== undefined && !(facteur <= seuil),
    };
  });
}

/** Ratios that were saved and that this run did not measure: a figure that is gone cannot be seen to be worse. */
export function disparus(ratios: readonly Ratio[], avant: readonly Ratio[]): string[] {
  return avant.map(({ nom }) => nom).filter((nom) => !ratios.some((ratio) => ratio.nom === nom));
}

const FILE = fileURLToPath(new URL('../reference.json', import.meta.url));

export function readReference(): Reference {
  return existsSync(FILE) ? (JSON.parse(readFileSync(FILE, 'utf8')) as Reference) : {};
}

/** Keeps the ratios of a run in place of those of the last one with the same title. */
export function saveReference(title: string, ratios: readonly Ratio[]): void {
  const kept = ratios.map((one) => ({ ...one, valeur: Number(one.valeur.toPrecision(4)) }));
  const all = { ...readReference(), [title]: { le: new Date().toISOString().slice(0, 16), ratios: kept } };
  const sorted = Object.fromEntries(Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(FILE, `${JSON.stringify(sorted, null, 2)}\n`);
}
