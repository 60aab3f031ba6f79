import { isatty } from 'node:tty';
import pino from 'pino';
import type { Config } from './config.ts';
import { filEnCours } from './fil.ts';
import { type FichierJournal, JournalFichier } from './journal-fichier.ts';
import { proseLine } from './log-prose.ts';
import { erreurPourJournal, sansSecrets } from './log-redaction.ts';

export type Logger = pino.Logger;

/** Where a command writes its running log besides its own answer. */
export interface LogTargets {
  /**
   * `stdout` as a rule; `stderr` when stdout carries data (`--json`, `--csv`); a function that is given each
   * line on a terminal, where a progress bar is in the way
   */
  readonly console: 'stdout' | 'stderr' | ((line: string) => void);
  /** folder and name of the log file, for example `ftp_log_service.log`; see {@link fichierJournal} */
  readonly file?: FichierJournal;
  readonly level: pino.LevelWithSilent;
  /** time zone of what is shown on a terminal; UTC when left out */
  readonly fuseau?: string;
}

/**
 * A logger that writes one JSON object a line, UTC time, to the console and to a file, with the task, run and trace
 * that the line belongs to, and without secrets (`log-redaction.ts`). A console that is a terminal is read by a person: there each is a line of prose. Writes are synchronous: what was logged before a crash is there after it.
 *
 * @throws AtelierError ATL_C101 when the file cannot be opened
 */
export function createLogger(targets: LogTargets): Logger {
  const streams: pino.StreamEntry[] = [];
  if (typeof targets.console === 'function') {
    streams.push({ level: 'debug', stream: { write: targets.console } });
  } else {
    const fd = targets.console === 'stdout' ? 1 : 2;
    const stream = pino.destination({ fd, sync: true });
    const prose = { write: (line: string) => void stream.write(`${proseLine(line, targets.fuseau)}\n`) };
    streams.push({ level: 'debug', stream: isatty(fd) ? prose : stream });
  }
  if (targets.file) streams.push({ level: 'debug', stream: new JournalFichier(targets.file) });
  return pino(
    {
      level: targets.level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      mixin: deFil,
      // Requests and answers never go in whole: whoever logs one (Fastify, where something went wrong) gets nothing.
      serializers: { err: erreurPourJournal, req: () => undefined, res: () => undefined },
      hooks: { streamWrite: (line) => sansRetournement(sansSecrets(line)) },
    },
    pino.multistream(streams),
  );
}

/**
 * The same JSON, in which what turns a line round or breaks it on a screen stands as an escape: a file's name comes from
 * machines (`GOL.\u202e0140520.LOG`).
 */
function sansRetournement(line: string): string {
  return line.replace(
    /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** What a line says of the work that it belongs to. */
function deFil(): object {
  const { tache, execution, trace, span } = filEnCours();
  return { tache, execution, trace, span };
}

/** The two log files of the installation: imports, and orders. */
export type NomJournal = 'ftp_log_service.log' | 'mysql_sync.log';

/** A log file of SYNC_LOGS_DIR, put aside as the settings say. */
export function fichierJournal(config: Config, name: NomJournal): FichierJournal {
  const { journalTaille: taille, journalFichiers: fichiers } = config.observation;
  return { dir: config.syncLogsDir, name, taille, fichiers };
}

/** A logger that says nothing: for tests and for commands that only read. */
export function silentLogger(): Logger {
  return pino({ level: 'silent' });
}
