// A key for each account (R17), rows of before there were any, and hashes that count for one account only (3.2).

import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { hacher } from '../../src/api/auth/mot-de-passe.ts';
import { createLogger } from '../../src/base/logger.ts';
import { donnerDesClesPlusTard } from '../../src/cli/cles-des-comptes.ts';
import { donnerDesCles } from '../../src/postgres/comptes/coffre.ts';
import {
  lireCompte,
  listerComptes,
  modifierCompte,
  ouvrirCoffre,
  poivreDe,
  rechiffrer,
  supprimerCompte,
  trouverParNom,
} from '../../src/postgres/comptes/users.ts';
import { withClient } from '../../src/postgres/pool.ts';
import { type Accounts, BOTH, createAccounts, HASH, NEXT, together } from '../harness/accounts.ts';

let accounts: Accounts;
let pool: Accounts['pool'];
let coffre: Accounts['coffre'];
let add: Accounts['add'];
beforeEach(async () => {
  accounts = await createAccounts();
  ({ pool, coffre, add } = accounts);
});
afterEach(() => accounts?.close());

async function keyless(): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>(
    'SELECT id FROM "user" WHERE NOT EXISTS (SELECT FROM compte_cle k WHERE k.user_id = "user".id) ORDER BY 1',
  );
  return rows.map(({ id }) => id);
}

describe('R17', () => {
  test('without its key an account is unreadable for whoever holds master key and row; deleting it deletes the key', async () => {
    const [bob, eve] = [await add('bob'), await add('eve')];
    await pool.query('DELETE FROM compte_cle WHERE user_id = $1', [bob.id]);
    expect(await lireCompte(pool, coffre, bob.id)).toMatchObject({
      ...{ username: '(illisible)', email: '(illisible)', abime: true },
    });
    expect(await lireCompte(pool, coffre, eve.id)).toEqual(eve);
    // The key of another account does not stand in for it.
    await pool.query(
      'INSERT INTO compte_cle (user_id, cle, enveloppe) SELECT $1, cle, enveloppe FROM compte_cle WHERE user_id = $2',
      [bob.id, eve.id],
    );
    expect(await lireCompte(pool, coffre, bob.id)).toMatchObject({ username: '(illisible)' });
    await withClient(pool, (client) => supprimerCompte(client, eve.id));
    await withClient(pool, (client) => supprimerCompte(client, bob.id));
    expect((await pool.query('SELECT FROM compte_cle')).rowCount).toBe(0);
  });

  test('rows of before read as ever, and get keys a few at a time, stopped and called again', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 12; i++) ids.push(await accounts.addOld(`ancien ${i}`));
    const fresh = await add('neuf');
    const before = (await listerComptes(pool, coffre, { skip: 0, limit: 99 })).comptes;
    expect(before.map(({ username }) => username).sort()).toEqual(
      ['neuf', ...ids.map((_, i) => `ancien ${i}`)].sort(),
    );
    expect(await keyless()).toEqual([...ids].sort());
    const stop = new AbortController();
    await expect(
      donnerDesCles(pool, coffre, { lot: 5, signal: stop.signal, progres: () => stop.abort() }),
    ).rejects.toThrow();
    expect(await keyless()).toHaveLength(7);
    const both = [
      () => donnerDesCles(pool, coffre, { lot: 2 }),
      () => donnerDesCles(pool, coffre, { lot: 3 }),
    ];
    const done = (await together(...both)) as { nombre: number; abimes: string[] }[];
    expect(done.map(({ abimes }) => abimes)).toEqual([[], []]);
    expect(done[0]!.nombre + done[1]!.nombre).toBe(7);
    expect(await keyless()).toEqual([]);
    // Nothing changed that anybody could see.
    expect((await listerComptes(pool, coffre, { skip: 0, limit: 99 })).comptes).toEqual(before);
    for (const [i, id] of ids.entries()) {
      expect(await trouverParNom(pool, coffre, `ANCIEN ${i}`)).toMatchObject({ id, motDePasse: HASH });
      // The hash is readable with the account's key alone.
      const { rows } = await pool.query('SELECT mot_de_passe FROM "user" WHERE id = $1', [id]);
      expect(rows[0].mot_de_passe).not.toContain('argon2id');
    }
    expect(await donnerDesCles(pool, coffre)).toEqual({ nombre: 0, abimes: [] });
    expect(await lireCompte(pool, coffre, fresh.id)).toEqual(fresh);
  });

  test('R7 a rotation gives them keys, too; changing a name or a password does for one', async () => {
    const [one, two, three] = [
      ...[await accounts.addOld('un'), await accounts.addOld('deux'), await accounts.addOld('trois')],
    ] as [string, string, string];
    const rights = await accounts.change(one, { role: 'gestionnaire' });
    expect(rights).toMatchObject({ username: 'un', role: 'gestionnaire', version: 2 });
    expect(await keyless()).toContain(one);
    expect(await accounts.change(one, { username: 'Un autre' })).toMatchObject({ email: 'un@exemple.test' });
    expect(await poivreDe(pool, coffre, two)).toMatchObject({ id: expect.stringMatching(/^[0-9a-f]{16}$/) });
    expect(await keyless()).toEqual([three]);
    const both = await ouvrirCoffre(pool, BOTH);
    expect(await rechiffrer(pool, both)).toEqual({ nombre: 3, abimes: [] });
    expect(await keyless()).toEqual([]);
    const next = await ouvrirCoffre(pool, { chiffrement: [NEXT] });
    for (const [name, id] of [
      ['un autre', one],
      ['deux', two],
      ['trois', three],
    ] as const)
      expect(await trouverParNom(pool, next, name)).toMatchObject({ id, motDePasse: HASH });
  });

  test('a damaged row stops no other, is named, keeps its rights changeable, and can go', async () => {
    const [bad, good] = [await accounts.addOld('abîmé'), await accounts.addOld('bon')];
    await pool.query('UPDATE "user" SET username_chiffre = $2 WHERE id = $1', [bad, randomBytes(45)]);
    expect(await donnerDesCles(pool, coffre, { lot: 1 })).toEqual({ nombre: 1, abimes: [bad] });
    expect(await keyless()).toEqual([bad]);
    const change = (changes: Parameters<typeof modifierCompte>[3]) => accounts.change(bad, changes);
    expect(await change({ actif: false })).toMatchObject({
      actif: false,
      username: '(illisible)',
      abime: true,
    });
    for (const changes of [{ email: 'autre@exemple.test' }, { motDePasseHache: HASH.replace('p=1', 'p=2') }])
      await expect(change(changes)).rejects.toMatchObject({ code: 'ATL_A502', raison: 'abime' });
    await expect(poivreDe(pool, coffre, bad)).rejects.toMatchObject({ raison: 'abime' });
    // Its name is what is lost: it can be given anew.
    expect(await change({ username: 'réparé' })).toMatchObject({
      ...{ username: 'réparé', email: 'abîmé@exemple.test' },
    });
    expect(await lireCompte(pool, coffre, bad)).not.toHaveProperty('abime');
    expect(await withClient(pool, (client) => supprimerCompte(client, bad))).toBe(true);
    expect(await trouverParNom(pool, coffre, 'bon')).toMatchObject({ id: good });
  });
});

describe('S10 hashes in the table', () => {
  test('one of another row, or one that somebody made, is none', async () => {
    const [bob, eve] = [await add('bob'), await add('eve')];
    const own = async (name: string) => (await trouverParNom(pool, coffre, name))!;
    const { poivre } = await own('eve');
    const made = await hacher('connu de tous', poivre);
    await withClient(pool, (client) => modifierCompte(client, coffre, eve.id, { motDePasseHache: made }));
    expect(await own('eve')).toMatchObject({ motDePasse: made });
    const put = (hash: string) =>
      pool.query('UPDATE "user" SET mot_de_passe = $2 WHERE id = $1', [bob.id, hash]);
    for (const hash of [made, (await own('eve')).motDePasseRange, await hacher('connu de tous'), HASH, '']) {
      await put(hash);
      expect(await own('bob')).toMatchObject({ motDePasse: undefined });
    }
  });
});

describe('R17: accounts of before, while the server works', () => {
  const HOUR = 3_600_000;
  let said: Record<string, unknown>[];
  const plusTard = (signal = new AbortController().signal, apres?: number): void => {
    const console = (line: string) => said.push(JSON.parse(line));
    const logger = createLogger({ console, level: 'info', fuseau: 'Europe/Paris' });
    donnerDesClesPlusTard({ pool, coffre, logger, signal, apres });
  };
  beforeEach(() => {
    said = [];
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  });
  afterEach(() => vi.useRealTimers());

  test('they get their keys an hour after the start, not before: the version before may still run', async () => {
    const ids = [await accounts.addOld('ancien'), await accounts.addOld('autre')].sort();
    const damaged = await accounts.addOld('abîmé');
    await pool.query(`UPDATE "user" SET email_chiffre = '\\x01' WHERE id = $1`, [damaged]);
    plusTard();
    vi.advanceTimersByTime(HOUR - 1);
    vi.useRealTimers();
    // Were it under way, it would be done by then.
    for (let i = 0; i < 20; i++) expect(await keyless()).toHaveLength(3);
    expect(said).toEqual([]);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    plusTard();
    vi.advanceTimersByTime(HOUR);
    vi.useRealTimers();
    await expect.poll(keyless, { timeout: 20_000 }).toEqual([damaged]);
    await expect.poll(() => said.length, { timeout: 20_000 }).toBe(2);
    expect(said[0]).toMatchObject({ level: 'info', comptes: ids.length });
    expect(said[1]).toMatchObject({
      level: 'error',
      compte: damaged,
      msg: expect.stringContaining('forget'),
    });
    for (const id of ids) expect(await lireCompte(pool, coffre, id)).not.toHaveProperty('abime');
  });

  test('a server that stops before gives none; one whose database is away says so, and stops nothing', async () => {
    const id = await accounts.addOld('ancien');
    const stop = new AbortController();
    plusTard(stop.signal);
    stop.abort();
    vi.advanceTimersByTime(2 * HOUR);
    vi.useRealTimers();
    for (let i = 0; i < 20; i++) expect(await keyless()).toEqual([id]);
    await pool.query('ALTER TABLE compte_cle RENAME TO ailleurs');
    plusTard(undefined, 0);
    await expect.poll(() => said.length, { timeout: 20_000 }).toBe(1);
    expect(said[0]).toMatchObject({ level: 'warn', msg: expect.stringContaining('prochain démarrage') });
  });
});
