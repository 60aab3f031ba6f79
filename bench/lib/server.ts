import pg from 'pg';
import { silentLogger } from '../../src/base/logger.ts';
import { migrate } from '../../src/postgres/migrate.ts';
import { createPool, withClient } from '../../src/postgres/pool.ts';
import { launchPrivate, sweep } from '../../test/harness/private-postgres.ts';
import { run } from './run.ts';

/** A PostgreSQL server of this run alone, with the settings that PostgreSQL comes with. */
export interface Server {
  readonly version: string;
  /** makes an empty database with our schema and gives its address */
  create(name: string): Promise<string>;
  /** the same without a schema */
  createEmpty(name: string): Promise<string>;
  drop(name: string): Promise<void>;
  /** everything written so far is on the disk: what is timed next pays for its own writes only */
  settle(): Promise<void>;
  remove(): Promise<void>;
}

/** Servers of runs that are gone are taken away once: of this run there may be more than one. */
let swept: Promise<void> | undefined;

export async function startServer(): Promise<Server> {
  swept ??= sweep();
  await swept;
  // The harness of the tests sets these two; here they get PostgreSQL's own values back.
  const server = await launchPrivate({
    fsync: true,
    settings: { shared_buffers: '128MB', max_connections: 100 },
  });
  const admin = new pg.Client({ connectionString: server.url });
  // Told by the next question: as the run ends, the server may go first.
  admin.on('error', () => undefined);
  await admin.connect();
  const { rows } = await admin.query<{ server_version: string }>('SHOW server_version');
  const createEmpty = async (name: string): Promise<string> => {
    await admin.query(`CREATE DATABASE ${name} TEMPLATE template0`);
    const url = new URL(server.url);
    url.pathname = `/${name}`;
    return url.href;
  };
  return {
    version: rows[0]!.server_version,
    create: async (name) => {
      const url = await createEmpty(name);
      const pool = createPool(url, { logger: silentLogger(), max: 1 });
      await withClient(pool, (client) => migrate(client));
      await pool.end();
      return url;
    },
    createEmpty,
    drop: async (name) => {
      await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
    },
    settle: async () => {
      await admin.query('CHECKPOINT');
      await run('sync', []);
    },
    remove: async () => {
      await admin.end();
      await server.remove();
    },
  };
}
