// One’s own account: password, changes at the same time, export, erasure (S25, S32; R12, R13, R14, R15).

import type { LightMyRequestResponse } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiDEssai, type CompteDEssai, createApi, MOT_DE_PASSE, signIn } from '../harness/api.ts';

const OTHER = 'Persienne-bleue-5010';
let api: ApiDEssai;
let admin: CompteDEssai;
let n = 0;

beforeAll(async () => {
  api = await createApi();
  ({ admin } = api.comptes);
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
const someone = (): Promise<CompteDEssai> => api.compte(name(), 'lecteur');

async function events(cible: string): Promise<Record<string, unknown>[]> {
  const { rows } = await api.pool.query(
    'SELECT evenement, user_id, details FROM journal_audit WHERE cible = $1 ORDER BY id',
    [cible],
  );
  return rows;
}

describe('one’s own password and address', () => {
  it('need the password that counts so far; a wrong one is not a way to find it', async () => {
    const who = await someone();
    for (const payload of [{ password: OTHER }, { email: 'neuve@exemple.test' }]) {
      const without = await ask('PUT', '/users/me', { as: who, payload });
      expect(without.statusCode).toBe(422);
      expect(without.json().errors[0].pointer).toBe('/body/password_actuel');
    }
    const guess = (): Promise<LightMyRequestResponse> =>
      ask('PUT', '/users/me', { as: who, payload: { password: OTHER, password_actuel: 'au hasard' } });
    const statuses: number[] = [];
    for (let i = 0; i < 7; i++) statuses.push((await guess()).statusCode);
    expect(statuses).toEqual([422, 422, 422, 422, 422, 422, 429]);
    expect(Number((await guess()).headers['retry-after'])).toBeGreaterThan(0);
    const refusals = (await events(`users/${who.id}`)).filter(
      ({ evenement }) => evenement === 'mot_de_passe_refuse',
    );
    expect(refusals).toHaveLength(6);
    await signInFails(who.username, OTHER);
  });

  it('are changed with it: all tokens end, the new password counts, the old one does not', async () => {
    const who = await someone();
    const payload = { password: OTHER, password_actuel: MOT_DE_PASSE, email: `a-${n}@exemple.test` };
    const answer = await ask('PUT', '/users/me', { as: who, payload });
    expect(answer.statusCode).toBe(200);
    expect(answer.json().email).toBe(payload.email);
    expect(answer.body).not.toContain(OTHER);
    expect((await ask('GET', '/users/me', { as: who })).statusCode).toBe(401);
    const open = 'SELECT FROM jeton_rafraichissement WHERE user_id = $1';
    expect((await api.pool.query(open, [who.id])).rowCount).toBe(0);
    await signIn(api.app, who.username, OTHER);
    await signInFails(who.username, MOT_DE_PASSE);
  });

  it('an admin cannot go round it by /users/{id}', async () => {
    const second = await api.compte(name(), 'admin');
    const url = `/users/${second.id}`;
    expect((await ask('PUT', url, { as: second, payload: { password: OTHER } })).statusCode).toBe(422);
    const shouted = `/users/${second.id.toUpperCase()}`;
    expect((await ask('PUT', shouted, { as: second, payload: { password: OTHER } })).statusCode).toBe(422);
    const payload = { password: OTHER, password_actuel: MOT_DE_PASSE };
    expect((await ask('PUT', url, { as: second, payload })).statusCode).toBe(200);
  });

  it('R14: the name changes without it, and one signs in with the new name', async () => {
    const who = await someone();
    const username = name();
    expect((await ask('PUT', '/users/me', { as: who, payload: { username } })).json().username).toBe(
      username,
    );
    await signIn(api.app, username);
    await signInFails(who.username, MOT_DE_PASSE);
  });

  async function signInFails(username: string, password: string): Promise<void> {
    await expect(signIn(api.app, username, password)).rejects.toThrow(/401|429/);
  }
});

describe('S25: If-Match', () => {
  it('a change or deletion of what is not there any more is refused; without it the last one wins', async () => {
    const who = await someone();
    const url = `/users/${who.id}`;
    const read = await ask('GET', url, { as: admin });
    const etag = String(read.headers['etag']);
    const put = (tag: string): Promise<LightMyRequestResponse> =>
      ask('PUT', url, { as: admin, payload: { username: name() }, headers: { 'if-match': tag } });
    const first = await put(etag);
    expect(first.statusCode).toBe(200);
    expect(first.headers['etag']).not.toBe(etag);
    for (const tag of [etag, '"autre"', `W/${first.headers['etag']}`]) {
      const answer = await put(tag);
      expect(answer.statusCode).toBe(412);
      expect(answer.headers['content-type']).toContain('application/problem+json');
    }
    expect((await put(`"x", ${String(first.headers['etag'])}`)).statusCode).toBe(200);
    expect((await put('*')).statusCode).toBe(200);
    const gone = await ask('DELETE', url, { as: admin, headers: { 'if-match': etag } });
    expect(gone.statusCode).toBe(412);
    expect((await ask('PUT', url, { as: admin, payload: { username: name() } })).statusCode).toBe(200);
  });

  it('of ten changes at once of what was read, one is made', async () => {
    const who = await someone();
    const url = `/users/${who.id}`;
    const etag = String((await ask('GET', url, { as: admin })).headers['etag']);
    const answers = await Promise.all(
      Array.from({ length: 10 }, () =>
        ask('PUT', url, { as: admin, payload: { username: name() }, headers: { 'if-match': etag } }),
      ),
    );
    const statuses = answers.map(({ statusCode }) => statusCode).sort();
    expect(statuses).toEqual([200, ...Array<number>(9).fill(412)]);
  });
});

describe('R12, R13: the export of one’s own data', () => {
  it('has all that is kept on the person, and nothing of others, no hash, no secret', async () => {
    const who = await someone();
    const made = await ask('POST', '/cles/', {
      as: who,
      payload: { nom: 'Tableur', portees: ['sessions:lire'] },
    });
    const secret: string = made.json().cle;
    await ask('PUT', `/users/${who.id}`, { as: admin, payload: { role: 'gestionnaire' } });
    const entete = await signIn(api.app, who.username);
    await expect(signIn(api.app, who.username, OTHER)).rejects.toThrow('401');
    const answer = await api.app.inject({ url: '/users/me/export', headers: entete });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['content-disposition']).toBe('attachment; filename="mon-compte.json"');
    expect(answer.headers['cache-control']).toBe('no-store');
    const data = answer.json();
    expect(Object.keys(data)).toEqual(['date_export', 'compte', 'cles', 'connexions', 'journal']);
    expect(data.compte).toMatchObject({
      ...{ id: who.id, username: who.username, email: `${who.username}@exemple.test`, role: 'gestionnaire' },
      derniere_connexion: expect.stringMatching(/^\d{4}-/),
    });
    expect(data.cles).toMatchObject([{ nom: 'Tableur', portees: ['sessions:lire'] }]);
    expect(data.connexions).toHaveLength(1);
    const seen = data.journal.map(({ evenement, par }: { evenement: string; par: string }) => [
      evenement,
      par,
    ]);
    expect(seen).toEqual([
      ['connexion_reussie', 'vous'],
      ['cle_creee', 'vous'],
      ['role_change', 'un autre compte'],
      ['connexion_reussie', 'vous'],
      ['connexion_refusee', 'vous'],
      ['export', 'vous'],
    ]);
    const byAdmin = data.journal.find(({ evenement }: { evenement: string }) => evenement === 'role_change');
    expect(byAdmin).toMatchObject({ adresse: null, details: { avant: 'lecteur', apres: 'gestionnaire' } });
    expect(data.journal[0].adresse).toBe('127.0.0.0');
    for (const word of [admin.id, 'argon2', secret, secret.split('_')[2]!, MOT_DE_PASSE, 'empreinte']) {
      expect(answer.body).not.toContain(word);
    }
  });
});

describe('R15: an account that is deleted', () => {
  it('leaves nothing of the person in any table; its tokens and keys are dead, its id leads nowhere', async () => {
    const own = await createApi();
    try {
      const who = await own.compte('a-effacer', 'lecteur');
      await expect(signIn(own.app, 'a-effacer', OTHER)).rejects.toThrow('401');
      const made = await ask('POST', '/cles/', {
        on: own,
        as: who,
        payload: { nom: 'x', portees: ['*:lire'] },
      });
      const key = { authorization: `Bearer ${made.json().cle}` };
      expect((await own.app.inject({ url: '/centres/', headers: key })).statusCode).toBe(200);
      expect((await ask('DELETE', '/users/me', { on: own, as: who })).statusCode).toBe(204);
      expect((await ask('GET', '/users/me', { on: own, as: who })).statusCode).toBe(401);
      expect((await own.app.inject({ url: '/centres/', headers: key })).statusCode).toBe(401);
      for (const table of ['"user"', 'cle_api', 'jeton_rafraichissement']) {
        const { rows } = await own.pool.query(`SELECT to_jsonb(t)::text AS text FROM ${table} t`);
        expect(rows.map(({ text }) => text).join()).not.toContain(who.id);
      }
      const kept = await own.pool.query(
        "SELECT count(*)::integer AS n FROM tentative_connexion WHERE genre = 'compte'",
      );
      expect(kept.rows[0].n).toBe(0);
      await expect(signIn(own.app, 'a-effacer')).rejects.toThrow('401');
    } finally {
      await own.close();
    }
  });
});
