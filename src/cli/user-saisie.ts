import { createInterface } from 'node:readline/promises';
import { StringDecoder } from 'node:string_decoder';
import type { ReadStream } from 'node:tty';
import { AtelierError } from '../base/errors.ts';
import { type Cli, UsageError } from './cli.ts';

/** Bytes of a line from standard input at most; passwords are far shorter. */
const LONGEST_LINE = 8192;
const TRIES = 3;

/** How a new password comes in. */
export interface Saisie {
  /** the first line of standard input, for programs */
  readonly stdin: boolean;
  /** French reasons why a password will not do; none when it will */
  readonly refus: (mdp: string) => string[];
}

/**
 * A new password, never from the command line (other users of the machine see that): typed twice on a terminal, where
 * it is not shown, or the first line of standard input when that was asked for.
 *
 * @throws UsageError without a terminal and without the option
 * @throws AtelierError ATL_A502 when it is not good enough
 */
export async function lireMotDePasse(cli: Cli, { stdin, refus }: Saisie): Promise<string> {
  if (stdin) {
    const mdp = await firstLine(process.stdin);
    const reasons = refus(mdp);
    if (reasons.length > 0) throw new AtelierError('ATL_A502', reasons.join('\n'));
    return mdp;
  }
  if (!process.stdin.isTTY) {
    throw new UsageError(
      'il n’y a pas de terminal où demander le mot de passe : donnez-le sur l’entrée standard avec --mot-de-passe-stdin',
    );
  }
  const ahead: string[] = [];
  for (let left = TRIES; ; left--) {
    const mdp = await ask(cli, process.stdin, ahead, 'Mot de passe : ');
    const reasons = refus(mdp);
    if (reasons.length === 0) {
      if ((await ask(cli, process.stdin, ahead, 'Encore une fois : ')) === mdp) return mdp;
      reasons.push('Les deux saisies diffèrent.');
    }
    if (left === 1) throw new AtelierError('ATL_A502', reasons.join('\n'));
    for (const reason of reasons) cli.err(reason);
  }
}

/**
 * Has somebody type a word before what cannot be undone.
 *
 * @throws UsageError without a terminal, or when something else was typed
 */
export async function confirmer(question: string, mot: string): Promise<void> {
  if (!process.stdin.isTTY)
    throw new UsageError('il n’y a pas de terminal où demander confirmation : ajoutez --oui');
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    if ((await lines.question(question)).trim() === mot) return;
  } finally {
    lines.close();
  }
  throw new UsageError('pas confirmé, rien n’a été fait');
}

/** The first line, without its end. */
async function firstLine(input: NodeJS.ReadStream): Promise<string> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of input as AsyncIterable<Buffer>) {
    const end = piece.indexOf(0x0a);
    pieces.push(end < 0 ? piece : piece.subarray(0, end));
    length += pieces.at(-1)!.length;
    if (end >= 0) break;
    if (length > LONGEST_LINE) throw new AtelierError('ATL_A502', 'Le mot de passe est trop long.');
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
      .decode(Buffer.concat(pieces))
      .replace(/\r$/, '');
  } catch (cause) {
    throw new AtelierError('ATL_A502', 'Le mot de passe n’est pas en UTF-8.', { cause });
  }
}

/** Reads a line from a terminal without showing it; what was pasted beyond it stays in `ahead`. Ctrl-C stops. */
async function ask(cli: Cli, input: ReadStream, ahead: string[], question: string): Promise<string> {
  input.setRawMode(true);
  const decoder = new StringDecoder('utf8');
  const typed: string[] = [];
  // Only now: what is typed before would be shown.
  process.stderr.write(question);
  try {
    for (;;) {
      while (ahead.length > 0) {
        const character = ahead.shift()!;
        if (character === '\r' || character === '\n' || character === '\x04') return typed.join('');
        if (character === '\x03') {
          cli.shutdown.request('SIGINT');
          cli.shutdown.signal.throwIfAborted();
        }
        if (character === '\x7f' || character === '\b') typed.pop();
        else if (character === '\x15') typed.length = 0;
        else typed.push(character);
      }
      ahead.push(...decoder.write(await nextPiece(input, cli.shutdown.signal)));
    }
  } finally {
    input.setRawMode(false);
    process.stderr.write('\n');
  }
}

/** What is typed next. A terminal that goes away ends the command too. */
function nextPiece(input: ReadStream, signal: AbortSignal): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      input.pause();
      input.off('data', onData).off('end', onEnd).off('error', onEnd);
      signal.removeEventListener('abort', onAbort);
    };
    const onData = (piece: Buffer): void => {
      done();
      resolve(piece);
    };
    const onEnd = (): void => {
      done();
      reject(new AtelierError('ATL_A502', 'Le terminal s’est fermé avant la fin du mot de passe.'));
    };
    const onAbort = (): void => {
      done();
      reject(signal.reason);
    };
    input.on('data', onData).on('end', onEnd).on('error', onEnd);
    signal.addEventListener('abort', onAbort);
    input.resume();
  });
}
