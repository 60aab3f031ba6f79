// S4, S8: what outlives or destroys a sign-in asks for the password again: a token that was stolen is not enough.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ApiDEssai, type CompteDEssai, createApi, MOT_DE_PASSE, signIn } from '../harness/api.ts';
import { newName, OTHER_PASSWORD, person, someone } from '../harness/api-people.ts';
import { type Answer, ask, type Method, TOKEN_ALONE } from '../harness/api-requests.ts';
import { untilSomeoneWaits } from '../harness/locks.ts';

let api: ApiDEssai;
let admin: CompteDEssai;
beforeAll(async () => {
  api = await createApi();
  ({ admin } = api.comptes);
});
// Nobody waits for what another test did from the same address.
beforeEach(() => api.pool.query('DELETE FROM tentative_connexion'));
afterAll(() => api?.close());

/** With the token alone, or a password beside it: in the body, or in the header. */
function tokenOnly(
  who: CompteDEssai,
  method: Method,
  url: string,
  payload?: object,
  header: string = TOKEN_ALONE['x-password-actuel'],
): Promise<Answer> {
  return ask(api, method, url, { as: who, payload, headers: { 'x-password-actuel': header } });
}

const state = async (): Promise<string> => {
  const { rows } = await api.pool.query(
    `SELECT (SELECT json_agg(u ORDER BY id)::text FROM (SELECT id, username_index, email_index, mot_de_passe, role, actif FROM "user") u) AS u,
            (SELECT json_agg(c ORDER BY id)::text FROM cle_api c) AS c`,
  );
  return JSON.stringify(rows);
};

/** What somebody with a stolen token would like to do: an own account, or an admin's on others. */
const ACTIONS: Readonly<
  Record<string, (who: CompteDEssai, other: CompteDEssai) => readonly [CompteDEssai, Method, string, object?]>
> = {
  'a key for oneself': (who) => [who, 'POST', '/cles/', { nom: 'k', portees: ['*:lire'] }],
  'another name': (who) => [who, 'PUT', '/users/me', { username: newName() }],
  'another address': (who) => [who, 'PUT', '/users/me', { email: `${newName()}@exemple.test` }],
  'another password': (who) => [who, 'PUT', '/users/me', { password: OTHER_PASSWORD }],
  'deleting oneself': (who) => [who, 'DELETE', '/users/me'],
  'a key for somebody else': (_, other) => [
    ...([admin, 'POST', '/cles/'] as const),
    { nom: 'k', portees: ['*:lire'], user_id: other.id },
  ],
  'an account for somebody else': () => [admin, 'POST', '/users/', person()],
  'another password for somebody else': (_, other) => [
    ...([admin, 'PUT', `/users/${other.id}`] as const),
    { password: OTHER_PASSWORD },
  ],
  'another address for somebody else': (_, other) => [
    ...([admin, 'PUT', `/users/${other.id}`] as const),
    { email: `${newName()}@exemple.test` },
  ],
  'another role for somebody else': (_, other) => [admin, 'PUT', `/users/${other.id}`, { role: 'admin' }],
  'a role and a state at once': (_, other) => [
    ...([admin, 'PUT', `/users/${other.id}`] as const),
    { role: 'admin', actif: false },
  ],
  'deleting somebody else': (_, other) => [admin, 'DELETE', `/users/${other.id}`],
};

describe.each(Object.entries(ACTIONS))('%s', (_name, action) => {
  it('takes the password of whoever asks: not none, not a wrong one', async () => {
    const [who, other] = [await someone(api), await someone(api)];
    const [as, method, url, payload] = action(who, other);
    const before = await state();
    const body = method === 'DELETE' ? undefined : payload;
    const pointer = async (payload: object | undefined, header?: string): Promise<unknown> => {
      const answer = await tokenOnly(as, method, url, payload, header);
      expect(answer.statusCode, answer.body).toBe(422);
      return answer.json().errors[0].pointer;
    };
    const right = encodeURIComponent(MOT_DE_PASSE);
    expect(await pointer(body)).toBe(body ? '/body/password_actuel' : '/headers/x-password-actuel');
    for (const header of ['faux', '%zz', right.slice(1), right.toUpperCase()])
      expect([header, await pointer(body, header)]).toEqual([header, '/headers/x-password-actuel']);
    if (body) {
      // Of two, that of the body counts.
      const answer = await pointer({ ...body, password_actuel: 'faux' }, right);
      expect(answer).toBe('/body/password_actuel');
    }
    expect(await state()).toBe(before);
    const done = body
      ? await tokenOnly(as, method, url, { ...body, password_actuel: MOT_DE_PASSE })
      : await tokenOnly(as, method, url, body, right);
    expect(done.statusCode, done.body).toBeLessThan(300);
    expect(await state()).not.toBe(before);
  });
});

it('disabling somebody, and revoking a key, are in a hurry: the token is enough', async () => {
  const who = await someone(api);
  const made = await ask(api, 'POST', '/cles/', { as: who, payload: { nom: 'k', portees: ['*:lire'] } });
  expect((await tokenOnly(who, 'DELETE', `/cles/${made.json().id}`)).statusCode).toBe(204);
  expect((await tokenOnly(admin, 'PUT', `/users/${who.id}`, { actif: false })).statusCode).toBe(200);
  expect((await tokenOnly(admin, 'PUT', `/users/${who.id}`, { actif: true })).statusCode).toBe(422);
});

it('a token is no way to guess the password: guesses are slowed as at sign-in, and are in the audit log', async () => {
  const who = await someone(api);
  const body = { nom: 'k', portees: ['*:lire'], password_actuel: 'faux' };
  const statuses: number[] = [];
  for (let i = 0; i < 7; i++) statuses.push((await tokenOnly(who, 'POST', '/cles/', body)).statusCode);
  expect(statuses).toEqual([422, 422, 422, 422, 422, 422, 429]);
  // One count for both doors.
  await expect(signIn(api.app, who.username)).rejects.toThrow('429');
  const { rows } = await api.pool.query(
    "SELECT count(*)::integer AS n FROM journal_audit WHERE evenement = 'mot_de_passe_refuse' AND user_id = $1",
    [who.id],
  );
  expect(rows).toEqual([{ n: 6 }]);
});

it('another password says which keys still open the account, and ends them all when asked to', async () => {
  const who = await someone(api);
  const key = async (nom: string): Promise<{ id: string; cle: string }> =>
    (await ask(api, 'POST', '/cles/', { as: who, payload: { nom, portees: ['*:lire'] } })).json();
  const [one, two, gone] = [await key('un'), await key('deux'), await key('finie')];
  await ask(api, 'DELETE', `/cles/${gone.id}`, { as: who });
  const opens = async (cle: string): Promise<number> =>
    (await ask(api, 'GET', '/centres/', { as: cle })).statusCode;

  const kept = await ask(api, 'PUT', '/users/me', { as: who, payload: { password: OTHER_PASSWORD } });
  expect(
    kept
      .json()
      .cles.map(({ id }: { id: string }) => id)
      .sort(),
  ).toEqual([one.id, two.id].sort());
  expect([await opens(one.cle), await opens(two.cle)]).toEqual([200, 200]);
  const ended = await ask(api, 'PUT', `/users/${who.id}`, {
    ...{ as: admin, payload: { password: MOT_DE_PASSE, revoquer_cles: true } },
  });
  expect(ended.json().cles).toEqual([]);
  expect([await opens(one.cle), await opens(two.cle)]).toEqual([401, 401]);
  const alone = await ask(api, 'PUT', `/users/${who.id}`, { as: admin, payload: { revoquer_cles: true } });
  expect([alone.statusCode, alone.json().errors[0].pointer]).toEqual([422, '/body/revoquer_cles']);
});

it('twenty requests at once with the right password are no guesses', async () => {
  const who = await someone(api);
  const key = { nom: 'k', portees: ['*:lire'] };
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => ask(api, 'POST', '/cles/', { as: who, payload: key })),
  );
  expect(answers.map(({ statusCode }) => statusCode)).toEqual(Array<number>(20).fill(201));
});

it('a key that is being made when the password changes does not come after it', async () => {
  const who = await someone(api);
  const other = await api.pool.connect();
  try {
    // The key has been asked for with the password of before, and waits for the account's row.
    await other.query('BEGIN');
    await other.query('SELECT FROM "user" WHERE id = $1 FOR UPDATE', [who.id]);
    const key = ask(api, 'POST', '/cles/', { as: who, payload: { nom: 'k', portees: ['*:lire'] } });
    await untilSomeoneWaits(api.pool);
    await other.query('UPDATE "user" SET version_jetons = version_jetons + 1 WHERE id = $1', [who.id]);
    await other.query('COMMIT');
    expect((await key).statusCode).toBe(401);
  } finally {
    other.release();
  }
  const keys = await api.pool.query('SELECT FROM cle_api WHERE user_id = $1', [who.id]);
  expect(keys.rowCount).toBe(0);
});

it('the header takes a password of every script, as an address has it', async () => {
  const password = 'Été où les volets chantent — 回転';
  const who = await someone(api);
  await ask(api, 'PUT', '/users/me', { as: who, payload: { password } });
  const headers = await signIn(api.app, who.username, password);
  const gone = await api.app.inject({ method: 'DELETE', url: '/users/me', headers });
  expect(gone.statusCode, gone.body).toBe(204);
});
