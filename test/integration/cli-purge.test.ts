// `atelier purge` as a person meets it (R9, R10).

import { afterEach, beforeEach, expect, test } from 'vitest';
import { DAY, type Installation, install } from '../harness/cli.ts';

let place: Installation;
beforeEach(async () => {
  place = await install();
  // Of long ago, whenever this runs.
  await place.write('DEM12/20190528.LOG', DAY.replaceAll('20250528', '20190528'));
  expect(await place.run(['ingest'])).toMatchObject({ code: 0 });
});
afterEach(() => place.close());

test('R10: --dry-run tells, changes nothing; then it is done, once', async () => {
  const before = await place.everything();
  const dry = await place.run(['purge', '--dry-run']);
  expect(dry).toMatchObject({ code: 0, stderr: '' });
  expect(dry.stdout).toMatch(/^À blanc : rien n’a été effacé\./);
  expect(dry.stdout).toMatch(/détails des journées +5 {2}24 mois, avant le 20\d\d-/);
  expect(dry.stdout).toMatch(/chiffres des journées +0 {2}jamais effacés/);
  expect(await place.everything()).toBe(before);

  const real = await place.run(['purge', '--json']);
  expect(real.code).toBe(0);
  const { etat, aBlanc, categories } = JSON.parse(real.stdout);
  expect([etat, aBlanc]).toEqual(['reussie', false]);
  expect(categories).toContainEqual(expect.objectContaining({ categorie: 'details', lignes: 5 }));
  expect(categories).toContainEqual(expect.objectContaining({ categorie: 'archives', lignes: 1 }));
  const again = JSON.parse((await place.run(['purge', '--json'])).stdout);
  expect(again.categories.every((c: { lignes: number }) => c.lignes === 0)).toBe(true);

  // The figures are still there, and doctor finds nothing wrong with them.
  const sessions = JSON.parse((await place.run(['sessions', '--json'])).stdout);
  expect(sessions).toMatchObject([{ date_production: '2019-05-28', total_pieces: 2 }]);
  const { rows } = await place.pool.query(
    `SELECT etat, compteurs FROM execution WHERE tache = 'purge' ORDER BY id`,
  );
  expect(rows).toMatchObject([{ etat: 'reussie', compteurs: { details: 5 } }, { etat: 'reussie' }]);
});

test('R11: the bytes of a purged file are asked for: when they went, no riddle', async () => {
  const [{ sha256 }] = JSON.parse((await place.run(['fichiers', '--json'])).stdout);
  await place.run(['purge']);
  const done = await place.run(['fichiers', '--octets', sha256]);
  expect(done).toMatchObject({ code: 1, stdout: '' });
  expect(done.stderr).toMatch(/ATL_R603.*effacés le 20\d\d-/s);
});

test('R9: a period out of its bounds: refused before anything is opened', async () => {
  const done = await place.run(['purge'], {
    env: { CONSERVATION_AUDIT: '10 ans', DATABASE_URL: 'postgresql://x@nulle.part.invalid/x' },
  });
  expect(done).toMatchObject({ code: 1, stdout: '' });
  expect(done.stderr).toMatch(/ATL_C101.*CONSERVATION_AUDIT/s);
});
