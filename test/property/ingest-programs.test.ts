// Model-based: whatever happens to a tree of logs and to its imports, the tables are those of the reference.

import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWorkshop, type Workshop } from '../harness/ingest.ts';
import { realImports, recorded } from '../harness/programs.ts';
import { assertProperty, SEED, setting } from '../harness/property.ts';
import { programArbitrary, runProgram } from '../reference/programs.ts';
import { reference } from '../reference/reference.ts';

const PROGRAMS = setting('ATELIER_PROGRAMMES', 1_000);
/** Programs run at the same time, each on its own database: this process waits for PostgreSQL half of the time. */
const LANES = 4;

const options = fc.record({
  signatures: fc.boolean(),
  journeeDebut: fc.constantFrom('00:00', '05:00'),
  attente: fc.constantFrom('debut' as const, 'fin' as const),
});

let lanes: Workshop[];
beforeAll(async () => {
  lanes = await Promise.all(Array.from({ length: LANES }, () => createWorkshop()));
});
afterAll(async () => {
  await Promise.all(lanes.map((lane) => lane.close()));
});

it(
  'L1-L7, F1-F4, F11-F20, F26, F30-F32: after any program the tables equal the reference',
  async () => {
    await Promise.all(
      lanes.map((workshop, lane) =>
        assertProperty(
          `programmes ${lane + 1}/${LANES}`,
          fc.asyncProperty(
            programArbitrary(),
            options,
            async (program, { signatures, journeeDebut, attente }) => {
              await workshop.reset({
                JOURNEE_DEBUT: journeeDebut,
                CENTRES: `DEM12=DEM12,PVC,${attente};SU12=SU12,HYBRIDE`,
              });
              const model = await runProgram(program, workshop.logs, realImports(workshop, { signatures }));
              const versions = [...model.seen, ...(await recorded(workshop.reader, model.uncertain))];
              const zone = { fuseau: 'Europe/Paris', journeeDebut, attente: { DEM12: attente } };
              expect(await workshop.state()).toEqual(reference({ versions, ...zone }));
              await workshop.checkInvariants();
            },
          ),
          { numRuns: Math.ceil(PROGRAMS / LANES), seed: (SEED + lane) % 0x7fffffff },
        ),
      ),
    );
  },
  Math.max(300_000, PROGRAMS * 600),
);

it('F2, F3, L4: what an unterminated last line seemed to say goes when the file grows, with its day', async () => {
  const [workshop] = lanes;
  await workshop!.reset();
  const chemin = 'DEM12/20250528.LOG';
  const text = '20250528 06:00:00|@StukUitgevoerd: A\n20250529 06:00:00|@MachineStop';
  const at = Math.floor((text.length * 1_000) / (text.length + 'page\n'.length)) + 1;
  const model = await runProgram(
    [
      { type: 'appendHalf', chemin, ligne: `${text}page`, fin: '\n', permille: at },
      { type: 'import' },
      { type: 'append', chemin, lignes: [], fin: '\n' },
      { type: 'import' },
    ],
    workshop!.logs,
    realImports(workshop!, { signatures: false }),
  );
  expect(model.seen.map(({ octets }) => octets.length)).toEqual([text.length, text.length + 5]);
  const state = await workshop!.state();
  expect(state).toEqual(reference({ versions: model.seen, fuseau: 'Europe/Paris', journeeDebut: '00:00' }));
  expect(state.sessions.map((s) => s.date_production)).toEqual(['2025-05-28']);
  await workshop!.checkInvariants();
});

it('F2, L5: an unterminated last line that seemed to be another event takes its instant out of the catalogue', async () => {
  const [workshop] = lanes;
  await workshop!.reset();
  const chemin = 'DEM12/20250528.LOG';
  const text = '20251026 02:10:00|@Zaagcyclus';
  const line = `${text}page`;
  const at = Math.floor((text.length * 1_000) / (line.length + 1)) + 1;
  const model = await runProgram(
    [
      { type: 'appendHalf', chemin, ligne: line, fin: '\n', permille: at },
      { type: 'import' },
      // As many lines of that event as before, but at another time.
      { type: 'append', chemin, lignes: ['', '20250528 06:00:00|@Zaagcyclus: 3'], fin: '\n' },
      { type: 'import' },
    ],
    workshop!.logs,
    realImports(workshop!, { signatures: false }),
  );
  expect(model.seen[0]!.octets.length).toBe(text.length);
  const state = await workshop!.state();
  expect(state).toEqual(reference({ versions: model.seen, fuseau: 'Europe/Paris', journeeDebut: '00:00' }));
  const found = state.autres.find(({ nom }) => nom === 'Zaagcyclus');
  expect(found).toMatchObject({ nombre: 1, dernier: '2025-05-28T04:00:00.000000Z' });
});
