/** How far a backup, restoration or rebuild is. */
export interface Avance {
  readonly quoi: string;
  readonly fait: number;
  readonly total: number;
}
