// `atelier serve`: when it starts, when it refuses to, and what it does without its database.

import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MOT_DE_PASSE } from '../harness/api.ts';
import { migrateUrl } from '../harness/context.ts';
import { startPrivatePostgres } from '../harness/postgres.ts';
import { creerCompteHttp, installerApi, type Serveur, servir } from '../harness/serve.ts';

let installation: Awaited<ReturnType<typeof installerApi>>;
let serveur: Serveur;

beforeAll(async () => {
  installation = await installerApi();
  serveur = await servir(installation);
  expect((await creerCompteHttp(serveur.url, 'premiere')).status).toBe(201);
});
afterAll(async () => {
  serveur?.running.process.kill('SIGKILL');
  await serveur?.running.ended;
  await installation?.close();
});

describe('S28: starting', () => {
  it.each([
    ['no keys', { SECRET_KEY: '', CLE_CHIFFREMENT: '' }, /SECRET_KEY manque[\s\S]*CLE_CHIFFREMENT manque/],
    ['a short signing key', { SECRET_KEY: 'courte-0123456789' }, /SECRET_KEY : 17 octets/],
    ['a dull signing key', { SECRET_KEY: 'a'.repeat(64) }, /SECRET_KEY .*répétitifs/],
    [
      'a short encryption key',
      { CLE_CHIFFREMENT: 'abcdef0123456789' },
      /CLE_CHIFFREMENT : attendu 32 octets/,
    ],
  ])('refuses %s, says how to make them, tells none', async (_name, env, message) => {
    const finished = await installation.run(['serve'], { env: { ...installation.apiEnv, ...env } });
    expect(finished.code).toBe(1);
    expect(finished.stderr).toMatch(message);
    expect(finished.stderr).toMatch(/ATL_C102[\s\S]*node -p/);
    for (const value of Object.values(env))
      if (value) expect(finished.stderr + finished.stdout).not.toContain(value);
    expect(finished.stdout).toBe('');
  });

  it('R6: refuses a key that the accounts were not encrypted with', async () => {
    const env = { ...installation.apiEnv, CLE_CHIFFREMENT: randomBytes(32).toString('hex') };
    const finished = await installation.run(['serve'], { env });
    expect(finished.code).toBe(1);
    expect(finished.stderr).toMatch(/ATL_C103/);
  });

  it('says when the port is taken, when the address is none of ours, and how to make the first account', async () => {
    const taken = await installation.run(['serve', '--port', String(serveur.port)], {
      env: installation.apiEnv,
    });
    expect(taken.code).toBe(1);
    expect(taken.stderr).toMatch(/ATL_A503/);
    const nowhere = await installation.run(['serve', '--host', '192.0.2.1'], { env: installation.apiEnv });
    expect(nowhere.code).toBe(1);
    expect(nowhere.stderr).toMatch(/ATL_C101[\s\S]*HOST/);
    expect((await installation.run(['serve', '--port', '99999'], { env: installation.apiEnv })).code).toBe(2);
    expect(serveur.running.text()).toMatch(/Aucun compte[\s\S]*atelier user add/);
    expect(serveur.running.text()).toMatch(/http:\/\/127\.0\.0\.1:\d+\/docs/);
  });

  it('warns when other machines reach it without TLS before it, and only then', async () => {
    const open = await servir(installation, {}, ['--host', '0.0.0.0']);
    expect((await open.arreter()).stderr).toMatch(/HTTP clair/);
    const behind = await servir(installation, { PROXYS_DE_CONFIANCE: '127.0.0.1' }, ['--host', '0.0.0.0']);
    expect((await behind.arreter()).stderr).not.toMatch(/HTTP clair|Aucun compte/);
  });
});

describe('a proxy before it', () => {
  const forwarded = { headers: { 'x-forwarded-for': '192.0.2.7' } };
  const said = (text: string): string[] =>
    text.split('\n').filter((line) => /PROXYS_DE_CONFIANCE=/.test(line));

  it('that it does not know is named in the log, once, with the setting that is missing', async () => {
    const server = await servir(installation);
    for (const path of ['/health', '/health/live', '/docs', '/rien'])
      await (await fetch(`${server.url}${path}`, forwarded)).text();
    const { stdout, stderr } = await server.arreter();
    const lines = said(stdout + stderr);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('PROXYS_DE_CONFIANCE=127.0.0.1');
  });

  it('that it knows, or nobody who forwards, is not', async () => {
    const server = await servir(installation, { PROXYS_DE_CONFIANCE: 'passerelle,127.0.0.1' });
    await (await fetch(`${server.url}/health`, forwarded)).text();
    const { stdout, stderr } = await server.arreter();
    expect(said(stdout + stderr)).toEqual([]);
  });
});

describe('a database that is away', () => {
  it('503 with Retry-After while it is, answers again when it is back, the process stays', async () => {
    const database = await startPrivatePostgres();
    try {
      await migrateUrl(database.url);
      const place = await installerApi({ url: database.url });
      const server = await servir(place);
      try {
        expect((await creerCompteHttp(server.url, 'seule')).status).toBe(201);
        const headers = await server.entete('seule');
        const statuses = async (): Promise<number[]> => {
          const answers = await Promise.all([
            fetch(`${server.url}/health`),
            fetch(`${server.url}/centres/`, { headers }),
            fetch(`${server.url}/sessions/`, { headers }),
            fetch(`${server.url}/token`, {
              method: 'POST',
              body: new URLSearchParams({ username: 'seule', password: MOT_DE_PASSE }),
            }),
          ]);
          for (const answer of answers) {
            await answer.text();
            if (answer.status !== 503) continue;
            expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
            expect(answer.headers.get('content-type')).toMatch(/problem\+json/);
          }
          return answers.map(({ status }) => status);
        };
        expect(await statuses()).toEqual([200, 200, 200, 200]);
        await database.stop('immediate');
        expect(await statuses()).toEqual([503, 503, 503, 503]);
        // Without a database there is still a document.
        expect((await fetch(`${server.url}/openapi.json`)).status).toBe(200);
        await database.start();
        await expect.poll(statuses).toEqual([200, 200, 200, 200]);
        expect((await server.arreter()).code).toBe(0);
      } finally {
        server.running.process.kill('SIGKILL');
        await place.pool.end();
      }
    } finally {
      await database.remove();
    }
  });
});

it('a port that another program holds is not ours to answer on', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as { port: number };
  const finished = await installation.run(['serve', '--port', String(port)], { env: installation.apiEnv });
  expect(finished.stderr).toMatch(new RegExp(`ATL_A503.*127\\.0\\.0\\.1:${port}`));
  other.close();
});
