// `/stats/…`: per centre, times added up and then divided; every centre is there; figures are those of `/sessions/`.

import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { productionDeCentre, productionParJour } from '../../src/api/schemas/stats.ts';
import { type AtelierDEssai, conforme, createAtelier } from '../harness/api-workshop.ts';
import { writeTree } from '../harness/tree.ts';

let atelier: AtelierDEssai;
/** by name */
const ids: Record<string, number> = {};

beforeAll(async () => {
  atelier = await createAtelier();
  const { workshop } = atelier;
  await writeTree(workshop.logs, 6, 60);
  // A short full day and a long idle one: their mean rate is not the rate of both together.
  for (const [chemin, text] of [
    ['DEMALU/20250601.LOG', '20250601 06:00:00|@StukUitgevoerd: A\n20250601 07:00:00|@StukUitgevoerd: B\n'],
    [
      'DEMALU/20250602.LOG',
      '20250602 06:00:00|@StukUitgevoerd: A\n20250602 06:30:00|@MachineStop\n20250602 08:30:00|@MachineStart\n20250602 09:00:00|@StukUitgevoerd: B\n',
    ],
    ['DEMALU/20250603.LOG', '20250603 06:00:00|@MachineStop\n'],
  ] as const) {
    await mkdir(dirname(join(workshop.logs, chemin)), { recursive: true });
    await writeFile(join(workshop.logs, chemin), text);
  }
  await workshop.import();
  const { rows } = await workshop.reader.query<{ id: number; nom: string }>(
    "INSERT INTO centre_usinage (nom, type_cu) VALUES ('NEUF', 'PVC') RETURNING id, nom",
  );
  ids['NEUF'] = rows[0]!.id;
  for (const { id, nom } of (await workshop.reader.query('SELECT id, nom FROM centre_usinage')).rows)
    ids[nom] = id;
  // The same day by hand, and a day of its own.
  await workshop.reader.query(
    `INSERT INTO session_production (centre_usinage_id, date_production, origine, total_pieces,
            duree_production_totale, temps_production_effectif, taux_occupation)
     VALUES ($1, '2025-06-01', 'manuel', 10, 2, 1, 50), ($1, '2025-06-10', 'manuel', 5, 0, 0, 0)`,
    [ids['DEMALU']],
  );
});
afterAll(() => atelier.close());

type Resume = z.infer<typeof productionDeCentre>;
async function summary(query = ''): Promise<Record<string, Resume>> {
  const answer = await atelier.get(`/stats/production-summary?${query}`);
  const rows = conforme(z.array(productionDeCentre), answer.json());
  return Object.fromEntries(rows.map((row) => [row.nom, row]));
}

it('rules 1, 5: sums the times, then divides; a centre without sessions is there, with zeros and null', async () => {
  const all = await summary('date_debut=2025-06-01&date_fin=2025-06-30');
  expect(Object.keys(all)).toEqual(
    Object.entries(ids)
      .sort((a, b) => a[1] - b[1])
      .map(([nom]) => nom),
  );
  expect(await summary('date_debut=2025-06-01&date_fin=2025-06-30&origine=log')).toMatchObject({
    DEMALU: {
      nombre_sessions: 3,
      jours_avec_deux_origines: 0,
      total_pieces: 4,
      duree_production_totale: 4,
      temps_production_effectif: 2,
      temps_arret_volontaire: 2,
      temps_attente: 0,
      taux_occupation_moyen: 50,
    },
    NEUF: {
      nombre_sessions: 0,
      total_pieces: 0,
      duree_production_totale: 0,
      temps_production_effectif: 0,
      temps_attente: 0,
      temps_arret_volontaire: 0,
      taux_occupation_moyen: null,
    },
  });
  // A window of no length has no rate, though there is a session.
  expect((await summary('date_debut=2025-06-03&date_fin=2025-06-03'))['DEMALU']).toMatchObject({
    nombre_sessions: 1,
    taux_occupation_moyen: null,
  });
});

it('both origins of a day count, and it is said; origine takes one of them', async () => {
  const day = 'date_debut=2025-06-01&date_fin=2025-06-01';
  expect((await summary(day))['DEMALU']).toMatchObject({
    nombre_sessions: 2,
    jours_avec_deux_origines: 1,
    total_pieces: 12,
    duree_production_totale: 3,
    taux_occupation_moyen: 66.67,
  });
  expect((await summary(`${day}&origine=manuel`))['DEMALU']).toMatchObject({
    nombre_sessions: 1,
    jours_avec_deux_origines: 0,
    total_pieces: 10,
  });
});

it('figures are those of the rows that /sessions/ gives with the same filters', async () => {
  for (const query of ['', 'date_debut=2025-05-03', 'date_fin=2025-05-04', 'origine=log', 'type_cu=PVC']) {
    const figures = await summary(query);
    const sessions = (await atelier.get(`/sessions/?limit=1000&${query}`)).json<Record<string, number>[]>();
    for (const [nom, figure] of Object.entries(figures)) {
      const own = sessions.filter((session) => session['centre_usinage_id'] === ids[nom]);
      const sum = (column: string): number => own.reduce((total, session) => total + session[column]!, 0);
      expect(figure.nombre_sessions).toBe(own.length);
      expect(figure.total_pieces).toBe(sum('total_pieces'));
      for (const column of [
        'duree_production_totale',
        'temps_production_effectif',
        'temps_attente',
        'temps_arret_volontaire',
      ] as const)
        expect(figure[column]).toBeCloseTo(sum(column), 6);
    }
  }
  expect(Object.keys(await summary('type_cu=PVC')).sort()).toEqual(['DEM12', 'NEUF']);
});

it('one centre: the same figures, and its sessions by day', async () => {
  const query = 'date_debut=2025-06-01&date_fin=2025-06-30';
  const answer = await atelier.get(`/stats/production-by-centre/${ids['DEMALU']}?${query}`);
  const { par_jour, ...figures } = conforme(productionParJour, answer.json());
  expect(figures).toEqual((await summary(query))['DEMALU']);
  expect(
    par_jour.map((day) => [day.date_production, day.origine, day.total_pieces, day.taux_occupation]),
  ).toEqual([
    ['2025-06-01', 'log', 2, 100],
    ['2025-06-01', 'manuel', 10, 50],
    ['2025-06-02', 'log', 2, 33.33],
    ['2025-06-03', 'log', 0, null],
    ['2025-06-10', 'manuel', 5, null],
  ]);
  for (const { session_id, total_pieces } of par_jour)
    expect((await atelier.get(`/sessions/${session_id}`)).json().total_pieces).toBe(total_pieces);
  const empty = await atelier.get(`/stats/production-by-centre/${ids['NEUF']}/`);
  expect(conforme(productionParJour, empty.json()).par_jour).toEqual([]);
});

it('S16: refuses ranges that end before they begin, dates that do not exist, unknown names; 404; 304', async () => {
  const reversed = await atelier.get('/stats/production-summary?date_debut=2025-06-02&date_fin=2025-06-01', {
    statut: 422,
  });
  expect(reversed.json().errors).toEqual([
    { pointer: '/query/date_fin', detail: 'date_fin est avant date_debut.' },
  ]);
  for (const query of [
    'date_debut=2025-02-30',
    'date_fin=demain',
    'origine=erp',
    'centre=1',
    'date_debut=',
    'type_cu=%00',
  ])
    await atelier.get(`/stats/production-summary?${query}`, { statut: 422 });
  await atelier.get(`/stats/production-by-centre/${ids['NEUF']}?type_cu=PVC`, { statut: 422 });
  await atelier.get(`/stats/production-by-centre/${ids['NEUF']}?date_debut=2025-06-02&date_fin=2025-06-01`, {
    statut: 422,
  });
  await atelier.get('/stats/production-by-centre/999999', { statut: 404 });
  const answer = await atelier.get('/stats/production-summary/');
  await atelier.get('/stats/production-summary', {
    headers: { 'if-none-match': String(answer.headers['etag']) },
    statut: 304,
  });
});
