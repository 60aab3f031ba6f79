import { ErreurArchive } from '../../archives/archive.ts';
import type { BaseContext } from '../../base/context.ts';
import { AtelierError, codeOf, messageOf } from '../../base/errors.ts';
import { isServerAway } from '../../postgres/pool.ts';

/** While a source is followed, what was put aside is tried again this long (ms) after it failed, or when its bytes change. */
export const RETENTER = 60_000;

/**
 * What an import puts aside because of what it holds, so that everything else goes on (F33): a centre, a day, a file. Bytes
 * that were registered are safe, their days stay marked, and each import tries all of it again.
 */
export class Pannes {
  readonly #logger: BaseContext['logger'];
  readonly #arret: BaseContext['shutdown'];
  readonly #masques: BaseContext['config']['masques'];
  readonly #suivi: boolean;
  /** of this scan, in the order in which they came */
  #messages: string[] = [];
  /** what failed, with what was said of it and when (ms of the monotonic clock): a scan a second says it once */
  readonly #connues = new Map<string, { erreur: string; quand: number }>();

  /** @param suivi many scans of the same source, one after the other */
  constructor(ctx: Pick<BaseContext, 'logger' | 'shutdown' | 'config'>, suivi: boolean) {
    this.#logger = ctx.logger;
    this.#arret = ctx.shutdown;
    this.#masques = ctx.config.masques;
    this.#suivi = suivi;
  }

  /** A scan begins. */
  commencer(): void {
    this.#messages = [];
  }

  /** What this scan put aside, one sentence each. */
  get messages(): readonly string[] {
    return this.#messages;
  }

  /**
   * Why something is put aside, for people.
   *
   * @throws the error itself when it concerns everybody, or when the import is being stopped
   */
  raison(error: unknown): string {
    // A stop ends connections too: that says nothing of what was being done.
    this.#arret.signal.throwIfAborted();
    if (concerneTous(error)) throw error;
    const refus = /^[0-9A-Z]{5}$/.test(codeOf(error) ?? '') ? 'refusé par PostgreSQL, ' : '';
    // A database says what it was given: text of a line may stand in its message.
    const message = messageOf(error);
    return `${refus}${this.#masques?.masquer(message) ?? message}`;
  }

  /**
   * Notes what could not be done.
   *
   * @param ou centre, and day where known
   * @throws as {@link raison}
   */
  noter(ou: string, error: unknown): void {
    const erreur = this.raison(error);
    this.#messages.push(new AtelierError('ATL_L207', `${ou} : ${erreur}`).message);
    if (this.#connues.get(ou)?.erreur !== erreur)
      this.#logger.error({ code: 'ATL_L207', ou, erreur }, 'mis de côté, le reste continue');
    this.#connues.set(ou, { erreur, quand: performance.now() });
  }

  /** Whether something failed a moment ago, and is not worth another try yet. */
  attend(ou: string): boolean {
    const quand = this.#connues.get(ou)?.quand;
    return this.#suivi && quand !== undefined && performance.now() - quand < RETENTER;
  }

  /** It works (again). */
  lever(ou: string): void {
    if (this.#connues.delete(ou)) this.#logger.info({ ou }, 'n’est plus de côté');
  }
}

/** Classes of SQLSTATE: lost connection (08; 25P03, 25P04 end one), exhausted resources, operator, system. */
const SQL_DE_TOUS = /^(08...|53...|57...|58...|25P0[34])$/;
/** What a machine can run out of. */
const RESSOURCES = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EMFILE', 'ENFILE', 'ENOMEM']);
/** An archive that cannot be written because of what it is called, not because of where. */
const DU_NOM = new Set(['ENAMETOOLONG', 'EINVAL', 'EILSEQ']);

/**
 * Whether an error concerns everything that is to be done: the database is out of reach, or something is used up. Any other
 * one comes from what was being read or written.
 */
export function concerneTous(error: unknown): boolean {
  if (isServerAway(error)) return true;
  for (let e: unknown = error; e instanceof Error; e = e.cause) {
    const code = codeOf(e) ?? '';
    if (SQL_DE_TOUS.test(code) || RESSOURCES.has(code)) return true;
    // So is the key of what is written; that of an archive which is read is a matter of that one.
    if (e instanceof ErreurArchive && e.geste === 'Rangement' && e.code === 'ATL_L209') return true;
    // Without an archive nothing may be registered.
    if (e instanceof ErreurArchive && e.geste === 'Écriture' && !DU_NOM.has(codeOf(e.cause) ?? ''))
      return true;
  }
  return false;
}
