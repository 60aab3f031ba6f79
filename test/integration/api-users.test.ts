// Accounts over the API: who sees, changes and deletes them (S11, S13, S14, S15, S32).

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiDEssai, type CompteDEssai, createApi, MOT_DE_PASSE, signIn } from '../harness/api.ts';
import { eventsAbout } from '../harness/api-audit.ts';
import { newName, OTHER_PASSWORD, person, someone } from '../harness/api-people.ts';
import { type Ask, ask as askOf, type Method } from '../harness/api-requests.ts';
import { untilSomeoneWaits } from '../harness/locks.ts';

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

describe('GET /users/', () => {
  it('is for admins; pages with Link and total', async () => {
    await someone(api);
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

  it('R5: shows the others when one row is damaged, and which it is', async () => {
    const own = await createApi();
    try {
      const { lecteur: damaged, admin: as } = own.comptes;
      await own.pool.query(
        'UPDATE "user" SET username_chiffre = set_byte(username_chiffre, 30, 255 - get_byte(username_chiffre, 30)) WHERE id = $1',
        [damaged.id],
      );
      const answer = await ask('GET', '/users/', { on: own, as });
      expect(answer.statusCode).toBe(200);
      const names = new Map(answer.json().map((c: { id: string; username: string }) => [c.id, c.username]));
      expect([names.size, names.get(damaged.id), names.get(as.id)]).toEqual([3, '(illisible)', 'admin']);
    } finally {
      await own.close();
    }
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
    const gone = await someone(api);
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
    const who = await someone(api);
    const url = `/users/${who.id}`;
    expect((await ask('GET', url, { as: admin })).json()).toMatchObject({ id: who.id, role: 'lecteur' });
    const change = {
      email: `neuf-${who.username}@exemple.test`,
      role: 'gestionnaire',
      actif: false,
      password: OTHER_PASSWORD,
    };
    const changed = await ask('PUT', url, { as: admin, payload: change });
    expect(changed.statusCode).toBe(200);
    expect(changed.json()).toMatchObject({ email: change.email, role: 'gestionnaire', actif: false });
    await expect(signIn(api.app, who.username, OTHER_PASSWORD)).rejects.toThrow('401');
    await ask('PUT', url, { as: admin, payload: { actif: true } });
    await signIn(api.app, who.username, OTHER_PASSWORD);
    expect((await ask('DELETE', url, { as: admin })).statusCode).toBe(204);
    expect(await events(`users/${who.id}`)).toEqual([
      { evenement: 'compte_lu', user_id: admin.id, details: {} },
      { evenement: 'compte_modifie', user_id: admin.id, details: { champs: ['email'] } },
      { evenement: 'mot_de_passe_change', user_id: admin.id, details: {} },
      { evenement: 'role_change', user_id: admin.id, details: { avant: 'lecteur', apres: 'gestionnaire' } },
      { evenement: 'compte_desactive', user_id: admin.id, details: {} },
      { evenement: 'compte_reactive', user_id: admin.id, details: {} },
      { evenement: 'compte_supprime', user_id: admin.id, details: { role: 'gestionnaire' } },
    ]);
  });

  it('a change that is refused leaves neither a change nor a line', async () => {
    const who = await someone(api);
    const payload = { role: 'gestionnaire', email: 'admin@exemple.test' };
    expect((await ask('PUT', `/users/${who.id}`, { as: admin, payload })).statusCode).toBe(409);
    expect((await ask('GET', `/users/${who.id}`, { as: admin })).json().role).toBe('lecteur');
    // But for the admin's look at it.
    expect((await events(`users/${who.id}`)).map(({ evenement }) => evenement)).toEqual(['compte_lu']);
  });

  it('an empty change says so', async () => {
    for (const payload of [{}, { password_actuel: MOT_DE_PASSE }]) {
      expect((await ask('PUT', '/users/me', { as: lecteur, payload })).statusCode).toBe(422);
    }
  });

  it('S11, S14: nobody raises himself, at neither address', async () => {
    const who = await someone(api);
    for (const payload of [{ role: 'admin' }, { actif: false }, { username: 'x', role: 'admin' }]) {
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
    const second = await api.compte(newName(), 'admin');
    const other = await api.pool.connect();
    try {
      // Whoever writes accounts has this lock: the change below has been read, and waits to be written.
      await other.query('BEGIN');
      await other.query('SELECT pg_advisory_xact_lock($1)', [4_711_000_003]);
      const payload = { role: 'admin', username: newName() };
      const change = ask('PUT', `/users/${second.id}`, { as: second, payload });
      await untilSomeoneWaits(api.pool);
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
    const second = await api.compte(newName(), 'admin');
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
