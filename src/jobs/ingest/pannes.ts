import { AtelierError, codeOf, messageOf } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import { isServerAway } from '../../postgres/pool.ts';

/**
 * What a scan could not do for one centre, because of what its files hold: the others go on (F33). Bytes that were
 * registered are safe, their days stay marked, and each scan tries them again.
 */
export class Pannes {
  readonly #logger: Logger;
  /** of this scan, in the order in which they came */
  #pannes: AtelierError[] = [];
  #relire = false;
  /** what was last said of each place: a scan a second says it once */
  readonly #dites = new Map<string, string>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  commencer(): void {
    this.#pannes = [];
    this.#relire = false;
  }

  /**
   * Notes a failure.
   *
   * @param ou centre, and day where known
   * @param options `relire`: files were not registered, and have to be read again
   * @throws the error itself when it is not about what the files hold: then it concerns everybody
   */
  noter(ou: string, error: unknown, { relire = false } = {}): void {
    if (!duContenu(error)) throw error;
    const erreur = messageOf(error);
    this.#pannes.push(new AtelierError('ATL_L207', `${ou} : ${erreur}`, { cause: error }));
    this.#relire ||= relire;
    if (this.#dites.get(ou) !== erreur) this.#logger.error({ ou, erreur }, 'journées impossibles à calculer');
    this.#dites.set(ou, erreur);
  }

  /**
   * At the end of a scan: the failure that came first, if any.
   *
   * @param suivi while a source is followed the others must not wait: only what has to be read again counts
   * @throws AtelierError ATL_L207
   */
  lever(suivi: boolean): void {
    if (this.#pannes.length === 0) {
      this.#dites.clear();
      return;
    }
    if (!suivi || this.#relire) throw this.#pannes[0]!;
  }
}

/** Whether an error comes from what was read: data that PostgreSQL refuses, code that did not expect them. */
export function duContenu(error: unknown): boolean {
  if (error instanceof AtelierError || isServerAway(error)) return false;
  const code = codeOf(error);
  if (code !== undefined) return /^(22|23|P0)...$/.test(code);
  return error instanceof TypeError || error instanceof RangeError;
}
