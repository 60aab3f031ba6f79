// O1: the probe of a worker, as the worker opens it, with its database behind a proxy.

import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { loadConfig } from '../../src/base/config.ts';
import { silentLogger } from '../../src/base/logger.ts';
import type { Sonde } from '../../src/base/sonde.ts';
import { ouvrirSondeWorker } from '../../src/jobs/sonde-worker.ts';
import { createPool, type Pool } from '../../src/postgres/pool.ts';
import { migrateUrl } from '../harness/context.ts';
import { createDatabase, registerTemplate, type TestDatabase } from '../harness/postgres.ts';
import { ProxyDePanne } from '../harness/proxy.ts';
import { freePort } from '../harness/sshd.ts';

const DEADLINE = { timeout: 30_000, interval: 200 };

let database: TestDatabase;
let proxy: ProxyDePanne;
let pool: Pool;
let sonde: Sonde;
let accepte = true;

beforeAll(async () => {
  registerTemplate(migrateUrl);
  database = await createDatabase();
  const url = new URL(database.url);
  proxy = await ProxyDePanne.devant(Number(url.port || 5432), url.hostname || '127.0.0.1');
  [url.hostname, url.port] = ['127.0.0.1', String(proxy.port)];
  pool = createPool(url.href, { logger: silentLogger(), max: 2 });
  const config = loadConfig({ DATABASE_URL: url.href, METRICS_PORT: String(await freePort()) });
  sonde = (await ouvrirSondeWorker({ config, pool, logger: silentLogger() }, () => accepte))!;
});
afterEach(() => {
  accepte = true;
  proxy.remettreAZero();
});
afterAll(async () => {
  await sonde?.fermer();
  proxy?.toutCouper();
  await pool?.end();
  await proxy?.fermer();
  await database?.drop();
});

const status = async (): Promise<number> =>
  (await fetch(`http://127.0.0.1:${sonde.port}/health/ready`, { headers: { connection: 'close' } })).status;

it('a hundred questions are few for the database; whoever is stopping is not ready', async () => {
  const spy = vi.spyOn(pool, 'query');
  for (let i = 0; i < 10; i++) {
    expect(new Set(await Promise.all(Array.from({ length: 10 }, status)))).toEqual(new Set([200]));
  }
  expect(spy.mock.calls.length).toBeLessThan(50);
  spy.mockRestore();
  accepte = false;
  expect(await status()).toBe(503);
});

it('a database that says nothing any more: not ready, its connections are not taken one by one; it comes back', async () => {
  await expect.poll(status, DEADLINE).toBe(200);
  proxy.panne = { trouNoirApres: 0 };
  await expect.poll(status, DEADLINE).toBe(503);
  await Promise.all(Array.from({ length: 10 }, status));
  expect(pool.waitingCount).toBe(0);
  proxy.remettreAZero();
  proxy.toutCouper();
  await expect.poll(status, DEADLINE).toBe(200);
});
