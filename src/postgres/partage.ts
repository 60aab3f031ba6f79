import type pg from 'pg';
import { AtelierError } from '../base/errors.ts';

/** Settings of PostgreSQL by name, as text. */
export type Reglages = Readonly<Record<string, string>>;

/** $1: the process that the server told at the start */
const PARTAGEE = 'pg_backend_pid() <> $1';

/**
 * Whether a pooler (PgBouncer and its like) stands between us and the server: it tells a process number of its own
 * making. Behind one, a session is nothing that lasts: the next statement may run on another connection.
 */
export async function estPartagee(client: pg.ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ partagee: boolean }>(`SELECT ${PARTAGEE} AS partagee`, [pid(client)]);
  return rows[0]!.partagee;
}

/** @throws AtelierError ATL_D306 on a connection that goes through a pooler */
export async function exigerDirecte(client: pg.ClientBase): Promise<void> {
  if (await estPartagee(client)) throw partagee();
}

/** The one answer to a pooler where none may be. */
export function partagee(cause?: unknown): AtelierError {
  return new AtelierError(
    'ATL_D306',
    'DATABASE_URL (ou POSTGRES_HOST et POSTGRES_PORT) passe par un pooler de connexions (PgBouncer) : verrous, suivi et annonces y seraient perdus.',
    { cause },
  );
}

/** What PgBouncer says to a client who brings settings that it does not know. */
export function estRefusDePooler(error: unknown): boolean {
  return error instanceof Error && /unsupported startup parameter/.test(error.message);
}

/**
 * Gives a new connection its settings: for as long as it lives when it is direct, for each transaction when it is
 * shared. What is then asked outside of a transaction gets one of its own, and no statement is prepared by name (another
 * connection would not know it).
 */
export async function regler(client: pg.ClientBase, reglages: Reglages): Promise<void> {
  const entries = Object.entries(reglages);
  const direct = entries.map(
    (_, i) => `CASE WHEN NOT (${PARTAGEE}) THEN set_config($${2 * i + 2}, $${2 * i + 3}, false) END`,
  );
  const { rows } = await client.query<{ partagee: boolean }>(
    `SELECT ${[`${PARTAGEE} AS partagee`, ...direct].join(', ')}`,
    [pid(client), ...entries.flat()],
  );
  if (rows[0]!.partagee) partager(client, reglages);
}

function pid(client: pg.ClientBase): number | null {
  return (client as pg.ClientBase & { readonly processID: number | null }).processID;
}

const COMMENCE = /^\s*(BEGIN|START\s+TRANSACTION)\b/i;
type Query = (...args: unknown[]) => unknown;

function partager(client: pg.ClientBase, reglages: Reglages): void {
  const query = client.query.bind(client) as Query;
  const poser = Object.entries(reglages)
    .map(([name, value]) => `; SET LOCAL ${name} = '${value.replaceAll("'", "''")}'`)
    .join('');
  /** @throws what the statement or its COMMIT throws; nothing is then kept */
  const seule = async (args: readonly unknown[]): Promise<unknown> => {
    await query(`BEGIN${poser}`);
    let result: unknown;
    try {
      result = await query(...args);
    } catch (error) {
      // The first error is the one to tell.
      await Promise.resolve(query('ROLLBACK')).catch(() => undefined);
      throw error;
    }
    await query('COMMIT');
    return result;
  };
  Object.defineProperty(client, 'query', {
    configurable: true,
    writable: true,
    value: (first: unknown, ...rest: unknown[]): unknown => {
      if (typeof first === 'string' && COMMENCE.test(first)) return query(first + poser, ...rest);
      // COPY reads its answer itself, and is only ever asked for inside a transaction.
      const reader = typeof (first as { submit?: unknown }).submit === 'function';
      const statement =
        typeof first === 'string' || reader ? first : { ...(first as object), name: undefined };
      if (reader || client.getTransactionStatus() !== 'I') return query(statement, ...rest);
      const callback = rest.at(-1);
      if (typeof callback !== 'function') return seule([statement, ...rest]);
      void seule([statement, ...rest.slice(0, -1)]).then(
        (result) => callback(undefined, result),
        (error: unknown) => callback(error),
      );
      return undefined;
    },
  });
}
