/**
 * What the logs must not say. The first rule is not to hand it to them; this is the net under it, for texts that others
 * wrote: messages of libraries, of servers, of clients.
 */
import { codeOf, messageOf } from './errors.ts';

/** Runs have an upper length, so that a long line costs no more than its length. */
const SECRETS: readonly (readonly [RegExp, string])[] = [
  // API keys; tokens, cut ones included: their first characters are always these.
  [/atl_[\w-]+/g, 'atl_…'],
  [/eyJ[\w-]{4,}(?:\.[\w-]*){0,2}/g, 'eyJ…'],
  [/\b(Bearer|Basic)(\s|%20|\+)[\w.~+/=%-]+/gi, '$1 …'],
  [/:\/\/[^\s/:@"]{0,256}:[^\s/@"]{0,256}@/g, '://…@'],
  // The file of a machine may be called like an address, but that it ends in `.LOG`.
  [/[\w.+-]{1,64}(?:@|%40)(?:[\w-]{1,63}\.){1,8}(?!log\b)[a-z]{2,24}\b/gi, '…@…'],
];

/** The text without API keys, tokens, passwords in addresses of servers, and e-mail addresses. */
export function sansSecrets(text: string): string {
  let rest = text;
  for (const [pattern, instead] of SECRETS) rest = rest.replace(pattern, instead);
  return rest;
}

/** The message of an error that may be shown to whoever reads logs and traces: without values that a client sent. */
export function messageSansValeurs(error: unknown): string {
  const text = messageOf(error);
  // PostgreSQL quotes what it could not read; of which table and column it is, it says beside.
  return sansSecrets(ofPostgres(error) ? text.replaceAll(/"[^"]*"/g, '"…"') : text);
}

/** Fields of an error of PostgreSQL that name parts of the schema; `detail` and `where` have values in them. */
const SCHEMA = ['severity', 'schema', 'table', 'column', 'dataType', 'constraint', 'routine'] as const;

/** An error as the log writes it: kind, code, message, where in the program; never what else hangs on it (raw bytes). */
export function erreurPourJournal(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return messageSansValeurs(error);
  const fields = error as unknown as Readonly<Record<string, unknown>>;
  const names = ofPostgres(error) ? SCHEMA.filter((name) => typeof fields[name] === 'string') : [];
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return {
    type: error.name,
    code: codeOf(error),
    message: messageSansValeurs(error),
    ...Object.fromEntries(names.map((name) => [name, fields[name]])),
    stack: sansSecrets(frames.join('\n')),
    cause: error.cause === undefined || depth >= 3 ? undefined : erreurPourJournal(error.cause, depth + 1),
  };
}

function ofPostgres(error: unknown): boolean {
  return error instanceof Error && 'severity' in error && /^[0-9A-Z]{5}$/.test(codeOf(error) ?? '');
}
