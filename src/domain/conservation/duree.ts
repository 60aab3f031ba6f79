/** How long something is kept: so many calendar months, or days. */
export interface Duree {
  readonly nombre: number;
  readonly unite: 'mois' | 'j';
}

/** A retention period; `undefined`: kept for ever. */
export type Conservation = Duree | undefined;

/** `24 mois`, `90 j`, `jamais`. */
export function ecrireDuree(duree: Conservation): string {
  return duree ? `${duree.nombre} ${duree.unite}` : 'jamais';
}
