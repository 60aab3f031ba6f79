// --replace against the reference: the only way to make a rewritten file take events away (rule 19).

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWorkshop, type Workshop } from '../harness/ingest.ts';
import { assertProperty, setting } from '../harness/property.ts';
import { type Replaced, reference, type SeenVersion, sha256Of } from '../reference/reference.ts';

const CHEMINS = ['DEM12/20250528.LOG', 'DEM12/copie.log'] as const;
const LINES = ['06:00:00|@StukUitgevoerd: A', '06:10:00|@StukUitgevoerd: B', '06:20:00|@Klem', 'onzin'];

// Contents that are often the beginning of each other: that is where replacing is delicate.
const content = fc
  .array(fc.constantFrom(...LINES), { maxLength: 3 })
  .map((lines) =>
    Buffer.from(lines.map((line) => `${line.length > 8 ? '20250528 ' : ''}${line}\n`).join('')),
  );
const step = fc.record({
  chemin: fc.constantFrom(...CHEMINS),
  octets: content,
  replace: fc.oneof(
    { weight: 2, arbitrary: fc.constant(false) },
    { weight: 1, arbitrary: fc.constant(true) },
  ),
});

let workshop: Workshop;
beforeAll(async () => {
  workshop = await createWorkshop();
});
afterAll(() => workshop.close());

it('rule 19, P8: --replace takes away what the path held before, for good, and nothing else', async () => {
  await assertProperty(
    'remplacements',
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 7 }), async (steps) => {
      await workshop.reset();
      await mkdir(join(workshop.logs, 'DEM12'), { recursive: true });
      const seen: SeenVersion[] = [];
      const present = new Map<string, Buffer>();
      const remplacees = new Map<string, Replaced>();
      for (const { chemin, octets, replace } of steps) {
        await writeFile(join(workshop.logs, chemin), octets);
        present.set(chemin, octets);
        await workshop.import(replace ? { replace: chemin } : {});
        for (const [path, bytes] of present) seen.push({ centre: 'DEM12', chemin: path, octets: bytes });
        if (!replace) continue;
        const gardee = sha256Of(octets);
        for (const version of seen) {
          const sha256 = sha256Of(version.octets);
          if (version.chemin !== chemin) continue;
          if (sha256 === gardee) remplacees.delete(`${chemin} ${sha256}`);
          else remplacees.set(`${chemin} ${sha256}`, { centre: 'DEM12', chemin, sha256, gardee });
        }
      }
      const zone = { fuseau: 'Europe/Paris', journeeDebut: '00:00' };
      expect(await workshop.state()).toEqual(
        reference({ versions: seen, remplacees: [...remplacees.values()], ...zone }),
      );
      await workshop.checkInvariants();
    }),
    { numRuns: setting('ATELIER_REMPLACEMENTS', 100) },
  );
}, 300_000);
