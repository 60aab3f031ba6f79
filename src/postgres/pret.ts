import { readMigrations, requireSchema } from './migrate.ts';
import type { Pool } from './pool.ts';

/** How long an answer is good for (ms): whoever asks all the time costs one query a second. */
const FRAICHEUR = 1_000;
/** How long the database may take before it counts as away (ms). */
const DELAI = 2_000;

/**
 * Whether work should be sent here (O1): the database answers with a schema that has all that this program needs (or
 * more, while the next version takes over: O3), and nobody asked us to stop. Looked at anew every second, so it comes
 * back by itself.
 */
export class Pret {
  readonly #pool: Pool;
  readonly #migrations = readMigrations();
  #stopping = false;
  #last: Promise<boolean> | undefined;
  #until = Number.NEGATIVE_INFINITY;
  #running = false;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** From now on the answer is no. */
  arreter(): void {
    this.#stopping = true;
  }

  async estPret(): Promise<boolean> {
    return !this.#stopping && (await this.#look()) && !this.#stopping;
  }

  #look(): Promise<boolean> {
    const now = performance.now();
    if (this.#last && now < this.#until) return this.#last;
    this.#until = now + FRAICHEUR;
    // A question that hangs is not asked a second time: it would hold one more connection of the pool.
    this.#last = this.#running ? Promise.resolve(false) : this.#ask();
    return this.#last;
  }

  #ask(): Promise<boolean> {
    this.#running = true;
    const asked = requireSchema(this.#pool, this.#migrations, { plusRecent: true })
      .then(() => this.#pool.query<{ suit: boolean }>('SELECT pg_is_in_recovery() AS suit'))
      .then(
        // A main database that only follows another takes no write: an address that a failover left behind.
        ({ rows }) => !rows[0]!.suit,
        () => false,
      )
      .finally(() => {
        this.#running = false;
      });
    const late = new Promise<boolean>((resolve) => {
      setTimeout(() => resolve(false), DELAI).unref();
    });
    return Promise.race([asked, late]);
  }
}
