import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { PROGRAMMES_MARIADB } from '../src/embedded/mariadb-lieux.ts';

/**
 * Programs that the tests drive and npm does not bring, with the Debian package of each.
 * `npm test` runs this file with the names of those that it needs.
 */
const NEEDS = {
  mariadb: PROGRAMMES_MARIADB,
  sshd: [
    { program: 'sshd', debian: 'openssh-server' },
    { program: 'sftp', debian: 'openssh-client' },
  ],
  chromium: [{ program: 'chromium', debian: 'chromium' }],
  psql: [{ program: 'psql', debian: 'postgresql-client' }],
  compose: [{ program: 'docker-compose', debian: 'docker-compose' }],
  shellcheck: [{ program: 'shellcheck', debian: 'shellcheck' }],
  systemd: [{ program: 'systemd-analyze', debian: 'systemd' }],
  faketime: [{ program: 'faketime', debian: 'faketime' }],
  promtool: [{ program: 'promtool', debian: 'prometheus' }],
  // Small machines and containers have none of these, and everybody thinks that all have them.
  outils: [
    { program: 'ps', debian: 'procps' },
    { program: 'ip', debian: 'iproute2' },
    { program: 'git', debian: 'git' },
  ],
  // The metapackage: 15 on Debian 12. The server is for tests to start, in folders of their own.
  postgresql: [{ program: '/usr/lib/postgresql/*/bin/postgres', debian: 'postgresql' }],
  pgbouncer: [{ program: 'pgbouncer', debian: 'pgbouncer' }],
} as const;

type Need = keyof typeof NEEDS;

/** Servers live in folders that an ordinary user's PATH often leaves out; some only in one of their version. */
function isInstalled(program: string): boolean {
  if (program.startsWith('/')) return globSync(program).length > 0;
  const script = 'PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin" command -v "$1"';
  return spawnSync('sh', ['-c', script, 'sh', program], { stdio: 'ignore' }).status === 0;
}

function missingPackages(needs: readonly Need[]): string[] {
  const programs = needs.flatMap((need) => [...NEEDS[need]]);
  const missing = programs.filter(({ program }) => !isInstalled(program));
  return [...new Set(missing.map(({ debian }) => debian))];
}

function aptGet(...args: string[]): boolean {
  const answers = ['DEBIAN_FRONTEND=noninteractive', 'UCF_FORCE_CONFFOLD=1'];
  const command = [...answers, 'apt-get', '-o', 'DPkg::Lock::Timeout=300', '-q', '-y', ...args];
  return spawnSync('env', command, { stdio: ['ignore', 'inherit', 'inherit'] }).status === 0;
}

const CLUSTER = '/etc/postgresql-common/createcluster.conf';
const POLICY = '/usr/sbin/policy-rc.d';

/**
 * Runs an installation that leaves no server behind: Debian makes and starts one for several of these packages, which
 * nobody asked for. What an administrator has set is left as it is.
 */
function withoutServers(install: () => void): void {
  if (!existsSync(CLUSTER)) {
    mkdirSync('/etc/postgresql-common', { recursive: true });
    writeFileSync(CLUSTER, 'create_main_cluster = false\n');
  }
  const ours = !existsSync(POLICY);
  if (ours) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    install();
  } finally {
    if (ours) rmSync(POLICY, { force: true });
  }
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

function main(needs: readonly string[]): number {
  const unknown = needs.filter((need) => !Object.hasOwn(NEEDS, need));
  if (unknown.length > 0) {
    say(
      `test/prepare.ts : besoin inconnu « ${unknown.join(', ')} » (connus : ${Object.keys(NEEDS).join(', ')})`,
    );
    return 2;
  }
  const wanted = needs as readonly Need[];
  const missing = missingPackages(wanted);
  if (missing.length === 0) return 0;
  const root = process.getuid?.() === 0;
  if (root && existsSync('/etc/debian_version') && isInstalled('apt-get')) {
    say(`Les tests ont besoin de ${missing.join(', ')} : installation par apt-get.`);
    // A failed update (one source of several unreachable) need not hinder the installation.
    aptGet('update');
    withoutServers(() => aptGet('install', '--no-install-recommends', ...missing));
  }
  const still = missingPackages(wanted);
  if (still.length === 0) return 0;
  say('Les tests ont besoin de programmes qui ne sont pas sur cette machine. Installez-les :');
  say(`  sudo apt-get install --no-install-recommends ${still.join(' ')}`);
  return 1;
}

process.exitCode = main(process.argv.slice(2));
