import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
// For the types of what the global setup provides.
import type {} from './global-setup.ts';
import { launchPrivate, type PrivatePostgres } from './private-postgres.ts';

/** Brings an empty database to the shape that tests start from, for example by running the migrations. */
export type MakeTemplate = (url: string) => Promise<unknown>;

let makeTemplate: MakeTemplate | undefined;

/** From now on `createDatabase` of this test file clones what `make` made, once in the whole run. */
export function registerTemplate(make: MakeTemplate): void {
  makeTemplate = make;
}

/** A database of one test file. */
export interface TestDatabase {
  readonly url: string;
  /** drops it, closing what is still connected */
  drop(): Promise<void>;
}

/**
 * Makes a new database: a clone of the template when one is registered, else an empty one.
 *
 * @param options `template: false` gives an empty one all the same
 */
export async function createDatabase(options: { template?: boolean } = {}): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await asAdmin(async (admin) => {
    const cloned = makeTemplate !== undefined && options.template !== false;
    if (cloned) await ensureTemplate(admin, makeTemplate!);
    await admin.query(`CREATE DATABASE ${name} TEMPLATE ${cloned ? TEMPLATE : 'template0'}`);
  });
  return {
    url: addressOfDatabase(name),
    drop: () => asAdmin((admin) => admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)),
  };
}

/** Starts a server that the test stops, crashes and restarts; the test calls `remove` at its end. */
export function startPrivatePostgres(
  options: { fsync?: boolean; settings?: Readonly<Record<string, string | number>> } = {},
): Promise<PrivatePostgres> {
  return launchPrivate({ ...options, binaries: inject('postgresBinaries'), run: inject('postgresRun') });
}

const TEMPLATE = 'atelier_modele';
/** Any number: nobody else locks in the database of the administrator. */
const TEMPLATE_LOCK = 4_711;

/** The first test file that comes makes the template while the others wait. */
async function ensureTemplate(admin: pg.Client, make: MakeTemplate): Promise<void> {
  await admin.query('SELECT pg_advisory_lock($1)', [TEMPLATE_LOCK]);
  try {
    const { rowCount } = await admin.query('SELECT FROM pg_database WHERE datname = $1', [TEMPLATE]);
    if (rowCount === 1) return;
    // Made under another name: a template that failed half-way is never cloned.
    const draft = `${TEMPLATE}_brouillon`;
    await admin.query(`DROP DATABASE IF EXISTS ${draft} WITH (FORCE)`);
    await admin.query(`CREATE DATABASE ${draft} TEMPLATE template0`);
    await make(addressOfDatabase(draft));
    // Cloning needs a database that nobody is connected to.
    await admin.query(`ALTER DATABASE ${draft} ALLOW_CONNECTIONS false`);
    await admin.query(`ALTER DATABASE ${draft} RENAME TO ${TEMPLATE}`);
  } finally {
    await admin.query('SELECT pg_advisory_unlock($1)', [TEMPLATE_LOCK]);
  }
}

function addressOfDatabase(name: string): string {
  const url = new URL(inject('postgresAdminUrl'));
  url.pathname = `/${name}`;
  return url.href;
}

async function asAdmin(work: (admin: pg.Client) => Promise<unknown>): Promise<void> {
  const admin = new pg.Client({ connectionString: inject('postgresAdminUrl') });
  await admin.connect();
  try {
    await work(admin);
  } finally {
    await admin.end();
  }
}

/** An address as it may stand in a command's line, and the environment that has its password. */
export function sansMotDePasse(url: string): { adresse: string; secret: { PGPASSWORD: string } } {
  const adresse = new URL(url);
  const secret = { PGPASSWORD: decodeURIComponent(adresse.password) };
  adresse.password = '';
  return { adresse: adresse.href, secret };
}
