/** A few large buffers used in turn: reading goes on while others are still being compressed, in flat memory. */
export class BufferRing {
  readonly #free: Buffer[] = [];
  readonly #waiting: ((buffer: Buffer) => void)[] = [];
  #made = 0;
  readonly #max: number;

  constructor(max = 2) {
    this.#max = max;
  }

  /** A buffer of at least `size` bytes; waits while all are in use. */
  async acquire(size: number): Promise<Buffer> {
    let buffer = this.#free.pop();
    if (!buffer) {
      if (this.#made < this.#max) {
        this.#made++;
        return allocate(size);
      }
      buffer = await new Promise<Buffer>((resolve) => this.#waiting.push(resolve));
    }
    return buffer.length >= size ? buffer : allocate(size);
  }

  release(buffer: Buffer): void {
    const next = this.#waiting.shift();
    if (next) next(buffer);
    else this.#free.push(buffer);
  }
}

function allocate(size: number): Buffer {
  // Rounded up, so that files of nearly the same size share a buffer.
  return Buffer.allocUnsafeSlow(Math.ceil(Math.max(size, 1) / 0x40000) * 0x40000);
}
