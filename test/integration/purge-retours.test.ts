// R11: whatever is sent again, and however, purged days do not come back, and what was kept of them does not change.

import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FactoryTime } from '../../src/base/time.ts';
import { createWorkshop, type Workshop } from '../harness/ingest.ts';
import { archivedText, everything, purgeAt } from '../harness/purge.ts';

let workshop: Workshop;
beforeAll(async () => {
  workshop = await createWorkshop();
});
beforeEach(() => workshop.reset());
afterAll(() => workshop.close());

/** Planted in every line of the purged day: it must show up nowhere. */
const MARK = 'MARQUE-7f3a';

async function write(chemin: string, text: string): Promise<void> {
  const path = join(workshop.logs, chemin);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

function day(jour: string, mark: string, pieces = 3): string {
  const lines = [`${jour} 06:00:00|@JobProfiel: R:${mark} L:3359.0 C:7016`, `${jour} rebut ${mark}`];
  for (let i = 0; i < pieces; i++) lines.push(`${jour} 07:0${i}:00|@StukUitgevoerd: ${mark}-${i}`);
  return `${lines.join('\r\n')}\r\n`;
}

const OLD = day('20250528', MARK);
const YOUNG = day('20250601', 'jeune');
const AT = '2027-05-30T12:00:00+02:00';
const ALL = {
  CONSERVATION_DETAILS: '24 mois',
  CONSERVATION_ARCHIVES: '24 mois',
  CONSERVATION_QUARANTAINE: '24 mois',
};
const FILE = 'DEM12/20250528.LOG';

const figures = async (): Promise<unknown> =>
  (await workshop.reader.query('SELECT * FROM session_production ORDER BY id')).rows;

/** A day that was purged, beside one that was not. */
async function purged(settings: Record<string, string> = ALL): Promise<unknown> {
  await write(FILE, OLD);
  await write('DEM12/20250601.LOG', YOUNG);
  await workshop.import();
  expect(await everything(workshop)).toContain(MARK);
  await purgeAt(workshop, AT, settings);
  expect(await everything(workshop)).not.toContain(MARK);
  expect(await archivedText(workshop)).not.toContain(MARK);
  return await figures();
}

/** How a purged day may come again; each with the number of files that are read. */
const RETURNS: [string, () => Promise<unknown>][] = [
  ['the same bytes', async () => void (await write(FILE, OLD))],
  ['the same bytes at another path', async () => void (await write('DEM12/copie/x.log', OLD))],
  ['longer', async () => void (await write(FILE, OLD + day('20250528', MARK, 5)))],
  ['longer, at a later day', async () => void (await write('DEM12/y.log', OLD + day('20250528', MARK, 2)))],
  ['older and shorter', async () => void (await write(FILE, OLD.slice(0, 150)))],
  ['rewritten', async () => void (await write(FILE, day('20250528', MARK, 6)))],
  ['overlapping, in another file', async () => void (await write('DEM12/z.LOG', OLD.slice(60)))],
  [
    'in another encoding',
    async () => void (await writeFile(join(workshop.logs, FILE), Buffer.from(`\ufeff${OLD}`, 'utf16le'))),
  ],
];

describe('R11: sent again', () => {
  it.each(RETURNS)('%s', async (_, send) => {
    const before = await purged();
    await send();
    const counts = await workshop.import();
    expect(counts.sessionsCreees + counts.sessionsModifiees + counts.sessionsSupprimees).toBe(0);
    // At once in no table; in the archive until the next purge at most.
    expect(await everything(workshop)).not.toContain(MARK);
    expect(await figures()).toEqual(before);
    await workshop.checkInvariants();
    await purgeAt(workshop, AT, ALL);
    expect(await archivedText(workshop)).not.toContain(MARK);
    expect(await everything(workshop)).not.toContain(MARK);
    expect(await figures()).toEqual(before);
    await workshop.checkInvariants();
    // What is known stays known: nothing is archived once more.
    await rm(join(workshop.logs, 'DEM12', '20250601.LOG'));
    await workshop.import();
    expect(await archivedText(workshop)).not.toContain(MARK);
  });

  it('after all settings that rows depend on have changed', async () => {
    const before = await purged();
    const { context } = workshop;
    const { ingest } = await import('../../src/jobs/ingest.ts');
    const config = { ...context.config, journeeDebut: 5 * 3600 };
    await ingest({ ...context, config, time: new FactoryTime('Europe/Paris', config.journeeDebut) });
    expect(await everything(workshop)).not.toContain(MARK);
    const rows = (await figures()) as unknown[];
    expect(rows[0]).toEqual((before as unknown[])[0]);
    await workshop.checkInvariants();
  });

  it('--replace of a file with purged and other days: only the other days change', async () => {
    await write('DEM12/tout.LOG', OLD + YOUNG);
    await workshop.import();
    await purgeAt(workshop, AT, ALL);
    // One of its days is to be kept: its bytes stay whole.
    expect(await archivedText(workshop)).toContain(MARK);
    expect(await everything(workshop)).not.toContain(MARK);
    const [old] = (await figures()) as unknown[];
    await write('DEM12/tout.LOG', day('20250528', MARK, 1) + day('20250601', 'jeune', 1));
    await workshop.import({ replace: 'DEM12/tout.LOG' });
    const state = await workshop.state();
    expect((await figures()) as unknown[]).toHaveLength(2);
    expect(((await figures()) as unknown[])[0]).toEqual(old);
    expect(state.sessions.map((s) => [s.date_production, s.total_pieces, s.pieces.length])).toEqual([
      ['2025-05-28', 3, 0],
      ['2025-06-01', 1, 1],
    ]);
    expect(await everything(workshop)).not.toContain(MARK);
    await workshop.checkInvariants();
  });

  it('a file with a purged day goes on today: today is computed, the purged day is not', async () => {
    const before = (await purged()) as unknown[];
    await write(FILE, OLD + day('20270530', 'neuf'));
    const counts = await workshop.import();
    expect(counts).toMatchObject({ sessionsCreees: 1, journeesGelees: 1 });
    expect(await everything(workshop)).not.toContain(MARK);
    expect(((await figures()) as unknown[]).slice(0, 2)).toEqual(before);
    await workshop.checkInvariants();
  });

  it('figures that were purged, too, do not come back either', async () => {
    const settings = { ...ALL, CONSERVATION_SESSIONS: '24 mois' };
    await write(FILE, OLD);
    await workshop.import();
    await purgeAt(workshop, AT, settings);
    expect(await figures()).toEqual([]);
    await write('DEM12/copie.LOG', `${OLD}x`);
    await workshop.import();
    expect(await figures()).toEqual([]);
    await workshop.checkInvariants();
  });

  it('R11: bytes purged before the details: the rows stay as they are, and say where they came from', async () => {
    const settings = { ...ALL, CONSERVATION_DETAILS: '48 mois' };
    await write(FILE, OLD);
    await write('DEM12/copie.LOG', OLD);
    await workshop.import();
    const before = (await workshop.state()).sessions;
    await purgeAt(workshop, AT, settings);
    expect((await workshop.state()).sessions).toEqual(before);
    // Both paths grow: the version that the rows come from goes, the longer one takes its place.
    for (const path of [FILE, 'DEM12/copie.LOG']) {
      await write(path, OLD + day('20250528', MARK, 2));
      await workshop.import();
    }
    const after = (await workshop.state()).sessions;
    expect(after.map(({ total_pieces, pieces }) => [total_pieces, pieces.length])).toEqual([[3, 3]]);
    expect(await workshop.reader.query('SELECT 1 FROM fichier_log_version')).toMatchObject({ rowCount: 1 });
    await workshop.checkInvariants();
  });
});

it('R11, L7: rejects of a purged day in a file with later days are counted, not kept', async () => {
  await purged();
  await write('DEM12/mixte.LOG', OLD + day('20250601', 'jeune', 5));
  await workshop.import();
  expect(await everything(workshop)).not.toContain(MARK);
  const { rows } = await workshop.reader.query(
    `SELECT lignes_rejetees, rejets_purges, (SELECT count(*) FROM ligne_rejetee r WHERE r.version_id = v.id) AS gardes
       FROM fichier_log_version v ORDER BY id DESC LIMIT 1`,
  );
  expect(rows).toEqual([{ lignes_rejetees: 2, rejets_purges: 1, gardes: 1 }]);
  await workshop.checkInvariants();
});
