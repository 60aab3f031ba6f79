// O12: a disk that really fills up, a tiny one in memory where that may be mounted.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadConfig } from '../../src/base/config.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { mesurerDisques } from '../../src/jobs/alertes/disques.ts';
import { createSurveillance, type Surveillance } from '../harness/alertes.ts';

const home = mkdtempSync(join(tmpdir(), 'atelier-disque-'));
const disque = join(home, 'disque');
let mounted = false;
let why = '';
let s: Surveillance;
beforeAll(async () => {
  mkdirSync(disque);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disque], { stdio: 'pipe' });
    mounted = true;
  } catch (error) {
    why = String(error).split('\n')[0]!;
  }
  s = await createSurveillance({ ARCHIVES_DIR: join(disque, 'pas', 'encore', 'la'), ALERTE_DISQUE: '20%' });
});
afterAll(async () => {
  if (mounted) execFileSync('umount', [disque], { stdio: 'pipe' });
  rmSync(home, { recursive: true, force: true });
  await s?.close();
});

const config = (env: Record<string, string>) => loadConfig({ ATELIER_DIR: home, ...env });

it('folders of one disk are told together, also those that are not there yet', async () => {
  const [disk, ...others] = await mesurerDisques(
    config({ LOGS_DIR: join(home, 'a/b/c'), ARCHIVES_DIR: join(home, 'd'), SYNC_LOGS_DIR: home }),
    silentLogger(),
  );
  expect(others).toEqual([]);
  expect(disk!.dossiers).toEqual(['ARCHIVES_DIR', 'LOGS_DIR', 'SYNC_LOGS_DIR', 'ATELIER_DIR']);
  expect(disk!.hote).toBe(hostname());
  expect(disk!.total).toBeGreaterThanOrEqual(disk!.libre);
});

it('opens when the disk is full, ends when there is space again', async ({ skip }) => {
  if (!mounted) skip(`no tmpfs may be mounted here: ${why}`);
  const own = async () => (await s.alertes()).filter(({ objet }) => objet === `${hostname()} ARCHIVES_DIR`);
  // Other disks of this machine may be short, too: only the tiny one is looked at.
  const tiny = async () => {
    const all = await mesurerDisques(s.contexte().config, silentLogger());
    return all.filter(({ dossiers }) => dossiers.includes('ARCHIVES_DIR'));
  };
  await s.passer({ disques: tiny });
  writeFileSync(join(disque, 'plein'), Buffer.alloc(7_500_000));
  await s.passer({ disques: tiny });
  expect(await own()).toEqual([]);
  s.maintenant += 60_000;
  await s.passer({ disques: tiny });
  expect(await own()).toMatchObject([
    {
      etat: 'ouverte',
      gravite: 'critique',
      message: expect.stringMatching(/ARCHIVES_DIR n’a plus que \d+ ko libres/),
    },
  ]);
  truncateSync(join(disque, 'plein'));
  s.maintenant += 300_000;
  await s.passer({ disques: tiny });
  expect(await own()).toMatchObject([{ etat: 'resolue' }]);
});
