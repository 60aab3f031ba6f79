/**
 * A terminal signals every process of a command, and those that started us pass it on: one Ctrl-C comes twice or more.
 * What follows the first within this time (ms) is its echo.
 */
const ECHO = 200;

/** Closers of what a command opened, run once, in reverse order, on the normal way out and on a signal. */
export class Shutdown {
  readonly #closers: (() => Promise<void> | void)[] = [];
  readonly #abort = new AbortController();
  #closing: Promise<void> | undefined;

  /** Aborted as soon as a stop is asked for: long work looks at it between two steps. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Registers a closer for something just opened. */
  add(closer: () => Promise<void> | void): void {
    this.#closers.push(closer);
  }

  /** Asks running work to stop at its next step; SIGINT and SIGTERM do the same. */
  request(reason: string): void {
    this.#abort.abort(new Error(reason));
  }

  /** Listens to SIGINT and SIGTERM; a second signal leaves at once. */
  listen(): void {
    let first: number | undefined;
    const onSignal = (signal: NodeJS.Signals): void => {
      if (!this.#abort.signal.aborted) {
        first = performance.now();
        this.request(signal);
      } else if (first === undefined || performance.now() - first > ECHO) {
        process.exit(130);
      }
    };
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
    this.add(() => {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    });
  }

  /** Closes everything, last opened first; the first error is thrown after all closers ran. */
  close(): Promise<void> {
    this.#closing ??= this.#closeAll();
    return this.#closing;
  }

  async #closeAll(): Promise<void> {
    let first: unknown;
    for (const closer of this.#closers.reverse()) {
      try {
        await closer();
      } catch (error) {
        first ??= error;
      }
    }
    if (first) throw first;
  }
}
