// R16: what was purged stays purged when an older backup is restored, or the database is rebuilt from nothing.

import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Effacements } from '../../src/archives/effacements.ts';
import { ingest } from '../../src/jobs/ingest.ts';
import { rejouerEffacements } from '../../src/jobs/rejeu-effacements.ts';
import { makeContext } from '../harness/context.ts';
import { copyDatabase } from '../harness/copie-base.ts';
import { createWorkshop, type Workshop } from '../harness/ingest.ts';
import { checkInvariants } from '../harness/invariants.ts';
import { archivedText, everything, purgeAt } from '../harness/purge.ts';
import { dumpState } from '../harness/state.ts';

const MARK = 'MARQUE-c41d';
const AT = '2027-05-30T12:00:00+02:00';
const SETTINGS = { CONSERVATION_QUARANTAINE: '24 mois' };

let workshop: Workshop;
let spare: string;
beforeEach(async () => {
  workshop = await createWorkshop();
  spare = await mkdtemp(join(tmpdir(), 'atelier-sauvegarde-'));
  await mkdir(join(workshop.logs, 'DEM12'));
  for (const [jour, mark] of [
    ['20250528', MARK],
    ['20250601', 'jeune'],
  ]) {
    await writeFile(
      join(workshop.logs, 'DEM12', `${jour}.LOG`),
      `${jour} 06:00:00|@StukUitgevoerd: ${mark}\n${jour} rebut ${mark}\n${jour} 06:10:00|@StukUitgevoerd: ${mark}\n`,
    );
  }
  await workshop.import();
});
afterEach(async () => {
  await workshop?.close();
  await rm(spare, { recursive: true, force: true });
});

/** An import's context on another database and archive, which a test restores into. */
function restored(url: string, archives: string) {
  const context = makeContext({ url, logs: workshop.logs, archives });
  return {
    ...context,
    async close() {
      await context.pool.end();
    },
  };
}

describe('R16: restored', () => {
  it('an older database and its archives lose again what was purged since, and keep the rest', async () => {
    const backup = await copyDatabase(workshop.url);
    await cp(workshop.archives, spare, { recursive: true });
    await workshop.reader.query(
      `INSERT INTO journal_audit (instant, evenement) VALUES ('2025-01-01', 'ancien')`,
    );
    await purgeAt(workshop, AT, SETTINGS);
    const wanted = await workshop.state();
    // The journal outlives what is restored around it.
    await cp(new Effacements(workshop.archives).path, new Effacements(spare).path);
    const old = restored(backup.url, spare);
    try {
      await old.pool.query(`INSERT INTO journal_audit (instant, evenement) VALUES ('2025-01-01', 'ancien')`);
      const on = { ...workshop, reader: old.pool, context: old } as Workshop;
      expect(await everything(on)).toContain(MARK);
      const bilan = await rejouerEffacements(old);
      expect(bilan).toMatchObject({ details: 2, rejets: 1, archives: 1, anciens: 1, comptes: 0 });
      expect(await everything(on)).not.toContain(MARK);
      expect(await archivedText(on)).not.toContain(MARK);
      expect(await dumpState(old.pool)).toEqual(wanted);
      await checkInvariants(old.pool, old.archive);
      // Once more, and with the machine's file still there: nothing moves.
      const once = await everything(on);
      expect(await rejouerEffacements(old)).toMatchObject({ details: 0, rejets: 0, archives: 0, anciens: 0 });
      expect(await everything(on)).toBe(once);
      await ingest(old);
      expect(await dumpState(old.pool)).toEqual(wanted);
    } finally {
      await old.close();
      await backup.drop();
    }
  });

  it('O16: a database that is rebuilt from nothing does not take purged days up again', async () => {
    const empty = await createWorkshop();
    try {
      await purgeAt(workshop, AT, SETTINGS);
      await mkdir(empty.archives, { recursive: true });
      await cp(new Effacements(workshop.archives).path, new Effacements(empty.archives).path);
      // Another centre comes first: ids are others than they were.
      await empty.reader.query(`INSERT INTO centre_usinage (nom) VALUES ('AUTRE'), ('ENCORE')`);
      expect(await rejouerEffacements(empty.context)).toMatchObject({ jours: 3, details: 0 });
      await cp(workshop.logs, empty.logs, { recursive: true });
      await empty.import();
      expect(await everything(empty)).not.toContain(MARK);
      expect((await empty.state()).sessions.map((s) => s.date_production)).toEqual(['2025-06-01']);
      await empty.checkInvariants();
      // Its bytes, which the machine still has, leave the archive again.
      await rejouerEffacements(empty.context);
      expect(await archivedText(empty)).not.toContain(MARK);
      expect(await archivedText(empty)).toContain('jeune');
      await empty.checkInvariants();
    } finally {
      await empty.close();
    }
  });

  it('a line of the journal that was cut short spoils no other', async () => {
    const journal = new Effacements(workshop.archives);
    await journal.ajouter({ genre: 'compte', id: 'a' });
    await writeFile(journal.path, '{"genre":"compte","id":"b', { flag: 'a' });
    await journal.ajouter({ genre: 'compte', id: 'c' });
    expect((await journal.lire()).map((e) => (e.genre === 'compte' ? e.id : ''))).toEqual(['a', 'c']);
  });
});
