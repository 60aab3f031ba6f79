import { EventEmitter } from 'node:events';
import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';

/** Channel that triggers announce changes on (migration 0004). */
const CANAL = 'atelier';
/** Waits before a new attempt (ms): the first, and the longest; each is twice the one before, less up to half at random. */
const ATTENTE = { premiere: 250, plusLongue: 10_000 } as const;
/** How often the connection is asked whether it is alive, and how long it may take to answer (ms). */
const POULS = { intervalle: 30_000, delai: 10_000 } as const;

/** How long the server may take to take leave of us (ms). */
const CONGE = 1_000;

/** What a statement changed, as its trigger tells it. */
export interface Annonce {
  readonly table: string;
  readonly action: 'insert' | 'update' | 'delete';
  /** ids of the rows; null when there are more than 200 */
  readonly ids: readonly (number | string)[] | null;
  readonly nombre: number;
}

interface Evenements {
  /** announcements arrive from here on; whatever was announced before is missed */
  connecte: [];
  annonce: [Annonce];
}

/**
 * One connection that listens to what changes in the database, and comes back when it is lost. A connection of its
 * own, not of a pool: it lives as long as the process, and must not go through a pooler that shares connections.
 */
export class Ecoute extends EventEmitter<Evenements> {
  readonly #url: string;
  readonly #logger: Logger;
  #connexion: { readonly client: pg.Client; readonly socket: Socket } | undefined;
  #etat: 'arretee' | 'perdue' | 'connectee' | 'fermee' = 'arretee';
  #echecs = 0;
  #illisible = false;
  #timer: NodeJS.Timeout | undefined;

  /** @param options `url`: of the main database (a replica does not pass announcements on) */
  constructor(options: { url: string; logger: Logger }) {
    super();
    this.#url = options.url;
    this.#logger = options.logger;
  }

  /** Whether every change made from now on is announced. */
  get connectee(): boolean {
    return this.#etat === 'connectee';
  }

  /** Starts to listen; once. Nothing is thrown: a database that is away is tried again until it is there. */
  demarrer(): void {
    if (this.#etat !== 'arretee') return;
    this.#etat = 'perdue';
    void this.#connecter();
  }

  /** Stops for good. */
  async fermer(): Promise<void> {
    this.#etat = 'fermee';
    clearTimeout(this.#timer);
    this.removeAllListeners();
    const connexion = this.#connexion;
    this.#connexion = undefined;
    if (!connexion) return;
    const { client, socket } = connexion;
    silence(client);
    await Promise.race([client.end().catch(() => undefined), sleep(CONGE, undefined, { ref: false })]);
    socket.destroy();
  }

  async #connecter(): Promise<void> {
    // Our own socket: one whose other end vanished is thrown away, not asked to close.
    const socket = new Socket();
    const client = new pg.Client({
      stream: () => socket,
      connectionString: this.#url,
      application_name: 'atelier-ecoute',
      connectionTimeoutMillis: 10_000,
      query_timeout: POULS.delai,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
    });
    this.#connexion = { client, socket };
    client.on('error', (error) => this.#perdre(client, error));
    client.on('end', () => this.#perdre(client, undefined));
    client.on('notification', ({ payload }) => this.#recevoir(payload));
    try {
      await client.connect();
      await client.query(`LISTEN ${CANAL}`);
    } catch (error) {
      this.#perdre(client, error);
      return;
    }
    if (this.#connexion?.client !== client) return;
    if (this.#echecs > 0) this.#logger.info('écoute de PostgreSQL rétablie');
    this.#echecs = 0;
    this.#illisible = false;
    this.#etat = 'connectee';
    this.#timer = setTimeout(() => void this.#tater(client), POULS.intervalle).unref();
    this.emit('connecte');
  }

  /** A connection whose other end vanished without a word says nothing, for ever: it is asked now and then. */
  async #tater(client: pg.Client): Promise<void> {
    try {
      await client.query('SELECT 1');
    } catch (error) {
      this.#perdre(client, error);
      return;
    }
    if (this.#connexion?.client !== client) return;
    this.#timer = setTimeout(() => void this.#tater(client), POULS.intervalle).unref();
  }

  /** Once for each connection, whichever of its ends is noticed first. */
  #perdre(client: pg.Client, error: unknown): void {
    if (this.#connexion?.client !== client) return;
    this.#connexion.socket.destroy();
    this.#connexion = undefined;
    clearTimeout(this.#timer);
    silence(client);
    this.#etat = 'perdue';
    if (this.#echecs === 0) {
      this.#logger.warn(
        { erreur: error === undefined ? 'fermée' : messageOf(error) },
        'écoute de PostgreSQL perdue',
      );
    }
    const longest = Math.min(ATTENTE.plusLongue, ATTENTE.premiere * 2 ** Math.min(this.#echecs, 10));
    this.#echecs++;
    // Processes that lost the same server do not come back to it all at once.
    this.#timer = setTimeout(() => void this.#connecter(), longest * (0.5 + Math.random() / 2)).unref();
  }

  #recevoir(payload: string | undefined): void {
    const annonce = lireAnnonce(payload);
    if (annonce) {
      this.emit('annonce', annonce);
      return;
    }
    // Said once a connection: whoever sends thousands must not fill the log.
    if (!this.#illisible) this.#logger.warn('annonce de PostgreSQL illisible, ignorée');
    this.#illisible = true;
  }
}

/** What comes after is about a connection that nobody wants any more, but must not end the process. */
function silence(client: pg.Client): void {
  client.removeAllListeners();
  client.on('error', () => undefined);
}

const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;

/**
 * Anybody who may connect may write on the channel, which no right forbids: what does not look like one of ours is left
 * alone, and what does only makes readers look at rows that they may see. Ids are numbers or UUIDs, never other text.
 */
function lireAnnonce(payload: string | undefined): Annonce | undefined {
  let value: unknown;
  try {
    value = JSON.parse(payload ?? '');
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { table, action, ids, nombre } = value as Record<string, unknown>;
  const known =
    typeof table === 'string' &&
    (action === 'insert' || action === 'update' || action === 'delete') &&
    Number.isSafeInteger(nombre) &&
    (nombre as number) >= 0 &&
    (ids === null || (Array.isArray(ids) && ids.every(estId)));
  return known ? (value as Annonce) : undefined;
}

function estId(id: unknown): boolean {
  return typeof id === 'string' ? UUID.test(id) : Number.isSafeInteger(id);
}
