// The worker at its ends: PostgreSQL that is not there yet, that refuses, and a second signal.
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Env, type Installation, install, type Running } from '../harness/cli.ts';
import { migrateUrl } from '../harness/context.ts';
import { createDatabase } from '../harness/postgres.ts';
import { ProxyDePanne } from '../harness/proxy.ts';
import { untilRow } from '../harness/worker.ts';

let shop: Installation;
let cleanUp: (() => Promise<unknown>)[] = [];
beforeEach(async () => {
  shop = await install();
});
afterEach(async () => {
  for (const work of cleanUp.reverse()) await work();
  cleanUp = [];
  await shop.close();
});

function start(env: Env = {}, ...options: string[]): Running {
  const worker = shop.start(['worker', '--sans-suivi', ...options], { METRICS_PORT: '0', ...env });
  cleanUp.push(async () => {
    worker.process.kill('SIGKILL');
    await worker.ended;
  });
  return worker;
}

async function says(worker: Running, text: string): Promise<void> {
  const look = (): string => {
    if (worker.process.exitCode !== null && !worker.text().includes(text)) throw new Error(worker.text());
    return worker.text();
  };
  await expect.poll(look, { timeout: 60_000 }).toContain(text);
}

/** The address of the installation's database with something else in it. */
function address(change: (url: URL) => void): string {
  const url = new URL(shop.url);
  change(url);
  return url.href;
}

test('O10: started before PostgreSQL it waits, and gets to work once it is there', async () => {
  const server = new URL(shop.url);
  const proxy = await ProxyDePanne.devant(Number(server.port), server.hostname);
  cleanUp.push(() => proxy.fermer());
  proxy.panne = { arrete: true };
  const url = address((to) => {
    to.hostname = '127.0.0.1';
    to.port = String(proxy.port);
  });
  const worker = start({ DATABASE_URL: url });
  await says(worker, 'il attend');
  await says(worker, 'attente de PostgreSQL');
  expect(worker.text()).not.toContain('worker prêt');
  proxy.panne = {};
  await says(worker, 'worker prêt');
  worker.process.kill('SIGTERM');
  expect((await worker.ended).code).toBe(0);
}, 120_000);

test('O10: started before its database was made it waits, for the schema too', async () => {
  const coming = await createDatabase({ template: false });
  const url = coming.url;
  const admin = shop.pool;
  const name = new URL(url).pathname.slice(1);
  await coming.drop();
  const worker = start({ DATABASE_URL: url });
  await says(worker, 'attente de PostgreSQL');
  await admin.query(`CREATE DATABASE ${name} TEMPLATE template0`);
  cleanUp.push(() => coming.drop());
  await says(worker, 'Il manque au schéma la migration');
  await migrateUrl(url);
  await says(worker, 'worker prêt');
  worker.process.kill('SIGTERM');
  expect((await worker.ended).code).toBe(0);
}, 120_000);

test('R22: a refused password is told at once with its way out, also where the server came late; and is not shown', async () => {
  const wrong = 'mot-de-passe-errone';
  const direct = address((to) => {
    to.password = wrong;
  });
  const refused = await start({ DATABASE_URL: direct }).ended;
  const server = new URL(shop.url);
  const proxy = await ProxyDePanne.devant(Number(server.port), server.hostname);
  cleanUp.push(() => proxy.fermer());
  proxy.panne = { arrete: true };
  const late = start({
    DATABASE_URL: address((to) => {
      to.hostname = '127.0.0.1';
      to.port = String(proxy.port);
      to.password = wrong;
    }),
  });
  await says(late, 'attente de PostgreSQL');
  proxy.panne = {};
  for (const { code, stdout, stderr } of [refused, await late.ended]) {
    expect([code, stderr]).toEqual([1, expect.stringMatching(/\[ATL_D301\] .*password.*\n→ /)]);
    expect(stdout + stderr).not.toContain(wrong);
  }
}, 120_000);

test('O2: a second SIGTERM leaves at once; what ran is taken up by the next worker', async () => {
  // An ERP that answers the telephone and says nothing.
  const mute = createServer((socket) => void socket.on('error', () => undefined).resume());
  mute.listen(0, '127.0.0.1');
  await once(mute, 'listening');
  cleanUp.push(async () => void mute.close());
  const erp = {
    ...{ MYSQL_HOST: '127.0.0.1', MYSQL_PORT: String((mute.address() as AddressInfo).port) },
    ...{ MYSQL_USER: 'atelier', MYSQL_PASSWORD: 'x', CRON_COMMANDES: 'non', ARRET_DELAI: '600' },
  };
  const worker = start(erp);
  await says(worker, 'worker prêt');
  expect((await shop.run(['lancer', 'sync'], { env: erp })).code).toBe(0);
  await says(worker, 'tâche commencée');
  worker.process.kill('SIGTERM');
  await says(worker, 'arrêt demandé');
  // What follows the first within a fifth of a second is its echo.
  await sleep(400);
  worker.process.kill('SIGTERM');
  expect((await worker.ended).code).toBe(130);
  const left = await shop.pool.query('SELECT etat FROM execution');
  expect(left.rows).toEqual([{ etat: 'en_cours' }]);
  start({}, '--taches', 'aucune');
  await untilRow(shop.pool, "SELECT FROM pgboss.job WHERE name = 'sync' AND state = 'retry'");
  const { rows } = await shop.pool.query('SELECT etat, erreur FROM execution');
  expect(rows).toEqual([{ etat: 'echouee', erreur: 'interrompue : le processus a disparu' }]);
}, 120_000);
