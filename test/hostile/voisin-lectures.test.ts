// A hostile neighbour, another ordinary account of the machine: what it can read of a running installation, at which doors it
// can knock, and what a temporary folder that it filled does to others.

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Running } from '../harness/cli.ts';
import { DAY } from '../harness/cli.ts';
import { creerCompteHttp, installerApi, type Serveur, servir } from '../harness/serve.ts';

const ROOT = process.getuid?.() === 0;
const NEIGHBOUR = 54_321;
/** in a log of a machine: only atelier's own account may read what became of it */
const PIECE = 'PIECE-DU-VOISIN-7c2f';

/** runs a command as the neighbour */
function neighbour(...command: string[]) {
  const args = [`--reuid=${NEIGHBOUR}`, `--regid=${NEIGHBOUR}`, '--clear-groups', ...command];
  return spawnSync('setpriv', args, { encoding: 'utf8', maxBuffer: 1e8 });
}

let place: Awaited<ReturnType<typeof installerApi>>;
let api: Serveur;
let worker: Running;
let workerPort: string;
let secrets: string[];
let env: Record<string, string>;
beforeAll(async () => {
  if (!ROOT) return;
  place = await installerApi();
  // Folders as a usual umask makes them: nothing is hidden by a closed door above.
  chmodSync(place.home, 0o755);
  env = {
    ...place.apiEnv,
    CLE_SAUVEGARDE: randomBytes(32).toString('hex'),
    SAUVEGARDE_DIR: join(place.home, 'sauvegardes'),
    ATELIER_DIR: join(place.home, 'etat'),
    METRICS_JETON: 'jeton-du-voisin-0123456789',
    METRICS_PORT: '0',
  };
  await place.write('DEM12/20250528.LOG', DAY.replace('StukUitgevoerd: A', `StukUitgevoerd: ${PIECE}`));
  expect((await place.run(['ingest'], { env })).code).toBe(0);
  api = await servir(place, env);
  expect((await creerCompteHttp(api.url, 'chef')).status).toBeLessThan(300);
  expect((await place.run(['backup'], { env })).code).toBe(0);
  worker = place.start(['worker'], { ...env, METRICS_PORT: '29464', CRON_LOGS: 'non' });
  workerPort = '29464';
  secrets = [
    env['SECRET_KEY']!,
    env['CLE_CHIFFREMENT']!,
    env['CLE_SAUVEGARDE']!,
    env['METRICS_JETON']!,
    decodeURIComponent(new URL(place.url).password),
  ];
}, 240_000);
afterAll(async () => {
  if (!ROOT) return;
  worker?.process.kill('SIGTERM');
  await worker?.ended;
  await api?.arreter();
  await place.close();
}, 120_000);

describe.skipIf(!ROOT)('a hostile neighbour on the machine', () => {
  it('finds no secret, no name and no piece in any file that it may read', async () => {
    const { stdout } = neighbour(
      'find',
      place.home,
      '-type',
      'f',
      '-readable',
      '-not',
      '-path',
      `${place.logs}/*`,
    );
    const open = stdout.split('\n').filter((path) => path !== '');
    const texts = open.map((path) => [path, readFileSync(path, 'latin1')] as const);
    const told = texts.filter(([, text]) => [...secrets, PIECE, 'chef@'].some((word) => text.includes(word)));
    expect(told.map(([path]) => path)).toEqual([]);
    for (const dir of [place.archives, env['SAUVEGARDE_DIR']!])
      expect(open.filter((path) => path.startsWith(dir))).toEqual([]);
    // atelier's own logs name files and machines.
    expect(readdirSync(place.syncLogs)).toContain('ftp_log_service.log');
    expect(open.filter((path) => path.startsWith(place.syncLogs) && path.endsWith('.log'))).toEqual([]);
  });

  it('sees no secret in the list of processes, and not what surrounds them', () => {
    for (const { pid } of [api.running.process, worker.process]) {
      const line = neighbour('cat', `/proc/${pid}/cmdline`).stdout;
      expect(line).toContain('atelier.mjs');
      expect(secrets.filter((secret) => line.includes(secret))).toEqual([]);
      expect(neighbour('cat', `/proc/${pid}/environ`).status).not.toBe(0);
      expect(neighbour('ls', `/proc/${pid}/fd`).status).not.toBe(0);
    }
    const all = neighbour('sh', '-c', 'cat /proc/[0-9]*/cmdline 2>/dev/null').stdout;
    expect(secrets.filter((secret) => all.includes(secret))).toEqual([]);
  });

  it('gets nothing at the ports of this machine without a password or a token', async () => {
    const { hostname, port } = new URL(place.url);
    for (const [user, password] of [
      ['atelier', ''],
      ['atelier', 'atelier'],
      ['postgres', 'postgres'],
    ] as const) {
      const client = new pg.Client({
        host: hostname,
        port: Number(port),
        user,
        password,
        database: 'postgres',
      });
      await expect(client.connect()).rejects.toThrow(/password|SASL|mot de passe/i);
    }
    const curl = (url: string) =>
      neighbour('curl', '-s', '-o', '/dev/null', '-w', '%{http_code}', url).stdout;
    expect(curl(`${api.url}/metrics`)).toBe('401');
    for (const path of ['users/', 'pieces-production/', 'sessions/', 'fichiers/'])
      expect([path, curl(`${api.url}/${path}`)]).toEqual([path, expect.stringMatching(/^40[14]$/)]);
    expect(curl(`${api.url}/health`)).toBe('200');
    await vi.waitUntil(() => curl(`http://127.0.0.1:${workerPort}/health/live`) === '200', {
      timeout: 60_000,
      interval: 500,
    });
    expect(curl(`http://127.0.0.1:${workerPort}/metrics`)).toBe('401');
  }, 120_000);

  it('that knocks at every port without an end: everybody else is answered right, and about as fast', async () => {
    const alive = async (): Promise<boolean> =>
      await fetch(`http://127.0.0.1:${workerPort}/health/live`).then(
        ({ status }) => status === 200,
        () => false,
      );
    await vi.waitUntil(alive, { timeout: 60_000, interval: 500 });
    const headers = await api.entete('chef');
    const urls = ['/sessions/', '/pieces-production/', '/users/me'].map((path) => api.url + path);
    const read = async (): Promise<unknown[]> =>
      await Promise.all(
        urls.map(async (url) => {
          const answer = await fetch(url, { headers });
          return [answer.status, await answer.json()];
        }),
      );
    /** ms that one asked after the other take */
    const time = async (): Promise<number> => {
      const start = performance.now();
      for (let i = 0; i < 20; i++) expect((await fetch(urls[0]!, { headers })).status).toBe(200);
      return performance.now() - start;
    };
    const before = await read();
    expect(JSON.stringify(before)).toContain(PIECE);
    const idle = await time();
    // Connections that begin a request and never end it, and tokens that are none, as fast as it can.
    const { port } = new URL(api.url);
    // A door that is shut in its face does not end it.
    const knock = `trap '' PIPE; ulimit -n 2000
      for door in ${port} ${workerPort}; do
        for i in $(seq 300); do
          exec {line}<>/dev/tcp/127.0.0.1/$door && printf 'GET /sessions/ HTTP/1.1\\r\\nHost: localhost\\r\\nX: ' >&$line
        done
      done 2>/dev/null
      echo commence
      while :; do curl -s -o /dev/null -H 'Authorization: Bearer eyJhbGciOiJub25lIn0.e30.' http://127.0.0.1:${port}/users/; done`;
    const args = [`--reuid=${NEIGHBOUR}`, `--regid=${NEIGHBOUR}`, '--clear-groups', 'bash', '-c', knock];
    const hostile = spawn('setpriv', args, { stdio: ['ignore', 'pipe', 'ignore'], detached: true });
    try {
      expect(await Promise.race([once(hostile.stdout, 'data'), once(hostile, 'exit')])).toHaveLength(1);
      const ratios: number[] = [];
      while (ratios.length < 3 && !(ratios.at(-1)! < 40)) ratios.push((await time()) / idle);
      expect(Math.min(...ratios), ratios.join(', ')).toBeLessThan(40);
      expect(await read()).toEqual(before);
      expect((await fetch(`${api.url}/health/ready`)).status).toBe(200);
      expect(await api.entete('chef')).toHaveProperty('authorization');
      // What machines write meanwhile arrives.
      await place.write('DEM12/20250530.LOG', DAY.replaceAll('20250528', '20250530'));
      await vi.waitUntil(
        async () => JSON.stringify(await (await fetch(urls[0]!, { headers })).json()).includes('2025-05-30'),
        { timeout: 60_000, interval: 250 },
      );
      // It has room for few, and lets go of whoever says nothing.
      await vi.waitUntil(alive, { timeout: 60_000, interval: 500 });
      expect(hostile.exitCode).toBeNull();
    } finally {
      process.kill(-hostile.pid!, 'SIGKILL');
    }
  }, 240_000);

  it('that fills the temporary folder of everybody stops nobody', async ({ skip }) => {
    const full = join(place.home, 'tmp');
    mkdirSync(full);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k,mode=1777', 'tmpfs', full], { stdio: 'pipe' });
    } catch {
      skip('no tmpfs may be mounted here');
    }
    try {
      expect(neighbour('dd', 'if=/dev/zero', `of=${join(full, 'plein')}`, 'bs=1k').status).not.toBe(0);
      const own = { ...env, TMPDIR: full };
      await place.write('DEM12/20250529.LOG', DAY.replaceAll('20250528', '20250529'));
      for (const args of [['ingest'], ['sessions'], ['backup']])
        expect([args, (await place.run(args, { env: own })).code]).toEqual([args, 0]);
      const second = await servir(place, own);
      expect((await fetch(`${second.url}/health/ready`)).status).toBe(200);
      const headers = await second.entete('chef');
      const days = (await (await fetch(`${second.url}/sessions/`, { headers })).json()) as unknown[];
      expect(JSON.stringify(days)).toContain('2025-05-29');
      expect((await second.arreter()).code).toBe(0);
    } finally {
      execFileSync('umount', [full], { stdio: 'pipe' });
    }
  }, 240_000);
});
