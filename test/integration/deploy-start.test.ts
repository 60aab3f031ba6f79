// start.sh: what it writes, what it asks of Docker (a stand-in notes it), and atelier without Docker. And every shell
// script that is shipped, by shellcheck.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { exigerCles } from '../../src/base/config/api.ts';
import { loadConfig, readEnv } from '../../src/base/config.ts';
import { freePort } from '../../src/embedded/postgres-process.ts';
import { CACHE_COMPILATION } from '../harness/cache.ts';
import { createDatabase } from '../harness/postgres.ts';
import { temoins } from '../harness/temoins.ts';

const ROOT = join(import.meta.dirname, '../..');
let home: string;
let asked: string;

beforeEach(() => {
  // A name that compose would spell otherwise.
  home = mkdtempSync(join(tmpdir(), 'Atelier.Start-'));
  asked = join(home, 'docker.txt');
  for (const name of ['start.sh', '.env_exemple']) cpSync(join(ROOT, name), join(home, name));
  for (const name of ['bin', 'migrations']) symlinkSync(join(ROOT, name), join(home, name));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** A `docker` that notes what it is asked; `volume inspect` finds nothing unless `volumes` exist. */
function fakeDocker(
  options: { volumes?: boolean; away?: boolean; fails?: boolean } = {},
): Record<string, string> {
  const bin = join(home, 'faux');
  mkdirSync(bin);
  writeFileSync(
    join(bin, 'docker'),
    `#!/bin/sh\ncase "$1 $2" in "volume inspect") echo "$3" >>'${home}/volumes.txt'; exit ${options.volumes ? 0 : 1} ;; "compose version") exit 0 ;; "info ") exit ${options.away ? 1 : 0} ;; esac\necho "$@" >>'${asked}'; exit ${options.fails ? 1 : 0}\n`,
  );
  chmodSync(join(bin, 'docker'), 0o755);
  return { PATH: `${bin}:${process.env['PATH']}` };
}

function start(
  args: readonly string[],
  env: Record<string, string> = fakeDockerOnce(),
): { code: number | null; out: string; err: string } {
  const done = spawnSync('./start.sh', args, {
    cwd: home,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] ?? '', HOME: home, NODE_COMPILE_CACHE: CACHE_COMPILATION, ...env },
  });
  return { code: done.status, out: done.stdout, err: done.stderr };
}
function fakeDockerOnce(): Record<string, string> {
  return existsSync(join(home, 'faux'))
    ? { PATH: `${join(home, 'faux')}:${process.env['PATH']}` }
    : fakeDocker();
}

const dotEnv = (): string => readFileSync(join(home, '.env'), 'utf8');

describe('.env', () => {
  it('is made from .env_exemple with fresh secrets, for its owner alone, and the program takes it (S28)', () => {
    const first = start(['--env']);
    expect([first.code, first.err]).toEqual([0, expect.stringContaining('CLE_CHIFFREMENT')]);
    expect(statSync(join(home, '.env')).mode & 0o777).toBe(0o600);
    const env = readEnv(join(home, '.env'));
    expect(() => exigerCles(loadConfig({ ...env }).api)).not.toThrow();
    const secrets = dotEnv().match(/^\w+=[0-9a-f]{64}$/gm)!;
    expect(secrets.length).toBeGreaterThanOrEqual(10);
    expect(new Set(secrets.map((line) => line.split('=')[1])).size).toBe(secrets.length);
    for (const secret of secrets) expect(first.err + first.out).not.toContain(secret.split('=')[1]);
    // Everything else is as it was, explanations included.
    const added = new Set(secrets.map((line) => line.split('=')[0]));
    const bare = (text: string): string[] =>
      text.split('\n').filter((line) => line !== '' && !added.has(line.replace(/^# /, '').split('=')[0]!));
    expect(bare(dotEnv())).toEqual(bare(readFileSync(join(ROOT, '.env_exemple'), 'utf8')));
  });

  it('no secret stands in the arguments of a program, which every account of the machine can read', () => {
    const noted = temoins(join(home, 'temoins'));
    expect(start(['--env'], { PATH: `${join(home, 'temoins')}:${process.env['PATH']}` }).code).toBe(0);
    const secrets = dotEnv().match(/(?<==)[0-9a-f]{64}$/gm)!;
    expect([secrets.length > 9, noted().includes('head -c 32')]).toEqual([true, true]);
    expect(secrets.filter((secret) => noted().includes(secret))).toEqual([]);
  });

  it('is completed, never changed', () => {
    writeFileSync(join(home, '.env'), 'SECRET_KEY=la-mienne\n# CLE_CHIFFREMENT=\nPORT=9000', { mode: 0o644 });
    const { code, err } = start(['--env']);
    expect([code, err]).toEqual([0, expect.stringContaining('complété : CLE_CHIFFREMENT')]);
    expect(dotEnv()).toMatch(/^SECRET_KEY=la-mienne\nCLE_CHIFFREMENT=[0-9a-f]{64}\nPORT=9000\n/);
    expect(statSync(join(home, '.env')).mode & 0o777).toBe(0o600);
    const once = dotEnv();
    expect(start(['--env'])).toMatchObject({ code: 0, err: '' });
    expect(dotEnv()).toBe(once);
  });

  it('of a database elsewhere gets no password made up', () => {
    writeFileSync(join(home, '.env'), 'POSTGRES_HOST=bd.exemple\n');
    expect(start(['--env']).code).toBe(0);
    expect(dotEnv()).not.toMatch(/^POSTGRES_PASSWORD=/m);
  });

  it('that was lost is not made anew over a database that is still there: its passwords would not open it', () => {
    const { code, err } = start(['tout'], fakeDocker({ volumes: true }));
    expect([code, err]).toEqual([1, expect.stringContaining('remettez l’ancien .env')]);
    expect(existsSync(join(home, '.env'))).toBe(false);
    expect(readFileSync(join(home, 'volumes.txt'), 'utf8')).toMatch(/^atelierstart-\w+_base\n$/);
  });
});

describe('with Docker', () => {
  it.each<[string[], string]>([
    [[], 'compose up --build --detach'],
    [['tout', '--monitoring', '--demo'], 'compose --profile monitoring --profile demo up --build --detach'],
    [['api'], 'compose up --build --detach api'],
    [['worker'], 'compose up --build --detach worker'],
    [['migrate'], 'compose build migrate\ncompose run --rm migrate'],
  ])('%j', (args, expected) => {
    expect(start(args).code).toBe(0);
    expect(readFileSync(asked, 'utf8').trim()).toBe(expected);
  });

  it('opens what containers read, and no key, of a folder that was cloned under umask 077', () => {
    const kept = [
      'deploy/cles',
      'deploy/sftp/machines',
      'deploy/postgres',
      'deploy/prometheus',
      'deploy/grafana/dashboards',
      'demo',
    ];
    for (const name of kept) {
      mkdirSync(join(home, name), { recursive: true, mode: 0o700 });
      writeFileSync(join(home, name, 'fichier'), '', { mode: 0o600 });
    }
    chmodSync(join(home, 'deploy/grafana'), 0o700);
    expect(start([])).toMatchObject({ code: 0 });
    const mode = (path: string): number => statSync(join(home, path)).mode & 0o777;
    for (const name of [...kept, 'deploy/grafana']) expect([name, mode(name)]).toEqual([name, 0o755]);
    for (const name of kept) {
      expect([name, mode(join(name, 'fichier'))]).toEqual([name, name === 'deploy/cles' ? 0o600 : 0o644]);
    }
    expect(mode('.env')).toBe(0o600);
  });

  it('that does not answer is told in one sentence, before anything is written', () => {
    const { code, err } = start([], fakeDocker({ away: true }));
    expect([code, err.trim().split('\n')]).toEqual([
      1,
      [expect.stringMatching(/Docker ne répond pas : .*droit/)],
    ]);
    expect(existsSync(join(home, '.env'))).toBe(false);
    expect(existsSync(asked)).toBe(false);
  });

  it('that cannot start a service is told of where the reason is', () => {
    expect(start([], fakeDocker({ fails: true }))).toMatchObject({
      code: 1,
      err: expect.stringContaining('docker compose logs roles migrate postgres'),
    });
  });

  it('leaves the demo ERP out when there is a real one', () => {
    writeFileSync(join(home, '.env'), 'MYSQL_HOST=erp.exemple\n');
    expect(start([]).code).toBe(0);
    expect(readFileSync(asked, 'utf8').trim()).toBe('compose up --build --detach --scale mysql=0');
  });

  it.each([[['bleu']], [['api', 'worker']], [['--sans-docker', '--monitoring']]])(
    '%j is wrong usage',
    (args) => {
      expect(start(args)).toMatchObject({ code: 2, err: expect.stringMatching(/^start\.sh : /) });
      expect(existsSync(join(home, '.env'))).toBe(false);
    },
  );

  it('--help says it all', () => {
    const { code, out } = start(['--help']);
    expect(code).toBe(0);
    for (const word of [
      'api',
      'worker',
      'migrate',
      '--sans-docker',
      '--monitoring',
      '--demo',
      '11 h',
      '2 mauvais usage',
    ]) {
      expect(out).toContain(word);
    }
  });
});

describe('without Docker', () => {
  it('migrates, runs the API and the worker, and stops both properly at one signal (O2)', async () => {
    const database = await createDatabase({ template: false });
    const [port, probe] = [await freePort(), await freePort()];
    const running = startHere({
      DATABASE_URL: database.url,
      PORT: String(port),
      METRICS_PORT: String(probe),
      ATELIER_DIR: join(home, 'etat'),
    });
    try {
      await ready(`http://127.0.0.1:${port}/health/ready`, running.text);
      await ready(`http://127.0.0.1:${probe}/health/ready`, running.text);
      running.process.kill('SIGTERM');
      const { code, stdout, stderr } = await running.ended;
      expect([code, stderr]).toEqual([0, expect.stringContaining('arrêt demandé')]);
      expect(stdout).toContain('"arrêté"');
      await expect(fetch(`http://127.0.0.1:${port}/health`)).rejects.toThrow();
    } finally {
      running.process.kill('SIGTERM');
      await running.ended;
      await database.drop();
    }
  });

  it('stops the other and fails when one cannot run', async () => {
    const database = await createDatabase({ template: false });
    const running = startHere({
      // An address that the API cannot have.
      DATABASE_URL: database.url,
      HOST: '192.0.2.1',
      METRICS_PORT: String(await freePort()),
      ATELIER_DIR: join(home, 'etat'),
    });
    const { code, stderr } = await running.ended;
    await database.drop();
    expect([code, stderr]).toEqual([1, expect.stringContaining('un des processus s’est arrêté')]);
  });
});

interface Running {
  readonly process: ChildProcess;
  readonly ended: Promise<{ code: number | null; stdout: string; stderr: string }>;
  readonly text: () => string;
}

/** `./start.sh tout --sans-docker`, without waiting for its end. */
function startHere(env: Record<string, string>): Running {
  const child = spawn('./start.sh', ['tout', '--sans-docker'], {
    cwd: home,
    env: { PATH: process.env['PATH'] ?? '', HOME: home, NODE_COMPILE_CACHE: CACHE_COMPILATION, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (piece) => {
    stdout += piece;
  });
  child.stderr.setEncoding('utf8').on('data', (piece) => {
    stderr += piece;
  });
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }));
  return { process: child, ended, text: () => stdout + stderr };
}

async function ready(url: string, text: () => string): Promise<void> {
  const deadline = Date.now() + 45_000;
  for (;;) {
    if (
      await fetch(url).then(
        (answer) => answer.ok,
        () => false,
      )
    )
      return;
    if (Date.now() > deadline) throw new Error(text());
    await sleep(100);
  }
}

describe('shell scripts', () => {
  it('pass shellcheck, and stop at the first error', () => {
    const shipped = [
      'start.sh',
      ...globSync('deploy/**/*.sh', { cwd: ROOT }),
      'deploy/systemd/atelier',
      '.ci/run',
    ];
    const scripts = [...shipped, ...globSync('test/machines/{*.sh,images/*}', { cwd: ROOT })];
    expect(scripts.length).toBeGreaterThan(2);
    const done = spawnSync('shellcheck', ['-x', '--severity=style', ...scripts], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    expect([done.status, done.stdout]).toEqual([0, '']);
    for (const script of scripts) {
      expect([script, statSync(join(ROOT, script)).mode & 0o111]).not.toEqual([script, 0]);
      // A proof goes on where a check fails, to tell of all that fail; it counts them.
      const stops = shipped.includes(script) ? /^set -eu/m : /^set -(e|uo pipefail)$|debian\.sh/m;
      expect([script, readFileSync(join(ROOT, script), 'utf8')]).toEqual([
        script,
        expect.stringMatching(stops),
      ]);
    }
  });
});
