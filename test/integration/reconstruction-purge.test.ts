// O16, R10: a rebuild gives no day figures that are made of what a purge left of it.

import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { silentLogger } from '../../src/base/logger.ts';
import { ingest } from '../../src/jobs/ingest.ts';
import { reconstruire } from '../../src/jobs/reconstruction.ts';
import { createPool } from '../../src/postgres/pool.ts';
import { createWorkshop, type Workshop } from '../harness/ingest.ts';
import { checkInvariants } from '../harness/invariants.ts';
import { lost as perdu, purgeAt } from '../harness/purge.ts';
import { dumpState } from '../harness/state.ts';

/** The file of the first two days is past here, the one of the second and a young day is not. */
const AT = '2027-05-30T12:00:00+02:00';
const SETTINGS = { CONSERVATION_DETAILS: '60 mois', CONSERVATION_ARCHIVES: '24 mois' };

let lost: Workshop;
let rebuilt: Workshop;
beforeEach(async () => {
  [lost, rebuilt] = await Promise.all([createWorkshop(), createWorkshop()]);
  await mkdir(join(lost.logs, 'DEM12'));
  const day = (jour: string, ...minutes: string[]): string =>
    minutes.map((minute) => `${jour} 06:${minute}:00|@StukUitgevoerd: p\n`).join('');
  await writeFile(
    join(lost.logs, 'DEM12', 'a.LOG'),
    day('20250527', '00', '05') + day('20250528', '00', '10'),
  );
  await writeFile(
    join(lost.logs, 'DEM12', 'b.LOG'),
    day('20250528', '20', '30', '40') + day('20250601', '00', '10', '20'),
  );
  await lost.import();
});
afterEach(() => Promise.all([lost.close(), rebuilt.close()]));

it('O16, R10: of a day that lost a part of its bytes nothing comes back, of the others all; nor when it is sent again', async () => {
  const before = await lost.state();
  expect(perdu(await purgeAt(lost, AT, SETTINGS))).toMatchObject({ archives: 1 });
  // The figures outlive their bytes where nothing is rebuilt.
  expect((await lost.state()).sessions).toEqual(before.sessions);
  const archives = { archive: lost.context.archive };
  const config = { ...rebuilt.context.config, archivesDir: lost.archives };
  const pool = createPool(rebuilt.url, { logger: silentLogger(), max: 4 });
  pool.options.application_name = 'reconstruction';
  try {
    for (const completer of [false, true]) {
      await reconstruire({ ...rebuilt.context, ...archives, config, pool }, { completer });
      const { sessions } = await dumpState(rebuilt.reader);
      expect(sessions).toEqual(before.sessions.filter((s) => s.date_production === '2025-06-01'));
      await checkInvariants(rebuilt.reader, lost.context.archive);
    }
  } finally {
    await pool.end();
  }
  const state = await dumpState(rebuilt.reader);
  await cp(lost.logs, rebuilt.logs, { recursive: true });
  await ingest({ ...rebuilt.context, ...archives, config });
  expect((await dumpState(rebuilt.reader)).sessions).toEqual(state.sessions);
  await checkInvariants(rebuilt.reader, lost.context.archive);
});
