// S11: the door of the first account is that of a new installation, on the machine itself or with the code that the server
// prints; it does not open again, whatever happens to the accounts.

import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InjectOptions, LightMyRequestResponse } from 'fastify';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type ApiDEssai, type ApiOptions, createApi } from '../harness/api.ts';
import { person } from '../harness/api-people.ts';
import { type Installation, install } from '../harness/cli.ts';
import { createDatabase } from '../harness/postgres.ts';
import { creerCompteHttp, installerApi, servir } from '../harness/serve.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function empty(options: ApiOptions = {}): Promise<ApiDEssai> {
  const api = await createApi({ comptes: false, ...options });
  closers.push(() => api.close());
  return api;
}

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'atelier-porte-'));
  closers.push(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

const knock = (
  api: ApiDEssai,
  options: Pick<InjectOptions, 'remoteAddress' | 'headers' | 'payload'> = {},
): Promise<LightMyRequestResponse> =>
  api.app.inject({ method: 'POST', url: '/users/', payload: person(), ...options });

const accounts = async (api: ApiDEssai): Promise<number> =>
  (await api.pool.query('SELECT count(*)::integer AS n FROM "user"')).rows[0].n;

describe('S11: who may make the first account', () => {
  const strangers: Readonly<Record<string, Pick<InjectOptions, 'remoteAddress' | 'headers' | 'payload'>>> = {
    'another machine': { remoteAddress: '192.0.2.5' },
    'another machine that speaks IPv6': { remoteAddress: '2001:db8::5' },
    'another machine, mapped into IPv6': { remoteAddress: '::ffff:192.0.2.5' },
    'another machine that says that it forwards for this one': {
      remoteAddress: '192.0.2.5',
      headers: { 'x-forwarded-for': '127.0.0.1' },
    },
    'whoever comes through a proxy here': { headers: { 'x-forwarded-for': '192.0.2.5' } },
    'whoever comes through a proxy that says little': { headers: { via: '1.1 proxy' } },
    'whoever comes through a proxy that speaks of TLS': { headers: { 'x-forwarded-proto': 'https' } },
    'a page of another name in a browser here': { headers: { host: 'atelier.usine.example' } },
    'a page of another origin in a browser here': { headers: { origin: 'https://attaquant.example' } },
    'a form of another origin in a browser here': {
      headers: {
        origin: 'https://attaquant.example',
        'content-type': 'application/x-www-form-urlencoded',
      },
      payload: new URLSearchParams(person()).toString(),
    },
    'a wrong code': { headers: { 'x-code-premier-compte': 'ABCDEFG-ABCDEFG-ABCDEFG-ABCDE' } },
    'an empty code': { headers: { 'x-code-premier-compte': '' } },
  };
  it('not a stranger, who is told what to do and makes nothing', async () => {
    const api = await empty({ env: { HOTES: 'atelier.usine.example' } });
    for (const [who, options] of Object.entries(strangers)) {
      const answer = await knock(api, options);
      expect([who, answer.statusCode]).toEqual([who, 401]);
      expect(answer.headers['www-authenticate']).toBe('Bearer realm="atelier"');
      expect(answer.json().detail).toMatch(/atelier user add[\s\S]*X-Code-Premier-Compte/);
    }
    expect(await accounts(api)).toBe(0);
    // It is none of what was tried that closed the door.
    expect((await knock(api)).statusCode).toBe(201);
  });

  it('nobody without the code where there is a proxy: whom a connection is for cannot be told', async () => {
    const api = await empty({ env: { PROXYS_DE_CONFIANCE: '127.0.0.1' } });
    expect((await knock(api)).statusCode).toBe(401);
    expect(await accounts(api)).toBe(0);
  });

  it('whoever has the code that the server prints at its start, from anywhere, once', async () => {
    const place = await installerApi();
    closers.push(() => place.close());
    const behind = { PROXYS_DE_CONFIANCE: '127.0.0.1' };
    const server = await servir(place, behind);
    // On another stream than the address that was waited for: it may come a moment later.
    const code = await vi.waitUntil(() => /X-Code-Premier-Compte: (\S+)/.exec(server.running.text())?.[1], {
      timeout: 30_000,
    });
    expect(code).toMatch(/^[0-9A-Z]{7}(-[0-9A-Z]{5,7}){3}$/);
    expect((await creerCompteHttp(server.url, 'premiere')).status).toBe(401);
    const spelt = { 'x-code-premier-compte': code.toLowerCase().replaceAll('-', '') };
    expect((await creerCompteHttp(server.url, 'premiere', spelt)).status).toBe(201);
    expect((await creerCompteHttp(server.url, 'deuxieme', { 'x-code-premier-compte': code })).status).toBe(
      401,
    );
    // What programs read has no code, and who starts the server again is given none.
    const ended = await server.arreter();
    expect(ended.stdout).not.toContain(code);
    const again = await servir(place, behind);
    expect((await again.arreter()).stderr).not.toMatch(/X-Code-Premier-Compte|Aucun compte/);
  });
});

describe('S11: the door stays shut', () => {
  it('when no account is left', async () => {
    const api = await empty();
    expect((await knock(api)).statusCode).toBe(201);
    await api.pool.query('DELETE FROM "user"');
    expect((await knock(api)).statusCode).toBe(401);
    expect(await accounts(api)).toBe(0);
  });

  it('of a database made anew beside the same archives, whoever made the account', async () => {
    const ARCHIVES_DIR = await folder();
    const first = await empty({ env: { ARCHIVES_DIR } });
    expect((await knock(first)).statusCode).toBe(201);
    expect((await knock(await empty({ env: { ARCHIVES_DIR } }))).statusCode).toBe(401);

    const place = await installerApi();
    closers.push(() => place.close());
    const added = await place.run(
      ['user', 'add', 'chef', '--email', 'chef@exemple.test', '--mot-de-passe-stdin'],
      {
        env: { ...place.apiEnv, ENTREE: person().password },
        before: ['sh', '-c', 'printf "%s" "$ENTREE" | "$@"', 'sh'],
      },
    );
    expect([added.code, added.stderr]).toEqual([0, '']);
    expect((await knock(await empty({ env: { ARCHIVES_DIR: place.archives } }))).statusCode).toBe(401);
  });

  it('after the restoration of a backup that was made before there was any', async () => {
    const { place, env, copy } = await fresh();
    const depot = { ...env, SAUVEGARDE_DIR: await folder() };
    const backup = await place.run(['backup', '--json'], { env: depot });
    expect([backup.code, backup.stderr]).toEqual([0, expect.any(String)]);
    const name = (JSON.parse(backup.stdout) as { nom: string }).nom;
    const other = await folder();
    const url = await copy();
    const back = { ...depot, DATABASE_URL: url, ARCHIVES_DIR: other };
    expect(await place.run(['restore', name, '--oui'], { env: back })).toMatchObject({ code: 0 });
    // Restoring notes the key of the accounts to come.
    const api = await empty({ url, env: { ...env, ARCHIVES_DIR: other } });
    expect((await knock(api)).statusCode).toBe(401);
    expect(await accounts(api)).toBe(0);
  });

  it('after a rebuild from the archives, which have no accounts', async () => {
    const { place, env, copy } = await fresh();
    await place.write('DEM12/20250528.LOG', '20250528 06:00:00|@JobProfiel: R:215023 L:3359.0 C:7016\r\n');
    expect(await place.run(['ingest'], { env })).toMatchObject({ code: 0 });
    const url = await copy();
    const done = await place.run(['rebuild', '--oui'], { env: { ...env, DATABASE_URL: url } });
    expect([done.code, done.stderr]).toEqual([0, expect.any(String)]);
    const api = await empty({ url, env: { ARCHIVES_DIR: await folder() } });
    expect((await knock(api)).statusCode).toBe(401);
  });
});

/** An installation that never had an account, and a way to empty databases. */
async function fresh(): Promise<{
  place: Installation;
  env: Record<string, string>;
  copy(): Promise<string>;
}> {
  const place = await install();
  closers.push(() => place.close());
  const env = {
    CLE_CHIFFREMENT: randomBytes(32).toString('hex'),
    SECRET_KEY: randomBytes(48).toString('base64url'),
  };
  return {
    ...{ place, env },
    async copy() {
      const { url, drop } = await createDatabase({ template: false });
      closers.push(drop);
      return url;
    },
  };
}
