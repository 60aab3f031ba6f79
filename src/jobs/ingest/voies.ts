/**
 * Pieces of work that go on side by side, as far as their number and their weight allow. The first failure is kept, and
 * thrown to whoever starts the next one or waits for all.
 */
export class Voies {
  readonly #max: { readonly nombre: number; readonly poids: number };
  readonly #enCours = new Map<Promise<void>, number>();
  #echec: { readonly error: unknown } | undefined;

  constructor(max: { nombre: number; poids: number }) {
    this.#max = max;
  }

  /** Starts a piece of work as soon as there is room for it; one that is too heavy for any goes on alone. */
  async lancer(poids: number, travail: () => Promise<void>): Promise<void> {
    const { nombre, poids: most } = this.#max;
    while (this.#enCours.size > 0 && (this.#enCours.size >= nombre || this.#poids() + poids > most)) {
      await Promise.race(this.#enCours.keys());
    }
    this.#lancerEchec();
    const voie = travail()
      .catch((error: unknown) => {
        this.#echec ??= { error };
      })
      .finally(() => this.#enCours.delete(voie));
    this.#enCours.set(voie, poids);
  }

  /** Waits until nothing is under way. @throws the first failure since the last time */
  async attendre(): Promise<void> {
    await Promise.all(this.#enCours.keys());
    this.#lancerEchec();
  }

  #poids(): number {
    return this.#enCours.values().reduce((sum, own) => sum + own, 0);
  }

  #lancerEchec(): void {
    const echec = this.#echec;
    this.#echec = undefined;
    if (echec) throw echec.error;
  }
}
