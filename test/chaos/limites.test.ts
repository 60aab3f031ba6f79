// What a machine and a server may run out of: connections, the right to write, memory, files. Nothing is lost, and what
// is wrong is said in plain words.

import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Installation, install, type Running } from '../harness/cli.ts';
import { migrateUrl } from '../harness/context.ts';
import { startPrivatePostgres } from '../harness/postgres.ts';
import type { PrivatePostgres } from '../harness/private-postgres.ts';
import { SEED } from '../harness/property.ts';
import { randomFrom } from '../harness/tree.ts';
import { Machines } from './machines.ts';
import { attendreEgalite, rienNeTraine, unJsonParLigne } from './tour.ts';

const run = promisify(execFile);
const cleanUp: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const work of cleanUp.splice(0).reverse()) await work();
});

interface Scene {
  readonly server: PrivatePostgres;
  readonly place: Installation;
  readonly machines: Machines;
  readonly worker: Running;
}

/** A server of its own, a worker that follows, machines that are still off. */
async function planter(
  settings: Record<string, string | number> = {},
  env: Record<string, string> = {},
): Promise<Scene> {
  process.stdout.write(`limites : ATELIER_GRAINE=${SEED}\n`);
  const server = await startPrivatePostgres({ settings });
  cleanUp.push(() => server.remove());
  await migrateUrl(server.url);
  const place = await install({ url: server.url });
  cleanUp.push(() => place.close());
  const worker = place.start(['worker'], { METRICS_PORT: '0', ...env });
  cleanUp.push(async () => {
    worker.process.kill('SIGKILL');
    await worker.ended;
  });
  await dit(worker, 'suivi commencé');
  return { server, place, worker, machines: new Machines(place.logs, randomFrom(SEED)) };
}

async function dit(running: Running, text: string | RegExp): Promise<void> {
  await vi.waitFor(() => expect(running.text()).toMatch(text), { timeout: 60_000, interval: 50 });
}

/** All bytes arrive, the worker stops well, nothing is left over. */
async function finir({ place, machines, worker }: Scene): Promise<void> {
  await machines.work(AbortSignal.timeout(1_000));
  await attendreEgalite(place, machines);
  worker.process.kill('SIGTERM');
  const { code, stdout } = await worker.ended;
  expect(code).toBe(0);
  unJsonParLigne(stdout);
  await rienNeTraine(place);
}

describe('O10: the server refuses', () => {
  it('max_connections reached: the worker says so, waits, and has lost nothing', async () => {
    const scene = await planter({ max_connections: 30, superuser_reserved_connections: 3 });
    const { place, machines, server } = scene;
    // Those that a role without rights would take are taken; what the worker has is taken away from it.
    const admin = new pg.Client({ connectionString: server.url });
    await admin.connect();
    await admin.query('CREATE ROLE envahisseur LOGIN');
    await admin.query("ALTER ROLE envahisseur PASSWORD 'envahisseur'");
    const url = new URL(server.url);
    [url.username, url.password] = ['envahisseur', 'envahisseur'];
    const invaders: pg.Client[] = [];
    cleanUp.push(async () => {
      await Promise.all([...invaders, admin].map((client) => client.end().catch(() => undefined)));
    });
    const invade = async (): Promise<void> => {
      for (;;) {
        const client = new pg.Client({ connectionString: url.href });
        client.on('error', () => undefined);
        try {
          await client.connect();
        } catch {
          return;
        }
        invaders.push(client);
      }
    };
    // The reserved ones are the superuser's, as whom everything here signs in: taken, too.
    await invade();
    for (let i = 0; i < 2; i++) {
      const client = new pg.Client({ connectionString: server.url });
      client.on('error', () => undefined);
      await client.connect().then(
        () => invaders.push(client),
        () => undefined,
      );
    }
    await admin.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'atelier%' AND pid <> pg_backend_pid()",
    );
    await invade();
    await machines.work(AbortSignal.timeout(1_500));
    await sleep(1_000);
    await Promise.all(invaders.splice(0).map((client) => client.end().catch(() => undefined)));
    await finir(scene);
    expect(place).toBeDefined();
  }, 240_000);

  it('read-only: every try fails with the reason, and once it may write again, all is written', async () => {
    const scene = await planter();
    const { machines, server, worker } = scene;
    const admin = new pg.Client({ connectionString: server.url });
    await admin.connect();
    cleanUp.push(() => admin.end());
    await admin.query('ALTER SYSTEM SET default_transaction_read_only = on');
    await admin.query('SELECT pg_reload_conf()');
    await machines.work(AbortSignal.timeout(1_500));
    await dit(worker, /read-only transaction/);
    await admin.query('SET default_transaction_read_only = off');
    await admin.query('ALTER SYSTEM RESET default_transaction_read_only');
    await admin.query('SELECT pg_reload_conf()');
    await finir(scene);
  }, 240_000);
});

describe('O13: the machine has no more', () => {
  it('files (EMFILE): what could not be opened is opened later', async () => {
    const scene = await planter();
    const { machines, worker } = scene;
    const limit = (count: string): Promise<unknown> =>
      run('prlimit', ['--pid', String(worker.process.pid), `--nofile=${count}:`]);
    const { stdout } = await run('sh', ['-c', `ls /proc/${worker.process.pid}/fd | wc -l`]);
    await limit(stdout.trim());
    await machines.work(AbortSignal.timeout(2_000));
    await dit(worker, /EMFILE/);
    await limit('1024');
    await finir(scene);
  }, 240_000);

  it('memory: a small heap is enough to follow, and for a file larger than it', async () => {
    const scene = await planter({}, { NODE_OPTIONS: '--max-old-space-size=64' });
    const { place, machines } = scene;
    // A file of noise as large as the whole heap: quarantine, not memory.
    const noise = `20250528 06:00:00|@MachineWait: ${'wacht op niets '.repeat(450)}\r\n`.repeat(10_000);
    await place.write('SU12/bruit.LOG', noise);
    machines.ecrit('SU12/bruit.LOG', Buffer.from(noise));
    await finir(scene);
  }, 240_000);
});
