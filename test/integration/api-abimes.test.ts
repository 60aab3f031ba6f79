// One damaged row of an account stops nobody else, is told with what to do, and can be taken away; never a 500.

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLogger } from '../../src/base/logger.ts';
import { type ApiDEssai, type CompteDEssai, createApi, MOT_DE_PASSE } from '../harness/api.ts';
import { newName, OTHER_PASSWORD, someone } from '../harness/api-people.ts';
import { type Ask, ask as askOf, type Method } from '../harness/api-requests.ts';

let api: ApiDEssai;
let admin: CompteDEssai;
let said = '';
beforeAll(async () => {
  const console = (line: string): void => {
    said += line;
  };
  api = await createApi({ logger: createLogger({ console, level: 'info', fuseau: 'Europe/Paris' }) });
  ({ admin } = api.comptes);
});
afterAll(() => api?.close());

/** What can be wrong with a row, by what it does to it. */
const DEFAUTS: readonly (readonly [string, string])[] = [
  [
    'a byte of the name',
    `UPDATE "user" SET username_chiffre = set_byte(username_chiffre, 25, 255 - get_byte(username_chiffre, 25)) WHERE id = $1`,
  ],
  ['an empty address', `UPDATE "user" SET email_chiffre = '' WHERE id = $1`],
  [
    'name and address of another',
    `UPDATE "user" u SET username_chiffre = o.username_chiffre, email_chiffre = o.email_chiffre FROM "user" o WHERE u.id = $1 AND o.id <> u.id AND o.role = 'admin'`,
  ],
  [
    'a byte of its key',
    `UPDATE compte_cle SET enveloppe = set_byte(enveloppe, 25, 255 - get_byte(enveloppe, 25)) WHERE user_id = $1`,
  ],
  ['no key', 'DELETE FROM compte_cle WHERE user_id = $1'],
  [
    'the key of another',
    `UPDATE compte_cle k SET enveloppe = o.enveloppe FROM compte_cle o WHERE k.user_id = $1 AND o.user_id <> $1`,
  ],
  ['a password that is none', `UPDATE "user" SET mot_de_passe = '$scelle$AAAA' WHERE id = $1`],
];

describe.each(DEFAUTS)('%s', (_, sql) => {
  it('is read, listed, exported, refused at sign-in, disabled and deleted; the others are as they were', async () => {
    const [bad, good] = [await someone(api), await someone(api)];
    await api.pool.query(sql, [bad.id]);
    const ask = (method: Method, url: string, options: Ask) => askOf(api, method, url, options);
    const password = sql.includes('mot_de_passe');
    said = '';
    const read = await ask('GET', `/users/${bad.id}`, { as: admin });
    expect([read.statusCode, read.json().id]).toEqual([200, bad.id]);
    if (!password) {
      expect(JSON.stringify(read.json())).toContain('(illisible)');
      expect(said).toContain(bad.id);
      expect(said).toContain(`DELETE /users/{id}`);
    }
    const list = await ask('GET', '/users/?limit=1000', { as: admin });
    expect(list.statusCode).toBe(200);
    const names = new Map(list.json().map((c: { id: string; username: string }) => [c.id, c.username]));
    expect(names.get(good.id)).toBe(good.username);
    expect(names.has(bad.id)).toBe(true);
    // Its open sign-in goes on: what she may do does not hang on her name.
    for (const url of ['/users/me', '/users/me/export'])
      expect((await ask('GET', url, { as: bad })).statusCode, url).toBe(200);
    const token = await api.app.inject({
      method: 'POST',
      url: '/token',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams({ username: bad.username, password: MOT_DE_PASSE }).toString(),
    });
    expect(token.statusCode).toBe(401);
    await api.pool.query('DELETE FROM tentative_connexion');
    const put = (payload: object) => ask('PUT', `/users/${bad.id}`, { as: admin, payload });
    const disabled = await put({ actif: false });
    expect([disabled.statusCode, disabled.json().actif]).toEqual([200, false]);
    if (!password) {
      const refused = await put({ password: OTHER_PASSWORD });
      expect([refused.statusCode, refused.json().detail]).toEqual([409, expect.stringContaining('abîmée')]);
    }
    expect((await ask('GET', `/users/${good.id}`, { as: admin })).json().username).toBe(good.username);
    expect((await ask('DELETE', `/users/${bad.id}`, { as: admin })).statusCode).toBe(204);
    expect((await ask('GET', `/users/${bad.id}`, { as: admin })).statusCode).toBe(404);
  });
});

it('a row whose columns are noise, and whose key id is nobody’s, too', async () => {
  const bad = await someone(api);
  await api.pool.query(
    `UPDATE "user" SET username_chiffre = $2, email_chiffre = $3, mot_de_passe = $4 WHERE id = $1`,
    [bad.id, randomBytes(70), randomBytes(3), randomBytes(40).toString('hex')],
  );
  await api.pool.query(`UPDATE compte_cle SET cle = 'ffffffffffffffff', enveloppe = $2 WHERE user_id = $1`, [
    ...[bad.id, randomBytes(9)],
  ]);
  expect((await askOf(api, 'GET', `/users/${bad.id}`, { as: admin })).statusCode).toBe(200);
  const made = { username: newName(), email: 'autre@exemple.test', password: OTHER_PASSWORD };
  expect((await askOf(api, 'POST', '/users/', { as: admin, payload: made })).statusCode).toBe(201);
  expect((await askOf(api, 'DELETE', `/users/${bad.id}`, { as: admin })).statusCode).toBe(204);
});
