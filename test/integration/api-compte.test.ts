// One’s own account: password, changes at the same time, export, erasure (S25, S32; R12, R13, R14, R15).

import type { LightMyRequestResponse } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiDEssai, type CompteDEssai, createApi, MOT_DE_PASSE, signIn } from '../harness/api.ts';
import { eventsAbout } from '../harness/api-audit.ts';
import { newName, OTHER_PASSWORD, someone } from '../harness/api-people.ts';
import { type Ask, ask as askOf, type Method, TOKEN_ALONE } from '../harness/api-requests.ts';

let api: ApiDEssai;
let admin: CompteDEssai;

beforeAll(async () => {
  api = await createApi();
  ({ admin } = api.comptes);
});
afterAll(() => api?.close());

const ask = (method: Method, url: string, { on = api, ...options }: Ask & { on?: ApiDEssai } = {}) =>
  askOf(on, method, url, options);

const events = (cible: string) => eventsAbout(api, cible);

describe('one’s own password and address', () => {
  it('need the password that counts so far; a wrong one is not a way to find it', async () => {
    const who = await someone(api);
    const headers = TOKEN_ALONE;
    for (const payload of [{ password: OTHER_PASSWORD }, { email: 'neuve@exemple.test' }]) {
      const without = await ask('PUT', '/users/me', { as: who, payload, headers });
      expect(without.statusCode).toBe(422);
      expect(without.json().errors[0].pointer).toBe('/body/password_actuel');
    }
    const guess = (): Promise<LightMyRequestResponse> =>
      ask('PUT', '/users/me', {
        as: who,
        payload: { password: OTHER_PASSWORD, password_actuel: 'au hasard' },
      });
    const statuses: number[] = [];
    for (let i = 0; i < 7; i++) statuses.push((await guess()).statusCode);
    expect(statuses).toEqual([422, 422, 422, 422, 422, 422, 429]);
    expect(Number((await guess()).headers['retry-after'])).toBeGreaterThan(0);
    const refusals = (await events(`users/${who.id}`)).filter(
      ({ evenement }) => evenement === 'mot_de_passe_refuse',
    );
    expect(refusals).toHaveLength(6);
    await signInFails(who.username, OTHER_PASSWORD);
  });

  it('are changed with it: all tokens end, the new password counts, the old one does not', async () => {
    const who = await someone(api);
    const payload = {
      password: OTHER_PASSWORD,
      password_actuel: MOT_DE_PASSE,
      email: `a-${who.username}@exemple.test`,
    };
    const answer = await ask('PUT', '/users/me', { as: who, payload });
    expect(answer.statusCode).toBe(200);
    expect(answer.json().email).toBe(payload.email);
    expect(answer.body).not.toContain(OTHER_PASSWORD);
    expect((await ask('GET', '/users/me', { as: who })).statusCode).toBe(401);
    const open = 'SELECT FROM jeton_rafraichissement WHERE user_id = $1';
    expect((await api.pool.query(open, [who.id])).rowCount).toBe(0);
    await signIn(api.app, who.username, OTHER_PASSWORD);
    await signInFails(who.username, MOT_DE_PASSE);
  });

  it('an admin cannot go round it by /users/{id}', async () => {
    const second = await api.compte(newName(), 'admin');
    const url = `/users/${second.id}`;
    for (const address of [url, `/users/${second.id.toUpperCase()}`]) {
      const bare = { as: second, payload: { password: OTHER_PASSWORD }, headers: TOKEN_ALONE };
      expect((await ask('PUT', address, bare)).statusCode).toBe(422);
    }
    const payload = { password: OTHER_PASSWORD, password_actuel: MOT_DE_PASSE };
    expect((await ask('PUT', url, { as: second, payload })).statusCode).toBe(200);
  });

  it('R14: the name changes with it, and one signs in with the new name', async () => {
    const who = await someone(api);
    const username = newName();
    const bare = await ask('PUT', '/users/me', { as: who, payload: { username }, headers: TOKEN_ALONE });
    expect(bare.statusCode).toBe(422);
    const payload = { username, password_actuel: MOT_DE_PASSE };
    expect((await ask('PUT', '/users/me', { as: who, payload })).json().username).toBe(username);
    await signIn(api.app, username);
    await signInFails(who.username, MOT_DE_PASSE);
  });

  async function signInFails(username: string, password: string): Promise<void> {
    await expect(signIn(api.app, username, password)).rejects.toThrow(/401|429/);
  }
});

describe('S25: If-Match', () => {
  it('a change or deletion of what is not there any more is refused; without it the last one wins', async () => {
    const who = await someone(api);
    const url = `/users/${who.id}`;
    const read = await ask('GET', url, { as: admin });
    const etag = String(read.headers['etag']);
    const put = (tag: string): Promise<LightMyRequestResponse> =>
      ask('PUT', url, { as: admin, payload: { username: newName() }, headers: { 'if-match': tag } });
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
    expect((await ask('PUT', url, { as: admin, payload: { username: newName() } })).statusCode).toBe(200);
  });

  it('of ten changes at once of what was read, one is made', async () => {
    const who = await someone(api);
    const url = `/users/${who.id}`;
    const etag = String((await ask('GET', url, { as: admin })).headers['etag']);
    const answers = await Promise.all(
      Array.from({ length: 10 }, () =>
        ask('PUT', url, { as: admin, payload: { username: newName() }, headers: { 'if-match': etag } }),
      ),
    );
    const statuses = answers.map(({ statusCode }) => statusCode).sort();
    expect(statuses).toEqual([200, ...Array<number>(9).fill(412)]);
  });
});

describe('R12, R13: the export of one’s own data', () => {
  it('has all that is kept on the person, and nothing of others, no hash, no secret', async () => {
    const who = await someone(api);
    const made = await ask('POST', '/cles/', {
      as: who,
      payload: { nom: 'Tableur', portees: ['sessions:lire'] },
    });
    const secret: string = made.json().cle;
    await ask('PUT', `/users/${who.id}`, { as: admin, payload: { role: 'gestionnaire' } });
    const entete = await signIn(api.app, who.username);
    await expect(signIn(api.app, who.username, OTHER_PASSWORD)).rejects.toThrow('401');
    const answer = await api.app.inject({ url: '/users/me/export', headers: entete });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['content-disposition']).toBe('attachment; filename="mon-compte.json"');
    expect(answer.headers['cache-control']).toBe('no-store');
    const data = answer.json();
    expect(Object.keys(data)).toEqual([
      ...['date_export', 'compte', 'cles', 'connexions', 'demandes', 'acquittements', 'journal'],
    ]);
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
      await expect(signIn(own.app, 'a-effacer', OTHER_PASSWORD)).rejects.toThrow('401');
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
