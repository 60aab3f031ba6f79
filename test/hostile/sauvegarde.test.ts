// A hostile holder of a backup: whoever can write into the folder of backups, and knows the program. With a key at hand
// nothing of theirs is believed; without one it may be believed about rows, and is never obeyed.

import { createHash, randomBytes } from 'node:crypto';
import { cp, lstat, readdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Depot, instantDe } from '../../src/archives/sauvegarde/depot.ts';
import { type Contenu, ecrireManifeste } from '../../src/archives/sauvegarde/manifeste.ts';
import { codeOf, messageOf } from '../../src/base/errors.ts';
import { verifierSauvegarde } from '../../src/jobs/sauvegarde/verification.ts';
import { sauvegarder } from '../../src/jobs/sauvegarde.ts';
import {
  type Etabli,
  monter,
  ouvrir,
  peupler,
  tousLesFichiers,
  toutesLesLignes,
} from '../harness/sauvegarde.ts';

const KEY = randomBytes(32);
const ENV = { CLE_SAUVEGARDE: KEY.toString('hex') };
let etabli: Etabli;
/** a backup of before the key, and two sealed ones */
let claire: string;
let [premiere, seconde] = ['', ''];
let base: Awaited<ReturnType<Etabli['base']>>;
let sain: string;
/** what the workshop that goes on working had at the beginning */
let before: Awaited<ReturnType<typeof atWork>>;
beforeAll(async () => {
  etabli = await monter();
  await peupler(etabli);
  claire = (await etabli.sauvegarder()).nom;
  premiere = (await etabli.sauvegarder({}, ENV)).nom;
  await etabli.atelier.reader.query(`INSERT INTO centre_usinage (nom) VALUES ('DEPUIS')`);
  seconde = (await etabli.sauvegarder({}, ENV)).nom;
  // Made one right after the other, and yet no two in one second: the name tells of which instant each is.
  expect(new Set([claire, premiere, seconde].map(instantDe)).size).toBe(3);
  base = await etabli.base();
  sain = join(etabli.home, 'sain');
  await cp(etabli.depot, sain, { recursive: true });
  before = await atWork();
}, 120_000);
afterAll(() => etabli.close());
beforeEach(async () => {
  await rm(etabli.depot, { recursive: true, force: true });
  await cp(sain, etabli.depot, { recursive: true });
});

/** Rows and archives of the workshop that the backups are of; not what is noted of backups themselves. */
async function atWork() {
  const { journal_audit: _, execution: __, ...rows } = await toutesLesLignes(etabli.atelier.reader);
  return [rows, await tousLesFichiers(etabli.atelier.archives)];
}
// What the others see, whatever a backup was made to do: their database and their archives, as they were.
afterEach(async () => expect(await atWork()).toEqual(before));

const chemin = (nom: string, fichier: string): string => join(etabli.depot, nom, fichier);

/** What verify and restore say; nothing of the database may have been touched. */
async function refus(nom: string, cles: readonly Buffer[] = [KEY], sansSceau = false): Promise<string[]> {
  const depot = new Depot(etabli.depot, cles);
  const verify = await ouvrir(etabli.depot, nom, cles)
    .then(async (opened) => {
      const { defauts } = await verifierSauvegarde(depot, opened, cles, undefined, sansSceau);
      return defauts.length > 0 ? 'ATL_B902' : 'entière';
    })
    .catch((error: unknown) => codeOf(error) ?? messageOf(error));
  const restore = await etabli
    .restaurer(nom, { url: base.url, sansSceau }, cles.length > 0 ? ENV : {})
    .then(() => 'restaurée')
    .catch((error: unknown) => codeOf(error) ?? messageOf(error));
  expect(await toutesLesLignes(base.pool)).toEqual({});
  return [verify, restore];
}

/** Changes a clear backup as somebody would who knows how: all checksums go together again. */
async function refaire(
  nom: string,
  sql: (text: string) => string,
  change: (contenu: Contenu) => void = () => {},
) {
  const path = chemin(nom, 'base.sql.zst');
  const bytes = zstdCompressSync(Buffer.from(sql(zstdDecompressSync(await readFile(path)).toString())));
  await writeFile(path, bytes);
  const { sceau, empreinte, ...contenu } = JSON.parse(await readFile(chemin(nom, 'manifest.json'), 'utf8'));
  void [sceau, empreinte];
  for (const fichier of contenu.fichiers)
    if (fichier.nom === 'base.sql.zst')
      Object.assign(fichier, {
        octets: bytes.length,
        sha256: createHash('sha256').update(bytes).digest('hex'),
      });
  change(contenu);
  await writeFile(chemin(nom, 'manifest.json'), ecrireManifeste(contenu, undefined));
}

const PROGRAMME = `COPY public.centre_usinage FROM PROGRAM 'touch /tmp/atelier-hostile';\n`;
const apresEntete = (text: string, sql: string): string =>
  text.replace(/(SELECT pg_catalog\.set_config[^\n]*\n)/, (line) => `${line}\n${sql}`);

describe('R25: with a key at hand', () => {
  it('a sealed backup swapped for a plain one that runs SQL is refused, whatever its manifest says', async () => {
    await rm(join(etabli.depot, seconde), { recursive: true });
    await cp(join(etabli.depot, claire), join(etabli.depot, seconde), { recursive: true });
    const { manifeste } = await ouvrir(sain, seconde, [KEY]);
    const dater = (contenu: Contenu): void => void Object.assign(contenu, { instant: manifeste.instant });
    await refaire(seconde, (text) => apresEntete(text, PROGRAMME), dater);
    expect(await refus(seconde)).toEqual(['ATL_B909', 'ATL_B909']);
    // Even whoever insists gets rows only.
    expect(await refus(seconde, [KEY], true)).toEqual(['ATL_B910', 'ATL_B910']);
    // The same in the form of before the seal.
    await refaire(
      seconde,
      (text) => text,
      (contenu) => void Object.assign(contenu, { format: 1 }),
    );
    expect(await refus(seconde)).toEqual(['ATL_B909', 'ATL_B909']);
    expect(await refus(seconde, [])).toEqual(['ATL_B909', 'ATL_B909']);
  }, 60_000);

  it('one that was made before there was a key comes back only when somebody insists', async () => {
    expect(await refus(claire)).toEqual(['ATL_B909', 'ATL_B909']);
    const target = await etabli.base();
    const bilan = await etabli.restaurer(claire, { url: target.url, sansSceau: true }, ENV);
    expect(bilan.sceau).toBe('empreinte');
    const { rows } = await target.pool.query(
      `SELECT details FROM journal_audit WHERE evenement = 'base_restauree'`,
    );
    expect(rows).toEqual([{ details: expect.objectContaining({ sceau: 'empreinte' }) }]);
  }, 60_000);

  it.each<[string, () => Promise<unknown>]>([
    ['the seal taken off', () => edit(seconde, (json) => void delete json['sceau'])],
    [
      'another key named',
      () => edit(seconde, (json) => Object.assign(json, { chiffrement: { cle: '00'.repeat(8) } })),
    ],
    [
      'an older sealed manifest with newer files',
      () => cp(chemin(premiere, 'manifest.json'), chemin(seconde, 'manifest.json')),
    ],
    [
      'an older backup under the name of a newer one',
      async () => {
        await rm(join(etabli.depot, seconde), { recursive: true });
        await rename(join(etabli.depot, premiere), join(etabli.depot, seconde));
      },
    ],
    [
      'a file of another backup',
      () => cp(chemin(premiere, 'base.sql.zst.chiffre'), chemin(seconde, 'base.sql.zst.chiffre')),
    ],
    [
      'the database of another backup, with its checksums put into the manifest',
      async () => {
        await cp(chemin(premiere, 'base.sql.zst.chiffre'), chemin(seconde, 'base.sql.zst.chiffre'));
        const older = JSON.parse(await readFile(chemin(premiere, 'manifest.json'), 'utf8'));
        const named = (json: Record<string, unknown>) =>
          (json['fichiers'] as { nom: string }[]).find(({ nom }) => nom === 'base.sql.zst.chiffre')!;
        await edit(seconde, (json) => {
          Object.assign(named(json), named(older));
          json['base'] = older.base;
        });
      },
    ],
    [
      'a word of the manifest changed',
      () => edit(seconde, (json) => Object.assign(json, { programme: '9' })),
    ],
    [
      'two files swapped',
      async () => {
        await rename(chemin(seconde, 'index.jsonl.chiffre'), chemin(seconde, 'x'));
        await rename(chemin(seconde, 'effacements.jsonl.chiffre'), chemin(seconde, 'index.jsonl.chiffre'));
        await rename(chemin(seconde, 'x'), chemin(seconde, 'effacements.jsonl.chiffre'));
      },
    ],
    ['cut', () => truncate(chemin(seconde, 'base.sql.zst.chiffre'), 4000)],
    ['a file added', () => writeFile(chemin(seconde, 'base.sql.zst'), 'x')],
    [
      'a name that leads out',
      () => edit(seconde, (json) => Object.assign((json['fichiers'] as object[])[0]!, { nom: '../x' })),
    ],
    [
      'a manifest that is a link',
      async () => {
        await rename(chemin(seconde, 'manifest.json'), join(etabli.home, 'ailleurs.json'));
        await symlink(join(etabli.home, 'ailleurs.json'), chemin(seconde, 'manifest.json'));
      },
    ],
    [
      'a file that is a link',
      async () => {
        await rename(chemin(seconde, 'base.sql.zst.chiffre'), join(etabli.home, 'ailleurs'));
        await symlink(join(etabli.home, 'ailleurs'), chemin(seconde, 'base.sql.zst.chiffre'));
      },
    ],
    ['the list of archives changed', () => writeFile(chemin(seconde, 'archives.jsonl'), '')],
  ])(
    '%s: refused, nothing is touched',
    async (_, tamper) => {
      await tamper();
      for (const code of await refus(seconde)) expect(code).toMatch(/^ATL_B90[235]$/);
    },
    60_000,
  );
});

async function edit(nom: string, change: (json: Record<string, unknown>) => unknown): Promise<void> {
  const path = chemin(nom, 'manifest.json');
  const json = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  change(json);
  await writeFile(path, JSON.stringify(json));
}

describe('without a key', () => {
  it('a checksum that does not go with the manifest is refused', async () => {
    await edit(claire, (json) => Object.assign(json, { aGarderAPart: ['x'] }));
    expect(await refus(claire, [])).toEqual(['ATL_B902', 'ATL_B902']);
  });

  it.each([
    ['a program', (text: string) => apresEntete(text, PROGRAMME)],
    ['a block', (text: string) => apresEntete(text, 'DO $$ BEGIN PERFORM 1; END $$;\n')],
    [
      'a default that reads a file',
      (text: string) => text.replace(/(\n {2}description text)/, `$1 DEFAULT pg_read_file('/etc/hostname')`),
    ],
    [
      'another body of a function',
      (text: string) =>
        text.replace('AS $function$\nBEGIN', 'AS $function$\nBEGIN PERFORM pg_reload_conf();'),
    ],
    [
      'a trigger of its own',
      (text: string) =>
        text.replace(
          /(\nCREATE TRIGGER audit_fait)/,
          '\nCREATE TRIGGER moi AFTER INSERT ON public."user" FOR EACH ROW EXECUTE FUNCTION public.annoncer_acces();$1',
        ),
    ],
    [
      'a COPY from a file',
      (text: string) =>
        text.replace(
          'COPY "public"."alerte" ("id"',
          `COPY "public"."alerte" FROM '/etc/passwd'; COPY "public"."alerte" ("id"`,
        ),
    ],
    [
      'a guard switched off',
      (text: string) =>
        text.replace(
          /(\n-- [0-9a-f]{32} fin\n)$/,
          '\nALTER TABLE public.journal_audit DISABLE TRIGGER audit_protege;$1',
        ),
    ],
    ['words after the end', (text: string) => `${text}SELECT 1;\n`],
  ])(
    '%s in the text of the database is refused, also when all checksums go together',
    async (_, sql) => {
      await refaire(claire, (text) => {
        const changed = sql(text);
        expect(changed).not.toBe(text);
        return changed;
      });
      for (const code of await refus(claire, [])) expect(code).toMatch(/^ATL_B9(02|10)$/);
    },
    60_000,
  );

  it('a bomb ends in an error, not in memory', async () => {
    await refaire(claire, (text) => apresEntete(text, `${' '.repeat(200_000_000)}\n`));
    const peak = process.resourceUsage().maxRSS;
    for (const code of await refus(claire, [])) expect(code).toBe('ATL_B902');
    // KiB: far less than what it would unfold to.
    expect(process.resourceUsage().maxRSS - peak).toBeLessThan(150_000);
  }, 120_000);

  it('an archive that is a link, or leads out of the folder, is not read', async () => {
    const depot = new Depot(etabli.depot, []);
    const [one] = await depot.archives(await depot.ouvrir(claire));
    const path = join(etabli.depot, 'archives', one!.fichier!);
    await rename(path, join(etabli.home, 'archive-ailleurs'));
    await symlink(join(etabli.home, 'archive-ailleurs'), path);
    const { defauts } = await verifierSauvegarde(depot, await depot.ouvrir(claire), []);
    expect(defauts.join()).toContain('ELOOP');
    // The next backup puts the bytes there again.
    await depot.deposer(etabli.atelier.archives, one!);
    expect((await verifierSauvegarde(depot, await depot.ouvrir(claire), [])).defauts).toEqual([]);
    await writeFile(
      chemin(claire, 'archives.jsonl'),
      `${JSON.stringify({ ...one, sha256: '../../../../etc/x' })}\n`,
    );
    await expect(depot.archives(await depot.ouvrir(claire))).rejects.toMatchObject({ code: 'ATL_B902' });
    await writeFile(chemin(claire, 'archives.jsonl'), '{');
    await expect(depot.archives(await depot.ouvrir(claire))).rejects.toMatchObject({ code: 'ATL_B902' });
  });
});

it('R5: whoever else is on the machine can read neither archives nor backups', async () => {
  for (const root of [etabli.atelier.archives, sain]) {
    const names = await readdir(root, { recursive: true });
    expect(names.length).toBeGreaterThan(5);
    for (const name of names) expect([name, (await lstat(join(root, name))).mode & 0o077]).toEqual([name, 0]);
  }
});

it('what others made and a restoration would refuse is left out, and named each time', async () => {
  const source = await etabli.base({ template: true });
  await source.pool.query(`
    CREATE FUNCTION maison() RETURNS integer LANGUAGE sql AS 'SELECT 1';
    COMMENT ON FUNCTION maison IS 'x';
    CREATE TABLE chez_nous (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n integer DEFAULT maison());
    CREATE TABLE chez_nous_aussi (n integer);
    INSERT INTO chez_nous_aussi VALUES (7);
    CREATE FUNCTION garde() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER garde BEFORE INSERT ON chez_nous_aussi FOR EACH ROW EXECUTE FUNCTION garde();
    REVOKE ALL ON FUNCTION annoncer_sessions FROM PUBLIC; GRANT EXECUTE ON FUNCTION annoncer_sessions TO pg_monitor`);
  const made = await sauvegarder({ ...etabli.contexte(ENV), pool: source.pool });
  if (made.etat === 'ignoree') throw new Error('ignored');
  const told = made.nonSauvegardes.join('\n');
  for (const name of [
    'FUNCTION public.maison()',
    'TABLE public.chez_nous (',
    'FUNCTION public.garde()',
    'TRIGGER garde',
  ])
    expect(told).toContain(name);
  const target = await etabli.base();
  await etabli.restaurer(made.nom, { url: target.url }, ENV);
  const { rows } = await target.pool.query(
    `SELECT (SELECT array_agg(n) FROM chez_nous_aussi) AS n, to_regclass('chez_nous') AS absente,
            has_function_privilege('public', 'annoncer_sessions(bigint[])', 'EXECUTE') AS tous,
            has_function_privilege('pg_monitor', 'annoncer_sessions(bigint[])', 'EXECUTE') AS moniteur`,
  );
  expect(rows).toEqual([{ n: [7], absente: null, tous: false, moniteur: true }]);
}, 60_000);
