import type { SessionCalculee } from '../../domain/session/session.ts';

/** How long the rows of a session are believed to be what was written (ms); then they are read again. */
const BELIEVED = 60_000;
/** Rows of all sessions that are remembered: those of some 200 machines. */
const MOST = 200_000;

/** A session as it was last written. */
export interface WrittenSession {
  readonly id: number;
  /** of the session's row: another one means that somebody else wrote since */
  readonly jeton: string;
  readonly session: SessionCalculee;
  readonly versionIds: readonly number[];
  /** ids of its profiles, in order */
  readonly profilIds: readonly number[];
}

interface Entry extends WrittenSession {
  /** when its rows were last read, or written whole */
  readonly read: number;
  readonly count: number;
}

/**
 * What was last written of sessions that grow, so that a line more need not read a thousand rows again to see that they
 * are there. Whoever writes rows of a session writes the session's row too, and so changes its mark (`jeton`); what was
 * changed by hand is found, and put right, within a minute.
 */
export class WrittenRows {
  readonly #sessions = new Map<string, Entry>();
  #count = 0;

  /** The session of a centre's production day, if it is known. */
  get(centreId: number, jour: number): WrittenSession | undefined {
    const key = `${centreId} ${jour}`;
    const entry = this.#sessions.get(key);
    if (!entry || performance.now() - entry.read < BELIEVED) return entry;
    this.#forget(key, entry);
    return undefined;
  }

  /** @param read whether the rows themselves were read just now */
  set(centreId: number, jour: number, session: WrittenSession, { read }: { read: boolean }): void {
    const key = `${centreId} ${jour}`;
    const before = this.#sessions.get(key);
    if (before) this.#forget(key, before);
    const { pieces, profils, attentes, arrets } = session.session;
    const count = pieces.length + profils.length + attentes.length + arrets.length;
    const since = read ? performance.now() : (before?.read ?? Number.NEGATIVE_INFINITY);
    this.#sessions.set(key, { ...session, read: since, count });
    this.#count += count;
    for (const [oldest, entry] of this.#sessions) {
      if (this.#count <= MOST) return;
      this.#forget(oldest, entry);
    }
  }

  /** Lets them be read again. */
  forget(centreId: number, jour: number): void {
    const key = `${centreId} ${jour}`;
    const entry = this.#sessions.get(key);
    if (entry) this.#forget(key, entry);
  }

  #forget(key: string, { count }: Entry): void {
    this.#sessions.delete(key);
    this.#count -= count;
  }
}

/** Lists of a session, each a table. */
export const LISTS = ['profils', 'attentes', 'arrets', 'pieces'] as const;

/** Whether a session has what another one had, and at most more at the end of its lists. */
export function continuesSession(before: SessionCalculee, now: SessionCalculee): boolean {
  return LISTS.every((name) => begins(before[name], now[name]));
}

function begins(before: readonly object[], now: readonly object[]): boolean {
  return before.length <= now.length && before.every((one, i) => same(one, now[i]));
}

/** Of plain values and objects of them, as computed sessions are made of. */
function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  for (const key in a) {
    if (!same((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key])) return false;
  }
  return true;
}
