import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { run } from './run.ts';

/** Tables that say how the program ran, not what the logs hold. */
const NOT_DATA = ['migration', 'execution'];

export interface Dump {
  /** tables with rows, and the text file of each */
  readonly tables: readonly { readonly name: string; readonly file: string; readonly rows: number }[];
  readonly rows: number;
}

/** Counts the pieces of the raw bytes: the fastest way to look at every byte once. */
export async function grep(files: readonly string[]): Promise<{ wallMs: number; lines: number }> {
  const { stdout, wallMs } = await run('xargs', ['-0', 'grep', '-c', 'StukUitgevoerd'], {
    env: { ...process.env, LC_ALL: 'C' },
    input: files.join('\0'),
  });
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => Number(line.slice(line.lastIndexOf(':') + 1)));
  return { wallMs, lines: lines.reduce((sum, count) => sum + count, 0) };
}

/** Writes all rows that an import made to text files, a table each. */
export async function dump(url: string, folder: string): Promise<Dump> {
  await mkdir(folder, { recursive: true });
  return await withPlainClient(url, async (client) => {
    const { rows: found } = await client.query<{ name: string }>(
      `SELECT c.relname AS name FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname <> ALL($1) ORDER BY 1`,
      [NOT_DATA],
    );
    const tables: { name: string; file: string; rows: number }[] = [];
    for (const { name } of found) {
      const file = join(folder, `${name}.txt`);
      const copy = client.query(copyTo(`COPY public.${name} TO STDOUT`));
      await pipeline(copy, createWriteStream(file));
      if (copy.rowCount > 0) tables.push({ name, file, rows: copy.rowCount });
    }
    return { tables, rows: tables.reduce((sum, table) => sum + table.rows, 0) };
  });
}

/**
 * Loads the dumped rows into new tables of the same columns, checks and indexes, without foreign keys and without
 * triggers: COPY in text form, one connection, one transaction, from a client that does nothing but hand over
 * the bytes of the files.
 */
export async function copyBack(url: string, { tables }: Dump, settle: () => Promise<void>): Promise<number> {
  return await withPlainClient(url, async (client) => {
    await client.query('DROP SCHEMA IF EXISTS plancher CASCADE');
    await client.query('CREATE SCHEMA plancher');
    for (const { name } of tables) {
      await client.query(`CREATE TABLE plancher.${name} (LIKE public.${name} INCLUDING ALL)`);
    }
    await settle();
    const start = performance.now();
    await client.query('BEGIN');
    for (const { name, file } of tables) {
      const bytes = createReadStream(file, { highWaterMark: 256 * 1024 });
      await pipeline(bytes, client.query(copyFrom(`COPY plancher.${name} FROM STDIN`)));
    }
    await client.query('COMMIT');
    const wallMs = performance.now() - start;
    await client.query('DROP SCHEMA plancher CASCADE');
    return wallMs;
  });
}

async function withPlainClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
