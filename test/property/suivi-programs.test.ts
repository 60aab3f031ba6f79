// Model-based, for following: one import that lives through everything, remembers the files that grow, and looks at
// single files as well as at all of them. Whatever happens, the tables are those of the reference.

import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Etape, IngestContext } from '../../src/jobs/ingest/context.ts';
import { Import } from '../../src/jobs/ingest/import.ts';
import { createWorkshop, type Workshop } from '../harness/ingest.ts';
import { ETAPES, Killed, recorded } from '../harness/programs.ts';
import { assertProperty, SEED, setting } from '../harness/property.ts';
import { readTree } from '../reference/model.ts';
import { type Action, programArbitrary, rollingProgramArbitrary, runProgram } from '../reference/programs.ts';
import { reference } from '../reference/reference.ts';

const PROGRAMS = setting('ATELIER_PROGRAMMES_SUIVI', 200);
const LANES = 2;

let lanes: Workshop[];
beforeAll(async () => {
  lanes = await Promise.all(Array.from({ length: LANES }, () => createWorkshop()));
});
afterAll(async () => {
  await Promise.all(lanes.map((lane) => lane.close()));
});

/** Follows as `follow` does, one step at a time. */
class Follower {
  readonly #context: IngestContext;
  #run: Import;
  #kill: Etape | undefined;
  looks = 0;

  constructor(workshop: Workshop) {
    const onEtape = (etape: Etape): void => {
      if (etape === this.#kill) throw new Killed(etape);
    };
    this.#context = { ...workshop.context, onEtape };
    this.#run = this.#fresh();
  }

  /** Single files first, where they are known; then the truth. */
  async run(): Promise<void> {
    const paths = [...(await readTree(this.#context.config.logsDir)).keys()];
    const known = this.#run.known(paths);
    this.looks += known.length;
    await this.#run.look(known);
    await this.#run.scan();
  }

  async kill(point: number): Promise<void> {
    this.#kill = ETAPES[point % ETAPES.length];
    await this.run().catch(() => undefined);
    this.#kill = undefined;
    this.#run = this.#fresh();
  }

  /** Everything done that may wait: what a follower does once in a while. */
  async finish(): Promise<void> {
    this.#run = this.#fresh();
    await this.#run.scan();
  }

  #fresh(): Import {
    return new Import(this.#context, { suivi: true });
  }
}

async function followed(workshop: Workshop, program: Action[]): Promise<number> {
  await workshop.reset();
  const follower = new Follower(workshop);
  const model = await runProgram(program, workshop.logs, {
    run: () => follower.run(),
    twice: async () => void (await Promise.all([follower.run(), new Follower(workshop).run()])),
    kill: (point) => follower.kill(point),
  });
  const versions = [...model.seen, ...(await recorded(workshop.reader, model.uncertain))];
  const expected = reference({ versions, fuseau: 'Europe/Paris', journeeDebut: '00:00' });
  expect(await workshop.state()).toEqual(expected);
  await follower.finish();
  await workshop.checkInvariants();
  return follower.looks;
}

it(
  'L1-L5, F1-F4, F11-F20, F30: after any program a long-lived follower has the tables of the reference',
  async () => {
    let looks = 0;
    await Promise.all(
      lanes.map((workshop, lane) =>
        assertProperty(
          `suivi ${lane + 1}/${LANES}`,
          fc.asyncProperty(programArbitrary(), async (program) => {
            looks += await followed(workshop, program);
          }),
          { numRuns: Math.ceil(PROGRAMS / LANES), seed: (SEED + lane) % 0x7fffffff },
        ),
      ),
    );
    expect(looks).toBeGreaterThan(PROGRAMS / 10);
  },
  Math.max(180_000, PROGRAMS * 600),
);

it(
  'L1-L6, F20: files that drop their head as they grow, state after state, have the tables of the reference',
  async () => {
    await Promise.all(
      lanes.map((workshop, lane) =>
        assertProperty(
          `journaux roulants ${lane + 1}/${LANES}`,
          fc.asyncProperty(rollingProgramArbitrary(), async (program) => {
            await followed(workshop, program);
          }),
          { numRuns: Math.ceil(PROGRAMS / 2 / LANES), seed: (SEED + 7 + lane) % 0x7fffffff },
        ),
      ),
    );
  },
  Math.max(180_000, PROGRAMS * 600),
);

it('L4: the name that a torn last line seemed to have is not kept once the line is whole', async () => {
  const chemin = 'DEM12/20250528.LOG';
  const fin = '\n' as const;
  // Two followers meet the torn line: the one that registers it, and the one that goes on from it afterwards.
  const program: Action[] = [
    { type: 'rewrite', chemin, lignes: [], fin, surPlace: false },
    { type: 'import' },
    { type: 'appendHalf', chemin, ligne: '20250528 06:00:00|@StukUitgevoerd: A', fin, permille: 541 },
    { type: 'importTwice' },
    { type: 'append', chemin, lignes: [], fin },
    { type: 'import' },
  ];
  await followed(lanes[0]!, program);
});
