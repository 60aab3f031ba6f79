import type { Config } from '../base/config.ts';
import type { Shutdown } from '../base/shutdown.ts';

/** What a command is given. */
export interface Cli {
  readonly config: Config;
  readonly shutdown: Shutdown;
  /** writes a line of the answer */
  readonly out: (line: string) => void;
  /** writes a line that is not the answer: progress, warnings, errors */
  readonly err: (line: string) => void;
  readonly isTerminal: boolean;
  /** width of the terminal in characters */
  readonly columns: number;
}

/** A command: one file in this folder. */
export interface Command {
  /** one line for the list of commands */
  readonly summary: string;
  /** what `--help` prints */
  readonly usage: string;
  /** @returns the exit code: 0 well, 1 failure, 2 wrong usage, 3 done but some file could not be read */
  run(args: string[], cli: Cli): Promise<number>;
}

/** Wrong usage: the message names the option; the exit code is 2. */
export class UsageError extends Error {}
