// The commands of area backup as a person types them: backup, list, verify, sql, restore, rebuild.

import { chmod, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { silentLogger } from '../../src/base/logger.ts';
import { createPool } from '../../src/postgres/pool.ts';
import { DAY, type Installation, install } from '../harness/cli.ts';
import { createDatabase, sansMotDePasse, type TestDatabase } from '../harness/postgres.ts';

const KEY = '00112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef';
let there: Installation;
let env: Record<string, string>;
let nom: string;
const bases: TestDatabase[] = [];
beforeAll(async () => {
  there = await install();
  env = { SAUVEGARDE_DIR: join(there.home, 'sauvegardes'), CLE_SAUVEGARDE: KEY };
  await there.write('DEM12/20250528.LOG', DAY);
  expect((await there.run(['ingest'])).code).toBe(0);
  const made = await there.run(['backup', '--json', '--chiffrer'], { env });
  expect([made.code, made.stderr.includes(KEY)]).toEqual([0, false]);
  const bilan = JSON.parse(made.stdout) as { nom: string; etat: string; aGarderAPart: string[] };
  expect(bilan).toMatchObject({ etat: 'reussie', chiffree: true, archives: 1 });
  expect(bilan.aGarderAPart).toContain('CLE_SAUVEGARDE');
  nom = bilan.nom;
}, 60_000);
afterAll(async () => {
  for (const base of bases) await base.drop();
  await there.close();
});

async function base(): Promise<TestDatabase> {
  const made = await createDatabase({ template: false });
  bases.push(made);
  return made;
}

async function pieces(url: string): Promise<unknown> {
  const pool = createPool(url, { logger: silentLogger(), max: 1 });
  try {
    return (await pool.query('SELECT details FROM piece_production ORDER BY numero_piece')).rows;
  } finally {
    await pool.end();
  }
}

it('O15: list, verify and sql know it by its name; with another key it is refused, and no key is shown', async () => {
  const list = await there.run(['backup', 'list'], { env });
  expect([list.code, list.stdout]).toEqual([0, expect.stringContaining(nom)]);
  const verify = await there.run(['backup', 'verify', nom], { env });
  expect([verify.code, verify.stdout]).toEqual([0, expect.stringContaining('entière')]);
  const sql = await there.run(['backup', 'sql', nom], { env });
  expect([sql.code, sql.stdout]).toEqual([0, expect.stringContaining('COPY "public"."piece_production"')]);
  const wrong = KEY.replace('00', '01');
  const refused = await there.run(['backup', 'verify', nom], { env: { ...env, CLE_SAUVEGARDE: wrong } });
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('ATL_B903')]);
  for (const { stdout, stderr } of [list, verify, refused])
    expect(stdout + stderr).not.toMatch(new RegExp(`${KEY}|${wrong}`));
}, 60_000);

it('R25: without a key each backup says that nothing protects it, and so does doctor; with one, what nobody sealed is refused', async () => {
  const vers = join(there.home, 'sans-cle');
  const own = { SAUVEGARDE_DIR: vers, PORT: '0' };
  const made = await there.run(['backup'], { env: own });
  expect([made.code, made.stdout]).toEqual([0, expect.stringContaining('ni chiffrée ni scellée')]);
  // The nightly one has nobody who reads what it answers: its log says so.
  const logged = await there.run(['backup', '--json'], { env: own });
  const warnings = logged.stderr.split('\n').filter((line) => line.includes('"level":"warn"'));
  expect(warnings.join()).toContain('ni chiffrée ni scellée');
  const [plain] = (await readdir(vers)).filter((name) => name !== 'archives');
  const constat = async (quoi: string, more = {}): Promise<unknown> =>
    (
      JSON.parse((await there.run(['doctor', '--json'], { env: { ...own, ...more } })).stdout) as {
        quoi: string;
      }[]
    ).findLast((one) => one.quoi === quoi);
  expect(await constat('CLE_SAUVEGARDE')).toMatchObject({ etat: 'attention' });
  expect(await constat('CLE_SAUVEGARDE', { CLE_SAUVEGARDE: KEY })).toMatchObject({ etat: 'bien' });
  await chmod(vers, 0o755);
  expect(await constat('SAUVEGARDE_DIR')).toBeUndefined();
  await chmod(join(vers, 'archives'), 0o755);
  await chmod(join(vers, plain!), 0o755);
  for (const name of await readdir(join(vers, plain!))) await chmod(join(vers, plain!, name), 0o644);
  expect(await constat('SAUVEGARDE_DIR')).toMatchObject({
    etat: 'attention',
    detail: expect.stringContaining(plain!),
    remede: expect.stringContaining('chmod'),
  });
  for (const action of ['verify', 'sql']) {
    const refused = await there.run(['backup', action, plain!], { env: { ...own, CLE_SAUVEGARDE: KEY } });
    expect([refused.code, refused.stdout, refused.stderr]).toEqual([
      1,
      '',
      expect.stringContaining('ATL_B909'),
    ]);
    const taken = await there.run(['backup', action, plain!, '--sans-sceau'], {
      env: { ...own, CLE_SAUVEGARDE: KEY },
    });
    expect(taken.code).toBe(0);
  }
}, 120_000);

it('O15: restore asks first, restores into another base, refuses one that holds something, and says how to go on', async () => {
  const target = await base();
  const { adresse, secret } = sansMotDePasse(target.url);
  const args = ['restore', nom, '--vers-base', adresse];
  const own = { env: { ...env, ...secret } };
  const asked = await there.run(args, own);
  expect([asked.code, asked.stderr]).toEqual([2, expect.stringContaining('--oui')]);
  const done = await there.run([...args, '--oui'], own);
  expect([done.code, done.stdout]).toEqual([0, expect.stringContaining('identiques à la sauvegarde')]);
  expect(await pieces(target.url)).toEqual(await pieces(there.url));
  const again = await there.run([...args, '--oui'], own);
  expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('ATL_B904')]);
  expect(again.stderr).toContain('--forcer');
  // The backup was under way when its own snapshot was taken: what comes back must not say that it failed.
  const doctor = await there.run(['doctor', '--json'], {
    env: { ...env, DATABASE_URL: target.url, PORT: '0' },
  });
  const failed = (JSON.parse(doctor.stdout) as { quoi: string; detail: string }[]).filter(
    ({ quoi }) => quoi === 'Tâches',
  );
  expect(failed).toEqual([]);
}, 60_000);

it('O16: rebuild makes it again from the archives alone, and compares', async () => {
  const target = await base();
  const { adresse, secret } = sansMotDePasse(there.url);
  const own = { env: { ...env, ...secret, DATABASE_URL: target.url } };
  const done = await there.run(['rebuild', '--oui', '--comparer', adresse], own);
  expect([done.code, done.stdout]).toEqual([0, expect.stringContaining('1 sessions identiques')]);
  expect(await pieces(target.url)).toEqual(await pieces(there.url));
  expect((await there.run(['sessions'], own)).code).toBe(0);
  const again = await there.run(['rebuild', '--oui'], own);
  expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('ATL_B904')]);
  // Whoever is refused is told of options that this very command has.
  const known = (await there.run(['rebuild', '--help'])).stdout;
  const named = again.stderr.match(/--[a-z-]+/g) ?? [];
  expect([named, named.filter((option) => !known.includes(option))]).toEqual([['--completer'], []]);
  expect((await there.run(['rebuild', '--oui', '--completer'], own)).code).toBe(0);
}, 60_000);

it('a password in a command’s line, which every account of the machine can read, is refused and not repeated', async () => {
  const url = 'postgresql://atelier:mot-de-passe-1@127.0.0.1:1/x';
  const behind = 'postgresql://atelier@127.0.0.1:1/x?password=mot-de-passe-1';
  for (const option of [
    ['restore', nom, '--oui', '--vers-base'],
    ['rebuild', '--oui', '--comparer'],
  ])
    for (const value of [url, behind]) {
      const { code, stdout, stderr } = await there.run([...option, value], { env });
      expect([code, stderr]).toEqual([2, expect.stringContaining('PGPASSWORD')]);
      expect(stdout + stderr).not.toContain('mot-de-passe-1');
    }
});

it('the password of the other database may stand in a file', async () => {
  const { url } = await base();
  const { adresse, secret } = sansMotDePasse(url);
  const file = join(there.home, 'pgpass');
  await writeFile(file, `*:*:*:*:${secret.PGPASSWORD}\n`, { mode: 0o600 });
  const done = await there.run(['restore', nom, '--vers-base', adresse, '--sans-archives', '--oui'], {
    env: { ...env, PGPASSFILE: file },
  });
  expect([done.code, done.stderr]).toEqual([0, expect.anything()]);
}, 60_000);

it('wrong usage is told, with exit code 2', async () => {
  for (const args of [
    ['backup', 'x'],
    ['backup', 'verify'],
    ['backup', 'list', 'x'],
    ['restore'],
    ['restore', 'a', '--vers-base', 'x'],
  ])
    expect((await there.run(args, { env })).code, args.join(' ')).toBe(2);
  const missing = await there.run(['restore', '2020-01-01T00-00-00Z', '--oui'], { env });
  expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining('ATL_B905')]);
}, 60_000);
