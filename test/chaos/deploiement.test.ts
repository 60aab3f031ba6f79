// A rolling deployment (O3): the version before this one runs, this one migrates and starts beside it, both work for a
// while, the old one stops. No request fails, no line is lost. The version before is the last commit with fewer
// migrations, taken from the repository's history.

import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { readMigrations } from '../../src/postgres/migrate.ts';
import { MOT_DE_PASSE } from '../harness/api.ts';
import { type Running, startAtelier } from '../harness/cli.ts';
import { SEED } from '../harness/property.ts';
import { creerCompteHttp, installerApi, type Serveur, servir } from '../harness/serve.ts';
import { randomFrom } from '../harness/tree.ts';
import { Machines } from './machines.ts';
import { attendreEgalite, rienNeTraine } from './tour.ts';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Rounds of requests while both versions are there. */
const TOURS = 12;

/** The version before this one, or why there is none to be had. */
function precedente(): { commit: string } | { manque: string } {
  const git = (...args: string[]): string => {
    try {
      return execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    } catch {
      return '';
    }
  };
  if (git('rev-parse', '--git-dir') === '') return { manque: 'pas de dépôt git ici' };
  const ours = readMigrations().map(({ nom }) => nom);
  const hashes = git('hash-object', ...ours.map((nom) => join(ROOT, 'migrations', nom))).split('\n');
  for (const commit of git('rev-list', 'HEAD').split('\n')) {
    const theirs = git('ls-tree', commit, 'migrations/').split('\n').slice(0, -1);
    if (theirs.length === 0 || theirs.length >= ours.length) continue;
    if (theirs.every((line, i) => line.split(/\s/)[2] === hashes[i])) return meme(commit, git);
  }
  return {
    manque:
      git('rev-parse', '--is-shallow-repository').trim() === 'true'
        ? 'dépôt sans son histoire (git fetch --unshallow)'
        : 'aucune version plus ancienne dans l’histoire',
  };
}

/** It runs on what is installed here: it must have asked for no other version of anything. */
function meme(commit: string, git: (...args: string[]) => string): { commit: string } | { manque: string } {
  const packages = (text: string): Record<string, { version?: string; dev?: boolean }> =>
    JSON.parse(text).packages;
  const there = packages(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
  const wanted = packages(git('show', `${commit}:package-lock.json`));
  const other = Object.keys(wanted).find(
    (name) => name !== '' && !wanted[name]!.dev && wanted[name]!.version !== there[name]?.version,
  );
  return other === undefined
    ? { commit }
    : { manque: `${commit.slice(0, 7)} demande une autre version de ${other}` };
}

const avant = precedente();
if ('manque' in avant) process.stdout.write(`déploiement (O3) : NON ESSAYÉ, ${avant.manque}\n`);

let place: Awaited<ReturnType<typeof installerApi>>;
let ancien: string;
const processes: Running[] = [];
beforeAll(async () => {
  ancien = await mkdtemp(join(tmpdir(), 'atelier-ancien-'));
  if ('manque' in avant) return;
  const archive = join(ancien, 'ancien.tar');
  await run('git', ['archive', '--output', archive, avant.commit], { cwd: ROOT });
  await run('tar', ['-xf', archive, '-C', ancien]);
  await symlink(join(ROOT, 'node_modules'), join(ancien, 'node_modules'));
  place = await installerApi({ migrated: false });
});
afterAll(async () => {
  for (const { process: child, ended } of processes) {
    child.kill('SIGKILL');
    await ended;
  }
  await place?.close();
  await rm(ancien, { recursive: true, force: true });
});

/** A command of the older program, in the same installation. */
function vieux(args: readonly string[]): Running {
  const running = startAtelier(args, {
    env: { ...place.env, ...place.apiEnv },
    cwd: place.home,
    bin: join(ancien, 'bin/atelier.mjs'),
  });
  processes.push(running);
  return running;
}

async function dit(running: Running, text: RegExp): Promise<RegExpExecArray> {
  return await vi.waitUntil(
    () => {
      if (running.process.exitCode !== null) throw new Error(running.text());
      return text.exec(running.text()) ?? undefined;
    },
    { timeout: 60_000, interval: 50 },
  );
}

it.skipIf('manque' in avant)(
  'O3: while the next version migrates and starts, the one before answers every request and loses no line',
  async () => {
    process.stdout.write(`déploiement : ${JSON.stringify(avant)} ATELIER_GRAINE=${SEED}\n`);
    expect((await vieux(['migrate']).ended).code).toBe(0);
    const machines = new Machines(place.logs, randomFrom(SEED));
    const stop = new AbortController();
    const writing = machines.work(stop.signal);
    writing.catch(() => undefined);
    const suivi = vieux(['ingest', '--watch']);
    const serveur = vieux(['serve']);
    const old = (await dit(serveur, /API : (http:\S+)/))[1]!;
    expect((await creerCompteHttp(old, 'ancienne')).status).toBe(201);
    const failures: string[] = [];
    await travailler(old, 1, failures);

    // The next version comes: under load, it migrates, then starts beside the other.
    const over = new AbortController();
    const under = (async () => {
      while (!over.signal.aborted) await travailler(old, 1, failures);
    })();
    const migrated = await place.run(['migrate']);
    expect(migrated.code, migrated.stderr).toBe(0);
    expect(migrated.stdout).toContain('Migration appliquée');
    const next: Serveur = await servir(place);
    processes.push(next.running);
    const worker = place.start(['worker'], { METRICS_PORT: '0', ...place.apiEnv });
    processes.push(worker);
    await dit(worker, /worker prêt/);
    await travailler(next.url, TOURS, failures);
    over.abort();
    await under;
    expect(failures.slice(0, 3)).toEqual([]);

    // The old one goes, the new one has all that it did.
    for (const { process: child } of [serveur, suivi]) child.kill('SIGTERM');
    expect([(await serveur.ended).code, (await suivi.ended).code]).toEqual([0, 0]);
    await travailler(next.url, 1, failures);
    stop.abort();
    await writing;
    await attendreEgalite(place, machines);
    worker.process.kill('SIGTERM');
    expect([(await worker.ended).code, (await next.arreter()).code]).toEqual([0, 0]);
    expect(failures.slice(0, 3)).toEqual([]);
    await rienNeTraine(place);
  },
  240_000,
);

/** What people do, again and again: sign in, read, enter something by hand, correct it, take it away. */
async function travailler(base: string, tours: number, failures: string[]): Promise<void> {
  const ask = async (
    method: string,
    path: string,
    expected: number,
    init: { headers?: Record<string, string>; body?: unknown } = {},
  ): Promise<Record<string, unknown>> => {
    const { headers, body } = init;
    const answer = await fetch(base + path, {
      method,
      headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (answer.status !== expected) failures.push(`${method} ${path}: ${answer.status} ${text}`);
    return text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {};
  };
  const token = await fetch(`${base}/token`, {
    method: 'POST',
    body: new URLSearchParams({ username: 'ancienne', password: MOT_DE_PASSE }),
  });
  if (token.status !== 200) failures.push(`POST /token: ${token.status} ${await token.text()}`);
  const { access_token } = (await token.json()) as { access_token: string };
  const headers = { authorization: `Bearer ${access_token}` };
  for (let i = 0; i < tours; i++) {
    for (const path of [
      '/centres/',
      '/sessions/?limit=20',
      '/pieces-production/?limit=20',
      '/commandes-volets/?limit=5',
      '/fichiers/',
      '/rejets/',
      '/executions/',
    ])
      await ask('GET', path, 200, { headers });
    const nom = `ESSAI ${Math.random().toString(36).slice(2)}`;
    const { id } = await ask('POST', '/centres/', 201, { headers, body: { nom, type_cu: 'PVC' } });
    const session = await ask('POST', '/sessions/', 201, {
      headers,
      body: { centre_usinage_id: id, date_production: '2025-05-01', total_pieces: 3 },
    });
    await ask('GET', `/sessions/${session['id']}`, 200, { headers });
    await ask('DELETE', `/sessions/${session['id']}`, 204, { headers });
    await ask('DELETE', `/centres/${id}`, 204, { headers });
  }
}
