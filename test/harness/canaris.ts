// Where planted texts may lie that files do not show at once: in processes, and in pages of a database.

import { readdir, readFile } from 'node:fs/promises';
import { silentLogger } from '../../src/base/logger.ts';
import { createPool, type Pool } from '../../src/postgres/pool.ts';

/** Does something with a connection of its own. */
export async function surUneBase<T>(url: string, work: (pool: Pool) => Promise<T>): Promise<T> {
  const pool = createPool(url, { logger: silentLogger(), max: 1 });
  try {
    return await work(pool);
  } finally {
    await pool.end();
  }
}

/**
 * Notes the arguments of all processes, and the environment of those that atelier's own processes started (after ENV).
 *
 * @param vus gets one entry for each that was not seen before
 */
export async function regarderProcessus(vus: Set<string>): Promise<void> {
  const text = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');
  for (const pid of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(pid)) continue;
    const words = await text(`/proc/${pid}/cmdline`);
    if (words !== '') vus.add(words.replaceAll('\0', ' '));
    const parent = /\) \S (\d+) /.exec(await text(`/proc/${pid}/stat`))?.[1];
    if (parent && (await text(`/proc/${parent}/cmdline`)).includes('bin/atelier.mjs'))
      vus.add(`${words} ENV ${await text(`/proc/${pid}/environ`)}`);
  }
}

/** Columns of ours whose long values PostgreSQL squeezes (pglz). */
const COMPRIMEES = `pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname IN ('public', 'pgboss') AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
    AND a.attstorage IN ('x', 'm')`;

/** @returns `table.column` */
export async function colonnesComprimees(db: Pool): Promise<string[]> {
  const { rows } = await db.query<{ nom: string }>(
    `SELECT c.relname || '.' || a.attname AS nom FROM ${COMPRIMEES} ORDER BY 1`,
  );
  return rows.map(({ nom }) => nom);
}

/**
 * Has PostgreSQL keep long values as they are: squeezed, a name is no longer one for whoever looks for it in the bytes of a
 * page.
 */
export async function sansCompression(db: Pool): Promise<void> {
  const { rows } = await db.query<{ sql: string }>(
    `SELECT format('ALTER TABLE %I.%I ALTER COLUMN %I SET STORAGE EXTERNAL', n.nspname, c.relname, a.attname) AS sql
       FROM ${COMPRIMEES}`,
  );
  for (const { sql } of rows) await db.query(sql);
}
