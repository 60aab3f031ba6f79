// L5: processes killed with -9 at every named step and at random moments; run again, and nothing shows.

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runChild, startChild } from '../harness/child.ts';
import { type Observation, observe } from '../harness/half-days.ts';
import { createWorkshop, type Workshop } from '../harness/ingest.ts';
import { ETAPES, recorded } from '../harness/programs.ts';
import { SEED, setting } from '../harness/property.ts';
import { growTree, randomFrom, referenceOf, seenIn, writeTree } from '../harness/tree.ts';
import type { SeenVersion } from '../reference/reference.ts';
import type { Order } from './child.ts';

let workshop: Workshop;
let reader: { stop: () => Promise<Observation> } | undefined;
beforeAll(async () => {
  workshop = await createWorkshop();
});
beforeEach(() => workshop.reset());
afterEach(async () => void (await reader?.stop()));
afterAll(() => workshop.close());

const order = (): Order => ({
  task: 'ingest',
  url: workshop.url,
  logs: workshop.logs,
  archives: workshop.archives,
});

/** One whole import, then all that must hold; `before`: what killed imports may have registered. */
async function expectRecovered(before: SeenVersion[]): Promise<void> {
  const now = await seenIn(workshop.logs);
  await workshop.import();
  const versions = [...now, ...(await recorded(workshop.reader, before))];
  expect(await workshop.state()).toEqual(referenceOf(versions));
  await workshop.checkInvariants();
  // What the dead left half-written in the archive is swept up.
  expect(await readdir(join(workshop.archives, 'en-attente')).catch(() => [])).toEqual([]);
}

describe('L5, F30: kill -9 at a named step', () => {
  it.each(ETAPES)('%s: a first import there, one of grown files the second time there', async (etape) => {
    // More files than one transaction takes, in two centres: the second time exists for every step.
    await writeTree(workshop.logs, 18, 12);
    reader = observe(workshop.reader);
    const seen = await seenIn(workshop.logs);
    expect((await runChild({ ...order(), etape, nth: 1 })).signal).toBe('SIGKILL');
    await growTree(workshop.logs, 5, 2);
    expect((await runChild({ ...order(), etape, nth: 2 })).signal).toBe('SIGKILL');
    expect((await reader.stop()).half).toEqual([]);
    await expectRecovered(seen);
  });
});

it('L5, F30: kill -9 at random moments, files growing between them; no half day is ever visible', async () => {
  const kills = setting('ATELIER_MORTS', 16);
  process.stdout.write(`morts au hasard : ${kills}, ATELIER_GRAINE=${SEED}\n`);
  const random = randomFrom(SEED);
  await writeTree(workshop.logs, 14, 60);
  const started = performance.now();
  expect((await runChild(order())).code).toBe(0);
  const whole = performance.now() - started;
  reader = observe(workshop.reader);
  const seen: SeenVersion[] = await seenIn(workshop.logs);
  let killed = 0;
  for (let i = 0; i < kills; i++) {
    await growTree(workshop.logs, 3, i + 3);
    seen.push(...(await seenIn(workshop.logs)));
    const child = startChild(order());
    // The first third is the start of the program itself.
    await Promise.race([sleep(whole * (0.3 + 0.7 * random())), child.ended]);
    child.process.kill('SIGKILL');
    if ((await child.ended).signal === 'SIGKILL') killed++;
  }
  const { half, snapshots } = await reader.stop();
  expect(half).toEqual([]);
  expect(snapshots).toBeGreaterThan(kills);
  expect(killed).toBeGreaterThan(0);
  await expectRecovered(seen);
}, 180_000);
