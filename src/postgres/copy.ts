import type { Writable } from 'node:stream';
import { from as copyFrom } from 'pg-copy-streams';
import { parseDay } from '../base/time.ts';
import type { Client } from './pool.ts';

/** How a column travels in a binary COPY. Instants: whole seconds as a number, or microseconds as a bigint. */
export type ColumnKind =
  | 'int2'
  | 'int4'
  | 'int8'
  | 'text'
  | 'text[]'
  | 'date'
  | 'seconds'
  | 'micros'
  | 'numeric';

export interface Column {
  readonly name: string;
  readonly kind: ColumnKind;
}

/** A date travels as `YYYY-MM-DD`, a decimal as its digits. */
export type Value = number | bigint | string | readonly string[] | null;

/** 2000-01-01T00:00:00Z, where PostgreSQL starts to count. */
const PG_EPOCH = 946_684_800;
const SECONDS_PER_DAY = 86_400;
const TEXT_OID = 25;
const PG_EPOCH_MICROS = BigInt(PG_EPOCH) * 1_000_000n;
const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');
const CHUNK = 64 * 1024;
/** for the row that crosses the edge of a chunk */
const ROOM = 4 * 1024;
const NOTHING: readonly Value[] = [];

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
  const encoder = new CopyEncoder(columns);
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

/** PostgreSQL's binary COPY format (manual, COPY, "Binary Format"). */
class CopyEncoder {
  #buffer = Buffer.allocUnsafe(CHUNK + ROOM);
  length = 0;
  readonly #kinds: readonly ColumnKind[];

  constructor(columns: readonly Column[]) {
    this.#kinds = columns.map((column) => column.kind);
    this.length = SIGNATURE.copy(this.#buffer);
    this.length = this.#buffer.writeInt32BE(0, this.length);
    this.length = this.#buffer.writeInt32BE(0, this.length);
  }

  row(first: readonly Value[], rest: readonly Value[] = NOTHING): void {
    this.#reserve(2);
    this.length = this.#buffer.writeInt16BE(this.#kinds.length, this.length);
    for (let i = 0; i < first.length; i++) this.#value(this.#kinds[i]!, first[i]!);
    for (let i = 0; i < rest.length; i++) this.#value(this.#kinds[first.length + i]!, rest[i]!);
  }

  trailer(): void {
    this.#reserve(2);
    this.length = this.#buffer.writeInt16BE(-1, this.length);
  }

  /** The bytes so far; the encoder goes on with a buffer of its own. */
  take(): Buffer {
    const chunk = this.#buffer.subarray(0, this.length);
    this.#buffer = Buffer.allocUnsafe(CHUNK + ROOM);
    this.length = 0;
    return chunk;
  }

  #value(kind: ColumnKind, value: Value): void {
    this.#reserve(12);
    const b = this.#buffer;
    if (value === null) {
      this.length = b.writeInt32BE(-1, this.length);
    } else if (kind === 'int4') {
      this.length = b.writeInt32BE(4, this.length);
      this.length = b.writeInt32BE(value as number, this.length);
    } else if (kind === 'text') {
      this.#text(value as string);
    } else if (kind === 'int2') {
      this.length = b.writeInt32BE(2, this.length);
      this.length = b.writeInt16BE(value as number, this.length);
    } else if (kind === 'date') {
      this.length = b.writeInt32BE(4, this.length);
      this.length = b.writeInt32BE(parseDay(value as string) - PG_EPOCH / SECONDS_PER_DAY, this.length);
    } else if (kind === 'text[]') {
      this.#texts(value as readonly string[]);
    } else if (kind === 'numeric') {
      this.#bytes(encodeNumeric(value as string));
    } else {
      this.length = b.writeInt32BE(8, this.length);
      this.#int64(kind, value as number | bigint);
    }
  }

  #int64(kind: ColumnKind, value: number | bigint): void {
    if (kind === 'micros') {
      this.length = this.#buffer.writeBigInt64BE((value as bigint) - PG_EPOCH_MICROS, this.length);
      return;
    }
    const number = kind === 'seconds' ? ((value as number) - PG_EPOCH) * 1e6 : (value as number);
    if (!Number.isSafeInteger(number)) {
      // A stamp of the year 2286 or later: its microseconds need all 64 bits.
      this.length = this.#buffer.writeBigInt64BE(
        BigInt((value as number) - PG_EPOCH) * 1_000_000n,
        this.length,
      );
      return;
    }
    const high = Math.floor(number / 0x1_0000_0000);
    this.length = this.#buffer.writeInt32BE(high, this.length);
    this.length = this.#buffer.writeUInt32BE(number - high * 0x1_0000_0000, this.length);
  }

  #text(text: string): void {
    // UTF-8 takes at most three bytes for each UTF-16 unit.
    this.#reserve(4 + text.length * 3);
    const written = this.#buffer.write(text, this.length + 4, 'utf8');
    this.length = this.#buffer.writeInt32BE(written, this.length) + written;
  }

  /** A one-dimensional array without nulls; the element type's oid is fixed in every PostgreSQL. */
  #texts(texts: readonly string[]): void {
    const start = this.length;
    this.length += 4;
    this.#reserve(20);
    for (const word of [1, 0, TEXT_OID, texts.length, 1])
      this.length = this.#buffer.writeInt32BE(word, this.length);
    for (const text of texts) {
      this.#reserve(4);
      this.#text(text);
    }
    this.#buffer.writeInt32BE(this.length - start - 4, start);
  }

  #bytes(bytes: Buffer): void {
    this.#reserve(4 + bytes.length);
    this.length = this.#buffer.writeInt32BE(bytes.length, this.length);
    this.length += bytes.copy(this.#buffer, this.length);
  }

  #reserve(bytes: number): void {
    if (this.length + bytes <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.length + bytes));
    this.#buffer.copy(grown, 0, 0, this.length);
    this.#buffer = grown;
  }
}

/** A decimal such as `3359.25` (no exponent) as PostgreSQL's base-10000 numeric. */
export function encodeNumeric(text: string): Buffer {
  const negative = text.startsWith('-');
  const [whole = '', fraction = ''] = text.replace('-', '').split('.');
  const left = whole.padStart(Math.ceil(whole.length / 4) * 4, '0');
  const right = fraction.padEnd(Math.ceil(fraction.length / 4) * 4, '0');
  const groups = (left + right).match(/\d{4}/g)?.map(Number) ?? [];
  let weight = left.length / 4 - 1;
  while (groups[0] === 0) {
    groups.shift();
    weight--;
  }
  while (groups.at(-1) === 0) groups.pop();
  const bytes = Buffer.alloc(8 + groups.length * 2);
  bytes.writeInt16BE(groups.length, 0);
  bytes.writeInt16BE(groups.length === 0 ? 0 : weight, 2);
  bytes.writeUInt16BE(negative && groups.length > 0 ? 0x4000 : 0, 4);
  bytes.writeInt16BE(fraction.length, 6);
  for (const [i, group] of groups.entries()) bytes.writeInt16BE(group, 8 + i * 2);
  return bytes;
}
