import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Installation, install, startAtelier } from '../harness/cli.ts';

// bin/atelier.mjs on a Node that is older than the program needs. Any Node passes for one when it says so; what else
// it can do stays what it is.
const OLDER = `data:text/javascript,${encodeURIComponent(
  `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '22.15.0' } });`,
)}`;
const WITHOUT = `data:text/javascript,${encodeURIComponent('process.execve = undefined;')}`;

let place: Installation;
beforeEach(async () => {
  place = await install();
});
afterEach(() => place.close());

const launch = (args: readonly string[], ...imports: string[]) =>
  startAtelier(args, {
    env: place.env,
    cwd: place.home,
    node: ['--import', OLDER, ...imports.flatMap((one) => ['--import', one])],
  });

/** Waits until a follower follows. */
async function started(running: ReturnType<typeof launch>): Promise<void> {
  for (const end = Date.now() + 30_000; !running.text().includes('Suivi de'); await sleep(50)) {
    if (Date.now() > end || running.process.exitCode !== null) throw new Error(running.text());
  }
}

const children = async (pid: number): Promise<string> =>
  (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim();

test('the process becomes the program: one process, its signal, its exit code, no word about it', async () => {
  const follower = launch(['ingest', '--watch']);
  await started(follower);
  const { pid } = follower.process;
  expect(await readFile(`/proc/${pid}/cmdline`, 'utf8')).toMatch(
    /node_modules\/node\/bin\/node\0--v8-pool-size=1\0--max-semi-space-size=16\0/,
  );
  expect(await readFile(`/proc/${pid}/environ`, 'utf8')).toMatch(/\0MALLOC_ARENA_MAX=2(\0|$)/);
  expect(await children(pid!)).toBe('');
  follower.process.kill('SIGTERM');
  const { code, stderr } = await follower.ended;
  expect(code).toBe(0);
  expect(stderr).not.toMatch(/execve|Experimental/);
});

test('a follower that is started as any command gives itself room for its garbage, and is started once', async () => {
  for (const imports of [[], ['--import', WITHOUT]]) {
    const { env, home } = place;
    const node = ['--v8-pool-size=1', '--max-semi-space-size=4', ...imports];
    const follower = startAtelier(['ingest', '--watch'], { env, cwd: home, node });
    await started(follower);
    const words = (await readFile(`/proc/${follower.process.pid}/cmdline`, 'utf8')).split('\0');
    const room = imports.length === 0 ? '--max-semi-space-size=16' : '--max-semi-space-size=4';
    expect(words.filter((word) => word.startsWith('--max-semi'))).toEqual([room]);
    expect(words.slice(-3)).toEqual(['ingest', '--watch', '']);
    follower.process.kill('SIGTERM');
    expect((await follower.ended).code).toBe(0);
  }
});

test('so does a server, which makes garbage at every answer', async () => {
  const { env, home } = place;
  const node = ['--v8-pool-size=1', '--max-semi-space-size=4'];
  const keys = {
    SECRET_KEY: randomBytes(48).toString('base64url'),
    CLE_CHIFFREMENT: randomBytes(32).toString('hex'),
  };
  const server = startAtelier(['serve', '--port', '0'], { env: { ...env, ...keys }, cwd: home, node });
  await expect
    .poll(() => (server.process.exitCode === null ? server.text() : 'ended'), { timeout: 60_000 })
    .toMatch(/API : http|ended/);
  const words = (await readFile(`/proc/${server.process.pid}/cmdline`, 'utf8')).split('\0');
  expect(words.filter((word) => word.startsWith('--max-semi'))).toEqual(['--max-semi-space-size=8']);
  server.process.kill('SIGTERM');
  expect((await server.ended).code).toBe(0);
});

test('a Node that cannot become another program waits for it, and passes signals and exit code on', async () => {
  const follower = launch(['ingest', '--watch'], WITHOUT);
  await started(follower);
  expect(await children(follower.process.pid!)).toMatch(/^\d+$/);
  follower.process.kill('SIGTERM');
  expect((await follower.ended).code).toBe(0);
});

test('arguments and exit code are those of the program, either way', async () => {
  for (const imports of [[], [WITHOUT]]) {
    const { code, stderr } = await launch(['sessions', '--né "x"', ''], ...imports).ended;
    expect(code).toBe(2);
    expect(stderr).toContain('--né "x"');
  }
});
