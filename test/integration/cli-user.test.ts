import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { verifier } from '../../src/api/auth/mot-de-passe.ts';
import type { Coffre } from '../../src/base/chiffrement.ts';
import { clesDuCompte } from '../../src/postgres/comptes/reseaux-connus.ts';
import {
  creerCompte,
  etatCompte,
  lireCompte,
  ouvrirCoffre,
  trouverParNom,
} from '../../src/postgres/comptes/users.ts';
import { withClient } from '../../src/postgres/pool.ts';
import { ajouterAncien } from '../harness/accounts.ts';
import { CACHE_COMPILATION } from '../harness/cache.ts';
import { type Finished, type Installation, install } from '../harness/cli.ts';

const BIN = fileURLToPath(new URL('../../bin/atelier.mjs', import.meta.url));
const KEY = randomBytes(32);
const NEXT = randomBytes(32);
const KEYS = { CLE_CHIFFREMENT: KEY.toString('hex') };
const BOTH = { CLE_CHIFFREMENT: NEXT.toString('hex'), CLE_CHIFFREMENT_PRECEDENTE: KEY.toString('base64') };
/** Planted: what the program says and what it keeps must not have it. */
const PASSWORD = 'étang girafe ruban cosmos';

let place: Installation;
let coffre: Coffre;

beforeEach(async () => {
  place = await install();
  coffre = await ouvrirCoffre(place.pool, { chiffrement: [KEY] });
});
afterEach(() => place.close());

/** Runs `atelier user …`; with a password on standard input when one is given. */
async function user(args: readonly string[], stdin?: string, env = {}): Promise<Finished> {
  const before = stdin === undefined ? [] : ['sh', '-c', 'printf "%s" "$ENTREE" | "$@"', 'sh'];
  const given = stdin === undefined ? {} : { ENTREE: stdin };
  const done = await place.run(['user', ...args], { env: { ...KEYS, ...given, ...env }, before });
  expect(done.stdout + done.stderr).not.toContain(PASSWORD);
  return done;
}

const add = (name: string, ...more: string[]): Promise<Finished> =>
  user(['add', name, '--email', `${name}@exemple.test`, '--mot-de-passe-stdin', ...more], `${PASSWORD}\n`);

async function audit(): Promise<unknown[]> {
  const { rows } = await place.pool.query(
    `SELECT evenement, cible, user_id, details FROM journal_audit ORDER BY id`,
  );
  return rows;
}

test('R21 S32 a life of two accounts, each step in the audit log without names', async () => {
  expect(await add('Chef')).toMatchObject({
    code: 0,
    stdout: 'Compte « Chef » créé, rôle admin.\n',
    stderr: '',
  });
  expect(await add('bob')).toMatchObject({ code: 0, stdout: 'Compte « bob » créé, rôle lecteur.\n' });
  const chef = (await trouverParNom(place.pool, coffre, 'chef'))!;
  const bob = (await trouverParNom(place.pool, coffre, 'bob'))!;
  expect(await verifier(PASSWORD, bob.motDePasse, bob.poivre)).toBe(true);
  expect(bob).toMatchObject({ email: 'bob@exemple.test', actif: true });

  expect((await user(['role', 'BOB', 'gestionnaire'])).stdout).toBe(
    'Compte « bob » : rôle gestionnaire (avant : lecteur).\n',
  );
  expect((await user(['role', 'bob', 'gestionnaire'])).stdout).toContain('déjà le rôle');
  expect((await user(['disable', 'bob'])).stdout).toBe('Compte « bob » désactivé.\n');
  expect((await user(['disable', 'bob'])).stdout).toContain('déjà le cas');
  // S4: tokens of before are worth nothing.
  expect(await etatCompte(place.pool, bob.id)).toEqual({
    role: 'gestionnaire',
    actif: false,
    version_jetons: 3,
  });
  expect((await user(['enable', 'bob'])).stdout).toBe('Compte « bob » réactivé.\n');
  const other = 'q7JwK4vNx2ZpHg';
  // Whoever guesses has made her wait: another password ends that, wherever she signs in from.
  const reseau = randomBytes(32);
  await place.pool.query('INSERT INTO reseau_connu VALUES ($1, $2, now())', [bob.id, reseau]);
  for (const cle of await clesDuCompte(place.pool, coffre, bob))
    await place.pool.query(
      "INSERT INTO tentative_connexion VALUES ($1, 'compte', 50, 0, now(), 'infinity')",
      [cle],
    );
  expect(await user(['password', 'bob', '--mot-de-passe-stdin'], `${other}\r\nreste`)).toMatchObject({
    code: 0,
  });
  const changed = (await trouverParNom(place.pool, coffre, 'bob'))!;
  expect(await verifier(other, changed.motDePasse, changed.poivre)).toBe(true);
  expect(await etatCompte(place.pool, bob.id)).toMatchObject({ version_jetons: 5 });
  expect((await place.pool.query('SELECT FROM tentative_connexion')).rowCount).toBe(0);

  const by = { origine: 'commande' };
  const line = (evenement: string, id: string, details = {}) => ({
    ...{ evenement, cible: `users/${id}`, user_id: null, details: { ...details, ...by } },
  });
  expect(await audit()).toEqual([
    line('compte_cree', chef.id, { role: 'admin' }),
    line('compte_cree', bob.id, { role: 'lecteur' }),
    line('role_change', bob.id, { avant: 'lecteur', apres: 'gestionnaire' }),
    line('compte_desactive', bob.id),
    line('compte_reactive', bob.id),
    line('mot_de_passe_change', bob.id),
  ]);
  expect(await place.everything()).not.toMatch(/bob|chef|exemple\.test/i);
});

describe('list', () => {
  test('as a table, as JSON, as CSV', async () => {
    const empty = await user(['list']);
    expect([empty.code, empty.stderr]).toEqual([0, expect.stringContaining('npx atelier user add')]);
    await add('chef');
    await add('=1+1');
    const rows = JSON.parse((await user(['list', '--json'])).stdout);
    expect(rows).toEqual([
      {
        ...{
          id: expect.any(String),
          username: 'chef',
          email: 'chef@exemple.test',
          role: 'admin',
          actif: true,
        },
        date_creation: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0[12]:00$/),
        derniere_connexion: null,
      },
      expect.objectContaining({ username: '=1+1' }),
    ]);
    const csv = (await user(['list', '--csv'])).stdout.split('\n');
    expect(csv[0]).toBe('id,username,email,role,actif,date_creation,derniere_connexion');
    // S23: a name that is a formula stays text.
    expect(csv[2]).toContain(`,'=1+1,`);
    const table = (await user(['list'])).stdout;
    expect(table).toMatch(/chef.*admin.*oui.*jamais/);
    expect(await audit()).toContainEqual(
      expect.objectContaining({ evenement: 'comptes_listes', details: { nombre: 2, origine: 'commande' } }),
    );
  });
});

describe('refusals', () => {
  test.each([
    ['no action', [], 2, 'il manque l’action'],
    ['an unknown one', ['supprimer'], 2, 'action inconnue « supprimer »'],
    ['no name', ['disable'], 2, 'disable : il manque NOM'],
    ['no role', ['role', 'bob'], 2, 'role : il manque ROLE'],
    ['an unknown role', ['role', 'bob', 'roi'], 2, 'rôle inconnu « roi »'],
    ['no address', ['add', 'bob', '--mot-de-passe-stdin'], 2, 'il manque --email'],
    ['a bad address', ['add', 'bob', '--email', 'bob', '--mot-de-passe-stdin'], 1, 'L’adresse électronique'],
    [
      'a bad name',
      ['add', 'a\u202eb', '--email', 'a@b.test', '--mot-de-passe-stdin'],
      1,
      'caractère de contrôle',
    ],
    ['an option elsewhere', ['disable', 'bob', '--role', 'admin'], 2, 'disable : --role n’y a pas de sens'],
    ['nobody of that name', ['disable', 'bob'], 1, '[ATL_A501] Aucun compte ne s’appelle « bob »'],
    ['no terminal to ask on', ['add', 'bob', '--email', 'bob@b.test'], 2, '--mot-de-passe-stdin'],
  ])('%s', async (_, args, code, message) => {
    const done = await user(args);
    expect([done.code, done.stderr]).toEqual([code, expect.stringContaining(message)]);
    expect(done.stdout).toBe('');
    expect(await audit()).toEqual([]);
  });

  test('R8 a password as an argument is refused, and not repeated', async () => {
    for (const args of [
      ['add', 'bob', PASSWORD, '--email', 'b@b.test'],
      ['password', 'bob', PASSWORD],
      ['password', 'bob', `--mot-de-passe=${PASSWORD}`],
      ['password', 'bob', `--mot-de-passe-stdin=${PASSWORD}`],
    ]) {
      const done = await user(args);
      expect([args[0], done.code]).toEqual([args[0], 2]);
    }
  });

  test.each([
    ['nothing', '', 'il en faut au moins 12'],
    ['too weak', 'motdepasse1234!\n', 'surtout de mots courants'],
    ['its own name', 'bob.bob.bob.bob.1\n', 'nom ou de l’adresse'],
    ['too long for a line', 'x'.repeat(70_000), 'trop long'],
  ])('S9 %s', async (_, stdin, message) => {
    const done = await user(['add', 'bob', '--email', 'bob@b.test', '--mot-de-passe-stdin'], stdin);
    expect([done.code, done.stderr]).toEqual([1, expect.stringContaining(message)]);
    expect((await place.pool.query('SELECT FROM "user"')).rowCount).toBe(0);
  });

  test('taken names and the last admin', async () => {
    await add('chef');
    const twice = await add('CHEF');
    expect([twice.code, twice.stderr]).toEqual([1, expect.stringContaining('[ATL_A502] Ce nom est déjà')]);
    const last = expect.stringContaining('dernier compte admin actif');
    expect(await user(['disable', 'chef'])).toMatchObject({ code: 1, stderr: last });
    expect(await user(['role', 'chef', 'lecteur'])).toMatchObject({ code: 1, stderr: last });
    expect(await audit()).toHaveLength(1);
  });

  test('S28 without a key, or with a short one, it says how to make one', async () => {
    const none = await place.run(['user', 'list']);
    expect(none).toMatchObject({ code: 1, stderr: expect.stringContaining('CLE_CHIFFREMENT manque') });
    const short = await user(['list'], undefined, { CLE_CHIFFREMENT: 'abcdef0123456789' });
    expect(short).toMatchObject({ code: 1, stderr: expect.stringContaining('attendu 32 octets') });
    expect(short.stderr).not.toContain('abcdef0123456789');
  });

  test('R6 with another key it stops, and shows neither', async () => {
    await add('chef');
    const wrong = await user(['list'], undefined, { CLE_CHIFFREMENT: NEXT.toString('hex') });
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('[ATL_C103]') });
    for (const key of [KEY, NEXT]) expect(wrong.stderr).not.toContain(key.toString('hex'));
  });
});

describe('R7 rotation', () => {
  test('killed half-way it leaves every account readable, and goes on from there', async () => {
    const ids: string[] = [];
    await withClient(place.pool, async (client) => {
      for (let i = 0; i < 230; i++) {
        const given = {
          username: `nom ${i}`,
          email: `${i}@x.test`,
          motDePasseHache: 'x',
          role: 'lecteur',
        } as const;
        // Every other one is of before accounts had keys, and gets one on the way (R17).
        const old = { cle: KEY, email: given.email };
        const made = i % 2 ? await ajouterAncien(place.pool, given.username, old) : undefined;
        ids.push(made ?? (await creerCompte(client, coffre, given)).id);
      }
    });
    // Somebody holds a row of the second batch, and the rotation waits there.
    const held = [...ids].sort()[150];
    const rotation = await withClient(place.pool, async (client) => {
      await client.query('BEGIN');
      await client.query('SELECT FROM "user" WHERE id = $1 FOR UPDATE', [held]);
      const running = place.start(['user', 'rotation'], BOTH);
      for (;;) {
        const { rows } = await place.pool.query(
          `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        );
        if (rows.length > 0) break;
        expect([running.process.exitCode, running.text()]).toEqual([null, '']);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      running.process.kill('SIGKILL');
      await running.ended;
      await client.query('ROLLBACK');
      return running;
    });
    expect(rotation.process.signalCode).toBe('SIGKILL');

    const both = await ouvrirCoffre(place.pool, { chiffrement: [NEXT, KEY] });
    const under = async (id: string): Promise<number | null> =>
      (await place.pool.query('SELECT FROM "user" WHERE cle_id = $1', [id])).rowCount;
    expect([await under(both.cleId), await under(coffre.cleId)]).toEqual([100, 130]);
    for (const [i, id] of ids.entries()) {
      expect(await lireCompte(place.pool, both, id)).toMatchObject({ username: `nom ${i}` });
      expect(await trouverParNom(place.pool, both, `NOM ${i}`)).toMatchObject({ id });
    }
    // Neither key alone is enough now.
    for (const key of [KEY, NEXT]) {
      const alone = await user(['list'], undefined, { CLE_CHIFFREMENT: key.toString('hex') });
      expect(alone).toMatchObject({ code: 1, stderr: expect.stringContaining('[ATL_C103]') });
    }

    const again = await user(['rotation'], undefined, BOTH);
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('130 compte(s) rechiffré(s)') });
    expect(await under(both.cleId)).toBe(230);
    expect((await place.pool.query('SELECT FROM compte_cle')).rowCount).toBe(230);
    const next = { CLE_CHIFFREMENT: NEXT.toString('hex') };
    expect(JSON.parse((await user(['list', '--json'], undefined, next)).stdout)).toHaveLength(230);
    expect((await user(['rotation'], undefined, next)).stdout).toContain('déjà chiffrés');
    const events = (await audit()).map((line) => (line as { evenement: string }).evenement);
    expect(events.filter((name) => name.startsWith('rotation'))).toEqual([
      ...[
        'rotation_commencee',
        'rotation_commencee',
        'rotation_finie',
        'rotation_commencee',
        'rotation_finie',
      ],
    ]);
  });
});

// A terminal of our own: `script` of util-linux gives one.
describe.runIf(process.platform === 'linux')('on a terminal', () => {
  /** Types each answer as soon as its question is on the screen. */
  async function typed(
    args: readonly string[],
    answers: readonly [string, string][],
  ): Promise<[number, string]> {
    const command = [process.execPath, BIN, 'user', ...args].map((word) => `'${word}'`).join(' ');
    const env = {
      PATH: process.env['PATH'],
      HOME: place.home,
      NODE_COMPILE_CACHE: CACHE_COMPILATION,
      ...place.env,
      ...KEYS,
    };
    const child = spawn('script', ['-qec', command, '/dev/null'], { cwd: place.home, env });
    let screen = '';
    let seen = 0;
    const left = [...answers];
    child.stdout.on('data', (piece: Buffer) => {
      screen += piece.toString();
      const [question, answer] = left[0] ?? [];
      const at = question === undefined ? -1 : screen.indexOf(question, seen);
      if (at < 0) return;
      seen = at + question!.length;
      left.shift();
      child.stdin.write(answer!);
    });
    const [code] = await once(child, 'close');
    expect(left).toEqual([]);
    return [code, screen];
  }
  const ADD = ['add', 'bob', '--email', 'bob@exemple.test'];
  const [FIRST, AGAIN] = ['Mot de passe : ', 'Encore une fois : '];

  test('asked for twice, shown never; mistakes may be mended', async () => {
    const [code, screen] = await typed(ADD, [
      [FIRST, 'motdepasse1234!\r'],
      [FIRST, `${PASSWORD}\r`],
      [AGAIN, 'autre chose\r'],
      [FIRST, `rebut\x15${PASSWORD}x\x7f\r`],
      [AGAIN, `${PASSWORD}\r`],
    ]);
    expect([code, screen]).toEqual([0, expect.stringContaining('Compte « bob » créé, rôle admin.')]);
    expect(screen).toContain('surtout de mots courants');
    expect(screen).toContain('Les deux saisies diffèrent.');
    for (const word of [PASSWORD, 'girafe', 'motdepasse1234', 'autre chose', 'rebut'])
      expect(screen).not.toContain(word);
    const bob = await trouverParNom(place.pool, coffre, 'bob');
    expect(await verifier(PASSWORD, bob!.motDePasse, bob!.poivre)).toBe(true);
  });

  test('three times wrong ends it; Ctrl-C does at once; nothing is made', async () => {
    const wrong: [string, string] = [FIRST, 'court\r'];
    const [code, screen] = await typed(ADD, [wrong, wrong, wrong]);
    expect([code, screen]).toEqual([1, expect.stringContaining('[ATL_A502]')]);
    const [stopped, said] = await typed(ADD, [[FIRST, 'étan\x03']]);
    expect([stopped, said]).toEqual([130, expect.stringContaining('arrêté à votre demande')]);
    expect((await place.pool.query('SELECT FROM "user"')).rowCount).toBe(0);
  });

  test('both lines pasted at once', async () => {
    const [code] = await typed(ADD, [[FIRST, `${PASSWORD}\r${PASSWORD}\r`]]);
    expect(code).toBe(0);
  });
});
