import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createConnection } from 'mysql2/promise';
import type { ErpConfig } from '../base/config/erp.ts';
import { readEnv } from '../base/config.ts';
import { messageOf } from '../base/errors.ts';
import { startMariadb, stopMariadb } from './mariadb.ts';
import { paquetsManquants } from './mariadb-lieux.ts';

const INIT_SQL = new URL('../../demo/init.sql', import.meta.url);

/** The ERP of the demonstration, running. */
export interface DemoErp {
  /** settings of its least-privilege user */
  readonly config: ErpConfig;
  stop(): Promise<void>;
}

/** How long the package manager waits for one that runs already, and for a server that does not answer (seconds). */
const LOCK_WAIT = 60;
const NETWORK_WAIT = 20;

/**
 * Makes sure that the programs of MariaDB are on the machine: root on a Debian gets them installed.
 *
 * @returns undefined when they are there, else why not and how to get them, in one line
 */
export function ensureMariadbPrograms(onProgress: (line: string) => void): string | undefined {
  const missing = paquetsManquants();
  if (missing.length === 0) return undefined;
  const how = `il manque ${missing.join(' et ')} ; installez-les (apt-get install ${missing.join(' ')})`;
  if (process.getuid?.() !== 0 || spawnSync('apt-get', ['--version']).status !== 0) return how;
  onProgress(`installation de paquets Debian : ${missing.join(' ')}`);
  aptGet('update');
  const { status, stderr, error } = aptGet('install', '-y', '--no-install-recommends', ...missing);
  if (paquetsManquants().length === 0) return undefined;
  const said = error ? messageOf(error) : (/^E: (.*)$/m.exec(stderr)?.[1] ?? `code ${status}`);
  return `apt-get install a échoué (${said}) : ${how}`;
}

function aptGet(...args: string[]) {
  const options = [
    `DPkg::Lock::Timeout=${LOCK_WAIT}`,
    `Acquire::http::Timeout=${NETWORK_WAIT}`,
    'Acquire::Retries=1',
  ];
  return spawnSync('apt-get', ['-qq', ...options.flatMap((option) => ['-o', option]), ...args], {
    env: { ...readEnv(), DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  });
}

/**
 * Starts a private MariaDB in `dir` and loads `demo/init.sql` into it; `fuseau` is the factory's zone (IANA).
 *
 * @throws AtelierError ATL_E409 when MariaDB does not start, and what its driver throws when it does not take the file;
 *   nothing is left running then
 */
export async function startDemoErp(dir: string, fuseau: string): Promise<DemoErp> {
  const { host, port, user, password } = await startMariadb(dir);
  try {
    const admin = await createConnection({ host, port, user, password, multipleStatements: true });
    try {
      await admin.query(readFileSync(INIT_SQL, 'utf8'));
    } finally {
      await admin.end();
    }
  } catch (error) {
    await stopMariadb(dir).catch(() => undefined);
    throw error;
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
      fuseau,
      seuilBaisse: 0.5,
    },
    stop: () => stopMariadb(dir),
  };
}
