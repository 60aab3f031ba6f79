import { mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import pino from 'pino';
import { AtelierError, messageOf } from './errors.ts';

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
 *
 * @throws AtelierError ATL_C101 when the file cannot be opened
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
    streams.push({ level: 'debug', stream: openFile(targets.file) });
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

/** The log file. A full disk under it must not stop the import: the lines are lost, which is said once. */
function openFile({ dir, name }: { dir: string; name: string }): pino.DestinationStream {
  const dest = join(dir, name);
  let fd: number;
  try {
    mkdirSync(dir, { recursive: true });
    fd = openSync(dest, 'a');
  } catch (cause) {
    throw new AtelierError('ATL_C101', `SYNC_LOGS_DIR : écriture de ${dest} : ${messageOf(cause)}`, {
      cause,
    });
  }
  let failing = false;
  return {
    write(line) {
      try {
        writeSync(fd, line);
        failing = false;
      } catch (error) {
        if (!failing) process.stderr.write(`atelier : journal ${dest} : ${messageOf(error)}\n`);
        failing = true;
      }
    },
  };
}

/** A logger that says nothing: for tests and for commands that only read. */
export function silentLogger(): Logger {
  return pino({ level: 'silent' });
}
