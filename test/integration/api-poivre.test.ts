// 3.2: a hash that is copied to another row signs nobody in; hashes of before the pepper do until they are made anew.

import { argon2Sync, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { donnerDesCles } from '../../src/postgres/comptes/coffre.ts';
import { ajouterAncien } from '../harness/accounts.ts';
import { type ApiDEssai, createApi, MOT_DE_PASSE, signIn } from '../harness/api.ts';
import { newName, OTHER_PASSWORD, someone } from '../harness/api-people.ts';

let api: ApiDEssai;
beforeAll(async () => {
  api = await createApi();
});
afterAll(() => api?.close());

async function hashOf(username: string): Promise<string> {
  const { rows } = await api.pool.query<{ mot_de_passe: string }>(
    'SELECT mot_de_passe FROM "user" WHERE username_index = ANY ($1::bytea[])',
    [api.deps.coffre.index('username', username)],
  );
  return rows[0]!.mot_de_passe;
}

/** Status of a sign-in; the throttle is not what is looked at. */
async function status(username: string, password: string): Promise<number> {
  await api.pool.query('DELETE FROM tentative_connexion');
  const answer = await api.app.inject({
    method: 'POST',
    url: '/token',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    payload: new URLSearchParams({ username, password }).toString(),
  });
  return answer.statusCode;
}

/** A hash of before the pepper, made without our code. */
function sansPoivre(password: string): string {
  const [nonce, memory, passes] = [randomBytes(16), 19_456, 2];
  const parameters = { message: password, nonce, memory, passes, parallelism: 1, tagLength: 32 };
  const [salt, tag] = [nonce, argon2Sync('argon2id', parameters)].map((bytes) =>
    bytes.toString('base64').replace(/=+$/, ''),
  );
  return `$argon2id$v=19$m=${memory},t=${passes},p=1$${salt}$${tag}`;
}

it('S10: by SQL, the hash of a known password in the row of an admin signs nobody in as him', async () => {
  const [victim, thief] = [await someone(api), await someone(api)];
  expect(await status(thief.username, MOT_DE_PASSE)).toBe(200);
  await api.pool.query(
    'UPDATE "user" SET mot_de_passe = (SELECT mot_de_passe FROM "user" WHERE id = $1) WHERE id = $2',
    [thief.id, victim.id],
  );
  expect(await hashOf(victim.username)).toBe(await hashOf(thief.username));
  expect(await status(victim.username, MOT_DE_PASSE)).toBe(401);
  // Nor one that he made himself, with or without the name of a pepper.
  const made = sansPoivre(OTHER_PASSWORD);
  const named = made.replace('p=1$', `${/p=1,keyid=\w+\$/.exec(await hashOf(thief.username))}`);
  for (const hash of [made, named]) {
    await api.pool.query('UPDATE "user" SET mot_de_passe = $2 WHERE id = $1', [victim.id, hash]);
    expect(await status(victim.username, OTHER_PASSWORD)).toBe(401);
  }
  expect(await status(thief.username, MOT_DE_PASSE)).toBe(200);
});

it('S10: a hash of before verifies in its own row, before and after the account has a key, and is then made anew', async () => {
  const cle = api.deps.cles.chiffrement[0]!;
  const [ancien, autre] = [newName(), newName()];
  const id = await ajouterAncien(api.pool, ancien, { cle, hash: sansPoivre(MOT_DE_PASSE) });
  await ajouterAncien(api.pool, autre, { cle, hash: sansPoivre(OTHER_PASSWORD) });
  // No key yet: the version before this one must go on reading the row beside us.
  expect(await status(ancien, MOT_DE_PASSE)).toBe(200);
  expect(await status(ancien, OTHER_PASSWORD)).toBe(401);
  const before = await hashOf(ancien);
  expect(before).not.toContain('keyid');
  await donnerDesCles(api.pool, api.deps.coffre);
  // Sealed: whoever has the table cannot even guess at it, nor put it elsewhere.
  expect(await hashOf(ancien)).not.toContain('argon2id');
  await api.pool.query('UPDATE "user" SET mot_de_passe = $2 WHERE username_index = ANY ($1::bytea[])', [
    api.deps.coffre.index('username', autre),
    await hashOf(ancien),
  ]);
  expect(await status(autre, MOT_DE_PASSE)).toBe(401);
  expect(await status(ancien, MOT_DE_PASSE)).toBe(200);
  expect(await hashOf(ancien)).toMatch(/^\$argon2id\$v=19\$m=\d+,t=\d+,p=1,keyid=[0-9a-f]{16}\$/);
  expect(await status(ancien, OTHER_PASSWORD)).toBe(401);
  expect(await signIn(api.app, ancien)).toHaveProperty('authorization');
  await api.pool.query('UPDATE "user" SET mot_de_passe = $2 WHERE id = $1', [id, before]);
  expect(await status(ancien, MOT_DE_PASSE)).toBe(401);
});
