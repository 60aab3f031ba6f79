// What `npm run demo` leaves behind: an API on this machine, with the account that it says.
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Finished, startAtelier } from '../harness/cli.ts';

let home: string;
let port: number;
const run = (args: readonly string[], env: Record<string, string> = {}): Promise<Finished> =>
  startAtelier(args, { cwd: home, env }).ended;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'atelier-demo-'));
  // The embedded server does not run as root: its account must get in.
  await chmod(home, 0o755);
  port = await freePort();
});
afterAll(async () => {
  await run(['demo', '--arreter']);
  await run(['db', 'stop']);
  await rm(home, { recursive: true, force: true, maxRetries: 5 });
});

test('a port that another program has: everything else is done, and the way out is said', async () => {
  const other = createServer((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
  await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve));
  try {
    const { code, stderr, stdout } = await run(['demo', '--port', String(port)]);
    expect(code).toBe(1);
    expect(stdout).toContain('DEM12');
    expect(stderr).toContain(`--port ${port + 1}`);
  } finally {
    other.close();
  }
}, 120_000);

test('S11 demo: the two curl lines of the README work, again after a second run, and end with --arreter', async () => {
  const first = await run(['demo', '--port', String(port)]);
  expect(first.stderr + first.stdout).toContain(`http://localhost:${port}/docs`);
  expect(first.code).toBe(0);
  expect(await centres()).toEqual(['DEM12', 'DEMALU', 'SU12']);

  const second = await run(['demo', '--port', String(port)]);
  expect(second.code).toBe(0);
  expect(await centres()).toEqual(['DEM12', 'DEMALU', 'SU12']);
  const log = await readFile(join(home, '.atelier/sync_logs/api.log'), 'utf8');
  expect(log).not.toMatch(/eyJ|password/);

  const stopped = await run(['demo', '--arreter']);
  expect(stopped.code).toBe(0);
  await expect(centres()).rejects.toThrow();
  // The database then takes the keys of a real workshop, and nobody has an account.
  const keys = {
    SECRET_KEY: 'une-cle-de-signature-pour-cet-essai-0123456789',
    CLE_CHIFFREMENT: randomBytes(32).toString('hex'),
  };
  const list = await run(['user', 'list', '--json'], keys);
  expect(list.code).toBe(0);
  expect(JSON.parse(list.stdout)).toEqual([]);
}, 180_000);

test('on a database with accounts under other keys: no demo account, and the way out is said', async () => {
  const { code, stderr } = await run(['demo', '--port', String(port)]);
  expect(code).toBe(1);
  expect(stderr).toContain('CLE_CHIFFREMENT');
  expect(stderr).toContain('atelier serve');
  expect((await run(['demo', '--arreter'])).code).toBe(0);
  await expect(centres()).rejects.toThrow();
}, 120_000);

/** As in the README: sign in with a form, then ask for the centres. */
async function centres(): Promise<string[]> {
  const signedIn = await fetch(`http://localhost:${port}/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: 'username=demo&password=demo',
  });
  expect(signedIn.status).toBe(200);
  const { access_token } = (await signedIn.json()) as { access_token: string };
  const answer = await fetch(`http://localhost:${port}/centres/`, {
    headers: { authorization: `Bearer ${access_token}` },
  });
  expect(answer.status).toBe(200);
  return ((await answer.json()) as { nom: string }[]).map(({ nom }) => nom);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port: free } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return free;
}
