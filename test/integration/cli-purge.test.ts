// `atelier purge` as a person meets it (R9, R10).

import { existsSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DAY, type Installation, install } from '../harness/cli.ts';
import { vieillir } from '../harness/purge.ts';

const FAKETIME = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1';

let place: Installation;
beforeEach(async () => {
  place = await install();
  // Of long ago, whenever this runs.
  await place.write('DEM12/20190528.LOG', DAY.replaceAll('20250528', '20190528'));
  expect(await place.run(['ingest'])).toMatchObject({ code: 0 });
  await vieillir(place.pool);
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

test('R10: more than a set share would go: refused with what and why, code 1; --force goes through', async () => {
  await place.pool.query(
    `INSERT INTO fichier_log_version (centre_usinage_id, sha256, taille, active, regles, encodage, lignes, lignes_evenements,
        lignes_autres, lignes_rejetees, lignes_ignorees, octets_evenements, octets_autres, octets_rejetes, octets_ignores,
        autres_evenements, dernier_instant, derniere_reception)
     SELECT c.id, sha256(n::text::bytea), 0, true, 'r', 'utf-8', 0, 0, 0, 0, 0, 0, 0, 0, 0, '{}', '2019-01-01', '2019-01-01'
       FROM centre_usinage c, generate_series(1, 40) n`,
  );
  const dry = await place.run(['purge', '--dry-run']);
  expect(dry).toMatchObject({ code: 0 });
  expect(dry.stdout).toMatch(/refusée sans --force : archives : 41 fichiers sur 41 partiraient/);
  const all = async () => {
    const [{ execution: _, ...rows }, files] = JSON.parse(await place.everything());
    return [rows, files];
  };
  const before = await all();
  const refused = await place.run(['purge']);
  expect(refused).toMatchObject({ code: 1, stdout: '' });
  expect(refused.stderr).toMatch(/ATL_R604.*rien n’a été effacé.*41 fichiers.*--force/s);
  expect(await all()).toEqual(before);
  expect(await place.run(['purge'], { env: { PURGE_SEUIL_PART: '1' } })).toMatchObject({ code: 0 });
  expect((await place.run(['purge', '--force'])).stdout).toMatch(/^Purge terminée/);
});

test.skipIf(!existsSync(FAKETIME))(
  'R10: the clock of the machine that purges counts for nothing',
  async () => {
    await place.write('SU12/20250528.LOG', DAY);
    const env = { LD_PRELOAD: FAKETIME, FAKETIME: '+9000d', FAKETIME_DONT_FAKE_MONOTONIC: '1' };
    await place.run(['ingest']);
    const done = await place.run(['purge', '--json'], { env });
    expect(done.code, done.stderr).toBe(0);
    const { categories } = JSON.parse(done.stdout);
    // What is of 2019 by its date and its reception goes; what has just come stays.
    expect(categories).toContainEqual(expect.objectContaining({ categorie: 'details', lignes: 5 }));
    const { rows } = await place.pool.query('SELECT count(*)::int AS n FROM piece_production');
    expect(rows[0].n).toBeGreaterThan(0);
  },
);
