import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
// For the types of what the global setup provides.
import type {} from './global-setup.ts';

/** A backup of a database: as it is now, in a database of its own. Connections to the original are cut for it. */
export async function copyDatabase(url: string): Promise<{ url: string; drop(): Promise<void> }> {
  const source = new URL(url).pathname.slice(1);
  const name = `test_${randomBytes(6).toString('hex')}`;
  const asAdmin = async (work: (admin: pg.Client) => Promise<unknown>): Promise<void> => {
    const admin = new pg.Client({ connectionString: inject('postgresAdminUrl') });
    await admin.connect();
    try {
      await work(admin);
    } finally {
      await admin.end();
    }
  };
  await asAdmin(async (admin) => {
    // Pools come back at once: nobody may before the copy is made.
    await admin.query(`ALTER DATABASE ${source} ALLOW_CONNECTIONS false`);
    try {
      await admin.query('SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1', [
        source,
      ]);
      await admin.query(`CREATE DATABASE ${name} TEMPLATE ${source}`);
    } finally {
      await admin.query(`ALTER DATABASE ${source} ALLOW_CONNECTIONS true`);
    }
    await admin.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
  });
  const copy = new URL(url);
  copy.pathname = `/${name}`;
  return {
    url: copy.href,
    drop: () => asAdmin((admin) => admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)),
  };
}
