// Twenty processes start at the same moment on an empty database (O4).

import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it, vi } from 'vitest';
import { readMigrations } from '../../src/postgres/migrate.ts';
import { type Installation, install, type Running } from '../harness/cli.ts';

let place: Installation;
const started: Running[] = [];
afterEach(async () => {
  for (const { process: child, ended } of started) {
    child.kill('SIGKILL');
    await ended;
  }
  await place.close();
});

it('O4: migrations are applied once and every worker gets to work, though one process is killed while it migrates', async () => {
  place = await install({ migrated: false });
  const start = (args: string[]): Running => {
    const running = place.start(args, { METRICS_PORT: '0' });
    started.push(running);
    return running;
  };
  const migrations = Array.from({ length: 14 }, () => start(['migrate']));
  const workers = Array.from({ length: 6 }, () => start(['worker']));
  // Killed while it holds the lock of the migrations, if that moment is met; else while it waits.
  await vi.waitFor(
    async () => {
      const { rowCount } = await place.pool.query(
        `SELECT FROM pg_locks WHERE locktype = 'advisory'
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
      );
      expect(rowCount).toBeGreaterThan(0);
    },
    { timeout: 60_000, interval: 5 },
  );
  migrations[0]!.process.kill('SIGKILL');

  for (const { ended } of migrations.slice(1)) {
    const { code, stderr } = await ended;
    expect([code, stderr]).toEqual([0, expect.anything()]);
  }
  const { rows } = await place.pool.query('SELECT nom FROM migration ORDER BY id');
  expect(rows.map(({ nom }) => nom)).toEqual(readMigrations().map(({ nom }) => nom));
  for (const { text } of workers) {
    await vi.waitFor(() => expect(text()).toContain('worker prêt'), { timeout: 90_000, interval: 100 });
  }
  // One of them follows, whoever it is.
  await place.write('DEM12/20250528.LOG', '20250528 06:00:00|@StukUitgevoerd: A\r\n');
  await vi.waitFor(
    async () => {
      expect((await place.pool.query('SELECT FROM piece_production')).rowCount).toBe(1);
    },
    { timeout: 60_000, interval: 100 },
  );
  await sleep(100);
  for (const { process: child } of workers) child.kill('SIGTERM');
  for (const { ended } of workers) expect((await ended).code).toBe(0);
}, 240_000);
