import type { Cli } from './cli.ts';

/** How often the line is written again, ms. */
const EVERY = 100;

/** One line on a terminal that says which step is being done, and how far it is. Says nothing elsewhere. */
export class Etapes {
  readonly #shown: boolean;
  #last = 0;

  constructor(cli: Cli, json: boolean) {
    this.#shown = cli.isTerminal && !json;
  }

  /** To be given away as a callback. */
  readonly dire = ({ quoi, fait, total }: { quoi: string; fait: number; total: number }): void => {
    const now = performance.now();
    if (!this.#shown || (now - this.#last < EVERY && fait < total)) return;
    this.#last = now;
    process.stderr.write(`\r\x1b[K${quoi}  ${fait}/${total}`);
  };

  /** Wipes the line, so that something else can be written. */
  effacer(): void {
    if (this.#shown) process.stderr.write('\r\x1b[K');
  }
}
