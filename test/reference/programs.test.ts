// The programs themselves: the disk does what the model says, and the laws of the contract hold for the reference.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isVisible } from './model.ts';
import { isImport, programArbitrary, readTree, runProgram } from './programs.ts';
import { type ReferenceInput, type ReferenceState, reference, type SeenVersion } from './reference.ts';

const zone = { fuseau: 'Europe/Paris', journeeDebut: '00:00' };
const stateOf = (versions: SeenVersion[], options: Partial<ReferenceInput> = {}): ReferenceState =>
  reference({ versions, ...zone, ...options });

it('a program is at most 12 actions and 4 imports, and ends with an import', () => {
  fc.assert(
    fc.property(programArbitrary(), (program) => {
      expect(program.length).toBeLessThanOrEqual(12);
      expect(program.filter(isImport).length).toBeLessThanOrEqual(4);
      expect(program.at(-1)).toEqual({ type: 'import' });
    }),
    { numRuns: 300 },
  );
});

it('the disk holds what the model says at each import, which sees it all', async () => {
  await fc.assert(
    fc.asyncProperty(programArbitrary(), async (program) => {
      const dir = await mkdtemp(join(tmpdir(), 'programme-'));
      try {
        const imported = new Map<string, SeenVersion>();
        const run = async (): Promise<void> => {
          for (const [chemin, octets] of await readTree(dir)) {
            if (!isVisible(chemin)) continue;
            const centre = chemin.split('/')[0] ?? '';
            imported.set(`${chemin} ${Buffer.from(octets).toString('hex')}`, { centre, chemin, octets });
          }
        };
        const model = await runProgram(program, dir, { run, twice: run, kill: async () => {} });
        expect(await readTree(dir)).toEqual(model.files);
        expect(stateOf([...imported.values()])).toEqual(stateOf(model.seen));
        expect(imported.size).toBe(model.seen.length);
      } finally {
        await rm(dir, { recursive: true });
      }
    }),
    { numRuns: 150 },
  );
}, 60_000);

it('the state is a function of the set of bytes: order and repetition do not matter; figures add up', async () => {
  await fc.assert(
    fc.asyncProperty(programArbitrary(), fc.constantFrom('00:00', '05:00'), async (program, journeeDebut) => {
      const dir = await mkdtemp(join(tmpdir(), 'programme-'));
      const nothing = async (): Promise<void> => {};
      const model = await runProgram(program, dir, { run: nothing, twice: nothing, kill: nothing });
      await rm(dir, { recursive: true });
      const state = stateOf(model.seen, { journeeDebut });
      expect(stateOf([...model.seen.toReversed(), ...model.seen], { journeeDebut })).toEqual(state);
      for (const v of state.versions) expect(v.evenements + v.autres + v.rejets + v.ignorees).toBe(v.lignes);
      for (const s of state.sessions) {
        const parts =
          Number(s.temps_production_effectif) + Number(s.temps_attente) + Number(s.temps_arret_volontaire);
        expect(parts).toBeCloseTo(Number(s.duree_production_totale), 3);
        expect(s.total_pieces).toBe(s.pieces.length);
        for (const taux of [s.taux_occupation, s.taux_attente, s.taux_arret_volontaire]) {
          expect(Number(taux)).toBeGreaterThanOrEqual(0);
          expect(Number(taux)).toBeLessThanOrEqual(100);
        }
      }
    }),
    { numRuns: 200 },
  );
}, 60_000);
