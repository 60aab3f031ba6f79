import { readFileSync } from 'node:fs';
import { connect, isIP, type Socket } from 'node:net';
import { type Connection, type ConnectionOptions, createConnection, type Query } from 'mysql2';
import type { ErpConfig } from '../../base/config/erp.ts';
import { AtelierError, messageOf } from '../../base/errors.ts';
import { erreurErp, refusDesGreffons } from './erreurs.ts';
import { type Famille, familleDe } from './numeros.ts';
import { reglerSession } from './reglages.ts';

/** A value as it comes: everything is text, `null`, or (binary columns only) bytes. Integers are made text too. */
export type Valeur = string | null;

export interface SessionOptions {
  readonly signal?: AbortSignal | undefined;
  /** seconds without a byte from the server after which it is given up. @default the lesser of 60 and delaiMax */
  readonly silenceMax?: number;
}

/** Seconds: a scan of millions of rows that match nothing sends no byte for a while. */
const SILENCE_MAX_S = 60;
const CONNECT_MAX_S = 10;
/** How often the watchdog looks; it must stay well below one second for limits of one second to mean something. */
const WATCH_MS = 100;

/**
 * One connection to the ERP, one query at a time, every wait bounded.
 *
 * Built on the driver's events and not on its streams or promises: a stream over a connection that dies never
 * ends (mysql2 issue 3082), and events never pause the socket, so the server is never kept waiting.
 */
export class ErpSession {
  readonly cible: string;
  readonly #socket: Socket;
  readonly #connection: Connection;
  readonly #clock: NodeJS.Timeout;
  readonly #signal: AbortSignal | undefined;
  #reject: ((error: unknown) => void) | undefined;
  #dead: unknown;
  #action = 'connexion';
  #famille: Famille | undefined;

  private constructor(config: ErpConfig, options: SessionOptions) {
    const { host, port, database, user } = config;
    this.cible = `ERP ${host}:${port}, base ${database}, utilisateur ${user}`;
    this.#socket = connect({ host, port, keepAlive: true, noDelay: true });
    this.#connection = createConnection(driverOptions(config, this.#socket, this.cible));
    this.#socket.once('data', (bytes: Buffer) => {
      this.#famille = familleDuSalut(bytes);
    });
    this.#connection.on('error', (error) => this.#die(error));
    this.#signal = options.signal;
    this.#signal?.addEventListener('abort', this.#onAbort);
    const limits = {
      total: config.delaiMax,
      silence: options.silenceMax ?? Math.min(SILENCE_MAX_S, config.delaiMax),
    };
    this.#clock = this.#watch(limits.total, limits.silence);
  }

  /**
   * Connects, and makes the session ours; the transaction is not begun yet.
   *
   * @throws AtelierError ATL_E401 (unreachable), ATL_E402 (refused), ATL_E405 (no answer), ATL_E408 (a setting of the
   * session does not hold), ATL_E413 (account), ATL_E414 (too many connections)
   */
  static async ouvrir(config: ErpConfig, options: SessionOptions = {}): Promise<ErpSession> {
    options.signal?.throwIfAborted();
    let session: ErpSession;
    try {
      session = new ErpSession(config, options);
    } catch (error) {
      throw new AtelierError(
        'ATL_E401',
        `ERP ${config.host}:${config.port}, connexion : ${messageOf(error)}`,
        {
          cause: error,
        },
      );
    }
    try {
      await session.#run((resolve, reject) => {
        session.#connection.connect((error) => (error ? reject(error) : resolve()));
      });
      await reglerSession(session, config.database, config.delaiMax);
      return session;
    } catch (error) {
      session.detruire();
      throw error;
    }
  }

  /** All rows of a small answer, as arrays. `nom` says what is asked, in French: it is part of every error. */
  async lire(nom: string, sql: string, values: readonly string[] = []): Promise<Valeur[][]> {
    const rows: Valeur[][] = [];
    await this.parcourir(nom, sql, (row) => rows.push(row), values);
    return rows;
  }

  /**
   * Hands every row to `onRow` as it arrives; resolves with their number once the server has said that it was
   * the last. Nothing is kept here.
   */
  async parcourir(
    nom: string,
    sql: string,
    onRow: (row: Valeur[]) => void,
    values: readonly string[] = [],
  ): Promise<number> {
    this.#action = nom;
    let count = 0;
    await this.#run((resolve, reject) => {
      const query = this.#connection.query({ sql, values: [...values], rowsAsArray: true }) as Query;
      query.on('error', reject);
      query.on('result', (row: unknown) => {
        if (!Array.isArray(row)) return;
        count++;
        try {
          onRow(asText(row));
        } catch (error) {
          // Thrown inside the driver's parser it would end the process.
          this.#die(error);
        }
      });
      query.on('end', resolve);
    });
    return count;
  }

  /** Says goodbye and waits for it, at most a second. */
  async fermer(): Promise<void> {
    if (this.#dead === undefined) {
      await new Promise<void>((done) => {
        const timer = setTimeout(done, 1000);
        this.#connection.end(() => {
          clearTimeout(timer);
          done();
        });
      });
    }
    this.detruire();
  }

  /** Cuts the connection at once; the server rolls the transaction back. May be called at any time, twice too. */
  detruire(): void {
    clearInterval(this.#clock);
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#dead ??= new AtelierError('ATL_E404', `${this.cible} : connexion fermée`);
    this.#connection.destroy();
    this.#socket.destroy();
  }

  readonly #onAbort = (): void => this.#die(this.#signal?.reason);

  async #run(work: (resolve: () => void, reject: (error: unknown) => void) => void): Promise<void> {
    const pending = new Promise<void>((resolve, reject) => {
      this.#reject = reject;
      if (this.#dead !== undefined) reject(this.#dead);
      else work(resolve, reject);
    });
    try {
      await pending;
    } catch (error) {
      if (this.#signal?.aborted && error === this.#signal.reason) throw error;
      throw erreurErp(error, this.cible, this.#action, this.#famille);
    } finally {
      this.#reject = undefined;
    }
  }

  #die(error: unknown): void {
    if (this.#dead !== undefined) return;
    this.#dead = error;
    this.#reject?.(error);
    this.detruire();
  }

  #watch(totalS: number, silenceS: number): NodeJS.Timeout {
    const start = performance.now();
    let lastBytes = 0;
    let lastChange = start;
    const give = (text: string): void =>
      this.#die(new AtelierError('ATL_E405', `${this.cible}, ${this.#action} : ${text}`));
    return setInterval(() => {
      const now = performance.now();
      // Between two queries the server owes us nothing.
      if (this.#socket.bytesRead !== lastBytes || this.#reject === undefined) lastChange = now;
      lastBytes = this.#socket.bytesRead;
      const connecting = this.#action === 'connexion' && now - start > CONNECT_MAX_S * 1000;
      if (now - start > totalS * 1000) give(`pas fini en ${totalS} s (SYNC_DELAI_MAX), abandon`);
      else if (connecting) give(`pas de réponse en ${CONNECT_MAX_S} s, abandon`);
      else if (now - lastChange > silenceS * 1000) give(`aucun octet reçu depuis ${silenceS} s, abandon`);
    }, WATCH_MS);
  }
}

function driverOptions(config: ErpConfig, socket: Socket, cible: string): ConnectionOptions {
  const { host, port, user, password, database, tls } = config;
  const options: ConnectionOptions = {
    host,
    port,
    user,
    password,
    database,
    stream: socket,
    charset: 'UTF8MB4_GENERAL_CI',
    dateStrings: true,
    supportBigNumbers: true,
    bigNumberStrings: true,
    // A server must not be able to ask for our files; the other ones are the driver's defaults.
    flags: ['-LOCAL_FILES'],
    authPlugins: refusDesGreffons(cible),
  };
  if (tls.mode !== 'non') {
    // Of an address the driver gives TLS no name, which would then ask the certificate for `localhost`: it looks here.
    if (isIP(host)) Object.assign(socket, { _host: host });
    options.ssl = {
      minVersion: 'TLSv1.2',
      rejectUnauthorized: tls.mode === 'oui',
      verifyIdentity: tls.mode === 'oui',
      ...(tls.ca ? { ca: readFileSync(tls.ca, 'utf8') } : {}),
    };
  }
  return options;
}

/** The family by the server's first packet: four bytes of header, the protocol's version, then its own. */
function familleDuSalut(bytes: Buffer): Famille | undefined {
  const end = bytes.indexOf(0, 5);
  return bytes[4] === 10 && end > 5 ? familleDe(bytes.toString('latin1', 5, end)) : undefined;
}

function asText(row: unknown[]): Valeur[] {
  for (let index = 0; index < row.length; index++) {
    const value = row[index];
    if (typeof value === 'string' || value === null) continue;
    row[index] = Buffer.isBuffer(value) ? value.toString('utf8') : String(value);
  }
  return row as Valeur[];
}
