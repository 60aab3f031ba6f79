import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Coffre } from '../../src/base/chiffrement.ts';
import { silentLogger } from '../../src/base/logger.ts';
import type { Role } from '../../src/base/roles.ts';
import { noter } from '../../src/postgres/audit.ts';
import { type Client, createPool, type Pool, transaction, withClient } from '../../src/postgres/pool.ts';
import {
  type Compte,
  creerCompte,
  etatCompte,
  existeUnCompte,
  lireCompte,
  listerComptes,
  modifierCompte,
  noterConnexion,
  ouvrirCoffre,
  rechiffrer,
  supprimerCompte,
  trouverParNom,
} from '../../src/postgres/users.ts';
import { migrateUrl } from '../harness/context.ts';
import { createDatabase, registerTemplate, type TestDatabase } from '../harness/postgres.ts';

registerTemplate(migrateUrl);

const KEY = randomBytes(32);
const NEXT = randomBytes(32);
/** What a hash looks like matters to nobody here. */
const HASH = '$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAA';
const NOBODY = '00000000-0000-4000-8000-000000000000';

let database: TestDatabase;
let pool: Pool;
let coffre: Coffre;

beforeEach(async () => {
  database = await createDatabase();
  pool = createPool(database.url, { logger: silentLogger(), max: 8 });
  coffre = await ouvrirCoffre(pool, { chiffrement: [KEY] });
});
afterEach(async () => {
  await pool.end();
  await database.drop();
});

function add(
  username: string,
  options: { role?: Role; email?: string; coffre?: Coffre } = {},
): Promise<Compte> {
  const { role = 'lecteur', email = `${username}@exemple.test` } = options;
  return withClient(pool, (client) =>
    creerCompte(client, options.coffre ?? coffre, { username, email, role, motDePasseHache: HASH }),
  );
}

const change = (
  id: string,
  changes: Parameters<typeof modifierCompte>[3],
  version?: number,
): ReturnType<typeof modifierCompte> =>
  withClient(pool, (client) => modifierCompte(client, coffre, id, changes, { version }));

/** Runs both at once, and gives what they answered or the code (and field) they threw. */
async function together(...work: (() => Promise<unknown>)[]): Promise<unknown[]> {
  const answers = await Promise.allSettled(work.map((each) => each()));
  return answers.map((answer) => {
    if (answer.status === 'fulfilled') return answer.value;
    const { code, champ, raison } = answer.reason;
    return { code, champ, raison };
  });
}

/** Everything in every table as a dump would have it. */
async function dump(): Promise<string> {
  const { rows } = await pool.query<{ nom: string }>(
    `SELECT relname AS nom FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')`,
  );
  const all: string[] = [];
  for (const { nom } of rows) {
    const table = await pool.query<{ r: string }>(`SELECT to_jsonb(t)::text AS r FROM "${nom}" t`);
    all.push(...table.rows.map(({ r }) => `${nom} ${r}`));
  }
  return all.join('\n');
}

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
    await noterConnexion(pool, id, `${HASH}2`, HASH);
    expect((await trouverParNom(pool, coffre, 'bob'))?.motDePasse).toBe(`${HASH}2`);
    // Checked against HASH; meanwhile the password became HASH2.
    await noterConnexion(pool, id, `${HASH}3`, HASH);
    expect((await trouverParNom(pool, coffre, 'bob'))?.motDePasse).toBe(`${HASH}2`);
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
    let ended = false;
    const second = await withClient(pool, (client) =>
      transaction(client, async () => {
        expect(await first('un')(client)).toMatchObject({ username: 'un' });
        const other = withClient(pool, first('deux')).finally(() => {
          ended = true;
        });
        for (let waits = 0; waits === 0 && !ended; ) {
          const { rowCount } = await pool.query(
            `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
          );
          waits = rowCount ?? 0;
        }
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
    await expect(lireCompte(pool, coffre, bob.id)).rejects.toMatchObject({ code: 'ATL_C103' });
    await expect(trouverParNom(pool, coffre, 'bob')).rejects.toMatchObject({ code: 'ATL_C103' });
    await pool.query('UPDATE "user" SET username_chiffre = email_chiffre WHERE id = $1', [eve.id]);
    await expect(lireCompte(pool, coffre, eve.id)).rejects.toMatchObject({ code: 'ATL_C103' });
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
      await expect(lireCompte(pool, coffre, id)).rejects.toMatchObject({ code: 'ATL_C103' });
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

describe('R7 rotation', () => {
  const BOTH = { chiffrement: [NEXT, KEY] };
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
    expect(await rechiffrer(pool, both, { lot: 5, progres: (n) => steps.push(n) })).toBe(23);
    expect(steps).toEqual([5, 10, 15, 20, 23]);
    expect(await keysOfRows()).toEqual({ [both.cleId]: 24 });
    expect(await known()).toEqual([both.cleId]);
    const next = await ouvrirCoffre(pool, { chiffrement: [NEXT] });
    expect((await listerComptes(pool, next, all)).comptes).toEqual([...made, added]);
    // The blind index turned with it.
    expect(await trouverParNom(pool, next, 'Compte 7')).toMatchObject({ id: made[7]!.id });
    expect(await trouverParNom(pool, coffre, 'Compte 7')).toBeUndefined();
    await expect(ouvrirCoffre(pool, { chiffrement: [KEY] })).rejects.toMatchObject({ code: 'ATL_C103' });
    expect(await rechiffrer(pool, next)).toBe(0);
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
    expect(await rechiffrer(pool, both, { lot: 5 })).toBe(7);
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
    expect(await rechiffrer(pool, back)).toBe(1);
    expect(await lireCompte(pool, await ouvrirCoffre(pool, { chiffrement: [KEY] }), bob.id)).toEqual(bob);
  });

  test('R6 a row that was tampered with stops it, and is named', async () => {
    const { id } = await add('bob');
    const both = await ouvrirCoffre(pool, BOTH);
    await pool.query(
      `UPDATE "user" SET email_chiffre = set_byte(email_chiffre, 25, get_byte(email_chiffre, 25) # 4)`,
    );
    await expect(rechiffrer(pool, both)).rejects.toMatchObject({
      ...{ code: 'ATL_C103', message: expect.stringContaining(id) },
    });
    expect(await known()).toHaveLength(2);
  });
});

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
