// O1, O2: live, ready, and `atelier sante`.

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { silentLogger } from '../../src/base/logger.ts';
import { requireSchema } from '../../src/postgres/migrate.ts';
import { createApiPool } from '../../src/postgres/pool.ts';
import { type ApiDEssai, createApi } from '../harness/api.ts';
import { ProxyDePanne } from '../harness/proxy.ts';
import { ConnexionBrute } from '../harness/raw-http.ts';
import { installerApi, type Serveur, servir } from '../harness/serve.ts';

/** Until the cached answer of a second ago is forgotten, and longer. */
const DEADLINE = { timeout: 20_000, interval: 200 };

let api: ApiDEssai;
let proxy: ProxyDePanne;
beforeAll(async () => {
  api = await createApi({ comptes: false });
  const target = new URL(api.url);
  proxy = await ProxyDePanne.devant(Number(target.port || 5432), target.hostname || '127.0.0.1');
});
afterAll(async () => {
  await proxy?.fermer();
  await api?.close();
});

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** An API whose way to the database goes through the proxy. */
async function derriere(): Promise<ApiDEssai> {
  const url = new URL(api.url);
  [url.hostname, url.port] = ['127.0.0.1', String(proxy.port)];
  const pool = createApiPool(url.href, { logger: silentLogger(), max: 2, fuseau: 'Europe/Paris' });
  const own = await createApi({
    url: api.url,
    comptes: false,
    env: { SECRET_KEY: api.deps.config.api.secretKey!, CLE_CHIFFREMENT: api.deps.config.api.cleChiffrement! },
    changer: (deps) => ({ ...deps, pool, accesPool: pool, readPool: pool }),
  });
  closers.push(
    () => own.close(),
    () => pool.end(),
    async () => proxy.remettreAZero(),
  );
  return own;
}

const status = async (of: ApiDEssai, url: string): Promise<number> => (await of.app.inject(url)).statusCode;

describe('O1: /health/live and /health/ready', () => {
  it.each([
    ['refuses connections', { arrete: true }],
    ['says nothing any more (a black hole)', { trouNoirApres: 0 }],
  ])('a database that %s: live stays, ready goes within seconds and comes back', async (_how, panne) => {
    const own = await derriere();
    expect(await status(own, '/health/ready')).toBe(200);
    proxy.remettreAZero(panne);
    proxy.toutCouper();
    await expect.poll(() => status(own, '/health/ready'), DEADLINE).toBe(503);
    const answer = await own.app.inject('/health/ready');
    expect(answer.headers['retry-after']).toBe('5');
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.body).not.toMatch(/postgres|127\.0\.0\.1|\d+\.\d+\.\d+/i);
    expect(await status(own, '/health/live')).toBe(200);
    proxy.remettreAZero();
    proxy.toutCouper();
    await expect.poll(() => status(own, '/health/ready'), DEADLINE).toBe(200);
  });

  it('an older schema is not ready; once migrated it is', async () => {
    const { rows } = await api.pool.query('DELETE FROM migration WHERE id = 4 RETURNING *');
    await expect.poll(() => status(api, '/health/ready'), DEADLINE).toBe(503);
    expect(await status(api, '/health/live')).toBe(200);
    const { id, nom, sha256 } = rows[0];
    await api.pool.query('INSERT INTO migration (id, nom, sha256) VALUES ($1, $2, $3)', [id, nom, sha256]);
    await expect.poll(() => status(api, '/health/ready'), DEADLINE).toBe(200);
  });

  it('O3: stays ready when the next version has migrated while it runs; it does not start on that schema', async () => {
    await api.pool.query("INSERT INTO migration (id, nom, sha256) VALUES (9001, '9001_suivante.sql', '00')");
    await api.pool.query('UPDATE pgboss.version SET version = version + 1');
    try {
      // A second later the answer of before is forgotten.
      for (const end = Date.now() + 2_500; Date.now() < end; await sleep(300))
        expect(await status(api, '/health/ready')).toBe(200);
      await expect(requireSchema(api.pool)).rejects.toMatchObject({ code: 'ATL_D302' });
    } finally {
      await api.pool.query('DELETE FROM migration WHERE id = 9001');
      await api.pool.query('UPDATE pgboss.version SET version = version - 1');
    }
  });

  it('is cheap: a thousand questions at once are few for the database', async () => {
    const spy = vi.spyOn(api.pool, 'query');
    const answers = await Promise.all(Array.from({ length: 1000 }, () => status(api, '/health/ready')));
    expect(new Set(answers)).toEqual(new Set([200]));
    expect(spy.mock.calls.length).toBeLessThan(100);
    spy.mockRestore();
  });
});

describe('O2: a stop', () => {
  let installation: Awaited<ReturnType<typeof installerApi>>;
  beforeAll(async () => {
    installation = await installerApi();
  });
  afterAll(() => installation?.close());

  /** A server, and a connection on which it said that it is ready. */
  async function debout(env: Record<string, string>): Promise<{ server: Serveur; held: ConnexionBrute }> {
    const server = await servir(installation, env);
    closers.push(async () => void server.running.process.kill('SIGKILL'));
    const held = await ConnexionBrute.ouvrir(server.port);
    held.ecrire('GET /health/ready HTTP/1.1\r\nHost: localhost\r\n\r\n');
    expect((await held.reponse())?.status).toBe(200);
    return { server, held };
  }

  it('without notice: ready is a 503 on a connection that is open, with its end', async () => {
    const { server, held } = await debout({});
    server.running.process.kill('SIGTERM');
    await vi.waitUntil(() => server.running.text().includes('arrêt demandé'), DEADLINE);
    held.ecrire('GET /health/ready HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const last = await held.reponse();
    expect([last?.status, last?.headers['connection']]).toEqual([503, 'close']);
    expect((await server.running.ended).code).toBe(0);
  });

  it('ARRET_PREAVIS: ready says 503 first, to new connections too, while requests are still taken', async () => {
    const { server } = await debout({ ARRET_PREAVIS: '3' });
    server.running.process.kill('SIGTERM');
    await expect
      .poll(async () => (await fetch(`${server.url}/health/ready`)).status, { timeout: 2_500, interval: 20 })
      .toBe(503);
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
    expect((await server.running.ended).code).toBe(0);
  });

  it('`atelier sante`: 0 while it is ready, 1 when it is not or not there, 2 for wrong usage', async () => {
    const { server } = await debout({});
    const sante = async (...args: string[]): Promise<[number | null, string]> => {
      const { code, stdout, stderr } = await installation.run(['sante', ...args], {
        env: { PORT: String(server.port), METRICS_PORT: '1' },
      });
      return [code, stdout + stderr];
    };
    expect(await sante()).toEqual([0, `http://127.0.0.1:${server.port}/health/ready : prêt\n`]);
    expect((await sante('--url', server.url))[0]).toBe(0);
    const [missing, text] = await sante('--worker');
    expect([missing, text]).toEqual([1, expect.stringContaining('[ATL_O852]')]);
    expect((await sante('--url', `${server.url}/health/rien`))[0]).toBe(1);
    expect((await sante('--url', 'ftp://x'))[0]).toBe(2);
    expect((await sante('--url', server.url, '--worker'))[0]).toBe(2);
    await server.arreter();
    expect((await sante())[0]).toBe(1);
  });
});
