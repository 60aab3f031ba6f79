import type { Writable } from 'node:stream';
import { from as copyFrom } from 'pg-copy-streams';
import { CHUNK, type ColumnKind, CopyEncoder, type Value } from './copy-encoder.ts';
import type { Client } from './pool.ts';

export interface Column {
  readonly name: string;
  readonly kind: ColumnKind;
}

/** Writes one row, given in one or two parts; when it returns a promise, the socket must be waited for. */
export type RowWriter = (first: readonly Value[], rest?: readonly Value[]) => Promise<void> | undefined;

/**
 * Writes rows into a table by binary COPY (about 1.2 times as fast as text, and nothing to escape).
 * Memory stays flat: rows are encoded into chunks, and the socket is waited for.
 *
 * @param produce writes the rows
 */
export async function copyRows(
  client: Client,
  table: string,
  columns: readonly Column[],
  produce: (write: RowWriter) => Promise<void>,
): Promise<void> {
  const names = columns.map((column) => `"${column.name}"`).join(', ');
  const stream = client.query(copyFrom(`COPY "${table}" (${names}) FROM STDIN (FORMAT binary)`));
  const done = new Promise<void>((resolve, reject) => {
    stream.on('finish', resolve);
    stream.on('error', reject);
  });
  // The promise is awaited below; a failure that comes before must not count as unhandled.
  done.catch(() => undefined);
  const encoder = new CopyEncoder(columns.map((column) => column.kind));
  try {
    await produce((first, rest) => {
      encoder.row(first, rest);
      return encoder.length >= CHUNK ? write(stream, encoder.take(), done) : undefined;
    });
  } catch (error) {
    stream.destroy(error instanceof Error ? error : new Error(String(error)));
    throw error;
  }
  encoder.trailer();
  stream.end(encoder.take());
  await done;
}

async function write(stream: Writable, chunk: Buffer, done: Promise<void>): Promise<void> {
  if (stream.write(chunk)) return;
  await Promise.race([new Promise<void>((resolve) => stream.once('drain', resolve)), done]);
}
