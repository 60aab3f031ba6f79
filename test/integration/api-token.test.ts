// Signing in with a form: who gets in, who does not, and what is written of it (S1, S5, S6, S7, S26, S32).

import type * as Crypto from 'node:crypto';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { LightMyRequestResponse } from 'fastify';
import pino from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { chargeDesHachages, verifierFactice } from '../../src/api/auth/mot-de-passe.ts';
import { type ApiDEssai, type CompteDEssai, createApi, MOT_DE_PASSE } from '../harness/api.ts';
import { auditSince, lastAuditLine } from '../harness/api-audit.ts';
import { OTHER_PASSWORD } from '../harness/api-people.ts';

// The one thing that takes time when signing in is counted: that is what the time of an answer comes from.
const hashed = vi.hoisted(() => ({ times: 0 }));
vi.mock('node:crypto', async (original) => {
  const crypto = await original<typeof Crypto>();
  const argon2 = ((...args: Parameters<typeof crypto.argon2>) => {
    hashed.times++;
    crypto.argon2(...args);
  }) as typeof crypto.argon2;
  return { ...crypto, argon2 };
});

const FORM = 'application/x-www-form-urlencoded';
const logged: string[] = [];
let api: ApiDEssai;
let admin: CompteDEssai;
let place = 0;
let ip = '';

beforeAll(async () => {
  const logger = pino({ level: 'debug' }, { write: (line: string) => void logged.push(line) });
  api = await createApi({ logger });
  admin = api.comptes.admin;
});
afterAll(() => api?.close());
beforeEach(() => {
  // Every test comes from a place of its own: none is slowed by what another did.
  place++;
  ip = `192.0.2.${place}`;
});

interface Post {
  readonly headers?: Readonly<Record<string, string>>;
  readonly url?: string;
}

function post(
  form: Readonly<Record<string, string>> | string,
  options: Post = {},
): Promise<LightMyRequestResponse> {
  return api.app.inject({
    method: 'POST',
    url: options.url ?? '/token',
    remoteAddress: ip,
    headers: { 'content-type': FORM, ...options.headers },
    payload: typeof form === 'string' ? form : new URLSearchParams(form).toString(),
  });
}

const audit = (since: number) => auditSince(api, since);
const lastLine = () => lastAuditLine(api);

describe('POST /token', () => {
  it('gives a token for name and password, in the words of OAuth, and says not to keep it', async () => {
    const answer = await post({ username: 'lecteur', password: MOT_DE_PASSE });
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual({
      access_token: expect.any(String),
      token_type: 'bearer',
      expires_in: 900,
    });
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.headers['pragma']).toBe('no-cache');
  });

  it('takes what OAuth clients add, any spelling of the name, both spellings of the path, odd passwords', async () => {
    const form = { username: ' LECTEUR ', password: MOT_DE_PASSE };
    const more = { ...form, grant_type: 'password', scope: 'a b', client_id: 'x', client_secret: 'y' };
    expect((await post(more)).statusCode).toBe(200);
    expect((await post(form, { url: '/token/' })).statusCode).toBe(200);
    expect((await post({ ...form, grant_type: '', scope: '', client_id: '' })).statusCode).toBe(200);
    expect((await post(form, { headers: { 'content-type': `${FORM}; charset=UTF-8` } })).statusCode).toBe(
      200,
    );
    const authorization = `Basic ${Buffer.from('client:secret').toString('base64')}`;
    expect((await post(form, { headers: { authorization } })).statusCode).toBe(200);
  });

  const broken: Readonly<Record<string, readonly string[]>> = {
    nothing: ['', 'invalid_request'],
    'no password': ['username=lecteur', 'invalid_request'],
    'an empty password': ['username=lecteur&password=', 'invalid_request'],
    'no name': ['password=x', 'invalid_request'],
    'a name twice': ['username=lecteur&username=admin&password=x', 'invalid_request'],
    'a password twice': ['username=lecteur&password=x&password=x', 'invalid_request'],
    'a grant twice': ['grant_type=password&grant_type=password&username=a&password=x', 'invalid_request'],
    'a name that is a list': ['username[]=lecteur&password=x', 'invalid_request'],
    'an unknown parameter': ['username=lecteur&password=x&role=admin', 'invalid_request'],
    'a prototype': ['username=lecteur&password=x&__proto__=y', 'invalid_request'],
    constructor: ['username=lecteur&password=x&constructor=y', 'invalid_request'],
    'NUL in a name': ['username=lect%00eur&password=x', 'invalid_request'],
    'client credentials': ['grant_type=client_credentials&client_id=x', 'unsupported_grant_type'],
    'a refresh by form': ['grant_type=refresh_token&refresh_token=x', 'unsupported_grant_type'],
    'another spelling of the grant': ['grant_type=Password&username=a&password=x', 'unsupported_grant_type'],
    JSON: ['{"username":"lecteur","password":"x"}', 'invalid_request', 'application/json'],
    'JSON said to be a form': ['{"username":"lecteur","password":"x"}', 'invalid_request'],
    text: ['username=lecteur&password=x', 'invalid_request', 'text/plain'],
    multipart: ['--x', 'invalid_request', 'multipart/form-data; boundary=x'],
  };
  it.each(Object.keys(broken))('S1: %s: 400 in the words of OAuth', async (name) => {
    const [body = '', error, type] = broken[name]!;
    const answer = await post(body, type ? { headers: { 'content-type': type } } : {});
    expect(answer.statusCode).toBe(400);
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(Object.keys(answer.json())).toEqual(['error', 'error_description']);
    expect(answer.json().error).toBe(error);
    // RFC 6749, 5.2: printable ASCII without quotation mark and backslash.
    expect(answer.json().error_description).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/);
  });

  it('S1: no body at all', async () => {
    const answer = await api.app.inject({ method: 'POST', url: '/token', remoteAddress: ip });
    expect([answer.statusCode, answer.json().error]).toEqual([400, 'invalid_request']);
  });

  it('S1: nothing of it by address: parameters there are refused', async () => {
    const url = `/token?username=lecteur&password=${MOT_DE_PASSE}`;
    const answer = await post({ username: 'lecteur', password: MOT_DE_PASSE }, { url });
    expect([answer.statusCode, answer.json().error]).toEqual([400, 'invalid_request']);
    expect((await api.app.inject({ url, remoteAddress: ip })).statusCode).toBe(405);
  });

  it('a body without end is not read (413)', async () => {
    const answer = await post(`username=lecteur&password=${'x'.repeat(20_000)}`);
    expect(answer.statusCode).toBe(413);
    expect(answer.headers['content-type']).toContain('application/problem+json');
  });

  it('403 and 401 do not depend on the role: everyone signs in at the same door', async () => {
    for (const { username, role, id } of Object.values(api.comptes)) {
      const { access_token } = (await post({ username, password: MOT_DE_PASSE })).json();
      const headers = { authorization: `Bearer ${access_token}` };
      expect((await api.app.inject({ url: '/users/me', headers })).json()).toMatchObject({ id, role });
    }
  });
});

describe('who does not get in', () => {
  it('S6: unknown, wrong, disabled, disabled with the right password: the same answer to the byte', async () => {
    const off = await api.compte('inactif', 'lecteur');
    await api.app.inject({
      ...{ method: 'PUT', url: `/users/${off.id}`, headers: admin.entete, payload: { actif: false } },
    });
    const answers = [];
    for (const form of [
      { username: 'personne', password: MOT_DE_PASSE },
      { username: 'lecteur', password: OTHER_PASSWORD },
      { username: 'inactif', password: OTHER_PASSWORD },
      { username: 'inactif', password: MOT_DE_PASSE },
      { username: 'é'.repeat(900), password: 'x' },
      { username: 'lecteur', password: '\ud800' },
    ]) {
      const { statusCode, body, headers } = await post(form);
      const { 'x-request-id': _, date: __, ...rest } = headers;
      answers.push(JSON.stringify({ statusCode, body, rest }));
    }
    expect(new Set(answers).size).toBe(1);
    expect(JSON.parse(answers[0]!)).toMatchObject({
      statusCode: 401,
      body: JSON.stringify({ error: 'invalid_grant', error_description: 'Nom ou mot de passe incorrect.' }),
      rest: { 'www-authenticate': 'Bearer realm="atelier"', 'cache-control': 'no-store' },
    });
  });

  it('S6: once slowed down, a name that exists and one that does not are told the same', async () => {
    const seen = [];
    for (const username of ['ralenti', 'fantome']) {
      if (username === 'ralenti') await api.compte(username, 'lecteur');
      const answers = [];
      for (let i = 0; i < 8; i++) {
        place++;
        ip = `192.0.2.${place}`;
        const { statusCode, body, headers } = await post({ username, password: OTHER_PASSWORD });
        answers.push({ statusCode, body, wait: headers['retry-after'] });
      }
      seen.push(answers);
    }
    expect(seen[0]).toEqual(seen[1]);
    expect(seen[0]!.map(({ statusCode }) => statusCode)).toEqual([401, 401, 401, 401, 401, 401, 429, 429]);
  });

  it('S7: every attempt that is looked at costs one hash, whoever is meant', async () => {
    const count = async (form: Record<string, string>): Promise<number> => {
      const before = hashed.times;
      await post(form);
      return hashed.times - before;
    };
    expect(await count({ username: 'gestionnaire', password: MOT_DE_PASSE })).toBe(1);
    expect(await count({ username: 'gestionnaire', password: 'faux' })).toBe(1);
    expect(await count({ username: 'jamais-vu', password: 'faux' })).toBe(1);
    expect(await count({ username: 'inactif', password: 'faux' })).toBe(1);
    expect(await count({ username: 'inactif', password: MOT_DE_PASSE })).toBe(1);
    expect(await count({ username: 'gestionnaire' })).toBe(0);
  });
});

it('S10: health and readings are answered while passwords wait to be hashed', async () => {
  const many = Array.from({ length: 100 }, () => verifierFactice('faux'));
  for (const [url, headers] of [
    ['/health/live', {}],
    ['/users/me', admin.entete],
  ] as const) {
    expect((await api.app.inject({ url, headers })).statusCode).toBe(200);
    expect([url, chargeDesHachages().enAttente > 0]).toEqual([url, true]);
  }
  await Promise.all(many);
});

describe('S32: the audit log', () => {
  it('has each sign-in and each refusal: who, from where, why; neither names nor secrets', async () => {
    ip = '203.0.113.77';
    const since = await lastLine();
    const secret = `Secret-plante-${randomBytes(6).toString('hex')}`;
    await post({ username: 'lecteur', password: MOT_DE_PASSE });
    const wrong = await post({ username: 'lecteur', password: secret });
    await post({ username: `nom-plante-${secret}`, password: secret });
    const lines = await audit(since);
    const { id } = api.comptes.lecteur;
    expect(lines).toMatchObject([
      { evenement: 'connexion_reussie', user_id: id, adresse: '203.0.113.0' },
      { evenement: 'connexion_refusee', user_id: id, details: { raison: 'mot_de_passe' } },
      { evenement: 'connexion_refusee', user_id: null, details: { raison: 'compte_inconnu' } },
    ]);
    // The number of a line is the one that the client was given.
    expect(lines[1]!['requete']).toBe(wrong.headers['x-request-id']);
    const text = JSON.stringify(lines);
    for (const word of [secret, 'nom-plante', MOT_DE_PASSE, '203.0.113.77']) expect(text).not.toContain(word);
  });

  it('has refusals of tokens and roles, but strangers cannot fill it', async () => {
    const since = await lastLine();
    const ask = (authorization: string): Promise<LightMyRequestResponse> =>
      api.app.inject({ url: '/users/', headers: { authorization } });
    await ask(api.comptes.lecteur.entete.authorization);
    await ask('Bearer x.y.z');
    expect(await audit(since)).toMatchObject([
      {
        evenement: 'acces_refuse',
        user_id: api.comptes.lecteur.id,
        details: { statut: 403, route: '/users/' },
      },
      {
        evenement: 'acces_refuse',
        user_id: null,
        details: { statut: 401, raison: 'invalide', genre: 'jeton' },
      },
    ]);
    for (let i = 0; i < 200; i++) await ask('Bearer x.y.z');
    // At most sixty a minute; this loop may reach into a second one.
    expect((await audit(since)).length).toBeLessThanOrEqual(120);
    api.avancer(60_000);
    await ask('Bearer x.y.z');
    const last = (await audit(since)).at(-1)!;
    expect(last['details']).toMatchObject({ omis: expect.any(Number) });
  });
});

describe('what the server writes to its own log', () => {
  it('S26: line breaks, colours and JSON in names and headers stay inside of one line', async () => {
    logged.length = 0;
    const evil = 'a\r\n{"level":"info","msg":"faux"}\u001b[31m\u2028';
    await post({ username: evil, password: evil });
    await post({ username: 'lecteur', password: 'x' }, { url: '/token/%0d%0a%1b[31m' });
    const socket = connect({ port: await listen(), host: '127.0.0.1' }).resume();
    socket.end(
      'GET /users/\u001b[31m HTTP/1.1\r\nHost: localhost\r\nUser-Agent: \u001b[31m{"a":1}\r\nConnection: close\r\n\r\n',
    );
    await once(socket, 'close');
    expect(logged.length).toBeGreaterThan(2);
    for (const line of logged) {
      expect(line.endsWith('\n')).toBe(true);
      expect(line.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f]/);
      expect(() => JSON.parse(line)).not.toThrow();
      expect(JSON.parse(line).msg).not.toBe('faux');
    }
  });

  it('S5: has neither passwords, names, tokens nor cookies, whatever went wrong', async () => {
    logged.length = 0;
    const secret = `Plante-${randomBytes(9).toString('hex')}`;
    const answer = await post({ username: 'gestionnaire', password: MOT_DE_PASSE });
    const { access_token } = answer.json();
    const cookie = cookieIn(answer);
    const refreshed = { 'x-requested-with': 'atelier', cookie: `atelier_rafraichir=${cookie}` };
    const next = cookieIn(await post('', { url: '/token/refresh', headers: refreshed }));
    await post('', { url: '/token/refresh', headers: refreshed });
    await post({ username: secret, password: secret });
    await post(`username=${secret}&password=${secret}&x=${secret}`);
    await post(`{"password":"${secret}"}`, { headers: { 'content-type': 'application/json' } });
    const headers = { authorization: `Bearer ${access_token}` };
    await api.app.inject({ url: `/users/me?token=${secret}`, headers });
    await api.app.inject({ url: '/users/me', headers: { authorization: `Bearer ${secret}` } });
    expect(logged.length).toBeGreaterThan(5);
    const all = logged.join('');
    for (const word of [secret, MOT_DE_PASSE, access_token, cookie, next, 'eyJ', 'gestionnaire@']) {
      expect(all).not.toContain(word);
    }
  });
});

function cookieIn(answer: LightMyRequestResponse): string {
  return /^atelier_rafraichir=([\w-]{43});/.exec(String(answer.headers['set-cookie']))![1]!;
}

async function listen(): Promise<number> {
  if (!api.app.server.listening) await api.app.listen({ port: 0, host: '127.0.0.1' });
  return (api.app.server.address() as { port: number }).port;
}
