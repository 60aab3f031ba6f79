// Accounts over the API: who makes them, the first one and others (S11, S14, S25, S32).

import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXEMPLE_DE_MOT_DE_PASSE } from '../../src/api/schemas/mots-de-passe-exemple.ts';
import { type ApiDEssai, type CompteDEssai, createApi, signIn } from '../harness/api.ts';
import { eventsAbout } from '../harness/api-audit.ts';
import { newName, OTHER_PASSWORD, person } from '../harness/api-people.ts';
import { type Ask, ask as askOf, type Method } from '../harness/api-requests.ts';
import { documentDe } from '../harness/openapi.ts';

const FIELDS = ['id', 'username', 'email', 'role', 'actif', 'date_creation'];
let api: ApiDEssai;
let admin: CompteDEssai;
let lecteur: CompteDEssai;

beforeAll(async () => {
  api = await createApi();
  ({ admin, lecteur } = api.comptes);
});
afterAll(() => api?.close());

const ask = (method: Method, url: string, { on = api, ...options }: Ask & { on?: ApiDEssai } = {}) =>
  askOf(on, method, url, options);

const events = (cible: string) => eventsAbout(api, cible);

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
      expect((await signIn(own.app, 'premiere', OTHER_PASSWORD)).authorization).toMatch(/^Bearer /);
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
    await signIn(api.app, payload.username, OTHER_PASSWORD);
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

  it.each([
    ['Isabelle', 'lsabelle'],
    ['marie.moreau', 'rnarie.rnoreau'],
    ['coco', 'сосо'],
    ['АННА', 'AHHA'],
    ['νίκος', 'vίkoς'],
    ['poste 10', 'poste  1O'],
    ['walter', 'vvalter'],
    ['Œuvre', 'OEuvre'],
    ['Marie', 'rnarie'],
    ['Walter W.', 'vvalter w.'],
    ['jean-paul', 'jean\u2010paul'],
    ['anne-marie', 'anne\u2013marie'],
    ["o'neil", 'o’neil'],
    ['marie', 'mari℮'],
    ['alice', '⍺lice'],
    ['marıus', 'marius'],
  ])(
    'S26 homographs: beside %s there is no %s, nor the other way round; nobody is renamed so',
    async (one, two) => {
      const own = await createApi();
      const as = own.comptes.admin;
      const post = (username: string) =>
        ask('POST', '/users/', { on: own, as, payload: person(username, newName()) });
      try {
        for (const [taken, lookalike] of [
          [one, two],
          [two, one],
        ] as const) {
          const made = await post(taken);
          // What mixes scripts is refused on its own account.
          if (made.statusCode === 422) continue;
          expect(made.statusCode, made.body).toBe(201);
          const refused = await post(lookalike);
          expect([409, 422]).toContain(refused.statusCode);
          expect(refused.json().errors).toEqual([{ pointer: '/body/username', detail: expect.any(String) }]);
          const payload = { username: lookalike };
          const renamed = await ask('PUT', '/users/me', { on: own, as: own.comptes.lecteur, payload });
          expect([409, 422]).toContain(renamed.statusCode);
          // Her own name she may write otherwise, and whoever has it already keeps it.
          const url = `/users/${made.json().id}`;
          const again = await ask('PUT', url, { on: own, as, payload: { username: taken.toUpperCase() } });
          expect(again.statusCode, again.body).toBe(200);
          expect((await ask('DELETE', url, { on: own, as })).statusCode).toBe(204);
        }
      } finally {
        await own.close();
      }
    },
  );

  it('S26 homographs: an account that had such a name before keeps it, signs in and changes the rest', async () => {
    const before = await api.compte('mаrie', 'lecteur');
    const mine = (await ask('GET', '/users/me', { as: before })).json();
    const payload = { ...mine, email: 'autre-marie@exemple.test' };
    expect((await ask('PUT', '/users/me', { as: before, payload })).statusCode).toBe(200);
    await signIn(api.app, 'mаrie');
    const other = await ask('PUT', '/users/me', { as: before, payload: { username: 'mаrie-anne' } });
    expect(other.json().errors).toEqual([{ pointer: '/body/username', detail: expect.any(String) }]);
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
      const headers = { 'content-type': 'application/json' };
      const answer = await ask('POST', '/users/', { as: admin, payload: body(more), headers });
      expect([400, 422]).toContain(answer.statusCode);
    }
    expect(({} as { role?: string }).role).toBeUndefined();
  });

  it('S9: what the documents show as a password is no account’s', async () => {
    const shown = await motsDePasseMontres();
    expect(shown).toContain(EXEMPLE_DE_MOT_DE_PASSE);
    for (const password of shown) {
      const answer = await ask('POST', '/users/', { as: admin, payload: { ...person(), password } });
      expect([password, answer.statusCode]).toEqual([password, 422]);
      const change = await ask('PUT', '/users/me', { as: lecteur, payload: { password } });
      expect([password, change.statusCode]).toEqual([password, 422]);
      for (const { pointer } of change.json().errors) expect(pointer).toBe('/body/password');
    }
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

/** Every password in the contract and in what people read, but `…` and what stands for a name of one. */
async function motsDePasseMontres(): Promise<string[]> {
  const found = new Set<string>();
  const walk = (node: unknown, isPassword: boolean): void => {
    if (typeof node === 'string' && isPassword) found.add(node);
    if (typeof node !== 'object' || node === null) return;
    const here = (node as { format?: unknown }).format === 'password';
    for (const [key, inside] of Object.entries(node)) {
      const named = /^(password|mot_de_passe)/.test(key) && typeof inside === 'string';
      walk(
        inside,
        named || (here && /^(examples?|default)$/.test(key)) || (Array.isArray(node) && isPassword),
      );
    }
  };
  walk(documentDe(api.app), false);
  const root = new URL('../../', import.meta.url);
  const pages: string[] = [];
  for (const [folder, recursive] of [
    ['.', false],
    ['docs', true],
    ['src', true],
    ['deploy', true],
  ] as const) {
    for (const name of await readdir(new URL(folder, root), { recursive }))
      if (name.endsWith('.md')) pages.push(`${folder}/${name}`);
  }
  expect(pages).toContain('./README.md');
  for (const page of pages) {
    const text = await readFile(new URL(page, root), 'utf8');
    for (const [, value] of text.matchAll(/password(?:_actuel)?"?[=:] ?"?([^\s"&`<…,;)]+)/g))
      found.add(value!);
  }
  return [...found];
}

/** 128 characters without a pattern. */
function long(): string {
  return Array.from({ length: 32 }, (_, i) => `${'azertyuiopqsdfgh'[(i * 7) % 16]}${(i * 31) % 97}Z`)
    .join('-')
    .slice(0, 128);
}
