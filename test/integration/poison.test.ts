// F33: a file that whoever reads or stores it chokes on stops nobody else, and is not forgotten.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { Shutdown } from '../../src/base/shutdown.ts';
import { FactoryTime } from '../../src/base/time.ts';
import { follow, ingest } from '../../src/jobs/ingest.ts';
import { reconstruire } from '../../src/jobs/reconstruction.ts';
import { DossierLocal } from '../../src/sources/dossier.ts';
import type { SourceJournaux } from '../../src/sources/source.ts';
import { createWorkshop, type Workshop } from '../harness/ingest.ts';

let workshop: Workshop;
beforeAll(async () => {
  workshop = await createWorkshop();
});
beforeEach(() => workshop.reset());
afterAll(() => workshop.close());

const line = (text: string): string => `20250528 06:00:00|@StukUitgevoerd: ${text}\r\n`;
async function deposer(chemin: string, text: string): Promise<void> {
  const path = join(workshop.logs, chemin);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}
const centres = async (): Promise<string[]> =>
  (await workshop.state()).sessions.map(({ centre, total_pieces }) => `${centre} ${total_pieces}`).sort();

it('F33: a file that crashes its reader: every other file is imported, it is tried again each time, then read', async () => {
  await deposer('A/20250528.LOG', line('bonne'));
  await deposer('B/20250528.LOG', line('poison'));
  await deposer('B/20250529.LOG', line('bonne').replace('28', '29'));
  await deposer('C/20250528.LOG', line('bonne'));
  const local = new DossierLocal(workshop.logs);
  let essais = 0;
  const source: SourceJournaux = {
    description: local.description,
    list: () => local.list(),
    watch: () => undefined,
    open(fichier) {
      if (fichier.chemin !== 'B/20250528.LOG') return local.open(fichier);
      essais++;
      throw new TypeError('Cannot read properties of undefined');
    },
  };
  for (let i = 1; i <= 3; i++) {
    const { fichiersIllisibles } = await ingest({ ...workshop.context, source });
    expect([fichiersIllisibles, essais]).toEqual([1, i]);
    expect(await centres()).toEqual(['A 1', 'B 1', 'C 1']);
  }
  const { rows } = await workshop.reader.query(
    "SELECT chemin, erreur FROM fichier_log WHERE etat = 'erreur'",
  );
  expect(rows).toEqual([{ chemin: 'B/20250528.LOG', erreur: expect.stringContaining('Cannot read') }]);
  await workshop.import();
  expect(await centres()).toEqual(['A 1', 'B 1', 'B 1', 'C 1']);
});

/** Lets the database refuse rows as it would for a reason of its own, by the SQLSTATE. */
async function empoisonner(table: string, quand: string, etat = '54000'): Promise<() => Promise<unknown>> {
  const { reader } = workshop;
  await reader.query(`
    CREATE FUNCTION empoisonner() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE SQLSTATE '${etat}' USING MESSAGE = 'poison'; END $$;
    CREATE TRIGGER poison BEFORE INSERT ON ${table} FOR EACH ROW WHEN (${quand}) EXECUTE FUNCTION empoisonner()`);
  return () => reader.query(`DROP TRIGGER poison ON ${table}; DROP FUNCTION empoisonner()`);
}
const erreurs = async (): Promise<string[]> =>
  (await workshop.reader.query("SELECT chemin FROM fichier_log WHERE etat = 'erreur' ORDER BY 1")).rows.map(
    ({ chemin }) => chemin,
  );

it('F33: a day that the database refuses: all others are imported and followed, the run says which it is, later it is computed', async () => {
  const guerir = await empoisonner('piece_production', "NEW.details LIKE '%poison%'");
  try {
    await deposer('A/20250528.LOG', line('bonne'));
    await deposer('B/20250528.LOG', line('poison'));
    await deposer('B/20250529.LOG', line('bonne').replace('28', '29'));
    await deposer('C/20250528.LOG', line('bonne'));
    for (let i = 0; i < 3; i++) {
      expect(await workshop.import()).toMatchObject({
        fichiersIllisibles: 0,
        misDeCote: ['B, journée 2025-05-28 : refusé par PostgreSQL, poison'],
      });
      expect(await centres()).toEqual(['A 1', 'B 1', 'C 1']);
    }
    const { rows } = await workshop.reader.query('SELECT DISTINCT etat, erreur FROM execution');
    expect(rows).toEqual([
      { etat: 'partielle', erreur: expect.stringMatching(/ATL_L207.*B, journée 2025-05-28/) },
    ]);
    // A line for another centre arrives while B is followed, too.
    const context = { ...workshop.context, shutdown: new Shutdown() };
    const following = follow(context);
    await deposer('C/20250529.LOG', line('suivie').replace('28', '29'));
    await expect.poll(centres, { timeout: 20_000 }).toEqual(['A 1', 'B 1', 'C 1', 'C 1']);
    await deposer('A/20250529.LOG', line('suivie').replace('28', '29'));
    await expect.poll(centres, { timeout: 20_000 }).toEqual(['A 1', 'A 1', 'B 1', 'C 1', 'C 1']);
    context.shutdown.request('fini');
    await following;
  } finally {
    await guerir();
  }
  await workshop.import();
  expect(await centres()).toEqual(['A 1', 'A 1', 'B 1', 'B 1', 'C 1', 'C 1']);
  await workshop.checkInvariants();
});

it('F33: rows that the database refuses before a file is registered: its neighbours and other centres are imported, later it is too', async () => {
  const guerir = await empoisonner('ligne_rejetee', "NEW.texte LIKE '%poison%'");
  try {
    for (const jour of ['27', '28', '29', '30'])
      await deposer(
        `B/202505${jour}.LOG`,
        `${line('bonne').replace('28', jour)}${jour === '28' ? 'poison' : 'sain'}\r\n`,
      );
    await deposer('C/20250528.LOG', line('bonne'));
    for (let i = 0; i < 2; i++) {
      expect(await workshop.import()).toMatchObject({
        fichiersIllisibles: 1,
        misDeCote: ['B/20250528.LOG : refusé par PostgreSQL, poison'],
      });
      expect(await centres()).toEqual(['B 1', 'B 1', 'B 1', 'C 1']);
      expect(await erreurs()).toEqual(['B/20250528.LOG']);
      await workshop.checkInvariants();
    }
  } finally {
    await guerir();
  }
  expect(await workshop.import()).toMatchObject({ fichiersIllisibles: 0, misDeCote: [] });
  expect(await centres()).toEqual(['B 1', 'B 1', 'B 1', 'B 1', 'C 1']);
  expect(await erreurs()).toEqual([]);
  await workshop.checkInvariants();
});

it.each([
  ['fichier_log', "NEW.chemin LIKE 'B/%'"],
  ['fichier_log_version', 'NEW.lignes = 2'],
  ['fichier_log_contenu', 'NEW.version_id IN (SELECT id FROM fichier_log_version WHERE lignes = 2)'],
  ['fichier_log_jour', "NEW.jour = '2025-05-27'"],
  ['type_evenement', "NEW.nom = 'Poison'"],
  ['session_production', "NEW.date_production = '2025-05-27'"],
  ['centre_usinage', "NEW.nom = 'B'"],
])('F33: %s refuses what B has, with any SQLSTATE of its own: A and C are imported', async (table, quand) => {
  for (const etat of ['54000', '21000', '42501', 'XX000']) {
    await workshop.reset();
    const condition = quand.includes('SELECT') ? undefined : quand;
    if (condition === undefined) {
      await workshop.reader.query(`CREATE FUNCTION est_poison(fichier_log_contenu) RETURNS boolean LANGUAGE sql
        AS 'SELECT EXISTS (SELECT FROM fichier_log_version WHERE id = $1.version_id AND lignes = 2)'`);
    }
    const guerir = await empoisonner(table, condition ?? 'est_poison(NEW)', etat);
    try {
      await deposer('A/20250528.LOG', line('bonne'));
      await deposer('B/20250527.LOG', `20250527 06:00:00|@StukUitgevoerd\r\n20250527 06:00:00|@Poison\r\n`);
      await deposer('C/20250528.LOG', line('bonne'));
      const { misDeCote } = await workshop.import();
      expect([etat, await centres()]).toEqual([etat, ['A 1', 'C 1']]);
      expect(misDeCote).not.toEqual([]);
    } finally {
      await guerir();
      if (condition === undefined)
        await workshop.reader.query('DROP FUNCTION est_poison(fichier_log_contenu)');
    }
    await workshop.import();
    expect(await centres()).toEqual(['A 1', 'B 1', 'C 1']);
    await workshop.checkInvariants();
  }
});

it.each(['53100', '53300', '57014', '57P01', '58030', '08006'])(
  'F33: SQLSTATE %s is no matter of one file: the run fails, nothing is put aside, the next one does all of it',
  async (etat) => {
    const guerir = await empoisonner('ligne_rejetee', "NEW.texte LIKE '%poison%'", etat);
    try {
      await deposer('B/20250528.LOG', `${line('bonne')}poison\r\n`);
      await expect(workshop.import()).rejects.toThrow('poison');
      expect(await erreurs()).toEqual([]);
      const { rows } = await workshop.reader.query('SELECT etat FROM execution');
      expect(rows).toEqual([{ etat: 'echouee' }]);
    } finally {
      await guerir();
    }
    await workshop.import();
    expect(await centres()).toEqual(['B 1']);
  },
);

it('F33: an archive that is damaged: its day waits, the rest of its centre and all others are imported', async () => {
  await deposer('B/20250528.LOG', line('bonne'));
  await deposer('B/20250529.LOG', line('bonne').replace('28', '29'));
  await workshop.import();
  const { rows } = await workshop.reader.query(
    `SELECT v.centre_usinage_id AS centre, encode(v.sha256, 'hex') AS sha FROM fichier_log_version v
       JOIN fichier_log f ON f.version_id = v.id WHERE f.chemin = 'B/20250528.LOG'`,
  );
  const path = join(workshop.archives, String(rows[0].centre), `${rows[0].sha}.zst`);
  const bytes = await readFile(path);
  await writeFile(path, Buffer.concat([bytes.subarray(0, -12), Buffer.alloc(12, 7)]));
  await deposer('B/suite.LOG', line('seconde').replace('06:00', '07:00'));
  await deposer('B/20250529.LOG', line('bonne').replace('28', '29') + line('suite').replace('28', '29'));
  await deposer('C/20250528.LOG', line('bonne'));
  const { misDeCote } = await workshop.import();
  expect(misDeCote).toEqual([expect.stringMatching(/^B, journée 2025-05-28 : Lecture de l’archive/)]);
  expect(await centres()).toEqual(['B 1', 'B 2', 'C 1']);
  // Read with other settings, it stays as it was read, and the others are read.
  const { context } = workshop;
  const journeeDebut = 5 * 3600;
  const time = new FactoryTime(context.config.fuseau, journeeDebut);
  const relu = await ingest({ ...context, time, config: { ...context.config, journeeDebut } });
  expect(relu.misDeCote[0]).toMatch(/^B, relecture de /);
  expect(await centres()).toEqual(['B 1', 'B 2', 'C 1']);
  await writeFile(path, bytes);
  expect((await workshop.import()).misDeCote).toEqual([]);
  expect(await centres()).toEqual(['B 2', 'B 2', 'C 1']);
  await workshop.checkInvariants();
});

it('F33, F24: a file is refused while it is followed: others are as quick as before, and it is read when it changes', async () => {
  const guerir = await empoisonner('ligne_rejetee', "NEW.texte LIKE '%poison%'");
  const context = { ...workshop.context, shutdown: new Shutdown() };
  let scans = 0;
  const source = Object.assign(Object.create(context.source) as SourceJournaux, {
    list: () => context.source.list(),
    watch: () => undefined,
    async open(fichier: Parameters<SourceJournaux['open']>[0]) {
      if (fichier.chemin.startsWith('B/')) scans++;
      return await context.source.open(fichier);
    },
  });
  const following = follow({ ...context, source });
  try {
    await deposer('B/20250528.LOG', `${line('bonne')}poison\r\n`);
    await expect.poll(erreurs, { timeout: 20_000 }).toEqual(['B/20250528.LOG']);
    // Once its bytes have come to rest, they are not read each second.
    for (let n = 1; n <= 8; n++) {
      await deposer(`A/202505${10 + n}.LOG`, line('suivie').replace('28', String(10 + n)));
      await expect.poll(async () => (await centres()).length, { timeout: 20_000 }).toBe(n);
    }
    expect(scans).toBeLessThan(8);
    await deposer('B/20250528.LOG', `${line('bonne')}sain\r\n`);
    await expect.poll(async () => (await centres()).includes('B 1'), { timeout: 20_000 }).toBe(true);
    expect(await erreurs()).toEqual([]);
  } finally {
    context.shutdown.request('fini');
    await following;
    await guerir();
  }
  await workshop.checkInvariants();
});

it('F33: a rebuild from the archives: what one centre cannot give keeps no other from being made again', async () => {
  for (const centre of ['A', 'B', 'C']) await deposer(`${centre}/20250528.LOG`, line('bonne'));
  await workshop.import();
  const { archives, context } = workshop;
  const neuf = await createWorkshop();
  try {
    await neuf.reader.query(`
      CREATE FUNCTION empoisonner() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN RAISE SQLSTATE '54000' USING MESSAGE = 'poison'; END $$;
      CREATE TRIGGER poison BEFORE INSERT ON fichier_log FOR EACH ROW WHEN (NEW.chemin LIKE 'B/%')
        EXECUTE FUNCTION empoisonner()`);
    const ctx = { ...neuf.context, archive: context.archive };
    const config = { ...neuf.context.config, archivesDir: archives };
    const bilan = await reconstruire({ ...ctx, config }, {});
    expect(bilan).toMatchObject({ etat: 'partielle', sessions: 2 });
    expect(bilan.misDeCote.join()).toMatch(/B\/20250528\.LOG.*poison/);
    await neuf.reader.query('DROP TRIGGER poison ON fichier_log');
    expect(await reconstruire({ ...ctx, config }, { completer: true })).toMatchObject({
      etat: 'reussie',
      sessions: 3,
    });
  } finally {
    await neuf.close();
  }
});
