// R25: backups have an end. R16: what was erased after a backup does not come back with it.

import { cp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Effacements } from '../../src/archives/effacements.ts';
import { Depot, instantDe } from '../../src/archives/sauvegarde/depot.ts';
import { expirerSauvegardes } from '../../src/jobs/sauvegarde/expiration.ts';
import { verifierSauvegarde } from '../../src/jobs/sauvegarde/verification.ts';
import { type Etabli, monter, peupler, tousLesFichiers } from '../harness/sauvegarde.ts';
import { growTree } from '../harness/tree.ts';

const DAY = 24 * 3600 * 1000;

let etabli: Etabli;
beforeAll(async () => {
  etabli = await monter();
  await peupler(etabli);
}, 120_000);
afterAll(() => etabli.close());

it('R25, R10: a backup goes a second after its time, not before; too many go; the newest stays; the pool follows', async () => {
  const noms: string[] = [];
  for (let i = 0; i < 3; i++) {
    await growTree(etabli.atelier.logs, 2, 40 + i);
    await etabli.atelier.import();
    // Names count in seconds: each has one of its own.
    await sleep(1000);
    const { nom, archivesCopiees, archives } = await etabli.sauvegarder();
    noms.push(nom);
    // Incremental: what the one before had is not copied again.
    if (i > 0) expect(archivesCopiees).toBeLessThan(archives);
  }
  const depot = new Depot(etabli.depot, []);
  expect(await depot.noms()).toEqual(noms);
  const rules = { conservation: 30, gardees: 60 };
  const first = instantDe(noms[0]!);
  const expire = (rest: object, maintenant: number) =>
    expirerSauvegardes(depot, { ...rules, ...rest }, { maintenant, part: 0.2 }).then(
      ({ effacees }) => effacees,
    );
  expect(await expire({}, first + 30 * DAY - 1000)).toEqual([]);
  const pool = (await tousLesFichiers(join(etabli.depot, 'archives'))).size;
  expect(await expire({}, first + 30 * DAY + 1)).toEqual([noms[0]]);
  expect((await tousLesFichiers(join(etabli.depot, 'archives'))).size).toBeLessThan(pool);
  for (const nom of noms.slice(1))
    expect((await verifierSauvegarde(depot, await depot.ouvrir(nom), [])).defauts).toEqual([]);
  expect(await expire({ gardees: 1 }, first)).toEqual([noms[1]]);
  expect(await expire({}, first + 365 * DAY)).toEqual([]);
  expect(await depot.noms()).toEqual([noms[2]]);
  // A backup does it at its end, with its own clock.
  const late = await etabli.sauvegarder({ maintenant: () => first + 40 * DAY });
  expect(late.effacees).toEqual([noms[2]]);
  expect((await readdir(etabli.depot)).sort()).toEqual([
    late.nom,
    'archives',
    expect.stringMatching(/^comptes-.*\.cles$/),
  ]);
}, 60_000);

it('R25: a clock that jumped finds all backups too old: one in five goes at a time, and it is said', async () => {
  const depot = join(etabli.home, 'horloge');
  const { nom } = await etabli.sauvegarder({ vers: depot });
  // Eleven in all, a day between them.
  const noms = [nom];
  for (let i = 1; i <= 10; i++) {
    const before = new Date(instantDe(nom) - i * DAY)
      .toISOString()
      .replace(/\.\d+Z$/, 'Z')
      .replaceAll(':', '-');
    await cp(join(depot, nom), join(depot, before), { recursive: true });
    noms.unshift(before);
  }
  const saut = await etabli.sauvegarder({ vers: depot, maintenant: () => instantDe(nom) + 900 * DAY });
  expect(saut).toMatchObject({
    effacees: noms.slice(0, 2),
    effacement: expect.stringMatching(/^9 autres .*horloge/),
  });
  // The usual night: none is too old, none goes.
  expect(await etabli.sauvegarder({ vers: depot })).toMatchObject({ effacees: [] });
  expect((await new Depot(depot, []).noms()).slice(0, 9)).toEqual(noms.slice(2));
}, 60_000);

it('R25: an old backup that cannot be removed is told, and does not make the new one a failure', async () => {
  const depot = join(etabli.home, 'obstacle');
  const { nom } = await etabli.sauvegarder({ vers: depot });
  // Where it would be put aside, something else is in the way.
  const obstacle = join(depot, `.en-cours~${hostname()}~${process.pid}~${nom}`);
  await writeFile(obstacle, '');
  const maintenant = (): number => instantDe(nom) + 40 * DAY;
  const bilan = await etabli.sauvegarder({ vers: depot, maintenant });
  expect(bilan).toMatchObject({ etat: 'partielle', effacees: [], effacement: expect.stringContaining(nom) });
  const { rows } = await etabli.atelier.reader.query<{ etat: string; erreur: string }>(
    `SELECT etat, erreur FROM execution WHERE tache = 'sauvegarde' ORDER BY id DESC LIMIT 1`,
  );
  expect(rows).toEqual([{ etat: 'partielle', erreur: expect.stringContaining(nom) }]);
  await rm(obstacle);
  expect(await etabli.sauvegarder({ vers: depot, maintenant })).toMatchObject({ etat: 'reussie' });
  expect(await new Depot(depot, []).noms()).not.toContain(nom);
}, 60_000);

it('O15: an archive that is missing is named, all the rest is saved: partielle', async () => {
  const [path] = [...(await tousLesFichiers(etabli.atelier.archives)).keys()].filter((name) =>
    name.endsWith('.zst'),
  );
  const full = join(etabli.atelier.archives, path!);
  await rename(full, `${full}.loin`);
  try {
    const bilan = await etabli.sauvegarder({ vers: join(etabli.home, 'ailleurs') });
    expect(bilan).toMatchObject({ etat: 'partielle', archivesManquantes: [path!.slice(-68, -4)] });
  } finally {
    await rename(`${full}.loin`, full);
  }
});

it('R16, R15: an account and days that were erased after the backup do not come back with it', async () => {
  const { atelier } = etabli;
  const { nom } = await etabli.sauvegarder();
  const { rows: people } = await atelier.reader.query<{ id: string }>(
    `SELECT id FROM "user" WHERE role = 'lecteur'`,
  );
  const [gone] = people;
  const { rows: days } = await atelier.reader.query<{ id: number; nom: string; cree: Date; jour: string }>(
    `SELECT c.id, c.nom, c.date_creation AS cree, s.date_production::text AS jour FROM session_production s JOIN centre_usinage c ON c.id = s.centre_usinage_id
      WHERE s.origine = 'log' AND s.total_pieces > 0 ORDER BY 2, 3 LIMIT 1`,
  );
  const day = days[0]!;
  const effacements = new Effacements(atelier.archives);
  await effacements.ajouter({ genre: 'compte', id: gone!.id });
  await effacements.ajouter({
    genre: 'jours',
    part: 'details',
    centre: { id: day.id, nom: day.nom, cree: day.cree.toISOString() },
    jours: [day.jour],
  });
  const base = await etabli.base();
  await etabli.restaurer(nom, { url: base.url }, { ARCHIVES_DIR: atelier.archives });
  const found = await base.pool.query('SELECT FROM "user" WHERE id = $1', [gone!.id]);
  expect(found.rowCount).toBe(0);
  const pieces = await base.pool.query(
    `SELECT count(p.id) AS pieces, max(s.total_pieces) > 0 AS chiffres FROM session_production s
       LEFT JOIN piece_production p ON p.session_id = s.id
      WHERE s.centre_usinage_id = $1 AND s.date_production = $2`,
    [day.id, day.jour],
  );
  expect(pieces.rows).toEqual([{ pieces: 0, chiffres: true }]);
  // The record of it came along: a backup of the restored one would say so too.
  const other = await etabli.base();
  const archives = join(etabli.home, 'archives-vierges');
  const { nom: later } = await etabli.sauvegarder();
  await etabli.restaurer(later, { url: other.url }, { ARCHIVES_DIR: archives });
  expect((await new Effacements(archives).lire()).map(({ genre }) => genre)).toEqual(['compte', 'jours']);
}, 60_000);
