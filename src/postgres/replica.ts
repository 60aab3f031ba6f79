import { codeOf, messageOf } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { mesurerReplica, replisReplica } from '../base/metrics.ts';
import { attenteTropLongue, createPool, isRefused, isServerAway, type Pool, type Queryable } from './pool.ts';

/** `lu`: reads go there; each other word says why they do not. */
export const ETATS_REPLICA = ['lu', 'en_retard', 'absent', 'promu', 'autre_base'] as const;
export type EtatReplica = (typeof ETATS_REPLICA)[number];

/** Milliseconds. */
const RYTHME = {
  /** between two looks when nobody waits for one, and when somebody does */
  calme: 1_000,
  presse: 50,
  /** for a server to answer; then the replica counts as gone */
  reponse: 2_000,
} as const;

/** Looks that are kept in mind at most. */
const RELEVES = 1_000;

/** Where a server is in the log of changes; positions are bytes. */
export interface Position {
  readonly position: number;
  readonly suit: boolean;
  readonly serveur: string;
  readonly base: string;
  /** when it was started: tells servers with the same data apart */
  readonly demarrage: string;
}

const POSITION = `
  SELECT CASE WHEN pg_is_in_recovery() THEN coalesce(pg_last_wal_replay_lsn(), '0/0') ELSE pg_current_wal_flush_lsn() END
           - '0/0'::pg_lsn AS position,
         pg_is_in_recovery() AS suit, (SELECT system_identifier::text FROM pg_control_system()) AS serveur,
         current_database() AS base, pg_postmaster_start_time()::text AS demarrage`;

/** Reads where a server is. @throws what the driver throws */
export async function lirePosition(db: Queryable): Promise<Position> {
  const { rows } = await db.query<Omit<Position, 'position'> & { position: string }>(POSITION);
  return { ...rows[0]!, position: Number(rows[0]!.position) };
}

/** What stands against reading from `replica` at all, whatever its delay; undefined: nothing. */
export function objection(principale: Position, replica: Position): 'promu' | 'autre_base' | undefined {
  if (principale.serveur !== replica.serveur || principale.base !== replica.base) return 'autre_base';
  // The very same server is no replica, and as good as one.
  return replica.suit || replica.demarrage === principale.demarrage ? undefined : 'promu';
}

/** A read that may be given up, to be made again on the main database. */
export interface LectureSuivie {
  /** aborted when it is */
  readonly perdue: AbortSignal;
  /** From now on it is not: something of it was sent. @throws when it was already */
  garder(): void;
}
export const LECTURE_SIMPLE: LectureSuivie = {
  perdue: new AbortController().signal,
  garder: () => undefined,
};

interface Attente {
  /** number of the first look that tells how far the replica has to be */
  readonly depuis: number;
  cible: number | undefined;
  readonly fini: () => void;
}

export interface OptionsReplica {
  /** both for the API's reads */
  readonly principale: Pool;
  readonly replica: Pool;
  /** addresses of both, for the looks: on connections of their own, which no request keeps busy */
  readonly urls: { readonly principale: string; readonly replica: string };
  /** seconds */
  readonly retardMax: number;
  readonly logger: Logger;
}

/**
 * Decides for each read whether the replica may answer it. It may when it follows our main database and is not too far
 * behind; an account that wrote reads the main database until the replica shows what it wrote; and a read that fails
 * there is made again on the main database. When the replica comes back, it first has to show everything that was there
 * when it did: nobody sees the past again.
 *
 * Positions are asked of the main database before the replica: a replica that is past the first has all that was
 * committed when the look began.
 */
export class Replica {
  readonly #options: OptionsReplica;
  readonly #sondes: { readonly principale: Pool; readonly replica: Pool };
  readonly #attentes = new Set<Attente>();
  readonly #ecritures = new Map<string, Attente>();
  /** positions of the main database: the last one that the replica has reached, then those that it has not */
  #releves: { position: number; instant: number }[] = [];
  #etat: EtatReplica = 'absent';
  #seuil: number | undefined;
  #numero = 0;
  #vue = performance.now();
  #octets = 0;
  #timer: NodeJS.Timeout | undefined;
  #enCours = false;
  #ferme = false;
  #premiere: Promise<void> | undefined;
  /** gives up the reads that are under way there */
  readonly #lectures = new Set<(raison: Error) => void>();

  constructor(options: OptionsReplica) {
    this.#options = options;
    const sonde = (url: string): Pool =>
      createPool(url, {
        logger: options.logger,
        max: 1,
        session: { query_timeout: RYTHME.reponse, connectionTimeoutMillis: RYTHME.reponse },
        preparer: async () => undefined,
      });
    this.#sondes = { principale: sonde(options.urls.principale), replica: sonde(options.urls.replica) };
  }

  get etat(): EtatReplica {
    return this.#etat;
  }

  /** Seconds by which what it shows is old: since when it misses something. */
  get retard(): number {
    const [first] = this.#releves;
    return first === undefined || this.#octets <= 0 ? 0 : (performance.now() - first.instant) / 1000;
  }

  /** Looks for the first time, and from then on by itself; a replica that is away is no error. */
  async demarrer(): Promise<void> {
    this.#premiere ??= this.#regarder();
    await this.#premiere;
  }

  async fermer(): Promise<void> {
    this.#ferme = true;
    clearTimeout(this.#timer);
    for (const attente of this.#attentes) attente.fini();
    this.#attentes.clear();
    mesurerReplica(undefined);
    await Promise.all([this.#sondes.principale.end(), this.#sondes.replica.end()]);
  }

  /** The account wrote, and it is committed: until the replica has it, the account reads the main database. */
  ecriture(compte: string): void {
    const before = this.#ecritures.get(compte);
    if (before) this.#attentes.delete(before);
    this.#ecritures.set(
      compte,
      this.#attendre(() => {
        this.#ecritures.delete(compte);
      }),
    );
  }

  /** Resolved once reads show all that is committed now, wherever they are made. */
  async montre(): Promise<void> {
    // A replica that is not read has to show all of today before it is.
    if (this.#etat !== 'lu' || this.#ferme) return;
    await new Promise<void>((resolve) => void this.#attendre(resolve));
  }

  /**
   * Runs a read where it may be run; once more on the main database when the replica fails it.
   *
   * @throws what `work` throws
   */
  async lire<T>(
    compte: string | undefined,
    work: (pool: Pool, lecture: LectureSuivie) => Promise<T>,
  ): Promise<T> {
    const { principale, replica } = this.#options;
    const why =
      this.#etat !== 'lu'
        ? this.#etat
        : compte !== undefined && this.#ecritures.has(compte)
          ? 'ecriture'
          : undefined;
    if (why !== undefined) {
      replisReplica.inc({ reason: why });
      return await work(principale, LECTURE_SIMPLE);
    }
    try {
      return await this.#tantQuIlEstLa((lecture) => work(replica, lecture));
    } catch (error) {
      if (!tientAuReplica(error)) throw error;
      replisReplica.inc({ reason: 'echec' });
      this.#options.logger.debug({ erreur: messageOf(error) }, 'lecture reprise sur la base principale');
      this.#presser();
      return await work(principale, LECTURE_SIMPLE);
    }
  }

  /** A server that vanished without a word would keep its reader for long. */
  async #tantQuIlEstLa<T>(work: (lecture: LectureSuivie) => Promise<T>): Promise<T> {
    const lost = Promise.withResolvers<never>();
    const fin = new AbortController();
    const giveUp = (raison: Error): void => {
      fin.abort(raison);
      lost.reject(raison);
    };
    this.#lectures.add(giveUp);
    const garder = (): void => {
      fin.signal.throwIfAborted();
      this.#lectures.delete(giveUp);
    };
    try {
      return await Promise.race([work({ perdue: fin.signal, garder }), lost.promise]);
    } finally {
      this.#lectures.delete(giveUp);
    }
  }

  #attendre(fini: () => void): Attente {
    // A look that has begun may have asked before the commit.
    const attente: Attente = { depuis: this.#numero + 1, cible: undefined, fini };
    this.#attentes.add(attente);
    this.#presser();
    return attente;
  }

  #presser(): void {
    if (!this.#enCours) this.#planifier(RYTHME.presse);
  }

  #planifier(ms: number): void {
    clearTimeout(this.#timer);
    if (this.#ferme) return;
    this.#timer = setTimeout(() => void this.#regarder(), ms).unref();
  }

  async #regarder(): Promise<void> {
    this.#enCours = true;
    this.#numero++;
    const instant = performance.now();
    const principale = await lirePosition(this.#sondes.principale).catch(() => undefined);
    const replica = await lirePosition(this.#sondes.replica).catch((error: unknown) => error as Error);
    this.#enCours = false;
    if (this.#ferme) return;
    if (replica instanceof Error) this.#passer('absent', messageOf(replica));
    else if (principale === undefined || principale.suit) this.#sansReference();
    else this.#comparer(principale, replica, instant);
    mesurerReplica({ etat: this.#etat, retard: this.retard, octets: Math.max(0, this.#octets) });
    this.#planifier(this.#attentes.size > 0 ? RYTHME.presse : RYTHME.calme);
  }

  /** Without the main database nobody knows how old the replica is: it stays as it is for as long as it may be old. */
  #sansReference(): void {
    if (performance.now() - this.#vue > this.#options.retardMax * 1000)
      this.#passer('en_retard', 'la base principale ne répond pas');
  }

  #comparer(principale: Position, replica: Position, instant: number): void {
    this.#vue = instant;
    const against = objection(principale, replica);
    if (against !== undefined) {
      this.#passer(against);
      return;
    }
    const here = replica.position;
    this.#octets = principale.position - here;
    this.#relever(principale.position, here, instant);
    this.#avancer(principale.position, here);
    if (this.retard > this.#options.retardMax) this.#passer('en_retard');
    else if (this.#etat !== 'lu') {
      this.#seuil ??= principale.position;
      this.#passer(here >= this.#seuil ? 'lu' : 'en_retard');
    }
  }

  #relever(there: number, here: number, instant: number): void {
    this.#releves.push({ position: there, instant });
    const reached = this.#releves.findLastIndex(({ position }) => position <= here);
    if (reached > 0) this.#releves.splice(0, reached);
    // Hours behind: which of so many is reached next does not matter.
    if (this.#releves.length > RELEVES) this.#releves.splice(1, 1);
  }

  /** Those who wait learn how far the replica has to be, and whether it is. */
  #avancer(there: number, here: number): void {
    for (const attente of this.#attentes) {
      if (attente.cible === undefined && attente.depuis <= this.#numero) attente.cible = there;
      if (attente.cible !== undefined && here >= attente.cible) this.#lever(attente);
    }
  }

  #lever(attente: Attente): void {
    this.#attentes.delete(attente);
    attente.fini();
  }

  #passer(etat: EtatReplica, raison?: string): void {
    if (etat !== 'lu') {
      if (etat !== 'en_retard') this.#releves = [];
      if (etat !== 'en_retard') this.#seuil = undefined;
      // What is read now is the main database: it shows all that they wait for.
      for (const attente of this.#attentes) this.#lever(attente);
      if (this.#etat === 'lu') this.#seuil = undefined;
    }
    const before = this.#etat;
    const first = this.#numero === 1;
    this.#etat = etat;
    if (etat === before && !first) return;
    // A late one still answers; one that is gone or another's does not.
    if (etat !== 'lu' && etat !== 'en_retard')
      for (const giveUp of this.#lectures) giveUp(new ReplicaPerdu());
    const { logger } = this.#options;
    if (etat === 'lu') logger.info('réplica à jour : listes et exports y sont lus');
    else
      logger.warn(
        { etat, ...(raison === undefined ? {} : { raison }) },
        'réplica écarté : listes et exports sont lus sur la base principale',
      );
  }
}

/** The replica was set aside while it was asked. */
class ReplicaPerdu extends Error {
  constructor() {
    super('réplica écarté pendant la lecture');
  }
}

/**
 * Whether another server may do better: ours is away, in the way of what it has to replay (40001, 40P01), does not let
 * us in, or has not the tables yet that a migration made (42P01, 42703).
 */
function tientAuReplica(error: unknown): boolean {
  if (error instanceof ReplicaPerdu || isServerAway(error) || isRefused(error)) return true;
  if (/^(40001|40P01|42P01|42703|42501|3D000|25006|XX\w\w\w)$/.test(codeOf(error) ?? '')) return true;
  return attenteTropLongue(error);
}
