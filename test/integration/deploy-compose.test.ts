// docker-compose.yaml: valid for compose itself (Debian's docker-compose reads it), every variable a known setting,
// every service pinned, confined, bounded and without the secrets of others (S28, S29, S30).

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { exigerCles } from '../../src/base/config/api.ts';
import { OWN_PROCESSES, secretsOf, withheldFrom } from '../../src/base/config/secrets.ts';
import type { ProcessName } from '../../src/base/config/setting.ts';
import { SETTINGS } from '../../src/base/config/settings.ts';
import { loadConfig } from '../../src/base/config.ts';
import { inscriptiblesDeclares } from '../harness/dockerfile.ts';

const ROOT = join(import.meta.dirname, '../..');
const TEXT = readFileSync(join(ROOT, 'docker-compose.yaml'), 'utf8');
const VERSION = (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }).version;

interface Service {
  readonly image: string;
  readonly build?: { readonly context: string };
  readonly pull_policy?: string;
  readonly user?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly cap_add?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly privileged?: boolean;
  readonly restart?: string;
  readonly logging?: { readonly options: Readonly<Record<string, string>> };
  readonly mem_limit?: string;
  readonly cpus?: number;
  readonly pids_limit?: number;
  readonly ports?: readonly string[];
  readonly networks?: readonly string[];
  readonly network_mode?: string;
  readonly volumes?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly profiles?: readonly string[];
  readonly stop_grace_period?: string;
}
interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const compose = parse(TEXT, { merge: true }) as Compose;
const services = Object.entries(compose.services);
const names = services.map(([name]) => name);
/** Services that run atelier itself. */
const OURS = services.filter(([, service]) => service.image.startsWith('atelier:')).map(([name]) => name);

const PROFILES = [...new Set(services.flatMap(([, service]) => service.profiles ?? []))];

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'atelier-compose-'));
  for (const name of ['docker-compose.yaml', 'deploy', 'demo', 'start.sh', '.env_exemple']) {
    cpSync(join(ROOT, name), join(home, name), { recursive: true });
  }
  const done = spawnSync('./start.sh', ['--env'], { cwd: home, encoding: 'utf8' });
  expect([done.status, done.stderr]).toEqual([0, expect.stringContaining('.env est écrit')]);
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** What compose makes of the file. */
function config(
  env: string,
  profiles: readonly string[] = [],
): { code: number | null; text: string; errors: string } {
  const file = join(home, '.env');
  const before = readFileSync(file, 'utf8');
  writeFileSync(file, env);
  const flags = profiles.flatMap((profile) => ['--profile', profile]);
  const done = spawnSync('docker-compose', [...flags, 'config'], {
    cwd: home,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] ?? '', HOME: home },
  });
  writeFileSync(file, before);
  return { code: done.status, text: done.stdout, errors: done.stderr };
}

const dotEnv = (): string => readFileSync(join(home, '.env'), 'utf8');

describe('docker-compose', () => {
  it('takes the file with the .env that start.sh writes, with every profile', () => {
    const all = config(dotEnv(), PROFILES);
    expect(all).toMatchObject({ code: 0, errors: '' });
    expect(Object.keys((parse(all.text) as Compose).services).sort()).toEqual([...names].sort());
    expect(config(dotEnv())).toMatchObject({ code: 0, errors: '' });
  });

  it.each([
    'POSTGRES_ADMIN_PASSWORD',
    'POSTGRES_PASSWORD',
    'SECRET_KEY',
    'CLE_CHIFFREMENT',
    'MYSQL_ROOT_PASSWORD',
  ])('refuses to start without %s and says what to do: there is no default secret (S11, S28)', (name) => {
    const without = dotEnv().replace(new RegExp(`^${name}=.*$`, 'm'), '');
    const { code, errors } = config(without);
    expect(code).not.toBe(0);
    expect(errors).toContain('lancez ./start.sh');
  });

  it('gives each service the secrets that it needs, and no other (S28, S29)', () => {
    const secrets = SETTINGS.filter((setting) => setting.secret).map((setting) => setting.name);
    const planted = new Map(secrets.map((name) => [`plante-${name.toLowerCase()}-fin`, name]));
    const env = [...planted].map(([value, name]) => `${name}=${value}`).join('\n');
    const { text, code } = config(`${dotEnv()}\n${env}\n`, PROFILES);
    expect(code).toBe(0);
    const resolved = parse(text) as Compose;
    const seen = Object.fromEntries(
      Object.entries(resolved.services).map(([name, service]) => {
        const values = JSON.stringify(service.environment ?? {});
        return [name, [...planted].filter(([value]) => values.includes(value)).map(([, secret]) => secret)];
      }),
    );
    for (const name of names) {
      // By this variable each process of atelier gets the password of its own role; what .env says there is the worker's.
      const own = ['api', 'migrate', 'maintenance'].includes(name) ? ['POSTGRES_PASSWORD'] : [];
      const needed = secretsOf(name as ProcessName).filter((secret) => !own.includes(secret));
      expect([name, seen[name]!.sort()]).toEqual([name, needed.sort()]);
    }
    expect(seen['worker']).not.toContain('SECRET_KEY');
    expect([seen['simulateur'], seen['sftp']]).toEqual([[], []]);
  });

  it('says to each process of atelier which it is, and gives it nothing that is of use to others alone (S28)', () => {
    const resolved = parse(config(dotEnv()).text) as Compose;
    for (const name of OWN_PROCESSES) {
      const environment = asText(resolved.services[name]!.environment!);
      expect([name, environment['PROCESSUS']]).toEqual([name, name]);
      const withheld = withheldFrom(name).filter((each) => (environment[each] ?? '') !== '');
      expect([name, withheld]).toEqual([name, []]);
    }
  });

  it('gives the API and the worker settings that the program takes', () => {
    const resolved = parse(config(dotEnv()).text) as Compose;
    const [api, worker] = ['api', 'worker'].map((name) =>
      loadConfig(asText(resolved.services[name]!.environment!)),
    );
    expect(() => exigerCles(api!.api)).not.toThrow();
    expect([api!.api.host, api!.api.port, api!.erp]).toEqual(['0.0.0.0', 8000, undefined]);
    expect(new URL(api!.databaseUrl!)).toMatchObject({
      username: 'atelier_api',
      hostname: 'postgres',
      pathname: '/atelier',
    });
    expect(new URL(worker!.databaseUrl!)).toMatchObject({
      username: 'atelier_service',
      hostname: 'postgres',
    });
    expect([worker!.erp!.host, worker!.logsDir, worker!.archivesDir]).toEqual([
      'mysql',
      '/app/logs',
      '/app/archives',
    ]);
  });
});

function asText(environment: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, String(value ?? '')]));
}

describe('docker-compose.yaml', () => {
  it('has the services of the seed, and names nothing that is not a setting of atelier', () => {
    expect(names).toEqual(expect.arrayContaining(['postgres', 'mysql', 'sftp', 'migrate', 'api', 'worker']));
    const known = new Set(SETTINGS.map((setting) => setting.name));
    const used = new Set(Array.from(TEXT.matchAll(/(?<!\$)\$\{([A-Z_]+)/g), (match) => match[1]!));
    expect([...used].filter((name) => !known.has(name))).toEqual([]);
    for (const name of OURS) {
      const own = Object.keys(compose.services[name]!.environment ?? {});
      expect([name, own.filter((each) => !known.has(each))]).toEqual([name, []]);
    }
    // Default values written here are those of the program.
    const expectedDefaults = new Map(SETTINGS.map((setting) => [setting.name, setting.default]));
    for (const [, name, value] of TEXT.matchAll(/\$\{([A-Z_]+):-([^}]+)\}/g)) {
      const normal = expectedDefaults.get(name!);
      if (normal) expect([name, value]).toEqual([name, normal]);
    }
  });

  it.each(services)('%s is pinned, confined and bounded', (name, service) => {
    const [, tag = ''] = service.image.split(':');
    if (service.image.startsWith('atelier')) expect(tag).toBe(VERSION);
    else expect(tag).toMatch(/^v?\d+\.\d+(\.\d+)?(-[a-z0-9]+)?$/);
    expect(service.cap_drop).toEqual(['ALL']);
    expect(service.security_opt).toEqual(['no-new-privileges:true']);
    expect(service.privileged).toBeUndefined();
    expect(service.logging!.options).toEqual({ 'max-size': '10m', 'max-file': '5' });
    expect(service.mem_limit).toMatch(/^\d+[mg]$/);
    expect(service.cpus).toBeGreaterThan(0);
    expect(service.pids_limit).toBeGreaterThan(0);
    expect(service.restart).toBe(/^(roles|migrate|maintenance)$/.test(name) ? 'no' : 'unless-stopped');
    expect(TEXT).not.toMatch(/docker\.sock|network_mode: host|pid: host/);
    // sshd makes accounts and changes user; everything else is an ordinary user on a system it cannot change.
    expect([name, service.read_only, service.cap_add]).toEqual(
      name === 'sftp' ? [name, false, expect.arrayContaining(['SYS_CHROOT'])] : [name, true, undefined],
    );
    if (name === 'simulateur') expect([service.user, service.network_mode]).toEqual(['0:10001', 'none']);
    else if (name !== 'sftp') expect(service.user).toMatch(/^[1-9]\d*:\d+$/);
    // Its own health check, its image's, or none because it only runs once or is nobody's concern.
    const checked = service.healthcheck?.test !== undefined || service.image.startsWith('atelier');
    expect(checked || service.healthcheck?.disable === true).toBe(true);
    for (const volume of service.volumes ?? []) {
      const [source, , mode] = volume.split(':');
      if (source!.startsWith('.')) {
        expect([volume, existsSync(join(ROOT, source!)), mode]).toEqual([volume, true, 'ro']);
      } else expect([volume, source! in compose.volumes]).toEqual([volume, true]);
    }
  });

  it('publishes the API and Grafana to this machine alone, the drop server to all, and nothing else (S30)', () => {
    const ports = Object.fromEntries(
      services.flatMap(([name, service]) => (service.ports ? [[name, service.ports]] : [])),
    );
    expect(ports).toEqual({
      api: [`\${ADRESSE_PUBLIEE:-127.0.0.1}:\${PORT_PUBLIE:-8000}:8000`],
      grafana: [`\${ADRESSE_PUBLIEE:-127.0.0.1}:\${GRAFANA_PORT:-3000}:3000`],
      sftp: [`\${SFTP_ADRESSE_PUBLIEE:-0.0.0.0}:\${SFTP_PORT_PUBLIE:-2222}:22`],
    });
    const together = (a: string, b: string): boolean =>
      compose.services[a]!.networks!.some((network) => compose.services[b]!.networks!.includes(network));
    for (const closed of ['base', 'erp', 'mesures'])
      expect(compose.networks[closed]).toEqual({ internal: true });
    expect(compose.services['postgres']!.networks).toEqual(['base']);
    expect(compose.services['mysql']!.networks).toEqual(['erp']);
    expect([together('api', 'mysql'), together('worker', 'mysql')]).toEqual([false, true]);
    for (const name of ['postgres', 'api', 'worker', 'mysql']) expect(together('sftp', name)).toBe(false);
  });

  it('starts the API and the worker on a schema that is there, and lets them end in time (O2, O4)', () => {
    expect(compose.services['roles']!.depends_on).toEqual({ postgres: { condition: 'service_healthy' } });
    // On every start: a first one that failed in between, or a changed password, is made good by the next.
    for (const name of ['migrate', 'maintenance'])
      expect(compose.services[name]!.depends_on).toEqual({
        roles: { condition: 'service_completed_successfully' },
      });
    for (const name of ['api', 'worker', 'simulateur', 'grafana']) {
      expect(compose.services[name]!.depends_on).toEqual({
        migrate: { condition: 'service_completed_successfully' },
      });
    }
    const { planification } = loadConfig({});
    expect(seconds(compose.services['api']!.stop_grace_period!)).toBeGreaterThan(25 + 2);
    expect(seconds(compose.services['worker']!.stop_grace_period!)).toBeGreaterThan(planification.delaiArret);
  });

  it('builds each image once, and never looks for one of ours in a registry', () => {
    const built = services
      .filter(([, service]) => service.build)
      .map(([name, { image }]) => [name, image.split(':')[0]]);
    expect(built).toEqual([
      ['migrate', 'atelier'],
      ['sftp', 'atelier-sftp'],
    ]);
    for (const name of OURS) expect([name, compose.services[name]!.pull_policy]).toEqual([name, 'never']);
  });

  it('keeps what must be kept in volumes: folders that the image lets its user write, and no other', () => {
    const writable = inscriptiblesDeclares(readFileSync(join(ROOT, 'Dockerfile'), 'utf8'));
    const worker = compose.services['worker']!.volumes!.filter((volume) => !volume.endsWith(':ro')).map(
      (volume) => volume.split(':')[1],
    );
    expect(worker.sort()).toEqual(writable);
    expect(compose.services['worker']!.volumes).toContain('logs:/app/logs:ro');
    const used = new Set(
      services.flatMap(([, service]) => (service.volumes ?? []).map((volume) => volume.split(':')[0]!)),
    );
    expect(Object.keys(compose.volumes).filter((name) => !used.has(name))).toEqual([]);
  });
});

function seconds(text: string): number {
  const [, number, unit] = /^(\d+)(s|m)$/.exec(text)!;
  return Number(number) * (unit === 'm' ? 60 : 1);
}
