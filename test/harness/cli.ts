import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { silentLogger } from '../../src/base/logger.ts';
import { createPool, type Pool } from '../../src/postgres/pool.ts';
import { CACHE_COMPILATION } from './cache.ts';
import { migrateUrl } from './context.ts';
import { createDatabase, registerTemplate } from './postgres.ts';

const BIN = fileURLToPath(new URL('../../bin/atelier.mjs', import.meta.url));

/** Planted in every run: it must show up nowhere. */
const SECRET = 'cle-secrete-plantee-0123456789abcdef';

export type Env = Readonly<Record<string, string>>;

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** stdout as it came, for answers that are bytes */
  readonly bytes: Buffer;
}

export interface Running {
  readonly process: ChildProcess;
  readonly ended: Promise<Finished>;
  /** what it wrote so far, both outputs */
  readonly text: () => string;
}

/** Starts the program as a person would, with nothing of our own environment but what finds programs. */
export function startAtelier(
  args: readonly string[],
  options: { env: Env; cwd: string; before?: readonly string[]; node?: readonly string[]; bin?: string },
): Running {
  const [program, ...rest] = [
    ...(options.before ?? []),
    process.execPath,
    ...(options.node ?? []),
    options.bin ?? BIN,
    ...args,
  ];
  const child = spawn(program!, rest, {
    cwd: options.cwd,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: options.cwd,
      NODE_COMPILE_CACHE: CACHE_COMPILATION,
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (piece: Buffer) => out.push(piece));
  child.stderr.on('data', (piece: Buffer) => err.push(piece));
  const ended = once(child, 'close').then(([code]): Finished => {
    const bytes = Buffer.concat(out);
    return { code, bytes, stdout: bytes.toString(), stderr: Buffer.concat(err).toString() };
  });
  return { process: child, ended, text: () => Buffer.concat([...out, ...err]).toString() };
}

/** An installation as a workshop has one: its folders, its database, its settings. */
export interface Installation {
  readonly home: string;
  readonly logs: string;
  readonly archives: string;
  readonly syncLogs: string;
  readonly url: string;
  readonly env: Env;
  readonly pool: Pool;
  /** runs a command to its end, and checks that it told no secret */
  run(args: readonly string[], options?: { env?: Env; before?: readonly string[] }): Promise<Finished>;
  start(args: readonly string[], env?: Env, before?: readonly string[]): Running;
  /** writes a file below LOGS_DIR */
  write(path: string, content: string | Buffer): Promise<void>;
  /** lines of ftp_log_service.log */
  log(): Promise<Record<string, unknown>[]>;
  /** all rows of all tables, and every file of the archive */
  everything(): Promise<string>;
  close(): Promise<void>;
}

export async function install(options: { migrated?: boolean; url?: string } = {}): Promise<Installation> {
  registerTemplate(migrateUrl);
  const database =
    options.url === undefined ? await createDatabase({ template: options.migrated ?? true }) : undefined;
  const url = options.url ?? database!.url;
  const home = await mkdtemp(join(tmpdir(), 'atelier-commande-'));
  const [logs, archives, syncLogs] = ['logs', 'archives', 'sync'].map((name) => join(home, name)) as [
    string,
    string,
    string,
  ];
  await mkdir(logs);
  const env: Env = {
    DATABASE_URL: url,
    LOGS_DIR: logs,
    ARCHIVES_DIR: archives,
    SYNC_LOGS_DIR: syncLogs,
    SECRET_KEY: SECRET,
  };
  const pool = createPool(url, { logger: silentLogger(), max: 2 });
  const secrets = [SECRET, decodeURIComponent(new URL(url).password)].filter((secret) => secret !== '');
  const file = join(syncLogs, 'ftp_log_service.log');
  return {
    ...{ home, logs, archives, syncLogs, url, env, pool },
    async run(args, { env: own, before } = {}) {
      const settings = { ...env, ...own };
      const finished = await startAtelier(args, { env: settings, cwd: home, ...(before ? { before } : {}) })
        .ended;
      const written = await readFile(file, 'utf8').catch(() => '');
      for (const secret of secrets) expect(finished.stdout + finished.stderr + written).not.toContain(secret);
      return finished;
    },
    start: (args, own, before = []) => startAtelier(args, { env: { ...env, ...own }, cwd: home, before }),
    async write(path, content) {
      await mkdir(dirname(join(logs, path)), { recursive: true });
      await writeFile(join(logs, path), content);
    },
    async log() {
      const text = await readFile(file, 'utf8').catch(() => '');
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    },
    everything: async () => JSON.stringify([await allRows(pool), await allFiles(archives)], null, 1),
    async close() {
      await pool.end();
      await database?.drop();
      await rm(home, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function allRows(pool: Pool): Promise<Record<string, unknown[]>> {
  const { rows } = await pool.query<{ nom: string }>(
    `SELECT relname AS nom FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') ORDER BY 1`,
  );
  const all: Record<string, unknown[]> = {};
  for (const { nom } of rows) {
    const table = await pool.query(`SELECT to_jsonb(t) AS r FROM "${nom}" t ORDER BY to_jsonb(t)::text`);
    all[nom] = table.rows.map((row) => row.r);
  }
  return all;
}

/** Path and hash of every file below a folder. */
async function allFiles(dir: string): Promise<[string, string][]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return await Promise.all(
    files.sort().map(async (path): Promise<[string, string]> => {
      return [
        path,
        createHash('sha256')
          .update(await readFile(path))
          .digest('hex'),
      ];
    }),
  );
}

/**
 * Words before a command that make file rights count also for root, who passes over them otherwise; none for
 * others.
 */
export function withoutPrivileges(): string[] {
  return process.getuid?.() === 0
    ? [
        'setpriv',
        '--bounding-set=-dac_override,-dac_read_search',
        '--inh-caps=-dac_override,-dac_read_search',
      ]
    : [];
}

/** Words before a command that make it one of an ordinary user, and his number; root only. */
export const ORDINARY = {
  uid: 65_534,
  before: ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'],
};

/** A small day with one of everything: 2 h between its two pieces, 600 s stopped, 60 s waited. */
export const DAY = [
  '20250528 06:00:00|@JobProfiel: R:215023 L:3359.0 C:7016',
  '20250528 06:00:10|@StukUitgevoerd: A',
  '20250528 06:30:00|@MachineWait: 60 sec',
  '20250528 07:00:00|@MachineStop',
  '20250528 07:10:00|@MachineStart',
  '20250528 08:00:10|@StukUitgevoerd: B',
  '',
].join('\r\n');
