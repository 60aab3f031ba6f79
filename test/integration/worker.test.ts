import { afterAll, beforeAll, expect, test } from 'vitest';
import { DAY, type Installation, install, type Running } from '../harness/cli.ts';

const QUIET = { METRICS_PORT: '0' };

let shop: Installation;
beforeAll(async () => {
  shop = await install();
});
afterAll(() => shop.close());

test('the worker follows the folders, and ends with 0 on SIGTERM (O2)', async () => {
  const worker = shop.start(['worker'], QUIET);
  try {
    await ready(worker);
    await shop.write('DEM12/20250528.LOG', DAY);
    await expect.poll(sessions, { timeout: 20_000 }).toBe(1);
  } finally {
    worker.process.kill('SIGTERM');
  }
  const { code, stdout, stderr } = await worker.ended;
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toContain('arrêté');
}, 60_000);

async function sessions(): Promise<number> {
  const { rows } = await shop.pool.query('SELECT count(*)::int AS n FROM session_production');
  return rows[0].n;
}

async function ready(worker: Running): Promise<void> {
  await expect.poll(worker.text, { timeout: 30_000 }).toContain('worker prêt');
}
