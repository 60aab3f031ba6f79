import { NOMS_TACHES } from '../../base/config/planification.ts';
import { AtelierError, messageOf } from '../../base/errors.ts';
import { type Client, type Queryable, transaction } from '../pool.ts';

/** Schema of the queue: pg-boss' own tables, beside ours. */
export const SCHEMA_FILE = 'pgboss';
/** Version of that schema that the installed pg-boss works with (a test compares). */
export const VERSION_FILE = 46;
/** Queue of the jobs that were given up. */
export const ABANDONS = 'abandons';

/** Advisory lock of whoever installs the queue. */
const LOCK = 4_711_000_005;

/**
 * Installs the queue or brings it up to date. Any number of processes may call it at once; costs one query when there
 * is nothing to do.
 *
 * @throws AtelierError ATL_D302 when the database is newer than the program, or refuses
 */
export async function installerFile(client: Client): Promise<void> {
  const version = await versionFile(client);
  if (version === VERSION_FILE && (await filesManquantes(client)).length === 0) return;
  try {
    await transaction(client, async () => {
      await client.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
      await installer(client);
    });
  } catch (cause) {
    if (cause instanceof AtelierError) throw cause;
    throw new AtelierError('ATL_D302', `Installation de la file de tâches : ${messageOf(cause)}`, { cause });
  }
}

async function installer(client: Client): Promise<void> {
  const version = await versionFile(client);
  if (version !== undefined && version > VERSION_FILE) {
    throw new AtelierError(
      'ATL_D302',
      `La file de tâches est de la version ${version}, ce programme connaît la ${VERSION_FILE} : il est plus ancien qu’elle.`,
    );
  }
  // Loaded only here: most commands never need it.
  const { getConstructionPlans, getMigrationPlans } = await import('pg-boss');
  if (version === undefined) await client.query(sansTransaction(getConstructionPlans(SCHEMA_FILE)));
  else if (version < VERSION_FILE) {
    await client.query(sansTransaction(getMigrationPlans(SCHEMA_FILE, version)));
  }
  for (const name of await filesManquantes(client)) {
    // One job of a task at a time, on all workers together; any number may wait.
    const options =
      name === ABANDONS ? { policy: 'standard' } : { policy: 'singleton', deadLetter: ABANDONS };
    await client.query(`SELECT ${SCHEMA_FILE}.create_queue($1, $2::jsonb)`, [name, JSON.stringify(options)]);
  }
}

/** The text of pg-boss is a transaction of its own; it is to be part of ours. */
function sansTransaction(sql: string): string {
  return sql.replace(/^\s*BEGIN;/, '').replace(/COMMIT;\s*$/, '');
}

/**
 * Refuses to go on with a queue that is not there or older than the program.
 *
 * @param options `plusRecent`: one that is newer is good, too
 * @throws AtelierError ATL_D303
 */
export async function exigerFile(
  db: Queryable,
  options: { readonly plusRecent?: boolean } = {},
): Promise<void> {
  const version = await versionFile(db);
  const good =
    version === VERSION_FILE ||
    (options.plusRecent === true && version !== undefined && version > VERSION_FILE);
  if (good && (await filesManquantes(db)).length === 0) return;
  throw new AtelierError(
    'ATL_D303',
    version === undefined
      ? 'Il manque au schéma la file de tâches.'
      : `La file de tâches est de la version ${version}, il faut la ${VERSION_FILE}.`,
  );
}

async function versionFile(db: Queryable): Promise<number | undefined> {
  // Not `to_regclass`: in a transaction that waited for another installer it would go by what this session knew before.
  const { rows: there } = await db.query<{ present: boolean }>(
    "SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = $1 AND tablename = 'version') AS present",
    [SCHEMA_FILE],
  );
  if (!there[0]!.present) return undefined;
  const { rows } = await db.query<{ version: number }>(
    `SELECT version::integer AS version FROM ${SCHEMA_FILE}.version`,
  );
  return rows[0]?.version;
}

/** Queues that are not there yet; the one that others name comes first. */
async function filesManquantes(db: Queryable): Promise<string[]> {
  const { rows } = await db.query<{ name: string }>(`SELECT name FROM ${SCHEMA_FILE}.queue`);
  const there = new Set(rows.map(({ name }) => name));
  return [ABANDONS, ...NOMS_TACHES].filter((name) => !there.has(name));
}
