// F33: a file that whoever reads or stores it chokes on stops nobody else, and is not forgotten.

import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { Shutdown } from '../../src/base/shutdown.ts';
import { follow, ingest } from '../../src/jobs/ingest.ts';
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

it('F33: a day that the database refuses: all others are imported and followed, the run says which it is, later it is computed', async () => {
  const { reader } = workshop;
  await reader.query(`
    CREATE FUNCTION empoisonner() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE numeric_value_out_of_range USING MESSAGE = 'poison'; END $$;
    CREATE TRIGGER poison BEFORE INSERT ON piece_production FOR EACH ROW
      WHEN (NEW.details LIKE '%poison%') EXECUTE FUNCTION empoisonner()`);
  try {
    await deposer('A/20250528.LOG', line('bonne'));
    await deposer('B/20250528.LOG', line('poison'));
    await deposer('B/20250529.LOG', line('bonne').replace('28', '29'));
    await deposer('C/20250528.LOG', line('bonne'));
    for (let i = 0; i < 3; i++) {
      await expect(workshop.import()).rejects.toMatchObject({
        code: 'ATL_L207',
        message: expect.stringMatching(/^B, journée 2025-05-28 : poison/),
      });
      expect(await centres()).toEqual(['A 1', 'B 1', 'C 1']);
    }
    const { rows } = await reader.query('SELECT DISTINCT etat, erreur FROM execution');
    expect(rows).toEqual([{ etat: 'echouee', erreur: expect.stringContaining('B, journée 2025-05-28') }]);
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
    await reader.query('DROP TRIGGER poison ON piece_production; DROP FUNCTION empoisonner()');
  }
  await workshop.import();
  expect(await centres()).toEqual(['A 1', 'A 1', 'B 1', 'B 1', 'C 1', 'C 1']);
  await workshop.checkInvariants();
});

it('F33: rows that the database refuses before a file is registered: other centres are imported, later this one too', async () => {
  const { reader } = workshop;
  await reader.query(`ALTER TABLE ligne_rejetee ADD CONSTRAINT poison CHECK (texte NOT LIKE '%poison%')`);
  try {
    await deposer('B/20250528.LOG', `${line('bonne')}poison\r\n`);
    await deposer('C/20250528.LOG', line('bonne'));
    for (let i = 0; i < 2; i++) {
      await expect(workshop.import()).rejects.toMatchObject({ code: 'ATL_L207' });
      expect(await centres()).toEqual(['C 1']);
    }
  } finally {
    await reader.query('ALTER TABLE ligne_rejetee DROP CONSTRAINT poison');
  }
  await workshop.import();
  expect(await centres()).toEqual(['B 1', 'C 1']);
  await workshop.checkInvariants();
});
