// A reader at any moment sees whole days only, as some finished state of the files would give them.

import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ingest } from '../../src/jobs/ingest.ts';
import { observe } from '../harness/half-days.ts';
import { createWorkshop, type Workshop } from '../harness/ingest.ts';
import { dayLines, randomFrom, referenceOf, seenIn } from '../harness/tree.ts';

let workshop: Workshop;
beforeAll(async () => {
  workshop = await createWorkshop();
});
afterAll(() => workshop.close());

it('F1, F32: during imports of growing days, two at once, no half day is visible', async () => {
  const random = randomFrom(7);
  const days = ['20250528', '20250529'];
  const allowed = new Map<string, Set<number>>();
  await mkdir(join(workshop.logs, 'DEM12'), { recursive: true });
  for (const day of days) await writeFile(join(workshop.logs, 'DEM12', `${day}.LOG`), '');
  const reader = observe(workshop.reader);
  for (let step = 0; step < 25; step++) {
    for (const day of days) {
      const lines = dayLines(day, 20_000 + step * 1_000, 40, random);
      await appendFile(join(workshop.logs, 'DEM12', `${day}.LOG`), lines);
    }
    for (const { centre, date_production, total_pieces } of referenceOf(await seenIn(workshop.logs))
      .sessions) {
      const key = `${centre}/${date_production}`;
      allowed.set(key, (allowed.get(key) ?? new Set()).add(total_pieces));
    }
    await Promise.all([ingest(workshop.context), ingest(workshop.context)]);
  }
  const { half, totals, snapshots } = await reader.stop();
  expect(half).toEqual([]);
  expect(snapshots).toBeGreaterThan(25);
  for (const [key, seen] of totals)
    expect([...seen].filter((total) => !allowed.get(key)?.has(total))).toEqual([]);
  expect(await workshop.state()).toEqual(referenceOf(await seenIn(workshop.logs)));
  await workshop.checkInvariants();
});
