// R17: an old backup forgets whoever is erased. Keys of accounts are in no backup, and leave the one file beside them.

import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FichierCles } from '../../src/archives/sauvegarde/cles-comptes.ts';
import { Depot } from '../../src/archives/sauvegarde/depot.ts';
import { lire } from '../../src/archives/sauvegarde/fichiers.ts';
import { Coffre } from '../../src/base/chiffrement.ts';
import { loadConfig } from '../../src/base/config.ts';
import { codeOf, messageOf } from '../../src/base/errors.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { Shutdown } from '../../src/base/shutdown.ts';
import type { Cli } from '../../src/cli/cli.ts';
import { COMMANDS } from '../../src/cli/commands.ts';
import { listerComptes, ouvrirCoffre } from '../../src/postgres/comptes/users.ts';
import { createPool, type Pool } from '../../src/postgres/pool.ts';
import { ajouterAncien } from '../harness/accounts.ts';
import { createApi } from '../harness/api.ts';
import { type Finished, type Installation, install } from '../harness/cli.ts';
import { createDatabase, sansMotDePasse } from '../harness/postgres.ts';

const MAITRE = randomBytes(32);
const SCEAU = randomBytes(32);
let place: Installation;
let depot: string;
let env: Record<string, string>;
const closers: (() => Promise<unknown>)[] = [];
beforeEach(async () => {
  place = await install();
  depot = await mkdtemp(join(tmpdir(), 'atelier-depot-'));
  env = {
    CLE_CHIFFREMENT: MAITRE.toString('hex'),
    SECRET_KEY: randomBytes(48).toString('base64url'),
    CLE_SAUVEGARDE: SCEAU.toString('hex'),
    SAUVEGARDE_DIR: depot,
  };
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await place.close();
  await rm(depot, { recursive: true, force: true });
});

/** Runs a command as `main` does, in this process: a dozen starts of a program take their time. */
async function run(
  [name, ...args]: readonly string[],
  own: Record<string, string> = {},
): Promise<Pick<Finished, 'code' | 'stdout' | 'stderr'>> {
  const command = await COMMANDS[name as keyof typeof COMMANDS]!();
  const shutdown = new Shutdown();
  const [stdout, stderr]: [string[], string[]] = [[], []];
  const said = (code: number) => ({ code, stdout: stdout.join('\n'), stderr: stderr.join('\n') });
  const { PGPASSWORD, ...settings } = own;
  const before = process.env['PGPASSWORD'];
  if (PGPASSWORD !== undefined) process.env['PGPASSWORD'] = PGPASSWORD;
  try {
    const config = loadConfig({ ...place.env, ...env, ...settings });
    const cli: Cli = {
      ...{ config, shutdown, isTerminal: false, columns: 100 },
      out: (line) => void stdout.push(line),
      err: (line) => void stderr.push(line),
    };
    return said(await command.run([...args], cli));
  } catch (error) {
    stderr.push(`[${codeOf(error)}] ${messageOf(error)}`);
    return said(1);
  } finally {
    await shutdown.close();
    if (before === undefined) delete process.env['PGPASSWORD'];
    else process.env['PGPASSWORD'] = before;
  }
}

/** @returns what a command that must succeed says */
async function fait(args: readonly string[], own: Record<string, string> = {}): Promise<string> {
  const done = await run(args, own);
  expect([done.code, done.stderr], args.join(' ')).toEqual([0, expect.not.stringContaining('ATL_')]);
  return done.stdout;
}

/** Makes accounts by the API. @returns their ids */
async function comptes(...names: string[]): Promise<string[]> {
  const api = await createApi({
    url: place.url,
    comptes: false,
    env: { ...env, ARCHIVES_DIR: place.archives },
  });
  try {
    const made: string[] = [];
    for (const name of names) made.push((await api.compte(name, made.length === 0 ? 'admin' : 'lecteur')).id);
    return made;
  } finally {
    await api.close();
  }
}

async function sauvegarde(): Promise<string> {
  return (JSON.parse(await fait(['backup', '--json'])) as { nom: string }).nom;
}

async function base(): Promise<{ pool: Pool; args: readonly string[]; secret: Record<string, string> }> {
  const { url, drop } = await createDatabase({ template: false });
  const pool = createPool(url, { logger: silentLogger(), max: 2 });
  // Not one of those who are in the way of a restoration.
  pool.options.application_name = 'lecteur';
  closers.push(async () => {
    await pool.end();
    await drop();
  });
  const { adresse, secret } = sansMotDePasse(url);
  return { pool, args: ['--vers-base', adresse, '--oui', '--json'], secret };
}

/** The accounts of a database, by name: as whoever has the master key reads them. */
async function noms(pool: Pool, cles: readonly Buffer[] = [MAITRE]): Promise<string[]> {
  const coffre = await ouvrirCoffre(pool, { chiffrement: cles });
  return (await listerComptes(pool, coffre, { skip: 0, limit: 99 })).comptes
    .map(({ username }) => username)
    .sort();
}

async function fichierCles(): Promise<FichierCles> {
  const names = (await readdir(depot)).filter((name) => name.endsWith('.cles'));
  expect(names).toEqual([expect.stringMatching(/^comptes-[0-9a-f]{16}\.cles$/)]);
  return new FichierCles(depot, names[0]!, [SCEAU]);
}

/** Ids of the accounts whose keys lie beside the backups. */
async function avecCle(): Promise<string[]> {
  return (await (await fichierCles()).lire())!.contenu.cles.map(({ compte }) => compte).sort();
}

/** The text of the database in a backup, for whoever has its key. */
async function texte(nom: string): Promise<string> {
  const opened = await new Depot(depot, [SCEAU]).ouvrir(nom);
  const pieces: Buffer[] = [];
  const how = { compresse: true, chiffre: true, cles: [SCEAU], nom: 'base.sql.zst' };
  for await (const piece of lire(join(opened.dossier, 'base.sql.zst.chiffre'), how)) pieces.push(piece);
  return Buffer.concat(pieces).toString('utf8');
}

it('R17: with the master key and all files of the folder nobody reads an erased account out of an older backup', async () => {
  const [chef, zebulon, bob] = (await comptes('chef', 'zebulon.marque', 'bob')) as [string, string, string];
  const ancienne = await sauvegarde();
  expect(await avecCle()).toEqual([chef, zebulon, bob].sort());
  await fait(['user', 'forget', 'zebulon.marque', '--oui']);
  // Where the folder can be reached, at once.
  expect(await avecCle()).toEqual([chef, bob].sort());
  await sauvegarde();
  expect(await avecCle()).toEqual([chef, bob].sort());

  // By hand, with everything that there is: the row is still in the old backup.
  const dump = await texte(ancienne);
  const row = new RegExp(
    `^${zebulon}\t\\\\\\\\x([0-9a-f]+)\t\\\\\\\\x([0-9a-f]+)\t\\\\\\\\x([0-9a-f]+)\t`,
    'm',
  ).exec(dump)!;
  expect(row).not.toBeNull();
  const [name, index, mail] = row.slice(1).map((hex) => Buffer.from(hex, 'hex')) as [Buffer, Buffer, Buffer];
  const coffre = new Coffre([MAITRE]);
  const cles = (await (await fichierCles()).lire())!.contenu.cles;
  for (const { compte, enveloppe } of cles) {
    const cle = coffre.deballer(compte, Buffer.from(enveloppe, 'base64'));
    expect(() => cle.dechiffrer('username', name)).toThrow(/ATL_C103|illisible/);
    expect(() => cle.dechiffrer('email', mail)).toThrow(/ATL_C103|illisible/);
    expect(() => coffre.deballer(zebulon, Buffer.from(enveloppe, 'base64'))).toThrow(/illisible/);
  }
  for (const sealed of [name, mail])
    for (const colonne of ['username', 'email'] as const)
      expect(() => coffre.dechiffrer(colonne, zebulon, sealed)).toThrow(/illisible/);
  // Nor does a guess at the name find him: what accounts are found by is not in it.
  expect(index).not.toEqual(coffre.index('username', 'zebulon.marque')[0]);
  for (const guess of ['username', 'email'] as const)
    for (const text of ['zebulon.marque', 'zebulon.marque@exemple.test', 'chef', 'bob'])
      expect(dump).not.toContain(coffre.index(guess, text)[0]!.toString('hex'));
  expect(dump).not.toContain(coffre.empreinte('compte', 'zebulon.marque').toString('hex'));
  expect(dump).toContain('COPY "public"."user"');
  expect(dump).not.toContain('COPY "public"."compte_cle"');

  // By command, where even the record of erasures is lost: the others come back, whole; he does not.
  await rm(place.archives, { recursive: true });
  for (const nom of await readdir(depot))
    if (nom > ancienne && nom.startsWith('2')) await rm(join(depot, nom), { recursive: true });
  const cible = await base();
  const bilan = JSON.parse(await fait(['restore', ancienne, ...cible.args], cible.secret));
  expect(bilan.comptesPerdus).toBe(1);
  expect(await noms(cible.pool)).toEqual(['bob', 'chef']);
  const left = await cible.pool.query(
    'SELECT (SELECT count(*) FROM "user" WHERE id = $1) + (SELECT count(*) FROM compte_cle WHERE user_id = $1) + (SELECT count(*) FROM journal_audit WHERE user_id = $1) AS n',
    [zebulon],
  );
  expect(left.rows[0].n).toBe(0);
  // They sign in with their passwords: hashes need their keys, too.
  const api = await createApi({ url: cible.pool.options.connectionString!, comptes: false, env });
  try {
    const { signIn } = await import('../harness/api.ts');
    expect(await signIn(api.app, 'bob')).toHaveProperty('authorization');
  } finally {
    await api.close();
  }
}, 240_000);

it('R17: without the file of keys nothing is touched, and it is said; --sans-comptes brings the rest', async () => {
  await comptes('chef');
  const nom = await sauvegarde();
  const { path } = await fichierCles();
  const kept = await readFile(path);
  await rm(path);
  const cible = await base();
  for (const args of [
    ['backup', 'verify', nom],
    ['backup', 'sql', nom],
    ['restore', nom, ...cible.args],
  ]) {
    const refused = await run(args, cible.secret);
    expect([refused.code, refused.stdout + refused.stderr]).toEqual([1, expect.stringContaining('comptes-')]);
  }
  expect((await cible.pool.query(`SELECT to_regclass('"user"') AS t`)).rows[0].t).toBeNull();
  // Damaged, or of another key, it is none either.
  await writeFile(path, kept.with(kept.length - 3, kept.at(-3)! ^ 1));
  expect((await run(['restore', nom, ...cible.args], cible.secret)).stderr).toContain('ATL_B902');
  await writeFile(path, kept);
  const other = { CLE_SAUVEGARDE: randomBytes(32).toString('hex'), ...cible.secret };
  expect((await run(['restore', nom, ...cible.args], other)).stderr).toContain('ATL_B903');
  await rm(path);
  const bilan = JSON.parse(await fait(['restore', nom, '--sans-comptes', ...cible.args], cible.secret));
  expect(bilan.comptesPerdus).toBe(1);
  expect((await cible.pool.query('SELECT FROM "user"')).rowCount).toBe(0);
}, 240_000);

it('R17: the file keeps accounts that a restoration to an older state does not have, and forgets the erased', async () => {
  const [chef] = (await comptes('chef')) as [string];
  const premiere = await sauvegarde();
  const [, bob, eve] = (await comptes('chef2', 'bob', 'eve')) as [string, string, string];
  const seconde = await sauvegarde();
  // Back to the first, backed up again: nobody of the second is lost, who may be wanted back.
  await fait(['restore', premiere, '--forcer', '--oui']);
  expect(await noms(place.pool)).toEqual(['chef']);
  await sauvegarde();
  expect(await avecCle()).toEqual(expect.arrayContaining([chef, bob, eve]));
  await fait(['restore', seconde, '--forcer', '--oui']);
  expect(await noms(place.pool)).toEqual(['bob', 'chef', 'chef2', 'eve']);
  await fait(['user', 'forget', 'eve', '--oui']);
  await sauvegarde();
  expect(await avecCle()).not.toContain(eve);
  expect(await avecCle()).toContain(bob);
}, 240_000);

it('R17, R7: rows of before, and a rotation between backup and restoration', async () => {
  await fait(['user', 'list']);
  const ancien = await ajouterAncien(place.pool, 'ancien', { cle: MAITRE, role: 'admin' });
  const avant = await sauvegarde();
  const next = randomBytes(32);
  const both = { CLE_CHIFFREMENT: next.toString('hex'), CLE_CHIFFREMENT_PRECEDENTE: MAITRE.toString('hex') };
  expect(await fait(['user', 'rotation'], both)).toContain('1 compte(s)');
  env = { ...env, CLE_CHIFFREMENT: next.toString('hex') };
  await fait(['user', 'list']);
  const apres = await sauvegarde();
  expect(await avecCle()).toEqual([ancien]);
  // A backup of before there were keys needs the key of then; both give one account with one key.
  const vieille = await base();
  await fait(['restore', avant, ...vieille.args], { ...vieille.secret, ...both });
  expect(await noms(vieille.pool, [next])).toEqual(['ancien']);
  const neuve = await base();
  await fait(['restore', apres, ...neuve.args], neuve.secret);
  expect(await noms(neuve.pool, [next])).toEqual(['ancien']);
  const key = async (pool: Pool) => (await pool.query('SELECT cle FROM compte_cle')).rows;
  expect(await key(vieille.pool)).toEqual(await key(neuve.pool));
}, 240_000);

it('R17: psql alone gives accounts that can be read', async () => {
  await comptes('chef', 'bob');
  const nom = await sauvegarde();
  const cible = await base();
  const { code, stdout: sql } = await place.run(['backup', 'sql', nom], { env });
  expect(code).toBe(0);
  execFileSync('psql', ['-1', '-q', '-v', 'ON_ERROR_STOP=1', cible.pool.options.connectionString!], {
    input: sql,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  expect(await noms(cible.pool)).toEqual(['bob', 'chef']);
}, 240_000);

it('R17: a file of keys that is older than the backup erases nobody: it is refused', async () => {
  await comptes('chef');
  await sauvegarde();
  const { path } = await fichierCles();
  const vieux = await readFile(path);
  await comptes('nouveau');
  const nom = await sauvegarde();
  const complet = await readFile(path);
  await writeFile(path, vieux);
  const cible = await base();
  for (const args of [
    ['backup', 'sql', nom],
    ['restore', nom, ...cible.args],
  ])
    expect((await run(args, cible.secret)).stderr).toMatch(/ATL_B911.*plus ancien/);
  expect((await cible.pool.query(`SELECT to_regclass('"user"') AS t`)).rows[0].t).toBeNull();
  await writeFile(path, complet);
  expect(JSON.parse(await fait(['restore', nom, ...cible.args], cible.secret)).comptesPerdus).toBe(0);
}, 240_000);

it('R17: what somebody put into a plain file is not sealed by the next backup, nor by an erasure', async () => {
  await comptes('chef', 'bob');
  await sauvegarde();
  const fichier = await fichierCles();
  const { temoins, cles } = (await fichier.lire())!.contenu;
  const faux = { id: 'ffffffffffffffff', temoin: temoins[0]!.temoin, date_creation: '2999-01-01T00:00:00Z' };
  const planter = () => new FichierCles(depot, fichier.nom, []).ecrire({ temoins: [...temoins, faux], cles });
  await planter();
  await fait(['user', 'forget', 'bob', '--oui']);
  const lu = (await fichier.lire())!;
  expect([lu.scelle, lu.contenu.cles]).toEqual([false, [expect.anything()]]);
  await planter();
  const nom = await sauvegarde();
  expect((await fichier.lire())!).toMatchObject({ scelle: true, contenu: { temoins } });
  const cible = await base();
  await fait(['restore', nom, ...cible.args], cible.secret);
  expect(await noms(cible.pool)).toEqual(['chef']);
}, 240_000);

it('R17, R7: a master key that was taken up again after another one opens the backups of its first time', async () => {
  await comptes('chef');
  const premiere = await sauvegarde();
  const other = randomBytes(32).toString('hex');
  const first = MAITRE.toString('hex');
  for (const [now, before] of [
    [other, first],
    [first, other],
  ] as const) {
    await fait(['user', 'rotation'], { CLE_CHIFFREMENT: now, CLE_CHIFFREMENT_PRECEDENTE: before });
    env = { ...env, CLE_CHIFFREMENT: now };
    await sauvegarde();
  }
  const cible = await base();
  await fait(['restore', premiere, ...cible.args], cible.secret);
  expect(await noms(cible.pool)).toEqual(['chef']);
}, 240_000);
