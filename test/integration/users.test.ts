// Accounts in the database: made, found, changed, deleted, and races about them (S4, S11, S25; R4, R15).

import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { noter } from '../../src/postgres/audit.ts';
import {
  type Compte,
  creerCompte,
  etatCompte,
  existeUnCompte,
  lireCompte,
  listerComptes,
  noterConnexion,
  supprimerCompte,
  trouverParNom,
} from '../../src/postgres/comptes/users.ts';
import { type Client, transaction, withClient } from '../../src/postgres/pool.ts';
import { type Accounts, createAccounts, HASH, NOBODY, together } from '../harness/accounts.ts';
import { untilSomeoneWaits } from '../harness/locks.ts';

let accounts: Accounts;
let pool: Accounts['pool'];
let coffre: Accounts['coffre'];
let add: Accounts['add'];
let change: Accounts['change'];
let dump: Accounts['dump'];

beforeEach(async () => {
  accounts = await createAccounts();
  ({ pool, coffre, add, change, dump } = accounts);
});
afterEach(() => accounts?.close());

describe('accounts', () => {
  test('made, found, listed, read', async () => {
    expect(await existeUnCompte(pool)).toBe(false);
    const bob = await add('Bob', { role: 'admin' });
    expect(bob).toEqual({
      ...{ id: expect.stringMatching(/^[0-9a-f-]{36}$/), username: 'Bob', email: 'Bob@exemple.test' },
      ...{ role: 'admin', actif: true, version: 1, version_jetons: 1, derniere_connexion: null },
      date_creation: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?[+-]\d\d:\d\d$/),
    });
    const eve = await add('Ève');
    expect(await existeUnCompte(pool)).toBe(true);
    expect(await lireCompte(pool, coffre, bob.id)).toEqual(bob);
    expect(await lireCompte(pool, coffre, NOBODY)).toBeUndefined();
    expect(await listerComptes(pool, coffre, { skip: 0, limit: 10 })).toEqual({
      comptes: [bob, eve],
      total: 2,
    });
    expect(await listerComptes(pool, coffre, { skip: 1, limit: 1 })).toEqual({ comptes: [eve], total: 2 });
    expect(await listerComptes(pool, coffre, { skip: 9, limit: 1 })).toEqual({ comptes: [], total: 2 });
    expect(await etatCompte(pool, bob.id)).toEqual({ role: 'admin', actif: true, version_jetons: 1 });
    expect(await etatCompte(pool, NOBODY)).toBeUndefined();
  });

  test('R4 a name is found however it is written', async () => {
    const { id } = await add('Élodie');
    for (const name of ['Élodie', 'élodie', ' ÉLODIE ', 'E\u0301lodie'])
      expect(await trouverParNom(pool, coffre, name)).toMatchObject({
        id,
        username: 'Élodie',
        motDePasse: HASH,
      });
    expect(await trouverParNom(pool, coffre, 'Elodie')).toBeUndefined();
  });

  test('R4 a name or address is taken in any spelling', async () => {
    await add('bob');
    await expect(add(' BOB ', { email: 'x@y.test' })).rejects.toMatchObject({
      ...{ code: 'ATL_A502', champ: 'username', raison: 'doublon' },
    });
    await expect(add('eve', { email: 'Bob@Exemple.TEST' })).rejects.toMatchObject({
      ...{ code: 'ATL_A502', champ: 'email', raison: 'doublon' },
    });
    const eve = await add('eve');
    await expect(change(eve.id, { username: 'Bob' })).rejects.toMatchObject({ champ: 'username' });
    await expect(change(eve.id, { email: 'BOB@exemple.test' })).rejects.toMatchObject({ champ: 'email' });
    // Its own name in another spelling is no duplicate.
    expect(await change(eve.id, { username: 'EVE' })).toMatchObject({ username: 'EVE', version: 2 });
  });

  test('in a transaction of the caller all is kept or nothing', async () => {
    const given = { username: 'bob', email: 'b@c.test', role: 'lecteur', motDePasseHache: HASH } as const;
    const failing = withClient(pool, (client) =>
      transaction(client, async () => {
        await creerCompte(client, coffre, given);
        throw new Error('afterwards');
      }),
    );
    await expect(failing).rejects.toThrow('afterwards');
    expect(await existeUnCompte(pool)).toBe(false);
  });

  test('S4 password, role and state move the version of tokens; a name does not; nothing moves nothing', async () => {
    await add('chef', { role: 'admin' });
    const { id } = await add('bob');
    expect(await change(id, { username: 'robert', email: 'r@x.test' })).toMatchObject({
      ...{ username: 'robert', email: 'r@x.test', version: 2, version_jetons: 1 },
    });
    expect(await change(id, { motDePasseHache: `${HASH}B` })).toMatchObject({
      version: 3,
      version_jetons: 2,
    });
    expect(await change(id, { role: 'gestionnaire' })).toMatchObject({ version: 4, version_jetons: 3 });
    expect(await change(id, { actif: false })).toMatchObject({ actif: false, version: 5, version_jetons: 4 });
    const before = await lireCompte(pool, coffre, id);
    expect(await change(id, { actif: false, role: 'gestionnaire', username: 'robert' })).toEqual(before);
    expect(await etatCompte(pool, id)).toEqual({ role: 'gestionnaire', actif: false, version_jetons: 4 });
    expect(await trouverParNom(pool, coffre, 'bob')).toBeUndefined();
    expect(await trouverParNom(pool, coffre, 'robert')).toMatchObject({ id, motDePasse: `${HASH}B` });
  });

  test('S25 at another version nothing is changed or deleted', async () => {
    const { id } = await add('bob');
    expect(await change(id, { role: 'gestionnaire' }, 2)).toBe('version');
    expect(await withClient(pool, (client) => supprimerCompte(client, id, { version: 2 }))).toBe('version');
    expect(await change(id, { role: 'gestionnaire' }, 1)).toMatchObject({ version: 2 });
    expect(await change(NOBODY, { role: 'gestionnaire' })).toBeUndefined();
    expect(await withClient(pool, (client) => supprimerCompte(client, NOBODY))).toBe(false);
  });

  test('R15 deleted: keys and sessions too; the audit log keeps only its id', async () => {
    const { id } = await add('bob');
    await pool.query(
      `INSERT INTO cle_api (id, user_id, nom, empreinte, portees, date_fin)
       VALUES (gen_random_uuid(), $1, 'excel', $2, '{*:lire}', now())`,
      [id, randomBytes(32)],
    );
    await noter(pool, { evenement: 'connexion_reussie', userId: id });
    expect(await withClient(pool, (client) => supprimerCompte(client, id))).toBe(true);
    const left = await dump();
    expect(left).not.toMatch(/^(user|cle_api) /m);
    expect(left).toContain(id);
    expect(await etatCompte(pool, id)).toBeUndefined();
  });

  test('the last active admin stays', async () => {
    const chef = await add('chef', { role: 'admin' });
    const autre = await add('autre', { role: 'admin' });
    expect(await change(autre.id, { actif: false })).toMatchObject({ actif: false });
    const last = { code: 'ATL_A502', raison: 'dernier_admin' };
    await expect(change(chef.id, { role: 'lecteur' })).rejects.toMatchObject({ ...last, champ: 'role' });
    await expect(change(chef.id, { actif: false })).rejects.toMatchObject({ ...last, champ: 'actif' });
    await expect(withClient(pool, (client) => supprimerCompte(client, chef.id))).rejects.toMatchObject(last);
    expect(await change(chef.id, { username: 'grand chef' })).toMatchObject({ role: 'admin' });
    await change(autre.id, { actif: true });
    expect(await withClient(pool, (client) => supprimerCompte(client, chef.id))).toBe(true);
  });

  test('a sign-in is noted; a new hash of an old password never beats a new password', async () => {
    const { id } = await add('bob');
    await noterConnexion(pool, id);
    expect(await trouverParNom(pool, coffre, 'bob')).toMatchObject({
      ...{ motDePasse: HASH, version: 1, derniere_connexion: expect.stringMatching(/^\d{4}-/) },
    });
    const { motDePasseRange, poivre } = (await trouverParNom(pool, coffre, 'bob'))!;
    const own = (n: number): string => HASH.replace('p=1$', `p=1,keyid=${poivre!.id}$`) + n;
    await noterConnexion(pool, id, own(2), motDePasseRange);
    expect((await trouverParNom(pool, coffre, 'bob'))?.motDePasse).toBe(own(2));
    // Checked against the first; meanwhile the password became the second.
    await noterConnexion(pool, id, own(3), motDePasseRange);
    expect((await trouverParNom(pool, coffre, 'bob'))?.motDePasse).toBe(own(2));
  });
});

describe('S25 races', () => {
  test('the same name twice at once: one is made, the other told which field', async () => {
    const answers = await together(
      ...['bob', 'BOB', ' bob', 'Bob'].map((name, i) => () => add(name, { email: `${i}@x.test` })),
    );
    const refused = { code: 'ATL_A502', champ: 'username', raison: 'doublon' };
    expect(answers.filter((answer) => (answer as Compte).id !== undefined)).toHaveLength(1);
    expect(answers.filter((answer) => (answer as Compte).id === undefined)).toEqual([
      refused,
      refused,
      refused,
    ]);
  });

  test('S11 two first accounts at once: the second waits for the first, and is none', async () => {
    const first = (name: string) => (client: Client) =>
      creerCompte(
        client,
        coffre,
        { username: name, email: `${name}@x.test`, role: 'admin', motDePasseHache: HASH },
        { seulementSiAucun: true },
      );
    const second = await withClient(pool, (client) =>
      transaction(client, async () => {
        expect(await first('un')(client)).toMatchObject({ username: 'un' });
        const other = withClient(pool, first('deux'));
        await Promise.race([untilSomeoneWaits(pool), other]);
        return { other };
      }),
    );
    expect(await second.other).toBeUndefined();
    expect((await listerComptes(pool, coffre, { skip: 0, limit: 9 })).total).toBe(1);
  });

  test('two admins put each other out at once: one stays', async () => {
    for (const take of [
      (id: string) => change(id, { role: 'lecteur' }),
      (id: string) => change(id, { actif: false }),
      (id: string) => withClient(pool, (client) => supprimerCompte(client, id)),
    ]) {
      await pool.query('DELETE FROM "user"');
      const [a, b] = [await add('a', { role: 'admin' }), await add('b', { role: 'admin' })];
      const answers = await together(
        () => take(a.id),
        () => take(b.id),
      );
      expect(answers).toContainEqual(expect.objectContaining({ raison: 'dernier_admin' }));
      const { rows } = await pool.query(`SELECT FROM "user" WHERE role = 'admin' AND actif`);
      expect(rows).toHaveLength(1);
    }
  });

  test('two changes from the same version: one wins', async () => {
    const { id } = await add('bob');
    const answers = await together(
      () => change(id, { username: 'un' }, 1),
      () => change(id, { username: 'deux' }, 1),
    );
    expect(answers.filter((answer) => answer === 'version')).toHaveLength(1);
    expect((await lireCompte(pool, coffre, id))?.version).toBe(2);
  });
});

test('etatCompte goes through one named statement and the primary key', async () => {
  const { id } = await add('bob');
  await withClient(pool, async (client) => {
    await etatCompte(client, id);
    await etatCompte(client, id);
    const { rows } = await client.query('SELECT name FROM pg_prepared_statements');
    expect(rows).toEqual([{ name: 'etats-comptes' }]);
    await client.query('SET enable_seqscan = off');
    const plan = await client.query(`EXPLAIN EXECUTE "etats-comptes"('{${id}}')`);
    expect(JSON.stringify(plan.rows)).toContain('user_pkey');
  });
});
