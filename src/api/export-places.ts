import type { Socket } from 'node:net';
import { Probleme } from './problemes.ts';

/** Bounds of exports. */
export interface LimitesExport {
  /** milliseconds that an export waits for its turn */
  readonly attenteExport: number;
  /** bytes a second that a client takes at least, while rows wait for it */
  readonly debitExport: number;
  /** milliseconds over which that is looked at */
  readonly fenetreExport: number;
}

/** Exports that wait at most, of one account and of all. */
const FILE = { compte: 4, tous: 40 } as const;
/** While others wait for their turn, a client has to be so many times as quick. */
const PRESSE = 8;

interface Wait {
  readonly compte: string;
  readonly enter: () => void;
}

/** Exports hold a connection for as long as their client reads: there are few places, and one for each account. */
export class ExportPlaces {
  readonly #places: number;
  readonly #running = new Set<string>();
  readonly #waiting = new Set<Wait>();

  constructor(places: number) {
    this.#places = places;
  }

  /** Exports that wait for a place, and would have it were there one more. */
  get attendent(): number {
    return [...this.#waiting].filter(({ compte }) => !this.#running.has(compte)).length;
  }

  /**
   * Waits for its turn: first come, first served, but never two of an account at once.
   *
   * @param signal gives up
   * @returns gives the place back; once
   * @throws Probleme 503 not in time, or too many wait; what `signal` was aborted with
   */
  async prendre(compte: string, attente: number, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (!this.#free(compte)) await this.#attendre(compte, attente, signal);
    else this.#running.add(compte);
    return () => {
      this.#running.delete(compte);
      for (const wait of this.#waiting) if (this.#free(wait.compte)) wait.enter();
    };
  }

  #free(compte: string): boolean {
    return this.#running.size < this.#places && !this.#running.has(compte);
  }

  #attendre(compte: string, attente: number, signal: AbortSignal): Promise<void> {
    const own = [...this.#waiting].filter((wait) => wait.compte === compte).length;
    if (own >= FILE.compte || this.#waiting.size >= FILE.tous) throw this.#refus(compte);
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
        this.#waiting.delete(wait);
      };
      const abort = (): void => {
        leave();
        reject(signal.reason as Error);
      };
      const wait: Wait = {
        compte,
        enter: () => {
          leave();
          this.#running.add(compte);
          resolve();
        },
      };
      const timer = setTimeout(() => {
        leave();
        reject(this.#refus(compte));
      }, attente);
      signal.addEventListener('abort', abort, { once: true });
      this.#waiting.add(wait);
    });
  }

  #refus(compte: string): Probleme {
    return new Probleme(
      503,
      this.#running.has(compte)
        ? 'Un autre export de ce compte est en cours ; attendez sa fin, puis réessayez.'
        : 'D’autres exports sont en cours ; réessayez dans quelques secondes.',
      { headers: { 'retry-after': '10' } },
    );
  }
}

/**
 * Watches how quickly a client takes what is sent to it. Only while something waits for it: a database that is slow to
 * give its rows is not the client's fault.
 *
 * @param presse whether others wait for the place
 * @param lent called once, with the bytes of the last window
 * @returns ends the watch
 */
export function surveillerDebit(
  socket: Socket,
  { debitExport, fenetreExport }: LimitesExport,
  presse: () => boolean,
  lent: (octets: number) => void,
): () => void {
  const taken = (): number => socket.bytesWritten - socket.writableLength;
  let before = taken();
  const timer = setInterval(() => {
    const now = taken();
    const octets = now - before;
    before = now;
    const least = (debitExport * (presse() ? PRESSE : 1) * fenetreExport) / 1000;
    if (!(socket.writableLength > 0) || octets >= least) return;
    clearInterval(timer);
    lent(octets);
  }, fenetreExport);
  timer.unref();
  return () => clearInterval(timer);
}
