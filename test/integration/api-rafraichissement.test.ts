// The refresh cookie of the dashboard: staying signed in for a day, signing out (S3, S4, S32).

import { randomBytes } from 'node:crypto';
import type { LightMyRequestResponse } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { modifierCompte } from '../../src/postgres/comptes/users.ts';
import { withClient } from '../../src/postgres/pool.ts';
import { type ApiDEssai, type CompteDEssai, createApi, MOT_DE_PASSE } from '../harness/api.ts';
import { auditSince, lastAuditLine } from '../harness/api-audit.ts';
import { OTHER_PASSWORD } from '../harness/api-people.ts';

const FORM = 'application/x-www-form-urlencoded';
let api: ApiDEssai;
let admin: CompteDEssai;

beforeAll(async () => {
  api = await createApi({ env: { HOTES: '.exemple.test' } });
  admin = api.comptes.admin;
});
afterAll(() => api?.close());

/** Signs in. */
function post(
  form: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<LightMyRequestResponse> {
  return api.app.inject({
    ...{ method: 'POST', url: '/token', headers: { 'content-type': FORM, ...headers } },
    payload: new URLSearchParams(form).toString(),
  });
}

const audit = (since: number) => auditSince(api, since);
const lastLine = () => lastAuditLine(api);

/** The refresh cookie that an answer sets, with its attributes. */
function cookieOf(answer: LightMyRequestResponse): { value: string; attributes: string[] } {
  const [first = '', ...attributes] = String(answer.headers['set-cookie']).split('; ');
  expect(first.startsWith('atelier_rafraichir=')).toBe(true);
  return { value: first.slice('atelier_rafraichir='.length), attributes };
}

interface Refresh {
  readonly url?: string;
  readonly on?: ApiDEssai;
  readonly headers?: Readonly<Record<string, string>>;
}

function refresh(cookie: string | undefined, options: Refresh = {}): Promise<LightMyRequestResponse> {
  return (options.on ?? api).app.inject({
    method: 'POST',
    url: options.url ?? '/token/refresh',
    headers: {
      'x-requested-with': 'atelier',
      ...(cookie === undefined ? {} : { cookie: `atelier_rafraichir=${cookie}` }),
      ...options.headers,
    },
  });
}

const signedIn = async (username = 'lecteur'): Promise<string> =>
  cookieOf(await post({ username, password: MOT_DE_PASSE })).value;

describe('the cookie of the dashboard', () => {
  it('is out of reach of scripts and other sites, for /token alone, for twelve hours', async () => {
    const here = cookieOf(await post({ username: 'lecteur', password: MOT_DE_PASSE }));
    expect(here.value).toMatch(/^[\w-]{43}$/);
    expect(here.attributes.sort()).toEqual(['HttpOnly', 'Max-Age=43200', 'Path=/token', 'SameSite=Strict']);
  });

  it('is Secure unless it goes to this very machine over plain HTTP', async () => {
    const secure = async (host: string): Promise<boolean> => {
      const answer = await post({ username: 'lecteur', password: MOT_DE_PASSE }, { host });
      return cookieOf(answer).attributes.includes('Secure');
    };
    expect(await secure('localhost:8000')).toBe(false);
    expect(await secure('127.0.0.1:8000')).toBe(false);
    expect(await secure('[::1]:8000')).toBe(false);
    expect(await secure('atelier.exemple.test')).toBe(true);
    expect(await secure('192.168.1.4:8000')).toBe(true);
    expect(await secure('127.0.0.1.exemple.test')).toBe(true);
    expect(await secure('localhost.exemple.test')).toBe(true);
  });

  it('renews the token and itself, without moving the end', async () => {
    const first = await signedIn();
    const answer = await refresh(first);
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['cache-control']).toBe('no-store');
    const headers = { authorization: `Bearer ${answer.json().access_token}` };
    expect((await api.app.inject({ url: '/users/me', headers })).json().username).toBe('lecteur');
    const second = cookieOf(answer);
    expect(second.value).not.toBe(first);
    expect((await refresh(second.value)).statusCode).toBe(200);

    const own = await createApi();
    try {
      const form = new URLSearchParams({ username: 'lecteur', password: MOT_DE_PASSE }).toString();
      const begun = await own.app.inject({
        ...{ method: 'POST', url: '/token', headers: { 'content-type': FORM }, payload: form },
      });
      own.avancer(11.5 * 3_600_000);
      const late = await refresh(cookieOf(begun).value, { on: own });
      expect(late.statusCode).toBe(200);
      const left = Number(/Max-Age=(\d+)/.exec(String(late.headers['set-cookie']))![1]);
      expect(left).toBeGreaterThan(1_700);
      expect(left).toBeLessThanOrEqual(1_800);
      own.avancer(0.6 * 3_600_000);
      expect((await refresh(cookieOf(late).value, { on: own })).statusCode).toBe(401);
    } finally {
      await own.close();
    }
  });

  it('serves once: when it comes back, the sign-in ends for the thief and the robbed', async () => {
    const stolen = await signedIn();
    const since = await lastLine();
    const next = cookieOf(await refresh(stolen)).value;
    const again = await refresh(stolen);
    expect(again.statusCode).toBe(401);
    expect(again.json().error).toBe('invalid_grant');
    expect(cookieOf(again)).toEqual({
      value: '',
      attributes: expect.arrayContaining(['Max-Age=0', 'Path=/token', 'HttpOnly', 'SameSite=Strict']),
    });
    expect((await refresh(next)).statusCode).toBe(401);
    expect(await audit(since)).toMatchObject([
      { evenement: 'rafraichissement_reutilise', user_id: api.comptes.lecteur.id },
    ]);
    // Another sign-in of the same person goes on.
    expect((await refresh(await signedIn())).statusCode).toBe(200);
  });

  it('comes twenty times at once: one gets through, and then the family is dead', async () => {
    const cookie = await signedIn();
    const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(cookie)));
    const good = answers.filter(({ statusCode }) => statusCode === 200);
    expect(good.length).toBeLessThanOrEqual(1);
    expect(answers.every(({ statusCode }) => statusCode === 200 || statusCode === 401)).toBe(true);
    for (const answer of good) expect((await refresh(cookieOf(answer).value)).statusCode).toBe(401);
  });

  it('is not in the database: only its hash', async () => {
    const cookie = await signedIn();
    const { rows } = await api.pool.query('SELECT to_jsonb(j)::text AS text FROM jeton_rafraichissement j');
    const all = rows.map(({ text }) => text).join();
    expect(all).not.toContain(cookie);
    expect(all).not.toContain(Buffer.from(cookie).toString('hex'));
    expect(all).not.toContain(Buffer.from(cookie, 'base64url').toString('hex'));
  });

  it('without X-Requested-With nothing happens, so that no other site can use it', async () => {
    const cookie = await signedIn();
    for (const url of ['/token/refresh', '/token/revoke']) {
      for (const value of ['', 'XMLHttpRequest', 'Atelier']) {
        const answer = await refresh(cookie, { url, headers: { 'x-requested-with': value } });
        expect(answer.statusCode).toBe(403);
        expect(answer.headers['content-type']).toContain('application/problem+json');
        expect(answer.headers['set-cookie']).toBeUndefined();
      }
    }
    expect((await refresh(cookie)).statusCode).toBe(200);
  });

  it('missing, of another form, unknown: 401, the same answer', async () => {
    const bodies = new Set<string>();
    for (const cookie of [undefined, '', 'x', "' OR 1=1 --", randomBytes(32).toString('base64url')]) {
      const answer = await refresh(cookie);
      expect(answer.statusCode).toBe(401);
      bodies.add(answer.body);
    }
    expect(bodies.size).toBe(1);
  });

  it.each([
    ['disabled', { actif: false }],
    ['another role', { role: 'gestionnaire' }],
    ['another password', { password: OTHER_PASSWORD }],
  ])('S4: ends when the account changes: %s', async (name, payload) => {
    const someone = await api.compte(`cookie-${name.replaceAll(' ', '-')}`, 'lecteur');
    const cookie = await signedIn(someone.username);
    await api.app.inject({ method: 'PUT', url: `/users/${someone.id}`, headers: admin.entete, payload });
    expect((await refresh(cookie)).statusCode).toBe(401);
  });

  it('S4: ends when the account is disabled by the command on the server, which knows no cookies', async () => {
    const someone = await api.compte('cookie-commande', 'lecteur');
    const cookie = await signedIn(someone.username);
    const { coffre } = api.deps;
    await withClient(api.pool, (client) => modifierCompte(client, coffre, someone.id, { actif: false }));
    expect((await refresh(cookie)).statusCode).toBe(401);
    await withClient(api.pool, (client) => modifierCompte(client, coffre, someone.id, { actif: true }));
    expect((await refresh(cookie)).statusCode).toBe(401);
    const again = await signedIn(someone.username);
    await withClient(api.pool, (client) => modifierCompte(client, coffre, someone.id, { role: 'admin' }));
    expect((await refresh(again)).statusCode).toBe(401);
  });

  it('S4: ends with the account', async () => {
    const someone = await api.compte('cookie-efface', 'lecteur');
    const cookie = await signedIn(someone.username);
    await api.app.inject({ method: 'DELETE', url: `/users/${someone.id}`, headers: admin.entete });
    expect((await refresh(cookie)).statusCode).toBe(401);
  });

  it('an account has twenty open sign-ins at most: the oldest goes', async () => {
    const someone = await api.compte('partout', 'lecteur');
    const cookies = [];
    for (let i = 0; i < 21; i++) cookies.push(await signedIn(someone.username));
    expect((await refresh(cookies[0])).statusCode).toBe(401);
    expect((await refresh(cookies[1])).statusCode).toBe(200);
    expect((await refresh(cookies[20])).statusCode).toBe(200);
  });

  it('what has ended is swept away', async () => {
    const own = await createApi();
    try {
      own.avancer(13 * 3_600_000);
      await own.compte('autre', 'lecteur');
      const { rows } = await own.pool.query('SELECT count(*)::integer AS n FROM jeton_rafraichissement');
      expect(rows[0].n).toBe(1);
    } finally {
      await own.close();
    }
  });
});

describe('POST /token/revoke', () => {
  it('ends the sign-in, says so again and again, and takes the cookie away', async () => {
    const cookie = await signedIn();
    const since = await lastLine();
    const answer = await refresh(cookie, { url: '/token/revoke' });
    expect([answer.statusCode, answer.body]).toEqual([204, '']);
    expect(cookieOf(answer)).toMatchObject({ value: '' });
    expect((await refresh(cookie)).statusCode).toBe(401);
    expect((await refresh(cookie, { url: '/token/revoke' })).statusCode).toBe(204);
    expect((await refresh(undefined, { url: '/token/revoke' })).statusCode).toBe(204);
    expect((await audit(since)).map(({ evenement }) => evenement)).toEqual(['deconnexion']);
  });
});
