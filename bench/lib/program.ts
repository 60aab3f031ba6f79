import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type MeasuredRun, runNode } from './run.ts';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

export const BIN = path('../../bin/atelier.mjs');

/** Settings of a program under measure: its own folders, its own database. */
export function settings(home: string, logsDir: string, databaseUrl: string): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => /^(PATH|HOME|TMPDIR|TZ|LANG)$/.test(name));
  return {
    ...Object.fromEntries(inherited),
    DATABASE_URL: databaseUrl,
    LOGS_DIR: logsDir,
    ARCHIVES_DIR: join(home, 'archives'),
    SYNC_LOGS_DIR: join(home, 'sync_logs'),
    ATELIER_DIR: join(home, '.atelier'),
  };
}

/**
 * `atelier ingest`, as a user runs it: start of the program included.
 *
 * @param program another checkout than this one
 * @param words another command
 */
export async function runIngest(
  env: NodeJS.ProcessEnv,
  program?: string,
  words: readonly string[] = ['ingest'],
): Promise<MeasuredRun> {
  const bin = program === undefined ? BIN : join(program, 'bin/atelier.mjs');
  return await runNode([...engineFlags(), bin, ...words], { ...env, ...engineEnv() });
}

/** What the first line of the program asks of the engine, so that it runs as from a shell. */
export function engineFlags(): string[] {
  return firstLine().filter((word) => word.startsWith('--'));
}

/** Variables that the first line sets. */
function engineEnv(): Record<string, string> {
  const assignments = firstLine().filter((word) => /^[A-Z_]+=/.test(word));
  return Object.fromEntries(assignments.map((word) => word.split('=') as [string, string]));
}

function firstLine(): string[] {
  return readFileSync(BIN, 'utf8').split('\n')[0]!.split(' ');
}

export interface ParseResult {
  readonly bytes: number;
  /** one for each pass, the first with cold code */
  readonly passesMs: readonly number[];
}

/**
 * Parses every file of a tree in one thread of a fresh process, several times over.
 *
 * @param program another checkout than this one
 */
export async function runParse(logsDir: string, passes: number, program?: string): Promise<ParseResult> {
  const script =
    program === undefined ? path('../children/parse.ts') : join(program, 'bench/children/parse.ts');
  const { stdout } = await runNode([script, logsDir, String(passes)], process.env);
  return JSON.parse(stdout) as ParseResult;
}

export interface AppendResult {
  readonly fileBytes: number;
  readonly cpuMs: readonly number[];
  readonly wallMs: readonly number[];
}

/** Appends lines to one file of a tree, one at a time, and has a warmed process import each. */
export async function runAppends(env: NodeJS.ProcessEnv, file: string): Promise<AppendResult> {
  const { stdout } = await runNode([path('../children/append.ts'), file], env);
  return JSON.parse(stdout) as AppendResult;
}
