import type { EtatCompte } from '../../postgres/comptes/users.ts';

/** Reads the state of several accounts at once; those that are not there are missing in the answer. */
export type LireEtats = (ids: readonly string[]) => Promise<ReadonlyMap<string, EtatCompte>>;

interface Attente {
  readonly id: string;
  readonly donner: (etat: EtatCompte | undefined) => void;
  readonly refuser: (error: unknown) => void;
}

/**
 * The state of the account behind each request, asked for anew each time and never remembered, but by as few
 * statements as possible: whoever comes while one runs waits for the next, which is sent for all who wait. So a
 * state is always read after the request came, as if each asked for itself, and what was revoked before it is seen.
 */
export class EtatsDesComptes {
  readonly #lire: LireEtats;
  #attente: Attente[] = [];
  #enCours = false;

  constructor(lire: LireEtats) {
    this.#lire = lire;
  }

  /** @returns undefined when there is no such account */
  demander(id: string): Promise<EtatCompte | undefined> {
    return new Promise((donner, refuser) => {
      this.#attente.push({ id, donner, refuser });
      if (!this.#enCours) void this.#vider();
    });
  }

  async #vider(): Promise<void> {
    this.#enCours = true;
    while (this.#attente.length > 0) {
      const lot = this.#attente;
      this.#attente = [];
      try {
        const etats = await this.#lire([...new Set(lot.map(({ id }) => id))]);
        for (const { id, donner } of lot) donner(etats.get(id));
      } catch (error) {
        for (const { refuser } of lot) refuser(error);
      }
    }
    this.#enCours = false;
  }
}
