// Changed settings: what was imported with others is read again from the archive, even when the files are gone.

import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ingest } from '../../src/jobs/ingest.ts';
import { makeContext, type Settings } from '../harness/context.ts';
import { createWorkshop, type Workshop } from '../harness/ingest.ts';
import { reference } from '../reference/reference.ts';

const LOG = [
  '20250528 04:10:00|@MachineStart',
  '20250528 04:30:00|@StukUitgevoerd: A',
  '20250528 04:40:00|@MachineWait: 90 sec',
  '20250528 06:00:00|@StukUitgevoerd: B',
  '20250528 06:05:00|@MachineWait: 60 sec',
  '20250528 06:06:00|@Klem: 3',
  'onzin',
  '20250529 03:00:00|@StukUitgevoerd: C',
];
const octets = Buffer.from(`${LOG.join('\n')}\n`);
const chemin = 'DEM12/20250528.LOG';

let workshop: Workshop;
beforeAll(async () => {
  workshop = await createWorkshop();
  await mkdir(join(workshop.logs, 'DEM12'), { recursive: true });
  await writeFile(join(workshop.logs, chemin), octets);
  await workshop.import();
  // From here on the bytes are in the archive only; the empty folder still names the centre.
  await rm(join(workshop.logs, chemin));
});
afterAll(() => workshop.close());

it.each<[what: string, settings: Settings, expected: object]>([
  ['JOURNEE_DEBUT', { JOURNEE_DEBUT: '05:00' }, { journeeDebut: '05:00' }],
  ['FUSEAU', { FUSEAU: 'America/New_York' }, { fuseau: 'America/New_York' }],
  ['the stamp of waits', { CENTRES: 'DEM12=DEM12,PVC,fin' }, { attente: { DEM12: 'fin' } }],
  ['all of them back', {}, {}],
])('%s: sessions, quarantine and catalogue are those of the new settings', async (_, settings, expected) => {
  const { url, logs, archives } = workshop;
  const context = makeContext({ url, logs, archives, settings });
  const before = await workshop.state();
  try {
    const compteurs = await ingest(context);
    expect(compteurs.fichiersLus).toBe(0);
    const after = await workshop.state();
    const versions = [{ centre: 'DEM12', chemin, octets }];
    expect(after).toEqual(
      reference({ versions, fuseau: 'Europe/Paris', journeeDebut: '00:00', ...expected }),
    );
    expect(after).not.toEqual(before);
    await workshop.checkInvariants();
  } finally {
    await context.pool.end();
  }
});
