// Names and addresses at rest: what a dump shows, tampering, wrong keys (R3, R5, R6).

import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Coffre } from '../../src/base/chiffrement.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { lireCompte, noterConnexion, ouvrirCoffre, trouverParNom } from '../../src/postgres/comptes/users.ts';
import { createPool } from '../../src/postgres/pool.ts';
import { type Accounts, createAccounts, KEY, NEXT, together } from '../harness/accounts.ts';
import { createDatabase } from '../harness/postgres.ts';

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

describe('R3 R5 R6 at rest', () => {
  const PLANTED = { username: 'Zéphyrin Plante-Nom', email: 'zephyrin.canari@plante.exemple.test' };

  test('R5 a dump of all tables has no name, address or word of them in any writing', async () => {
    const { id } = await add(PLANTED.username, { email: PLANTED.email });
    await change(id, { role: 'gestionnaire' });
    await trouverParNom(pool, coffre, PLANTED.username);
    await noterConnexion(pool, id);
    const text = (await dump()).toLowerCase();
    for (const word of [
      PLANTED.username,
      PLANTED.email,
      'zéphyrin',
      'zephyrin',
      'plante-nom',
      'canari',
      'plante',
    ]) {
      for (const bytes of [
        Buffer.from(word),
        Buffer.from(word.toLowerCase()),
        Buffer.from(word, 'utf16le'),
      ]) {
        expect(text).not.toContain(bytes.toString('hex'));
        expect(text).not.toContain(bytes.toString('base64').replace(/=+$/, '').slice(0, -1).toLowerCase());
      }
      expect(text).not.toContain(word.toLowerCase());
    }
    // The search would find it: bytes of a column do come out as hexadecimal digits.
    await pool.query('UPDATE "user" SET username_chiffre = $1', [Buffer.from(PLANTED.username)]);
    expect((await dump()).toLowerCase()).toContain(Buffer.from(PLANTED.username).toString('hex'));
    for (const key of [KEY.toString('hex'), KEY.toString('base64').toLowerCase()])
      expect(text).not.toContain(key);
  });

  test('R3 a ciphertext moved to another row or column is an error', async () => {
    const [bob, eve] = [await add('bob'), await add('eve')];
    await pool.query(
      `UPDATE "user" SET email_chiffre = (SELECT email_chiffre FROM "user" WHERE id = $1) WHERE id = $2`,
      [eve.id, bob.id],
    );
    const damaged = { username: 'bob', email: '(illisible)', abime: true };
    expect(await lireCompte(pool, coffre, bob.id)).toMatchObject(damaged);
    // Nobody signs in with it.
    expect(await trouverParNom(pool, coffre, 'bob')).toMatchObject({ ...damaged, motDePasse: undefined });
    await pool.query('UPDATE "user" SET username_chiffre = email_chiffre WHERE id = $1', [eve.id]);
    expect(await lireCompte(pool, coffre, eve.id)).toMatchObject({ username: '(illisible)', abime: true });
  });

  test('R6 any byte of a row tampered with is an error, never garbage', async () => {
    const { id } = await add('bob');
    const { rows } = await pool.query<{ n: number }>(
      'SELECT octet_length(username_chiffre) AS n FROM "user"',
    );
    const flip = (i: number) =>
      pool.query(
        `UPDATE "user" SET username_chiffre = set_byte(username_chiffre, $1, get_byte(username_chiffre, $1) # 1)`,
        [i],
      );
    for (let i = 0; i < rows[0]!.n; i++) {
      await flip(i);
      expect(await lireCompte(pool, coffre, id)).toMatchObject({ username: '(illisible)', abime: true });
      await flip(i);
    }
    expect((await lireCompte(pool, coffre, id))?.username).toBe('bob');
  });

  test('R6 with another key nothing opens, and the message shows no key', async () => {
    const wrong = async (...chiffrement: Buffer[]): Promise<unknown> =>
      await ouvrirCoffre(pool, { chiffrement }).then(
        () => 'opened',
        (error: unknown) => error,
      );
    // On a database without accounts already: its key was written down somewhere.
    expect(await wrong(NEXT)).toMatchObject({ code: 'ATL_C103' });
    await add('bob');
    const error = await wrong(NEXT, randomBytes(32));
    expect(error).toMatchObject({ code: 'ATL_C103', message: expect.stringContaining(coffre.cleId) });
    for (const form of ['hex', 'base64', 'base64url'] as const)
      expect(String((error as Error).stack)).not.toContain(NEXT.toString(form));
    expect((await pool.query('SELECT FROM cle_chiffrement')).rowCount).toBe(1);
    await pool.query(`UPDATE cle_chiffrement SET temoin = set_byte(temoin, 30, get_byte(temoin, 30) # 1)`);
    expect(await wrong(KEY)).toMatchObject({ code: 'ATL_C103' });
  });

  test('many starts at once on a new database: one witness; with two keys one wins', async () => {
    const fresh = await createDatabase();
    const many = createPool(fresh.url, { logger: silentLogger(), max: 8 });
    try {
      const keys = [KEY, NEXT, KEY, NEXT, KEY, NEXT];
      const answers = await together(...keys.map((key) => () => ouvrirCoffre(many, { chiffrement: [key] })));
      const opened = answers.filter((answer) => answer instanceof Coffre);
      expect(opened).toHaveLength(3);
      expect(new Set(opened.map((answer) => (answer as Coffre).cleId)).size).toBe(1);
      expect((await many.query('SELECT FROM cle_chiffrement')).rowCount).toBe(1);
    } finally {
      await many.end();
      await fresh.drop();
    }
  });
});
