import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import pino from 'pino';

export type Logger = pino.Logger;

/** Where a command writes its running log besides its own answer. */
export interface LogTargets {
  /**
   * `stdout` as a rule; `stderr` when stdout carries data (`--json`, `--csv`); a function that is given each
   * line on a terminal, where a progress bar is in the way
   */
  readonly console: 'stdout' | 'stderr' | ((line: string) => void);
  /** folder and name of the log file, for example `ftp_log_service.log` */
  readonly file?: { readonly dir: string; readonly name: string };
  readonly level: pino.LevelWithSilent;
}

/**
 * A logger that writes one JSON object a line, UTC time, to the console and to a file.
 * Writes are synchronous: what was logged before a crash is there after it.
 */
export function createLogger(targets: LogTargets): Logger {
  const streams: pino.StreamEntry[] = [];
  if (typeof targets.console === 'function') {
    streams.push({ level: 'debug', stream: { write: targets.console } });
  } else {
    const fd = targets.console === 'stdout' ? 1 : 2;
    streams.push({ level: 'debug', stream: pino.destination({ fd, sync: true }) });
  }
  if (targets.file) {
    mkdirSync(targets.file.dir, { recursive: true });
    const dest = join(targets.file.dir, targets.file.name);
    streams.push({ level: 'debug', stream: pino.destination({ dest, append: true, sync: true }) });
  }
  return pino(
    {
      level: targets.level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    pino.multistream(streams),
  );
}

/** A logger that says nothing: for tests and for commands that only read. */
export function silentLogger(): Logger {
  return pino({ level: 'silent' });
}
