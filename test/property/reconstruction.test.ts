// O16: an empty database and the archives give the same sessions as the database that was lost, whatever happened to it:
// growth, copies, re-sent and rewritten files, --replace, clock changes, kills.

import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { silentLogger } from '../../src/base/logger.ts';
import { ingest } from '../../src/jobs/ingest.ts';
import { type EtapeReconstruction, reconstruire } from '../../src/jobs/reconstruction.ts';
import { createPool, type Pool } from '../../src/postgres/pool.ts';
import { comparerSessions } from '../../src/postgres/production/comparaison.ts';
import { createWorkshop, type Workshop } from '../harness/ingest.ts';
import { checkInvariants } from '../harness/invariants.ts';
import { Killed } from '../harness/programs.ts';
import { assertProperty, setting } from '../harness/property.ts';
import { dumpState } from '../harness/state.ts';

const CHEMINS = ['DEM12/20251026.LOG', 'DEM12/copie.log', 'DEM12 (PVC)/a.log', 'SU12/20251026.LOG'] as const;
// The repeated hour of the end of summer time, a profile, a stop, other events, quarantine.
const LINES = [
  '20251026 01:59:00|@StukUitgevoerd: A',
  '20251026 02:30:00|@StukUitgevoerd: B',
  '20251026 02:10:00|@StukUitgevoerd: B',
  '20251026 02:20:00|@JobProfiel: R:1 L:2.5',
  '20251026 01:58:00|@MachineStop',
  '20251026 02:15:00|@MachineStart',
  '20251027 06:00:00|@MachineWait: 12 sec',
  '20251027 06:20:00|@Klem',
  'onzin',
];
// Short and of few lines: contents are often equal, or the beginning of each other.
const content = fc
  .array(fc.constantFrom(...LINES), { maxLength: 4 })
  .map((lines) => lines.map((line) => `${line}\n`).join(''));
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('write' as const),
      chemin: fc.constantFrom(...CHEMINS),
      content,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      chemin: fc.constantFrom(...CHEMINS),
      content,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('copy' as const),
      chemin: fc.constantFrom(...CHEMINS),
      de: fc.constantFrom(...CHEMINS),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('replace' as const),
      chemin: fc.constantFrom(...CHEMINS),
      content,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('delete' as const), chemin: fc.constantFrom(...CHEMINS) }),
  },
);
const ETAPES: readonly EtapeReconstruction[] = [
  'apres_inventaire',
  'apres_passage',
  'apres_remplacees',
  'avant_fin',
];

let lost: Workshop;
let rebuilt: Workshop;
beforeAll(async () => {
  [lost, rebuilt] = await Promise.all([createWorkshop(), createWorkshop()]);
});
afterAll(async () => {
  await Promise.all([lost.close(), rebuilt.close()]);
});

async function rebuild(kills: readonly EtapeReconstruction[], completer = false): Promise<void> {
  const { context } = rebuilt;
  // The archives of the lost one are all that is left of it.
  const ctx = {
    ...context,
    archive: lost.context.archive,
    config: { ...context.config, archivesDir: lost.archives },
  };
  const own: Pool = createPool(rebuilt.url, { logger: silentLogger(), max: 4 });
  own.options.application_name = 'reconstruction';
  try {
    for (const at of [...kills, undefined]) {
      const onEtape = (etape: EtapeReconstruction): void => {
        if (etape === at) throw new Killed(etape);
      };
      const run = reconstruire({ ...ctx, pool: own }, { completer, onEtape });
      await run.catch((error: unknown) => {
        if (!(error instanceof Killed)) throw error;
      });
    }
  } finally {
    await own.end();
  }
}

it('O16, L1-L6: any history of files and replacements, any kills of the rebuild', async () => {
  await assertProperty(
    'reconstructions',
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 8 }),
      fc.array(fc.constantFrom(...ETAPES), { maxLength: 2 }),
      async (steps, kills) => {
        await Promise.all([lost.reset(), rebuilt.reset()]);
        await rebuilt.reader.query('DROP TABLE IF EXISTS restauration_en_cours');
        const present = new Map<string, string>();
        const write = async (chemin: string, text: string): Promise<void> => {
          present.set(chemin, text);
          await mkdir(join(lost.logs, chemin, '..'), { recursive: true });
          await writeFile(join(lost.logs, chemin), text);
        };
        await write('DEM12/premier.log', LINES[0]!);
        await lost.import();
        for (const s of steps) {
          if (s.kind === 'write' || s.kind === 'replace') await write(s.chemin, s.content);
          else if (s.kind === 'append') await write(s.chemin, (present.get(s.chemin) ?? '') + s.content);
          else if (s.kind === 'copy') await write(s.chemin, present.get(s.de) ?? '');
          else {
            present.delete(s.chemin);
            await rm(join(lost.logs, s.chemin), { force: true });
          }
          await lost.import(s.kind === 'replace' ? { replace: s.chemin } : {});
        }
        const before = await lost.state();
        await rebuild(kills);
        expect(await dumpState(rebuilt.reader)).toEqual(before);
        expect((await comparerSessions(rebuilt.reader, lost.reader)).identiques).toBe(before.sessions.length);
        await checkInvariants(rebuilt.reader, lost.context.archive);
        // Once more, from what the first rebuild left, onto what is there: nothing changes.
        await rebuild([], true);
        expect(await dumpState(rebuilt.reader)).toEqual(before);
        // What was put aside stays so when the same bytes come again.
        for (const [chemin, text] of present) {
          await mkdir(join(rebuilt.logs, chemin, '..'), { recursive: true });
          await writeFile(join(rebuilt.logs, chemin), text);
        }
        const again = { ...rebuilt.context, archive: lost.context.archive };
        await ingest(again);
        expect(await dumpState(rebuilt.reader)).toEqual(before);
      },
    ),
    { numRuns: setting('ATELIER_RECONSTRUCTIONS', 12) },
  );
}, 300_000);
