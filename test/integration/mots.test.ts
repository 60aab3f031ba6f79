// What commands say is understood by somebody who sees it for the first time.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bytes, secondes } from '../../src/cli/text.ts';
import { CACHE_COMPILATION } from '../harness/cache.ts';
import { DAY, type Installation, install } from '../harness/cli.ts';

const BIN = fileURLToPath(new URL('../../bin/atelier.mjs', import.meta.url));

let place: Installation;
beforeEach(async () => {
  place = await install();
});
afterEach(() => place.close());

/** A command on a terminal: what it shows, without colours. */
async function onTerminal(args: readonly string[], until?: RegExp): Promise<string> {
  const command = [process.execPath, BIN, ...args].map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['-qec', `exec ${command}`, '/dev/null'], {
    cwd: place.home,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: place.home,
      NODE_COMPILE_CACHE: CACHE_COMPILATION,
      TERM: 'dumb',
      METRICS_PORT: '0',
      ...place.env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
    if (until?.test(text)) child.kill('SIGTERM');
  });
  await once(child, 'close');
  return text;
}

test('sizes, rates and durations are French numbers', () => {
  expect([0, 643.1387010016531, 999.6, 1500, 9_960, 1_234_567_890].map(bytes)).toEqual([
    '0 o',
    '643 o',
    '1,0 ko',
    '1,5 ko',
    '10 ko',
    '1,2 Go',
  ]);
  expect(bytes(Number.NaN)).toBe('—');
  expect(secondes(1234)).toBe('1,2 s');
});

test('--dir that is a centre’s own folder: refused, with what to type', async () => {
  await place.write('DEM12/20250528.LOG', DAY);
  await place.write('SU12 (HYBRIDE)/2025/20250528.LOG', DAY);
  for (const [folder, nom] of [
    ['DEM12', 'DEM12'],
    ['SU12 (HYBRIDE)', 'SU12'],
  ] as const) {
    const { code, stderr } = await place.run(['ingest', '--dir', join(place.logs, folder)]);
    expect(stderr).toContain(`--dir ${place.logs} --centre ${nom}`);
    expect(stderr).toContain('ATL_L208');
    expect(code).toBe(1);
  }
  const { rows } = await place.pool.query('SELECT nom FROM centre_usinage');
  expect(rows.map(({ nom }) => nom)).not.toContain('2025');
});

test('files without a centre, or a centre that is a link: said, and no success', async () => {
  await place.write('20250528.LOG', DAY);
  await place.write('../ailleurs/20250528.LOG', DAY);
  await symlink(join(place.home, 'ailleurs'), join(place.logs, 'DEM12'));
  const { code, stderr } = await place.run(['ingest']);
  expect(code).toBe(1);
  expect(stderr).toContain('20250528.LOG : fichier hors du dossier d’un centre');
  expect(stderr).toContain('DEM12 : lien symbolique, jamais suivi');
  // Beside a centre they are named, under the word that the log has for them.
  await place.write('SU12/20250528.LOG', DAY);
  const { code: well, stdout } = await place.run(['ingest']);
  expect(well).toBe(0);
  expect(stdout).toContain('non lu    DEM12 : lien symbolique, jamais suivi');
  expect(stdout).not.toContain('écarté');
  expect(stdout).toMatch(/\d,\d s, /);
});

test('a frozen day is said by the import, the log and show', async () => {
  await place.write('DEM12/20250528.LOG', DAY);
  await place.run(['ingest']);
  await place.pool.query(
    `INSERT INTO jour_gele (centre_usinage_id, jour, details_purges_le)
     SELECT id, '2025-05-28', '2026-01-02 03:00+01' FROM centre_usinage WHERE nom = 'DEM12'`,
  );
  await place.write('DEM12/20250528.LOG', `${DAY}20250528 09:00:00|@StukUitgevoerd: C\r\n`);
  const { stdout } = await place.run(['ingest']);
  expect(stdout).toMatch(/gelées {4}1 journées? que la purge a vidée/);
  const { stdout: shown } = await place.run(['show', 'DEM12/2025-05-28']);
  expect(shown).toContain(
    'Journée gelée : ses pièces et périodes ont été effacées par la purge le 2026-01-02',
  );
});

test('doctor counts centres, not folders', async () => {
  await place.write('DEM12/20250528.LOG', DAY);
  await place.write('DEM12 (PVC)/20250529.LOG', DAY);
  await place.write('divers/lisezmoi.txt', '');
  const { stdout } = await place.run(['doctor']);
  expect(stdout).toContain('1 centre(s) (DEM12), 2 fichier(s) ; dossiers inconnus : divers');
});

test('on a terminal the log is prose, in the factory’s hours', async () => {
  await place.write('DEM12/20250528.LOG', DAY);
  await place.write('seul.LOG', DAY);
  const shown = await onTerminal(
    ['worker', '--taches', 'aucune', '--sans-planification'],
    /fichier lu|non lu/,
  );
  expect(shown).toMatch(/\d\d:\d\d:\d\d {2}.*worker prêt/);
  expect(shown).not.toContain('{"level"');
  const followed = await onTerminal(['ingest', '--watch'], /fichier\(s\) lu|Suivi de/);
  expect(followed).not.toContain('{"level"');
});
