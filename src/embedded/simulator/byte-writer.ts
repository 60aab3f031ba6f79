const ZERO = 0x30;

/**
 * An append-only run of ASCII bytes. Lines are written digit by digit into one buffer: building the same day
 * from strings costs several times as much, and a tree for measurements is a gigabyte.
 */
export class ByteWriter {
  #bytes = Buffer.allocUnsafe(1 << 22);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Starts again in the same memory. */
  clear(): void {
    this.#length = 0;
  }

  /** Makes room for at least this many bytes; the writing methods below do not check. */
  reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + count));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }

  byte(value: number): void {
    this.#bytes[this.#length++] = value;
  }

  /** Text of characters up to U+007F. */
  ascii(text: string): void {
    const bytes = this.#bytes;
    let at = this.#length;
    for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i);
    this.#length = at;
  }

  /** `value` / 10^`decimals` with exactly that many decimals, for example (33590, 1) → `3359.0`. */
  scaled(value: number, decimals: number): void {
    const bytes = this.#bytes;
    if (value < 0) this.byte(0x2d);
    let rest = Math.abs(value);
    let digits = 1;
    for (let limit = 10; limit <= rest; limit *= 10) digits++;
    if (digits <= decimals) digits = decimals + 1;
    const end = this.#length + digits + (decimals > 0 ? 1 : 0);
    const point = decimals > 0 ? end - decimals - 1 : -1;
    for (let at = end - 1; at >= this.#length; at--) {
      if (at === point) {
        bytes[at] = 0x2e;
        continue;
      }
      const next = Math.floor(rest / 10);
      bytes[at] = ZERO + rest - next * 10;
      rest = next;
    }
    this.#length = end;
  }

  /** Exactly two digits. */
  pair(value: number): void {
    const tens = Math.floor(value / 10);
    this.#bytes[this.#length++] = ZERO + tens;
    this.#bytes[this.#length++] = ZERO + value - tens * 10;
  }

  /** The start of a line: `YYYYMMDD HH:MM:SS|@`; `date` is the first word. */
  stamp(date: string, secondOfDay: number): void {
    this.ascii(date);
    this.byte(0x20);
    const minutes = Math.floor(secondOfDay / 60);
    const hours = Math.floor(minutes / 60);
    this.pair(hours);
    this.byte(0x3a);
    this.pair(minutes - hours * 60);
    this.byte(0x3a);
    this.pair(secondOfDay - minutes * 60);
    this.byte(0x7c);
    this.byte(0x40);
  }

  /** A copy of what was written. */
  copy(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#length));
  }
}
