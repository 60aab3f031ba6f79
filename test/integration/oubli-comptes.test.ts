// R9, R15: what forgetting an account, or closing one that nobody uses, touches in the database: all of his, and nothing of others.

import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  comptesInactifs,
  desactiverInactif,
  type OptionsOubli,
  oublierCompte,
} from '../../src/postgres/comptes/oubli.ts';
import { type Client, transaction, withClient } from '../../src/postgres/pool.ts';
import { type Accounts, createAccounts } from '../harness/accounts.ts';

let accounts: Accounts;
let pool: Accounts['pool'];
let admin: string;
beforeEach(async () => {
  accounts = await createAccounts();
  ({ pool } = accounts);
  admin = (await accounts.add('chef', { role: 'admin' })).id;
});
afterEach(() => accounts?.close());

const within = <T>(work: (client: Client) => Promise<T>): Promise<T> =>
  withClient(pool, (client) => transaction(client, () => work(client)));
const forget = (id: string, options: Partial<OptionsOubli> = {}): Promise<string | undefined> =>
  within((client) => oublierCompte(client, id, { motif: 'demande', avant: async () => {}, ...options }));
const rows = async (sql: string, ...values: unknown[]): Promise<Record<string, unknown>[]> =>
  (await pool.query(sql, values)).rows;

/** A key of an account, and what people leave in the audit log, in runs and in alerts. @returns the id of the key */
async function live(id: string): Promise<string> {
  const key = randomUUID();
  await pool.query(
    `INSERT INTO cle_api (id, user_id, nom, empreinte, portees, date_fin)
     VALUES ($1, $2, 'k', sha256($3), '{*:lire}', now() + interval '1 year')`,
    [key, id, Buffer.from(key)],
  );
  await pool.query(
    `INSERT INTO journal_audit (evenement, user_id, cle_id, cible, adresse, requete, details)
     VALUES ('acces_refuse', $1, $2, NULL, '192.0.2.0/24', 'r1', '{}'),
            ('acces_refuse', NULL, $2, NULL, '192.0.2.0/24', 'r2', '{}'),
            ('cle_creee', NULL, NULL, 'cles/' || $2::text, NULL, 'r3', '{}'),
            ('compte_lu', NULL, NULL, 'users/' || $1::text, NULL, 'r4', '{}'),
            ('export', NULL, NULL, NULL, NULL, 'r5', json_build_object('pour', $1::text))`,
    [id, key],
  );
  await pool.query(
    `INSERT INTO execution (tache, etat, declencheur, demandeur, hote, processus) VALUES ('sync', 'reussie', 'demande', $1, 'h', 1)`,
    [id],
  );
  await pool.query(
    `INSERT INTO alerte (regle, objet, gravite, etat, message, debut, ouverte_le, derniere_vue, fin, dernier_avis, acquittee_par)
     VALUES ('r', 'o', 'attention', 'resolue', 'm', now(), now(), now(), now(), now(), $1)`,
    [id],
  );
  return key;
}

/** All that there is of a person, whoever else is forgotten. */
const left = (id: string, key: string): Promise<Record<string, unknown>[]> =>
  rows(
    `SELECT to_jsonb(t) AS r FROM (SELECT * FROM journal_audit
        WHERE user_id = $1 OR cle_id = $2 OR cible IN ('users/' || $1::text, 'cles/' || $2::text)
           OR details->>'pour' = $1::text ORDER BY id) t
     UNION ALL SELECT to_jsonb(e) FROM execution e WHERE demandeur = $1
     UNION ALL SELECT to_jsonb(a) FROM alerte a WHERE acquittee_par = $1
     UNION ALL SELECT to_jsonb(u) FROM "user" u WHERE id = $1
     UNION ALL SELECT to_jsonb(k) FROM cle_api k WHERE user_id = $1`,
    id,
    key,
  );

describe('R15: forgetting', () => {
  it('takes all of one person and nothing of another, key by key and line by line', async () => {
    const [bob, eve] = [(await accounts.add('bob')).id, (await accounts.add('eve')).id];
    const [his, hers] = [await live(bob), await live(eve)];
    const before = await left(eve, hers);
    expect(before).toHaveLength(9);
    const tombe = await forget(bob, { par: admin });
    expect(tombe).toMatch(/^[0-9a-f-]{36}$/);
    expect(await left(bob, his)).toEqual([]);
    expect(await left(eve, hers)).toEqual(before);
    expect(await rows('SELECT count(*)::int AS n FROM execution WHERE demandeur = $1', tombe)).toEqual([
      { n: 1 },
    ]);
    expect(await rows('SELECT count(*)::int AS n FROM alerte WHERE acquittee_par = $1', tombe)).toEqual([
      { n: 1 },
    ]);
  });

  it('says in the audit log why, and who asked; or that a command did', async () => {
    const [one, two] = [(await accounts.add('un')).id, (await accounts.add('deux')).id];
    const first = await forget(one, { par: admin });
    const second = await forget(two, { motif: 'inactivite' });
    expect(
      await rows(
        `SELECT user_id, cible, details FROM journal_audit WHERE evenement = 'compte_oublie' ORDER BY id`,
      ),
    ).toEqual([
      { user_id: admin, cible: `users/${first}`, details: { motif: 'demande' } },
      { user_id: null, cible: `users/${second}`, details: { motif: 'inactivite', origine: 'commande' } },
    ]);
  });

  it('is told outside of the database first, once it is sure; when that fails nothing goes', async () => {
    const { id } = await accounts.add('bob');
    const key = await live(id);
    const before = await left(id, key);
    const full = async (): Promise<void> => {
      expect(await left(id, key)).toEqual(before);
      throw new Error('disque plein');
    };
    await expect(forget(id, { avant: full })).rejects.toThrow('disque plein');
    expect(await left(id, key)).toEqual(before);
    // Of nobody, nothing is told.
    let told = 0;
    const avant = async (): Promise<void> => void told++;
    expect(await forget(randomUUID(), { avant })).toBeUndefined();
    expect(told).toBe(0);
    expect(await forget(id, { avant })).toBeDefined();
    expect(told).toBe(1);
    expect(await forget(id, { avant })).toBeUndefined();
    expect(told).toBe(1);
  });

  it.each([
    ['who did something', `INSERT INTO journal_audit (evenement, user_id) VALUES ('export', $1)`],
    [
      'to whom something was done',
      `INSERT INTO journal_audit (evenement, cible) VALUES ('lu', 'users/' || $1::uuid::text)`,
    ],
    [
      'who is in the details',
      `INSERT INTO journal_audit (evenement, details) VALUES ('lu', json_build_object('qui', $1::uuid::text))`,
    ],
    [
      'who asked for a run',
      `INSERT INTO execution (tache, etat, declencheur, demandeur, hote, processus) VALUES ('sync', 'reussie', 'demande', $1, 'h', 1)`,
    ],
    [
      'who saw an alert',
      `INSERT INTO alerte (regle, objet, gravite, etat, message, debut, ouverte_le, derniere_vue, fin, dernier_avis, acquittee_par)
       VALUES ('r', 'o', 'attention', 'resolue', 'm', now(), now(), now(), now(), now(), $1)`,
    ],
  ])('reaches an account that was deleted before: %s', async (_, insert) => {
    const gone = randomUUID();
    expect(await forget(gone)).toBeUndefined();
    await pool.query(insert, [gone]);
    expect(await forget(gone)).toBeDefined();
    expect(await forget(gone)).toBeUndefined();
  });

  it('keeps one admin who can sign in, unless a restoration brought back who had gone', async () => {
    const other = (await accounts.add('autre', { role: 'admin' })).id;
    await accounts.change(other, { actif: false });
    for (const motif of ['demande', 'inactivite'] as const)
      await expect(forget(admin, { motif })).rejects.toMatchObject({
        ...{ code: 'ATL_A502', raison: 'dernier_admin', champ: undefined },
      });
    // Who cannot sign in is no admin to keep.
    expect(await forget(other)).toBeDefined();
    expect(await forget(admin, { motif: 'restauration' })).toBeDefined();
    expect(await rows('SELECT FROM "user"')).toEqual([]);
  });
});

describe('R9: who has not been seen', () => {
  const AT = Date.parse('2026-03-01T10:00:00Z');
  const at = (days: number): Date => new Date(AT - days * 86_400_000);
  let id: string;
  beforeEach(async () => {
    ({ id } = await accounts.add('bob'));
    await pool.query('UPDATE "user" SET date_creation = $1', [at(100)]);
  });
  const ids = async (avant: number): Promise<string[]> =>
    (await comptesInactifs(pool, avant)).map((one) => one.id);
  const key = (created: number, used: number | null): Promise<unknown> =>
    pool.query(
      `INSERT INTO cle_api (id, user_id, nom, empreinte, portees, date_fin, date_creation, derniere_utilisation)
       VALUES (gen_random_uuid(), $1, 'k', sha256('k'), '{*:lire}', now() + interval '9 years', $2, $3)`,
      [id, at(created), used === null ? null : at(used)],
    );
  const token = (created: number, used: number | null): Promise<unknown> =>
    pool.query(
      `INSERT INTO jeton_rafraichissement (id, user_id, famille, empreinte, version_jetons, expire, date_creation, utilise)
       VALUES (gen_random_uuid(), $1, gen_random_uuid(), sha256('j'), 1, now(), $2, $3)`,
      [id, at(created), used === null ? null : at(used)],
    );
  const set = (column: string, days: number): Promise<unknown> =>
    pool.query(`UPDATE "user" SET ${column} = $2 WHERE id = $1`, [id, at(days)]);

  it.each<[string, () => Promise<unknown>]>([
    ['the making of the account', () => set('date_creation', 50)],
    ['a sign-in', () => set('derniere_connexion', 50)],
    ['an admin who let it in again', () => set('reactive_le', 50)],
    ['a token', () => token(50, null)],
    ['a refresh', () => token(60, 50)],
    ['a new key', () => key(50, null)],
    ['a key that was used', () => key(60, 50)],
  ])('is told by the last of all signs, to the instant: %s', async (_, sign) => {
    await sign();
    expect(await ids(at(50).getTime())).toEqual([]);
    expect(await ids(at(50).getTime() + 1)).toEqual([id]);
    expect(await within((client) => desactiverInactif(client, id, at(50).getTime()))).toBe(false);
    expect(await within((client) => desactiverInactif(client, id, at(50).getTime() + 1))).toBe(true);
  });

  it('whom nobody has seen for longest comes first; one admin who can sign in never does', async () => {
    const eve = (await accounts.add('eve')).id;
    const second = (await accounts.add('second', { role: 'admin' })).id;
    await pool.query('UPDATE "user" SET date_creation = $2 WHERE id = $1', [eve, at(200)]);
    await pool.query('UPDATE "user" SET date_creation = $2 WHERE id = $1', [second, at(150)]);
    const order = [eve, second, ...[admin, id].sort()];
    expect(await comptesInactifs(pool, AT)).toEqual(order.map((one) => ({ id: one, actif: true })));
    await pool.query('UPDATE "user" SET actif = false WHERE id = $1', [second]);
    expect(await comptesInactifs(pool, AT)).toEqual([
      ...[eve, second, id].map((one) => ({ id: one, actif: one !== second })),
    ]);
  });

  it('is closed: neither tokens nor refreshes of his are worth anything, others’ are; it is told', async () => {
    const eve = (await accounts.add('eve')).id;
    await token(60, null);
    await pool.query(
      `INSERT INTO jeton_rafraichissement (id, user_id, famille, empreinte, version_jetons, expire)
       VALUES (gen_random_uuid(), $1, gen_random_uuid(), sha256('e'), 1, now())`,
      [eve],
    );
    const state = (who: string) =>
      rows('SELECT actif, version, version_jetons FROM "user" WHERE id = $1', who);
    const [before] = await state(id);
    const others = [await state(eve), await state(admin)];
    expect(await within((client) => desactiverInactif(client, id, AT))).toBe(true);
    expect(await state(id)).toEqual([
      {
        actif: false,
        version: Number(before!['version']) + 1,
        version_jetons: Number(before!['version_jetons']) + 1,
      },
    ]);
    expect([await state(eve), await state(admin)]).toEqual(others);
    expect(await rows('SELECT user_id FROM jeton_rafraichissement')).toEqual([{ user_id: eve }]);
    expect(await rows(`SELECT evenement, user_id, cible, details FROM journal_audit`)).toEqual([
      {
        ...{ evenement: 'compte_desactive', user_id: null, cible: `users/${id}` },
        details: { motif: 'inactivite', origine: 'purge' },
      },
    ]);
    // Closed already, or nobody: nothing is done, nothing is told.
    expect(await within((client) => desactiverInactif(client, id, AT))).toBe(false);
    expect(await within((client) => desactiverInactif(client, randomUUID(), AT))).toBe(false);
    expect(await rows(`SELECT FROM journal_audit`)).toHaveLength(1);
  });

  it('the last admin is not closed either, if he became it meanwhile', async () => {
    await expect(within((client) => desactiverInactif(client, admin, AT))).rejects.toMatchObject({
      ...{ code: 'ATL_A502', raison: 'dernier_admin', champ: 'actif' },
    });
  });
});
