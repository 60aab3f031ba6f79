// P1-P11: the defects of the predecessor (anchors, features.md section 0), each one a regression test.

import { appendFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { ingest } from '../../src/jobs/ingest.ts';
import { migrate } from '../../src/postgres/migrate.ts';
import { withClient } from '../../src/postgres/pool.ts';
import { makeContext, type Settings } from '../harness/context.ts';
import { createWorkshop, type Workshop } from '../harness/ingest.ts';
import type { Session } from '../reference/session.ts';

let workshop: Workshop;
beforeAll(async () => {
  workshop = await createWorkshop();
});
beforeEach(() => workshop.reset());
afterAll(() => workshop.close());

/** Lines of 2025-05-28 unless they say otherwise. */
const log = (...lines: string[]): string =>
  lines.map((line) => `${/^\d\d:/.test(line) ? '20250528 ' : ''}${line}\n`).join('');

async function put(chemin: string, text: string): Promise<void> {
  const path = join(workshop.logs, chemin);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

async function only(): Promise<Session> {
  const { sessions } = await workshop.state();
  expect(sessions.length).toBe(1);
  return sessions[0]!;
}

async function rows(sql: string): Promise<unknown[]> {
  return (await workshop.reader.query(sql)).rows;
}

/** The same folders with other settings, as after a change of `.env`. */
async function importWith(settings: Settings): Promise<void> {
  const { url, logs, archives } = workshop;
  const context = makeContext({ url, logs, archives, settings });
  try {
    await ingest(context);
  } finally {
    await context.pool.end();
  }
}

const MIXED = ['06:00:00|@StukUitgevoerd', '06:30:00|@MachineWait: 60 sec', '07:00:00|@StukUitgevoerd'];

it('P1: a machine is its folder, not a file: three days, two names, one centre', async () => {
  await put('DEM12/20250528.LOG', log(MIXED[0]!));
  await put('DEM12/20250529.LOG', log('20250529 06:00:00|@StukUitgevoerd'));
  await put('DEM12/export DEMALU_20250530.log', log('20250530 06:00:00|@StukUitgevoerd'));
  await workshop.import();
  expect(await rows('SELECT nom, type_cu FROM centre_usinage')).toEqual([{ nom: 'DEM12', type_cu: 'PVC' }]);
  expect((await workshop.state()).sessions.map((s) => s.date_production)).toEqual([
    '2025-05-28',
    '2025-05-29',
    '2025-05-30',
  ]);
});

it('P2: a line that does not parse is kept with file, line, byte offset, reason and text', async () => {
  await put('DEM12/20250528.LOG', log(MIXED[0]!, '20250528 06:10:00 StukUitgevoerd', MIXED[2]!));
  const compteurs = await workshop.import();
  expect(compteurs.lignesRejetees).toBe(1);
  expect(
    await rows(`SELECT f.chemin, r.ligne, r.octet, r.longueur, r.raison, r.texte FROM ligne_rejetee r
      JOIN fichier_log_contenu c ON c.version_id = r.version_id JOIN fichier_log f ON f.id = c.fichier_log_id`),
  ).toEqual([
    {
      chemin: 'DEM12/20250528.LOG',
      ligne: 2,
      octet: log(MIXED[0]!).length,
      longueur: 33,
      raison: 'sans_separateur',
      texte: '20250528 06:10:00 StukUitgevoerd',
    },
  ]);
});

it('P3: overlapping waits and stops count once, inside the window only; the parts make the whole', async () => {
  await put(
    'DEM12/20250528.LOG',
    log(
      '05:00:00|@MachineStop',
      '05:50:00|@MachineWait: 1200 sec',
      '06:00:00|@StukUitgevoerd',
      '06:05:00|@MachineWait: 600 sec',
      '06:10:00|@MachineStart',
      '06:55:00|@MachineWait: 3000 sec',
      '07:00:00|@StukUitgevoerd',
    ),
  );
  await workshop.import();
  const s = await only();
  // Window 60 min; stop 06:00-06:10; waits 06:10-06:15 and 06:55-07:00. Summed, they would be more than the window.
  expect([s.temps_arret_volontaire, s.temps_attente, s.temps_production_effectif]).toEqual([
    '0.1667',
    '0.1667',
    '0.6667',
  ]);
  expect([s.taux_occupation, s.taux_attente, s.taux_arret_volontaire]).toEqual(['66.67', '16.67', '16.67']);
});

it('P4: Stop, Stop, Start is one stop from the first; one that is open at the end of a file goes on in the next', async () => {
  await put(
    'DEM12/matin.LOG',
    log('06:00:00|@StukUitgevoerd', '06:10:00|@MachineStop', '06:15:00|@MachineStop'),
  );
  await workshop.import();
  expect((await only()).periodes_arret).toEqual([]);
  await put('DEM12/soir.LOG', log('06:40:00|@MachineStart', '07:00:00|@StukUitgevoerd'));
  await workshop.import();
  const s = await only();
  expect(s.periodes_arret.map((p) => [p.timestamp_debut, p.timestamp_fin, p.duree_secondes])).toEqual([
    ['2025-05-28T04:10:00.000000Z', '2025-05-28T04:40:00.000000Z', '1800'],
  ]);
  expect(s.periodes_arret[0]!.source.sha256).not.toBe(s.periodes_arret[0]!.fin.sha256);
  expect(s.temps_arret_volontaire).toBe('0.5000');
});

it('P5: whether a wait’s stamp is its start or its end is a setting of the centre; changing it recomputes', async () => {
  await put('DEM12/20250528.LOG', log(...MIXED));
  await workshop.import();
  expect((await only()).periodes_attente[0]!.timestamp_debut).toBe('2025-05-28T04:30:00.000000Z');
  await importWith({ CENTRES: 'DEM12=DEM12,PVC,fin' });
  expect((await only()).periodes_attente[0]!.timestamp_debut).toBe('2025-05-28T04:29:00.000000Z');
});

it('P6: a length is read as integer and as decimal, with point and with comma', async () => {
  const lengths = ['L:3359', 'L:3359.5', 'L:3359,25'];
  await put('DEM12/20250528.LOG', log(...lengths.map((l, i) => `06:0${i}:00|@JobProfiel: R:1 ${l} C:9016`)));
  await workshop.import();
  expect((await only()).job_profils.map((p) => p.longueur)).toEqual(['3359', '3359.5', '3359.25']);
});

it('P7: a night shift is one production day when JOURNEE_DEBUT says so, two calendar days otherwise', async () => {
  await put(
    'DEM12/20250528.LOG',
    log('22:00:00|@StukUitgevoerd', '20250529 02:00:00|@StukUitgevoerd', '20250529 04:59:59|@StukUitgevoerd'),
  );
  await workshop.import();
  expect((await workshop.state()).sessions.map((s) => [s.date_production, s.total_pieces])).toEqual([
    ['2025-05-28', 1],
    ['2025-05-29', 2],
  ]);
  await importWith({ JOURNEE_DEBUT: '05:00' });
  const s = await only();
  expect([s.date_production, s.total_pieces, s.duree_production_totale]).toEqual(['2025-05-28', 3, '6.9997']);
});

it('P8: the program takes no file away, and what is gone from the folder can be had again and recomputed', async () => {
  await put('DEM12/20250528.LOG', log(...MIXED));
  await workshop.import();
  const before = await workshop.state();
  await rm(join(workshop.logs, 'DEM12/20250528.LOG'));
  await workshop.import();
  expect(await workshop.state()).toEqual(before);
  await workshop.checkInvariants();
  // Other settings, then the first ones again: every row is made anew from the archive alone.
  await importWith({ FUSEAU: 'Europe/Helsinki' });
  expect((await only()).heure_premiere_piece).toBe('2025-05-28T03:00:00.000000Z');
  await importWith({});
  expect(await workshop.state()).toEqual(before);
});

it('P9: when and how often imports run changes nothing (the schedule itself comes with its own job)', async () => {
  const lines = [...MIXED, '07:10:00|@MachineStop', '07:20:00|@MachineStart', '08:00:00|@StukUitgevoerd'];
  const path = join(workshop.logs, 'DEM12/20250528.LOG');
  await put('DEM12/20250528.LOG', '');
  for (const line of lines) {
    await appendFile(path, log(line));
    await workshop.import();
  }
  const often = await workshop.state();
  await workshop.reset();
  await put('DEM12/20250528.LOG', log(...lines));
  await workshop.import();
  expect(await workshop.state()).toEqual(often);
});

it('P10: migrations can run again, and a second session of one centre and day is impossible', async () => {
  expect(await withClient(workshop.context.pool, (client) => migrate(client))).toEqual([]);
  await put('DEM12/20250528.LOG', log(...MIXED));
  await Promise.all([workshop.import(), workshop.import(), workshop.import()]);
  await only();
  const second = workshop.reader.query(
    `INSERT INTO session_production (centre_usinage_id, date_production, origine)
     SELECT centre_usinage_id, date_production, origine FROM session_production`,
  );
  await expect(second).rejects.toMatchObject({ code: '23505' });
});

it('P11: every instant in the tables has a zone; the repeated and the skipped hour follow the rule', async () => {
  expect(
    await rows(`SELECT table_name, column_name FROM information_schema.columns
      WHERE table_schema = 'public' AND data_type = 'timestamp without time zone'`),
  ).toEqual([]);
  await put(
    'DEM12/20251026.LOG',
    log(
      '20251026 02:30:00|@StukUitgevoerd: avant',
      '20251026 02:50:00|@StukUitgevoerd: avant',
      '20251026 02:30:00|@StukUitgevoerd: après',
    ),
  );
  await put('DEM12/20250330.LOG', log('20250330 02:30:00|@StukUitgevoerd'));
  await workshop.import();
  const [spring, autumn] = (await workshop.state()).sessions;
  expect(spring!.heure_premiere_piece).toBe('2025-03-30T01:30:00.000000Z');
  expect(autumn!.pieces.map((p) => p.timestamp_production.slice(11, 16))).toEqual([
    '00:30',
    '00:50',
    '01:30',
  ]);
});
