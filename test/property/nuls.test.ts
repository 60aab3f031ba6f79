// A NUL says nothing (rule 15): a file that had its size before it had its bytes, in whatever order its states are seen.

import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Import } from '../../src/jobs/ingest/import.ts';
import { createWorkshop, type Workshop } from '../harness/ingest.ts';
import { assertProperty, setting } from '../harness/property.ts';
import { reference, type SeenVersion } from '../reference/reference.ts';

const CHEMIN = 'DEM12/20250528.LOG';
const WHOLE = Buffer.from(
  [
    '06:00:00|@JobProfiel: R:215023 L:3359.0 C:7016',
    ...Array.from({ length: 30 }, (_, i) => `06:${String(i + 10)}:00|@StukUitgevoerd: pièce ${i}`),
    'onzin',
  ]
    .map((line) => `20250528 ${line}\r\n`)
    .join(''),
);

let workshop: Workshop;
beforeAll(async () => {
  workshop = await createWorkshop();
});
afterAll(() => workshop.close());

async function put(octets: Buffer): Promise<void> {
  await mkdir(join(workshop.logs, 'DEM12'), { recursive: true });
  await writeFile(join(workshop.logs, CHEMIN), octets);
  await utimes(join(workshop.logs, CHEMIN), 1, 1);
}

function masked(
  octets: Buffer,
  holes: readonly (readonly [number, number])[],
  length = octets.length,
): Buffer {
  const bytes = Buffer.from(octets.subarray(0, length));
  for (const [at, size] of holes) {
    const start = at % (bytes.length + 1);
    bytes.fill(0, start, Math.min(bytes.length, start + size));
  }
  return bytes;
}

const state = fc.record({
  octets: fc.constantFrom(
    WHOLE,
    WHOLE,
    Buffer.concat([WHOLE, Buffer.from('20250528 07:00:00|@MachineStop')]),
  ),
  trous: fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 900 })), { maxLength: 4 }),
  longueur: fc.option(fc.nat(WHOLE.length), { nil: undefined, freq: 3 }),
});

it('F1, F14: a file whose second half is still NULs, then whole: 30 pieces, one profile, and the bytes of both', async () => {
  const half = masked(WHOLE, [[WHOLE.length >> 1, WHOLE.length]]);
  for (const states of [
    [half, WHOLE],
    [WHOLE, half],
  ]) {
    await workshop.reset();
    for (const octets of states) {
      await put(octets);
      await workshop.import();
    }
    const { sessions, versions } = await workshop.state();
    expect(sessions.map(({ total_pieces, job_profils }) => [total_pieces, job_profils.length])).toEqual([
      [30, 1],
    ]);
    expect(versions.length).toBe(1);
    await workshop.checkInvariants();
  }
});

it('F1, F14, L2: any states with any holes, in any order, imported or followed: the tables are those of the reference', async () => {
  await assertProperty(
    'NUL',
    fc.asyncProperty(fc.array(state, { minLength: 1, maxLength: 6 }), fc.boolean(), async (states, suivi) => {
      await workshop.reset();
      const follower = new Import(workshop.context, { suivi: true });
      const seen: SeenVersion[] = [];
      for (const { octets, trous, longueur } of states) {
        const bytes = masked(octets, trous, longueur);
        seen.push({ centre: 'DEM12', chemin: CHEMIN, octets: bytes });
        await put(bytes);
        await (suivi ? follower.scan() : workshop.import());
      }
      await workshop.import();
      expect(await workshop.state()).toEqual(
        reference({ versions: seen, fuseau: 'Europe/Paris', journeeDebut: '00:00' }),
      );
      await workshop.checkInvariants();
    }),
    { numRuns: setting('ATELIER_NULS', 60) },
  );
}, 300_000);
