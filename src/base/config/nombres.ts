/** Gives a setting as it was written, trimmed, or its default. */
export type Texte = (name: string) => string;

/** A whole number within bounds; else a line in `problems`, and `min`. */
export function entier(name: string, text: Texte, problems: string[], min: number, max: number): number {
  const value = /^\d+$/.test(text(name)) ? Number(text(name)) : Number.NaN;
  return borne(name, value, 'un entier', text, problems, min, max);
}

/** The same for a number that may have decimals. */
export function nombre(name: string, text: Texte, problems: string[], min: number, max: number): number {
  return borne(name, Number(text(name)), 'un nombre', text, problems, min, max);
}

function borne(
  name: string,
  value: number,
  what: string,
  text: Texte,
  problems: string[],
  min: number,
  max: number,
): number {
  if (value >= min && value <= max) return value;
  problems.push(`${name} : attendu ${what} de ${min} à ${max}, reçu « ${text(name)} »`);
  return min;
}
