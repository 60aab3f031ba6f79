// A new key for names and addresses, while others work (R6, R7).

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type Compte,
  lireCompte,
  listerComptes,
  modifierCompte,
  ouvrirCoffre,
  rechiffrer,
  supprimerCompte,
  trouverParNom,
} from '../../src/postgres/comptes/users.ts';
import { type Client, withClient } from '../../src/postgres/pool.ts';
import { type Accounts, BOTH, createAccounts, KEY, NEXT, together } from '../harness/accounts.ts';

let accounts: Accounts;
let pool: Accounts['pool'];
let coffre: Accounts['coffre'];
let add: Accounts['add'];
let change: Accounts['change'];

beforeEach(async () => {
  accounts = await createAccounts();
  ({ pool, coffre, add, change } = accounts);
});
afterEach(() => accounts?.close());

describe('R7 rotation', () => {
  const keysOfRows = async (): Promise<Record<string, number>> => {
    const { rows } = await pool.query<{ cle_id: string; n: number }>(
      'SELECT cle_id, count(*) AS n FROM "user" GROUP BY 1',
    );
    return Object.fromEntries(rows.map(({ cle_id, n }) => [cle_id, n]));
  };
  const known = async (): Promise<string[]> =>
    (await pool.query<{ id: string }>('SELECT id FROM cle_chiffrement ORDER BY date_creation')).rows.map(
      ({ id }) => id,
    );

  const done = (nombre: number) => ({ nombre, abimes: [] });

  test('both keys read meanwhile; afterwards the old one opens nothing and is gone', async () => {
    const made: Compte[] = [];
    for (let i = 0; i < 23; i++) made.push(await add(`compte ${i}`));
    const both = await ouvrirCoffre(pool, BOTH);
    expect(await known()).toEqual([coffre.cleId, both.cleId]);
    const added = await add('nouveau', { coffre: both });
    expect(await keysOfRows()).toEqual({ [coffre.cleId]: 23, [both.cleId]: 1 });
    const all = { skip: 0, limit: 100 };
    expect((await listerComptes(pool, both, all)).comptes).toEqual([...made, added]);
    // A name under the old key is taken under the new one too.
    await expect(add('COMPTE 3', { email: 'z@z.test', coffre: both })).rejects.toMatchObject({
      raison: 'doublon',
    });
    await expect(add('z', { email: 'compte 3@exemple.test', coffre: both })).rejects.toMatchObject({
      champ: 'email',
    });

    const steps: number[] = [];
    expect(await rechiffrer(pool, both, { lot: 5, progres: (n) => steps.push(n) })).toEqual(done(23));
    expect(steps).toEqual([5, 10, 15, 20, 23]);
    expect(await keysOfRows()).toEqual({ [both.cleId]: 24 });
    expect(await known()).toEqual([both.cleId]);
    const next = await ouvrirCoffre(pool, { chiffrement: [NEXT] });
    expect((await listerComptes(pool, next, all)).comptes).toEqual([...made, added]);
    // The blind index turned with it.
    expect(await trouverParNom(pool, next, 'Compte 7')).toMatchObject({ id: made[7]!.id });
    expect(await trouverParNom(pool, coffre, 'Compte 7')).toBeUndefined();
    await expect(ouvrirCoffre(pool, { chiffrement: [KEY] })).rejects.toMatchObject({ code: 'ATL_C103' });
    expect(await rechiffrer(pool, next)).toEqual(done(0));
  });

  test('stopped half-way both keys are needed; called again it goes on', async () => {
    for (let i = 0; i < 12; i++) await add(`compte ${i}`);
    const both = await ouvrirCoffre(pool, BOTH);
    const stop = new AbortController();
    await expect(
      rechiffrer(pool, both, { lot: 5, signal: stop.signal, progres: () => stop.abort() }),
    ).rejects.toThrow();
    expect(await keysOfRows()).toEqual({ [coffre.cleId]: 7, [both.cleId]: 5 });
    await expect(ouvrirCoffre(pool, { chiffrement: [NEXT] })).rejects.toMatchObject({ code: 'ATL_C103' });
    await expect(ouvrirCoffre(pool, { chiffrement: [KEY] })).rejects.toMatchObject({ code: 'ATL_C103' });
    for (let i = 0; i < 12; i++) expect(await trouverParNom(pool, both, `compte ${i}`)).toBeDefined();
    expect(await rechiffrer(pool, both, { lot: 5 })).toEqual(done(7));
    expect(await known()).toEqual([both.cleId]);
  });

  test('two at once, and changes meanwhile: every account comes through', async () => {
    const made: Compte[] = [];
    for (let i = 0; i < 30; i++) made.push(await add(`compte ${i}`));
    const both = await ouvrirCoffre(pool, BOTH);
    const rename = made.map(
      (compte, i) => () =>
        withClient(pool, (client: Client) =>
          modifierCompte(client, both, compte.id, { username: `nom ${i}` }),
        ),
    );
    const rotate = () => rechiffrer(pool, both, { lot: 3 });
    const answers = await together(rotate, ...rename.slice(0, 15), rotate, ...rename.slice(15));
    expect(answers.filter((answer) => (answer as { code?: string }).code)).toEqual([]);
    expect(await keysOfRows()).toEqual({ [both.cleId]: 30 });
    const { comptes } = await listerComptes(pool, both, { skip: 0, limit: 100 });
    expect(comptes.map(({ id, username }) => [id, username])).toEqual(
      made.map(({ id }, i) => [id, `nom ${i}`]),
    );
  });

  test('a process that only has the old key cannot write any more, whether rotation began or ended', async () => {
    const { id } = await add('bob');
    const both = await ouvrirCoffre(pool, BOTH);
    // Nor start again, though no account is under the new key yet.
    await expect(ouvrirCoffre(pool, { chiffrement: [KEY] })).rejects.toMatchObject({ code: 'ATL_C103' });
    // Else `Eve` could come in twice, once under each key.
    await add('eve', { coffre: both });
    await expect(add('Eve', { email: 'autre@x.test' })).rejects.toMatchObject({ code: 'ATL_C103' });
    await rechiffrer(pool, both);
    await expect(add('zoé')).rejects.toMatchObject({ code: 'ATL_C103' });
    await expect(change(id, { username: 'robert' })).rejects.toMatchObject({ code: 'ATL_C103' });
  });

  test('back to the old key: the new one is the previous one then', async () => {
    const bob = await add('bob');
    const both = await ouvrirCoffre(pool, BOTH);
    await rechiffrer(pool, both);
    const back = await ouvrirCoffre(pool, { chiffrement: [KEY, NEXT] });
    expect(await rechiffrer(pool, back)).toEqual(done(1));
    expect(await lireCompte(pool, await ouvrirCoffre(pool, { chiffrement: [KEY] }), bob.id)).toEqual(bob);
  });

  test('R6 a row that was tampered with stops none of the others, is named, and keeps its key known until it goes', async () => {
    const made = [await add('alice'), await add('bob'), await add('zoé')];
    const [, bob] = made as [Compte, Compte, Compte];
    const both = await ouvrirCoffre(pool, BOTH);
    await pool.query(
      `UPDATE "user" SET email_chiffre = set_byte(email_chiffre, 25, get_byte(email_chiffre, 25) # 4) WHERE id = $1`,
      [bob.id],
    );
    expect(await rechiffrer(pool, both, { lot: 1 })).toEqual({ nombre: 2, abimes: [bob.id] });
    expect(await keysOfRows()).toEqual({ [both.cleId]: 2, [coffre.cleId]: 1 });
    expect(await known()).toHaveLength(2);
    await withClient(pool, (client) => supprimerCompte(client, bob.id));
    expect(await rechiffrer(pool, both)).toEqual(done(0));
    expect(await known()).toEqual([both.cleId]);
  });
});

describe('R17 rotation and the keys of accounts', () => {
  test('the key of an account stays, wrapped anew; what is encrypted with it is not touched', async () => {
    const { id } = await add('bob');
    const row = async () => {
      const { rows } = await pool.query<{ cle: string; enveloppe: Buffer; date_creation: string }>(
        `SELECT cle, enveloppe, k.date_creation::text FROM "user" u JOIN compte_cle k ON k.user_id = u.id WHERE u.id = $1`,
        [id],
      );
      return rows[0]!;
    };
    const before = await row();
    const both = await ouvrirCoffre(pool, BOTH);
    await rechiffrer(pool, both);
    const after = await row();
    expect([after.cle, after.date_creation]).toEqual([before.cle, before.date_creation]);
    expect(after.enveloppe).not.toEqual(before.enveloppe);
    // The old master key opens nothing any more, the new one does.
    expect(() => coffre.deballer(id, after.enveloppe)).toThrow(/n’est pas donnée/);
    expect(both.deballer(id, after.enveloppe).id).toBe(before.cle);
  });
});
