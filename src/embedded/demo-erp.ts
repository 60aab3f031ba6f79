import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createConnection } from 'mysql2/promise';
import type { ErpConfig } from '../base/config/erp.ts';
import { isMariadbAvailable, startMariadb, stopMariadb } from './mariadb.ts';

const INIT_SQL = new URL('../../demo/init.sql', import.meta.url);

/** The ERP of the demonstration, running. */
export interface DemoErp {
  /** settings of its least-privilege user */
  readonly config: ErpConfig;
  stop(): Promise<void>;
}

/**
 * Makes sure that `mariadbd` is on the machine: root on a Debian gets it installed.
 *
 * @returns undefined when it is there, else how to get it
 */
export function ensureMariadbProgram(onProgress: (line: string) => void): string | undefined {
  if (isMariadbAvailable()) return undefined;
  const how = 'installez le paquet Debian mariadb-server-core (apt-get install mariadb-server-core)';
  if (process.getuid?.() !== 0 || spawnSync('apt-get', ['--version']).status !== 0) return how;
  onProgress('installation du paquet Debian mariadb-server-core');
  const apt = (...args: string[]) =>
    spawnSync('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=60', ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  apt('update');
  apt('install', '-y', '--no-install-recommends', 'mariadb-server-core');
  return isMariadbAvailable() ? undefined : how;
}

/** Starts a private MariaDB in `dir` and loads `demo/init.sql` into it. */
export async function startDemoErp(dir: string): Promise<DemoErp> {
  const { host, port, user, password } = await startMariadb(dir);
  const admin = await createConnection({ host, port, user, password, multipleStatements: true });
  try {
    await admin.query(readFileSync(INIT_SQL, 'utf8'));
  } finally {
    await admin.end();
  }
  return {
    config: {
      host,
      port,
      user: 'atelier_lecture',
      password: 'demonstration',
      database: 'erp',
      tls: { mode: 'non', ca: undefined },
      delaiMax: 60,
      seuilBaisse: 0.5,
    },
    stop: () => stopMariadb(dir),
  };
}
