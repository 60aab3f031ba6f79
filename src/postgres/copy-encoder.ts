import { parseDay } from '../base/time.ts';
import { encodeNumeric } from './numeric.ts';

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

/** A date travels as `YYYY-MM-DD`, a decimal as its digits. */
export type Value = number | bigint | string | readonly string[] | null;

/** 2000-01-01T00:00:00Z, where PostgreSQL starts to count. */
const PG_EPOCH = 946_684_800;
const PG_EPOCH_MICROS = BigInt(PG_EPOCH) * 1_000_000n;
const SECONDS_PER_DAY = 86_400;
const TEXT_OID = 25;
const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
/** Bytes after which a chunk is worth sending. */
export const CHUNK = 64 * 1024;
/** for the row that crosses the edge of a chunk */
const ROOM = 4 * 1024;
/** Texts up to this length are copied here when they are ASCII; a call into the runtime costs more. */
const SHORT_TEXT = 32;
const NOTHING: readonly Value[] = [];

/** PostgreSQL's binary COPY format (manual, COPY, "Binary Format"). */
export class CopyEncoder {
  #buffer!: Buffer;
  #view!: DataView;
  length = 0;
  readonly #kinds: readonly ColumnKind[];

  constructor(kinds: readonly ColumnKind[]) {
    this.#kinds = kinds;
    this.#use(Buffer.allocUnsafeSlow(CHUNK + ROOM));
    this.length = SIGNATURE.copy(this.#buffer);
  }

  /** One row, given in one or two parts. */
  row(first: readonly Value[], rest: readonly Value[] = NOTHING): void {
    this.#reserve(2);
    this.#int16(this.#kinds.length);
    for (let i = 0; i < first.length; i++) this.#value(this.#kinds[i]!, first[i]!);
    for (let i = 0; i < rest.length; i++) this.#value(this.#kinds[first.length + i]!, rest[i]!);
  }

  trailer(): void {
    this.#reserve(2);
    this.#int16(-1);
  }

  /** The bytes so far; the encoder goes on with a buffer of its own. */
  take(): Buffer {
    const chunk = this.#buffer.subarray(0, this.length);
    this.#use(Buffer.allocUnsafeSlow(CHUNK + ROOM));
    this.length = 0;
    return chunk;
  }

  #value(kind: ColumnKind, value: Value): void {
    this.#reserve(12);
    if (value === null) {
      this.#int32(-1);
      return;
    }
    switch (kind) {
      case 'int4':
        this.#int32(4);
        this.#int32(value as number);
        break;
      case 'text':
        this.#text(value as string);
        break;
      case 'int2':
        this.#int32(2);
        this.#int16(value as number);
        break;
      case 'date':
        this.#int32(4);
        this.#int32(parseDay(value as string) - PG_EPOCH / SECONDS_PER_DAY);
        break;
      case 'text[]':
        this.#texts(value as readonly string[]);
        break;
      case 'numeric':
        this.#bytes(encodeNumeric(value as string));
        break;
      case 'micros':
        this.#int32(8);
        this.#bigInt64((value as bigint) - PG_EPOCH_MICROS);
        break;
      case 'seconds':
        this.#int32(8);
        this.#seconds(value as number);
        break;
      case 'int8':
        this.#int32(8);
        this.#int64(value as number);
        break;
    }
  }

  #seconds(value: number): void {
    const micros = (value - PG_EPOCH) * 1e6;
    // A stamp of the year 2286 or later: its microseconds need all 64 bits.
    if (Number.isSafeInteger(micros)) this.#int64(micros);
    else this.#bigInt64(BigInt(value - PG_EPOCH) * 1_000_000n);
  }

  #int64(value: number): void {
    const high = Math.floor(value / 0x1_0000_0000);
    this.#int32(high);
    this.#int32(value - high * 0x1_0000_0000);
  }

  #bigInt64(value: bigint): void {
    this.#view.setBigInt64(this.length, value);
    this.length += 8;
  }

  #int32(value: number): void {
    this.#view.setInt32(this.length, value);
    this.length += 4;
  }

  #int16(value: number): void {
    this.#view.setInt16(this.length, value);
    this.length += 2;
  }

  #text(text: string): void {
    // UTF-8 takes at most three bytes for each UTF-16 unit.
    this.#reserve(4 + text.length * 3);
    const written = this.#shortAscii(text) ?? this.#buffer.write(text, this.length + 4, 'utf8');
    this.#int32(written);
    this.length += written;
  }

  /** Copies a short ASCII text behind the place for its length; undefined when it is neither. */
  #shortAscii(text: string): number | undefined {
    if (text.length > SHORT_TEXT) return undefined;
    const at = this.length + 4;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 0x80) return undefined;
      this.#buffer[at + i] = code;
    }
    return text.length;
  }

  /** A one-dimensional array without nulls; the element type's oid is fixed in every PostgreSQL. */
  #texts(texts: readonly string[]): void {
    this.#reserve(24);
    const start = this.length;
    for (const word of [0, 1, 0, TEXT_OID, texts.length, 1]) this.#int32(word);
    for (const text of texts) {
      this.#reserve(4);
      this.#text(text);
    }
    this.#view.setInt32(start, this.length - start - 4);
  }

  #bytes(bytes: Buffer): void {
    this.#reserve(4 + bytes.length);
    this.#int32(bytes.length);
    this.length += bytes.copy(this.#buffer, this.length);
  }

  #reserve(bytes: number): void {
    if (this.length + bytes <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, this.length + bytes));
    this.#buffer.copy(grown, 0, 0, this.length);
    this.#use(grown);
  }

  #use(buffer: Buffer): void {
    this.#buffer = buffer;
    this.#view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
  }
}
