// Accounts over the API: who makes, sees, changes and deletes them (S11, S13, S14, S15, S25, S32).

import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { LightMyRequestResponse } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiDEssai, type CompteDEssai, createApi, MOT_DE_PASSE, signIn } from '../harness/api.ts';

const OTHER = 'Persienne-bleue-5010';
const FIELDS = ['id', 'username', 'email', 'role', 'actif', 'date_creation'];
let api: ApiDEssai;
let admin: CompteDEssai;
let lecteur: CompteDEssai;
let n = 0;

beforeAll(async () => {
  api = await createApi();
  ({ admin, lecteur } = api.comptes);
});
afterAll(() => api?.close());

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';
interface Ask {
  readonly as?: CompteDEssai | undefined;
  readonly on?: ApiDEssai;
  readonly payload?: object | string;
  readonly headers?: Readonly<Record<string, string>>;
}

function ask(method: Method, url: string, options: Ask = {}): Promise<LightMyRequestResponse> {
  const { as, on = api, payload, headers } = options;
  return on.app.inject({
    ...{ method, url, headers: { ...as?.entete, ...headers } },
    ...(payload === undefined ? {} : { payload }),
    ...(typeof payload === 'string'
      ? { headers: { ...as?.entete, 'content-type': 'application/json' } }
      : {}),
  });
}

/** A name that no other test has. */
const name = (): string => `essai-${++n}`;
const person = (username = name()): { username: string; email: string; password: string } => ({
  ...{ username, email: `${username}@exemple.test`, password: OTHER },
});
const someone = (): Promise<CompteDEssai> => api.compte(name(), 'lecteur');

async function events(cible: string): Promise<Record<string, unknown>[]> {
  const { rows } = await api.pool.query(
    'SELECT evenement, user_id, details FROM journal_audit WHERE cible = $1 ORDER BY id',
    [cible],
  );
  return rows;
}

describe('S11: the first account', () => {
  it('is made by anyone while there is none, is admin whatever was asked, and closes the door', async () => {
    const own = await createApi({ comptes: false });
    try {
      const answer = await ask('POST', '/users/', {
        on: own,
        payload: { ...person('premiere'), role: 'lecteur' },
      });
      expect(answer.statusCode).toBe(201);
      expect(answer.json()).toMatchObject({ username: 'premiere', role: 'admin', actif: true });
      expect(Object.keys(answer.json())).toEqual(FIELDS);
      expect(answer.headers['location']).toBe(`/users/${answer.json().id}`);
      const closed = await ask('POST', '/users', { on: own, payload: person('deuxieme') });
      expect(closed.statusCode).toBe(401);
      expect(closed.headers['www-authenticate']).toBe('Bearer realm="atelier"');
      expect((await signIn(own.app, 'premiere', OTHER)).authorization).toMatch(/^Bearer /);
    } finally {
      await own.close();
    }
  });

  it('asked for by ten at once, goes to one', async () => {
    const own = await createApi({ comptes: false });
    try {
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, i) =>
          ask('POST', '/users/', { on: own, payload: person(`rapide-${i}`) }),
        ),
      );
      const statuses = answers.map(({ statusCode }) => statusCode).sort();
      expect(statuses).toEqual([201, ...Array<number>(9).fill(401)]);
      const { rows } = await own.pool.query('SELECT role FROM "user"');
      expect(rows).toEqual([{ role: 'admin' }]);
    } finally {
      await own.close();
    }
  });

  it('needs a good password too, and there is no account with a password of ours', async () => {
    const own = await createApi({ comptes: false });
    try {
      const weak = await ask('POST', '/users/', {
        on: own,
        payload: { ...person('faible'), password: 'admin' },
      });
      expect(weak.statusCode).toBe(422);
      for (const username of ['admin', 'root', 'demo', 'atelier']) {
        await expect(signIn(own.app, username, username)).rejects.toThrow('401');
      }
    } finally {
      await own.close();
    }
  });

  it('once there is one, a stranger is not even told what a good body looks like', async () => {
    for (const payload of [{}, { role: 'admin' }, person()]) {
      expect((await ask('POST', '/users/', { payload })).statusCode).toBe(401);
    }
    for (const as of [lecteur, api.comptes.gestionnaire]) {
      expect((await ask('POST', '/users/', { as, payload: {} })).statusCode).toBe(403);
      expect((await ask('POST', '/users/', { as, payload: person() })).statusCode).toBe(403);
    }
  });
});

describe('POST /users/', () => {
  it('by an admin: a lecteur by default, who can sign in; noted in the audit log', async () => {
    const payload = person();
    const answer = await ask('POST', '/users/', { as: admin, payload });
    expect(answer.statusCode).toBe(201);
    const compte = answer.json();
    expect(compte).toEqual({
      ...{ id: expect.any(String), username: payload.username, email: payload.email, role: 'lecteur' },
      ...{ actif: true, date_creation: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*[+-]\d\d:\d\d$/) },
    });
    await signIn(api.app, payload.username, OTHER);
    expect(await events(`users/${compte.id}`)).toEqual([
      { evenement: 'compte_cree', user_id: admin.id, details: { role: 'lecteur' } },
    ]);
  });

  it('S25: of two with the same name at once, one is made and one is a conflict', async () => {
    const payload = person();
    const answers = await Promise.all(
      [payload, payload].map((p) => ask('POST', '/users/', { as: admin, payload: p })),
    );
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([201, 409]);
  });

  it('409 names the field, whatever the spelling', async () => {
    const taken = person();
    await ask('POST', '/users/', { as: admin, payload: taken });
    const again = await ask('POST', '/users/', {
      ...{ as: admin, payload: { ...person(), username: taken.username.toUpperCase() } },
    });
    expect(again.statusCode).toBe(409);
    expect(again.json().errors).toEqual([{ pointer: '/body/username', detail: expect.any(String) }]);
    const email = await ask('POST', '/users/', {
      ...{ as: admin, payload: { ...person(), email: taken.email.toUpperCase() } },
    });
    expect(email.json().errors).toEqual([{ pointer: '/body/email', detail: expect.any(String) }]);
  });

  const invalid: Readonly<Record<string, readonly [object, string]>> = {
    'no name': [{ username: undefined }, '/body/username'],
    'an empty name': [{ username: '  ' }, '/body/username'],
    'a name of 65': [{ username: 'x'.repeat(65) }, '/body/username'],
    'a name with a line break': [{ username: 'a\r\nb' }, '/body/username'],
    'a name with NUL': [{ username: 'a\u0000b' }, '/body/username'],
    'a name that turns the line': [{ username: 'a\u202eb' }, '/body/username'],
    'a name that is a number': [{ username: 42 }, '/body/username'],
    'an address that is none': [{ email: 'pas-une-adresse' }, '/body/email'],
    'two addresses': [{ email: 'a@exemple.test, b@exemple.test' }, '/body/email'],
    'an address with a header': [{ email: 'a@exemple.test\r\nBcc: b@exemple.test' }, '/body/email'],
    'a short password': [{ password: 'Court-1' }, '/body/password'],
    'a password of one word again and again': [{ password: 'motdepassemotdepasse' }, '/body/password'],
    'an unknown role': [{ role: 'root' }, '/body/role'],
    'a role that is a list': [{ role: ['admin'] }, '/body/role'],
    'S14 id': [{ id: randomUUID() }, '/body/id'],
    'S14 actif': [{ actif: true }, '/body/actif'],
    'S14 mot_de_passe': [{ mot_de_passe: 'x' }, '/body/mot_de_passe'],
    'S14 password_hash': [{ password_hash: 'x' }, '/body/password_hash'],
    'S14 version_jetons': [{ version_jetons: 99 }, '/body/version_jetons'],
    'S14 date_creation': [{ date_creation: '2020-01-01T00:00:00Z' }, '/body/date_creation'],
  };
  it.each(Object.keys(invalid))('422, by its name: %s', async (what) => {
    const [change, pointer] = invalid[what]!;
    const answer = await ask('POST', '/users/', { as: admin, payload: { ...person(), ...change } });
    expect(answer.statusCode).toBe(422);
    expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    const pointers = answer.json().errors.map((error: { pointer: string }) => error.pointer);
    expect(new Set(pointers)).toEqual(new Set([pointer]));
  });

  it('S14: prototypes cannot be poisoned', async () => {
    const body = (more: string): string => JSON.stringify(person()).replace('{', `{${more},`);
    for (const more of ['"__proto__":{"role":"admin"}', '"constructor":{"prototype":{"role":"admin"}}']) {
      const answer = await ask('POST', '/users/', { as: admin, payload: body(more) });
      expect([400, 422]).toContain(answer.statusCode);
    }
    expect(({} as { role?: string }).role).toBeUndefined();
  });

  it('the name and the address may not be the password', async () => {
    const username = 'marguerite.delacroix';
    const answer = await ask('POST', '/users/', {
      ...{ as: admin, payload: { username, email: 'm@exemple.test', password: username } },
    });
    expect(answer.statusCode).toBe(422);
  });

  it('a password is taken as it is: spaces, every script, 128 characters, none cut off', async () => {
    for (const password of [
      ' une phrase avec des espaces ',
      '回転シャッターの鍵は青い箱の中にあります',
      long(),
    ]) {
      const payload = { ...person(), password };
      expect((await ask('POST', '/users/', { as: admin, payload })).statusCode).toBe(201);
      await signIn(api.app, payload.username, payload.password);
      await expect(signIn(api.app, payload.username, payload.password.slice(0, -1))).rejects.toThrow('401');
    }
  });
});

/** 128 characters without a pattern. */
function long(): string {
  return Array.from({ length: 32 }, (_, i) => `${'azertyuiopqsdfgh'[(i * 7) % 16]}${(i * 31) % 97}Z`)
    .join('-')
    .slice(0, 128);
}

describe('GET /users/', () => {
  it('is for admins; pages with Link and total', async () => {
    expect((await ask('GET', '/users/', { as: lecteur })).statusCode).toBe(403);
    const all = (await ask('GET', '/users', { as: admin })).json();
    expect(all.length).toBeGreaterThan(3);
    for (const compte of all) expect(Object.keys(compte)).toEqual(FIELDS);
    const page = await ask('GET', '/users/?skip=1&limit=2', { as: admin });
    expect(page.json()).toEqual(all.slice(1, 3));
    expect(page.headers['x-total-count']).toBe(String(all.length));
    expect(page.headers['x-total-count-kind']).toBe('exact');
    expect(page.headers['link']).toBe(
      '</users/?skip=3&limit=2>; rel="next", </users/?skip=0&limit=2>; rel="prev"',
    );
    const last = await ask('GET', `/users/?skip=${all.length - 1}&limit=1`, { as: admin });
    expect(last.headers['link']).not.toContain('next');
  });

  it('refuses parameters that it does not know, and values out of bounds', async () => {
    for (const query of [
      'limit=0',
      'limit=1001',
      'skip=-1',
      'skip=1e3',
      'skip=1&skip=2',
      'role=admin',
      'q=%00',
    ]) {
      expect((await ask('GET', `/users/?${query}`, { as: admin })).statusCode, query).toBe(422);
    }
  });
});

describe('one account', () => {
  it('everyone reads his own, at /users/me; with ETag and 304', async () => {
    const answer = await ask('GET', '/users/me', { as: lecteur });
    expect(answer.json()).toMatchObject({
      id: lecteur.id,
      username: 'lecteur',
      email: 'lecteur@exemple.test',
    });
    expect(Object.keys(answer.json())).toEqual(FIELDS);
    const headers = { 'if-none-match': String(answer.headers['etag']) };
    expect((await ask('GET', '/users/me/', { as: lecteur, headers })).statusCode).toBe(304);
  });

  it('S13: a foreign, a deleted and an unknown id are the same 403 to others, the same 404 to admins', async () => {
    const gone = await someone();
    await ask('DELETE', `/users/${gone.id}`, { as: admin });
    for (const method of ['GET', 'PUT', 'DELETE'] as const) {
      const payload = method === 'PUT' ? { payload: { email: 'x@exemple.test' } } : {};
      const foreign = new Set<string>();
      for (const id of [admin.id, lecteur.id, gone.id, randomUUID(), 'pas-un-uuid', '%00']) {
        const answer = await ask(method, `/users/${id}`, { as: lecteur, ...payload });
        const { instance: _, ...rest } = answer.json();
        foreign.add(JSON.stringify(rest));
        expect(answer.statusCode).toBe(403);
      }
      expect(foreign.size).toBe(1);
      const absent = new Set<string>();
      for (const id of [gone.id, randomUUID(), gone.id.toUpperCase()]) {
        const answer = await ask(method, `/users/${id}`, { as: admin, ...payload });
        const { instance: _, ...rest } = answer.json();
        absent.add(JSON.stringify(rest));
        expect(answer.statusCode).toBe(404);
      }
      expect(absent.size).toBe(1);
      for (const id of ['1', 'moi', "x'--", '%00']) {
        expect((await ask(method, `/users/${id}`, { as: admin, ...payload })).statusCode).toBe(422);
      }
    }
  });

  it('an admin reads, changes and deletes any; each change has its line in the audit log', async () => {
    const who = await someone();
    const url = `/users/${who.id}`;
    expect((await ask('GET', url, { as: admin })).json()).toMatchObject({ id: who.id, role: 'lecteur' });
    const change = { email: `neuf-${n}@exemple.test`, role: 'gestionnaire', actif: false, password: OTHER };
    const changed = await ask('PUT', url, { as: admin, payload: change });
    expect(changed.statusCode).toBe(200);
    expect(changed.json()).toMatchObject({ email: change.email, role: 'gestionnaire', actif: false });
    await expect(signIn(api.app, who.username, OTHER)).rejects.toThrow('401');
    await ask('PUT', url, { as: admin, payload: { actif: true } });
    await signIn(api.app, who.username, OTHER);
    expect((await ask('DELETE', url, { as: admin })).statusCode).toBe(204);
    expect(await events(`users/${who.id}`)).toEqual([
      { evenement: 'compte_modifie', user_id: admin.id, details: { champs: ['email'] } },
      { evenement: 'mot_de_passe_change', user_id: admin.id, details: {} },
      { evenement: 'role_change', user_id: admin.id, details: { avant: 'lecteur', apres: 'gestionnaire' } },
      { evenement: 'compte_desactive', user_id: admin.id, details: {} },
      { evenement: 'compte_reactive', user_id: admin.id, details: {} },
      { evenement: 'compte_supprime', user_id: admin.id, details: { role: 'gestionnaire' } },
    ]);
  });

  it('a change that is refused leaves neither a change nor a line', async () => {
    const who = await someone();
    const payload = { role: 'gestionnaire', email: 'admin@exemple.test' };
    expect((await ask('PUT', `/users/${who.id}`, { as: admin, payload })).statusCode).toBe(409);
    expect((await ask('GET', `/users/${who.id}`, { as: admin })).json().role).toBe('lecteur');
    expect(await events(`users/${who.id}`)).toEqual([]);
  });

  it('an empty change says so', async () => {
    for (const payload of [{}, { password_actuel: MOT_DE_PASSE }]) {
      expect((await ask('PUT', '/users/me', { as: lecteur, payload })).statusCode).toBe(422);
    }
  });

  it('S11, S14: nobody raises himself, at neither address', async () => {
    const who = await someone();
    for (const payload of [{ role: 'admin' }, { actif: true }, { username: 'x', role: 'admin' }]) {
      const answer = await ask('PUT', '/users/me', { as: who, payload });
      expect(answer.statusCode).toBe(422);
      expect(answer.json().errors[0].pointer).toMatch(/^\/body\/(role|actif)$/);
      expect((await ask('PUT', `/users/${who.id}`, { as: who, payload })).statusCode).toBe(403);
    }
    for (const payload of [{ role: 'lecteur' }, { actif: false }]) {
      expect((await ask('PUT', `/users/${admin.id}`, { as: admin, payload })).statusCode).toBe(403);
    }
    // What is the same already is no change: whoever sends back what he read may.
    const same = { role: 'admin', actif: true, username: 'admin' };
    expect((await ask('PUT', `/users/${admin.id}`, { as: admin, payload: same })).statusCode).toBe(200);
    expect((await ask('GET', '/users/me', { as: who })).json().role).toBe('lecteur');
  });

  it('an admin who loses the role while he says it again does not get it back', async () => {
    const second = await api.compte(name(), 'admin');
    const other = await api.pool.connect();
    try {
      // Whoever writes accounts has this lock: the change below has been read, and waits to be written.
      await other.query('BEGIN');
      await other.query('SELECT pg_advisory_xact_lock($1)', [4_711_000_003]);
      const payload = { role: 'admin', username: name() };
      const change = ask('PUT', `/users/${second.id}`, { as: second, payload });
      const waiting =
        "SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
      while ((await api.pool.query(waiting)).rowCount === 0) await setTimeout(5);
      await other.query(
        `UPDATE "user" SET role = 'lecteur', version_jetons = version_jetons + 1 WHERE id = $1`,
        [second.id],
      );
      await other.query('COMMIT');
      expect((await change).statusCode).toBe(200);
    } finally {
      other.release();
    }
    expect((await ask('GET', `/users/${second.id}`, { as: admin })).json().role).toBe('lecteur');
  });

  it('the last admin stays: not deleted, not by himself either', async () => {
    for (const url of ['/users/me', `/users/${admin.id}`]) {
      const answer = await ask('DELETE', url, { as: admin });
      expect(answer.statusCode).toBe(409);
      expect(answer.json().detail).toContain('dernier compte admin');
    }
    const second = await api.compte(name(), 'admin');
    expect((await ask('DELETE', '/users/me', { as: second })).statusCode).toBe(204);
  });
});

describe('S15: what never leaves', () => {
  it('no answer about accounts has hashes, ciphertexts, indexes or counters', async () => {
    const answers = [
      await ask('GET', '/users/', { as: admin }),
      await ask('GET', '/users/me', { as: lecteur }),
      await ask('GET', `/users/${lecteur.id}`, { as: admin }),
      await ask('PUT', `/users/${lecteur.id}`, { as: admin, payload: { username: 'lecteur' } }),
      await ask('POST', '/users/', { as: admin, payload: person() }),
    ];
    for (const { body, statusCode } of answers) {
      expect(statusCode).toBeLessThan(300);
      expect(body).not.toMatch(/argon2|chiffre|index|version|mot_de_passe|password|cle_id|derniere/);
    }
  });
});
