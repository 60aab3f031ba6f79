import { Socket } from 'node:net';
import pg from 'pg';
import { AtelierError, codeOf, messageOf } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { tracesActives } from '../base/traces.ts';
import { estRefusDePooler, exigerDirecte, partagee, regler } from './partage.ts';
import { tracerRequetes } from './traces-sql.ts';

export type Pool = pg.Pool;
/** A connection taken from the pool; every query function takes one, so that it can run inside a transaction. */
export type Client = pg.PoolClient;
/** Whatever can run a query. */
export type Queryable = Pick<pg.Pool, 'query'> | Client;

const INT8 = 20;
const DATE = 1082;

/** Values as this program wants them: safe integers as numbers, dates and decimals as text. */
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => {
    if (format !== 'binary') {
      if (oid === INT8) return parseInt8;
      if (oid === DATE) return (text: string): string => text;
    }
    return pg.types.getTypeParser(oid, format as 'text');
  }) as pg.CustomTypesConfig['getTypeParser'],
};

function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`entier de PostgreSQL trop grand : ${text}`);
  return value;
}

interface PoolOptions {
  readonly logger: Logger;
  /** connections at most */
  readonly max?: number;
  /** settings of each connection */
  readonly session?: Pick<
    pg.PoolConfig,
    'options' | 'idle_in_transaction_session_timeout' | 'stream' | 'query_timeout' | 'connectionTimeoutMillis'
  >;
  /** what each new connection goes through; as a rule it has to be a direct one */
  readonly preparer?: (client: pg.ClientBase) => Promise<void>;
}

/**
 * A pool of connections to one database, each straight to its server. Nothing is opened until the first query; one
 * through a pooler fails it (ATL_D306).
 */
export function createPool(url: string, options: PoolOptions): Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: options.max ?? 4,
    types,
    connectionTimeoutMillis: 10_000,
    ...options.session,
    onConnect: options.preparer ?? exigerDirecte,
    application_name: 'atelier',
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  });
  if (tracesActives()) tracerRequetes(pool);
  // A connection may be lost in the moment between the pool's own listener and that of whoever takes it; whoever takes
  // it learns of it by his first query.
  pool.on('connect', (client) => client.on('error', () => undefined));
  // Without a listener the loss of an idle connection would end the process.
  pool.on('error', (error) =>
    options.logger.warn({ erreur: messageOf(error) }, 'connexion PostgreSQL inactive perdue'),
  );
  return pool;
}

/** A server that says nothing for so long (ms) while it is asked something is not there any more. */
const SILENCE = 180_000;
/** What the server asks of whoever is silent, in seconds: it lets go of a vanished machine's locks after about 25. */
const SIGNES_DE_VIE = [
  'tcp_keepalives_idle=10',
  'tcp_keepalives_interval=5',
  'tcp_keepalives_count=3',
  'tcp_user_timeout=25000',
];

/**
 * A pool for workers, which run for months on machines that freeze and behind networks that break: neither side waits
 * for ever for the other, and what a worker holds is free again soon after it vanished (O7, O11).
 */
export function createWorkerPool(url: string, options: PoolOptions): Pool {
  return createPool(url, {
    ...options,
    session: {
      options: SIGNES_DE_VIE.map((setting) => `-c ${setting}`).join(' '),
      // A process that was stopped in the middle of a transaction; a living one reads an archive at most.
      idle_in_transaction_session_timeout: 60_000,
      stream: () => {
        const socket = new Socket();
        socket.setTimeout(SILENCE, () => {
          socket.destroy(new Error(`PostgreSQL ne répond plus depuis ${SILENCE / 1000} s`));
        });
        return socket;
      },
    },
  });
}

/**
 * A pool for the API: instants come in the factory's zone, no statement runs for longer than half a minute, and
 * nothing is compiled (JIT costs more than these queries last).
 *
 * @param options `partageable`: the address may be that of a pooler
 */
export function createApiPool(
  url: string,
  options: PoolOptions & { readonly fuseau: string; readonly partageable?: boolean },
): Pool {
  const reglages = {
    TimeZone: options.fuseau,
    jit: 'off',
    statement_timeout: '30000',
    idle_in_transaction_session_timeout: '60000',
  };
  return createPool(url, {
    ...options,
    preparer: async (client) => {
      if (!options.partageable) await exigerDirecte(client);
      await regler(client, reglages);
    },
  });
}

/** Host, port and base of a connection string, without user and password. */
export function describeUrl(url: string): string {
  const { hostname, port, pathname } = new URL(url);
  return `${hostname || 'socket local'}:${port || 5432}${pathname}`;
}

/** Takes a connection, or says which server could not be reached. */
export async function connect(pool: Pool): Promise<Client> {
  try {
    const client = await pool.connect();
    return client;
  } catch (cause) {
    if (cause instanceof AtelierError) throw cause;
    if (estRefusDePooler(cause)) throw partagee(cause);
    const target = pool.options.connectionString ? describeUrl(pool.options.connectionString) : 'PostgreSQL';
    throw new AtelierError('ATL_D301', `Connexion à ${target} : ${messageOf(cause)}${deTls(cause)}`, {
      cause,
    });
  }
}

/** What to do about a link that the rule for other machines (docs/decisions/0029-voisins.md) does not let come about. */
function deTls(cause: unknown): string {
  const tls =
    /does not support SSL|establishing an SSL|certificate|altnames/i.test(messageOf(cause)) ||
    /^(ERR_TLS|ERR_SSL|DEPTH_ZERO|UNABLE_TO|SELF_SIGNED|CERT_)/.test(codeOf(cause) ?? '');
  return tls
    ? ' (vers une autre machine la connexion est chiffrée, et le certificat du serveur vérifié : ssl=on chez lui, POSTGRES_TLS_CA pour une autorité à vous ; si ce réseau est à vous seul, nommez-le dans RESEAUX_PRIVES ; POSTGRES_TLS=non y renonce)'
    : '';
}

/** Runs `work` on a connection that goes back to the pool, or is thrown away when it broke. */
export async function withClient<T>(pool: Pool, work: (client: Client) => Promise<T>): Promise<T> {
  const client = await connect(pool);
  let broken: Error | undefined;
  const onError = (error: Error): void => {
    broken = error;
  };
  client.on('error', onError);
  try {
    return await work(client);
  } catch (error) {
    const lost = broken;
    if (!isOrdinary(error)) broken ??= error instanceof Error ? error : new Error(String(error));
    // Not every way in which a connection ends has a code that says so (TLS, our own watch over a silent server).
    if (lost && !isServerAway(error) && !(error instanceof AtelierError))
      throw new AtelierError('ATL_D301', `Connexion à PostgreSQL perdue : ${messageOf(error)}`, {
        cause: error,
      });
    throw error;
  } finally {
    client.off('error', onError);
    client.release(broken);
  }
}

/**
 * Runs `work` in one transaction: all of it is kept, or nothing.
 *
 * @param options `keep: false` rolls back at the end all the same (dry run)
 */
export async function transaction<T>(
  client: Client,
  work: () => Promise<T>,
  { keep = true }: { keep?: boolean } = {},
): Promise<T> {
  try {
    await client.query('BEGIN');
    const result = await work();
    await client.query(keep ? 'COMMIT' : 'ROLLBACK');
    return result;
  } catch (error) {
    // The first error is the one to tell; on a broken connection the server rolls back by itself.
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/**
 * Asks several questions at once: they travel together and are answered one after the other, for a wait for an answer
 * takes longer than most of what is asked.
 *
 * @throws the error of the first that failed, once all are answered: those behind it are asked all the same, so they
 *   must do no harm then (in a transaction the server refuses them, and makes a ROLLBACK of a COMMIT)
 */
export async function ensemble<T extends readonly unknown[]>(
  client: Client,
  ask: () => readonly [...{ [K in keyof T]: Promise<T[K]> }],
): Promise<T> {
  // Read by the driver at every question, though meant to be set once: COPY cannot be asked this way.
  const driver = client as { pipeline: boolean };
  driver.pipeline = true;
  try {
    const asked = ask();
    await Promise.allSettled(asked);
    return (await Promise.all(asked)) as unknown as T;
  } finally {
    driver.pipeline = false;
  }
}

/** SQLSTATE classes after which a connection can be used again: the server refused a statement, nothing more. */
function isOrdinary(error: unknown): boolean {
  if (error instanceof AtelierError) return isOrdinary(error.cause ?? { code: '00000' });
  const code = codeOf(error);
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) && !/^(57P|08|XX|58|25006)/.test(code);
}

/** Whether an error means that the server is away for now (restart, lost connection), not that a query is wrong. */
export function isServerAway(error: unknown): boolean {
  for (let e: unknown = error; e instanceof Error; e = e.cause) {
    const code = codeOf(e);
    // 25006: a server that only follows another, as the address of a main database may be in the middle of a failover.
    if (code && /^(57P0|08|53|25006|ECONN|EPIPE|ENOTFOUND|ETIMEDOUT|EAI_|ENET|EHOST)/.test(code)) return true;
    if (e instanceof AtelierError && e.code === 'ATL_D301') return true;
    if (/Connection terminated|Client has encountered a connection error|not queryable/.test(e.message))
      return true;
  }
  return false;
}

/** Whether no connection of the pool came free in time, be it that all are busy or that the server opens none. */
export function attenteTropLongue(error: unknown): boolean {
  for (let e: unknown = error; e instanceof Error; e = e.cause)
    if (/timeout exceeded when trying to connect/.test(e.message)) return true;
  return false;
}

/** Whether the server refused to let us in (password, role, access rules): waiting does not mend that. */
export function isRefused(error: unknown): boolean {
  for (let e: unknown = error; e instanceof Error; e = e.cause) if (codeOf(e)?.startsWith('28')) return true;
  return false;
}
