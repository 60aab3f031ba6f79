// The audit log: what it keeps, and that it only grows (R21).

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { noter } from '../../src/postgres/audit.ts';
import { transaction, withClient } from '../../src/postgres/pool.ts';
import { type Accounts, createAccounts, NOBODY } from '../harness/accounts.ts';

let accounts: Accounts;
let pool: Accounts['pool'];
let add: Accounts['add'];

beforeEach(async () => {
  accounts = await createAccounts();
  ({ pool, add } = accounts);
});
afterEach(() => accounts?.close());

describe('R21 audit log', () => {
  test('keeps what it is given, without what would not fit or tells too much', async () => {
    const actor = (await add('bob')).id;
    await noter(pool, { evenement: 'vide' });
    await noter(pool, {
      ...{ evenement: 'export', userId: actor, cleId: NOBODY, cible: `sessions\0${'x'.repeat(500)}` },
      ...{ adresse: '192.0.2.77', requete: 'req-\ud800', details: { lignes: 3, texte: 'a\0b\udc00' } },
    });
    const { rows } = await pool.query('SELECT * FROM journal_audit ORDER BY id');
    expect(rows).toMatchObject([
      { evenement: 'vide', user_id: null, cible: null, adresse: null, details: {} },
      {
        ...{
          evenement: 'export',
          user_id: actor,
          cle_id: NOBODY,
          adresse: '192.0.2.0',
          requete: 'req-\ufffd',
        },
        cible: expect.stringMatching(/^sessions\ufffdx{100,300}$/),
        details: { lignes: 3, texte: 'a\ufffdb\ufffd' },
      },
    ]);
  });

  test.each([
    'UPDATE journal_audit SET cible = $$x$$',
    'DELETE FROM journal_audit',
    'TRUNCATE journal_audit',
  ])('only grows: %s', async (sql) => {
    await noter(pool, { evenement: 'essai' });
    await expect(pool.query(sql)).rejects.toMatchObject({ code: '42501' });
    expect((await pool.query('SELECT FROM journal_audit')).rowCount).toBe(1);
  });

  test('in the transaction of what it tells about', async () => {
    const failing = withClient(pool, (client) =>
      transaction(client, async () => {
        await noter(client, { evenement: 'essai' });
        throw new Error('afterwards');
      }),
    );
    await expect(failing).rejects.toThrow('afterwards');
    expect((await pool.query('SELECT FROM journal_audit')).rowCount).toBe(0);
  });
});
