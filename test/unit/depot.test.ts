// Names of backups tell their order, also of those made within one second.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Depot } from '../../src/archives/sauvegarde/depot.ts';

const INSTANT = '2026-11-23T11:16:36.250Z';
let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'atelier-depot-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

test('R25: a backup made within the same second comes last, whatever was removed before it', async () => {
  const depot = new Depot(root, []);
  const make = async (): Promise<string> => await depot.achever(await depot.commencer(), INSTANT);
  const stem = '2026-11-23T11-16-36Z';
  expect([await make(), await make()]).toEqual([stem, `${stem}-2`]);
  await depot.effacer(stem);
  expect(await make()).toBe(`${stem}-3`);
  for (let n = 4; n <= 11; n++) await make();
  expect(await depot.noms()).toEqual(Array.from({ length: 10 }, (_, i) => `${stem}-${i + 2}`));
});
