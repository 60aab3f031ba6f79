// What is entered by hand, beside real imports: neither touches the other.

import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiDEssai, createApi } from '../harness/api.ts';
import { type Problem, type Requests, type Row, requestsOf } from '../harness/api-requests.ts';
import { createWorkshop, type Workshop } from '../harness/ingest.ts';
import { untilSomeoneWaits } from '../harness/locks.ts';

let workshop: Workshop;
let api: ApiDEssai;
let requests: Requests;

beforeAll(async () => {
  workshop = await createWorkshop();
  api = await createApi({ url: workshop.url });
  requests = requestsOf(api);
});
afterAll(async () => {
  await api?.close();
  await workshop?.close();
});

/** The worked example of docs/regles-journaux.md. */
const LOG = [
  '20250528 06:00:00|@MachineStart',
  '20250528 06:10:00|@JobProfiel: R:215023 L:3359.0 C:7016 G ALU',
  '20250528 06:12:00|@StukUitgevoerd: A1',
  '20250528 06:20:00|@MachineWait: 60 sec',
  '20250528 07:00:00|@MachineStop',
  '20250528 07:12:00|@MachineStart',
  '20250528 07:30:00|@StukUitgevoerd: A2',
  '',
].join('\n');

describe('beside imports', () => {
  const details = { session_id: 0, timestamp_production: '2025-05-28T06:12:00+02:00' };
  let centre: Row;
  let log: Row;
  let manual: Row;
  const COMPLETE = '?inclure=job_profils,periodes_attente,periodes_arret,pieces_production';
  const read = async (row: Row): Promise<string> =>
    (await requests.send('GET', `/sessions/${row.id}${COMPLETE}`)).body;
  const place = (): string => join(workshop.logs, 'DEM12', '20250528.LOG');

  beforeAll(async () => {
    await mkdir(join(workshop.logs, 'DEM12'), { recursive: true });
    await writeFile(place(), LOG);
    await workshop.import();
    const [found] = await requests.get<Row[]>('/sessions/?origine=log');
    log = found!;
    centre = await requests.get<Row>(`/centres/${log['centre_usinage_id']}`);
  });

  it('a session by hand stands beside the computed one of the same centre and day', async () => {
    const key = { centre_usinage_id: centre.id, date_production: '2025-05-28' };
    manual = await requests.post<Row>('/sessions/', { ...key, total_pieces: 7 });
    for (let i = 0; i < 3; i++)
      await requests.post('/pieces-production/', { ...details, session_id: manual.id });
    await requests.post('/periodes-arret/', {
      ...{ session_id: manual.id, timestamp_debut: '2025-05-28T07:00:00+02:00' },
      timestamp_fin: '2025-05-28T07:10:00+02:00',
    });
    const both = await requests.get<Row[]>(`/sessions/?centre_usinage_id=${centre.id}`);
    expect(both.map((row) => [row['origine'], row['total_pieces']])).toEqual([
      ['log', 2],
      ['manuel', 7],
    ]);
    await requests.post('/sessions/', key, 409);
  });

  it('no import touches it, whatever becomes of the log; the computed one follows the log alone', async () => {
    const [before, computed] = [await read(manual), await read(log)];
    await workshop.import();
    expect([await read(manual), await read(log)]).toEqual([before, computed]);
    await appendFile(place(), '20250528 08:00:00|@StukUitgevoerd: A3\n');
    await workshop.import();
    expect(await read(manual)).toBe(before);
    expect((await requests.get<Row>(`/sessions/${log.id}`))['total_pieces']).toBe(3);
    await writeFile(place(), '20250529 06:00:00|@StukUitgevoerd: B1\n');
    await workshop.import({ replace: 'DEM12/20250528.LOG' });
    expect(await read(manual)).toBe(before);
    await requests.get(`/sessions/${log.id}`, 404);
    await writeFile(place(), `${LOG}20250528 09:00:00|@StukUitgevoerd: A4\n`);
    await workshop.import();
    expect(await requests.get('/sessions/?origine=log&date_fin=2025-05-28')).toHaveLength(1);
    expect(await read(manual)).toBe(before);
  });

  it('to delete it takes its own rows, not those of the computed one', async () => {
    const [found] = await requests.get<Row[]>('/sessions/?origine=log&date_fin=2025-05-28');
    const [before, state] = [await read(found!), await workshop.state()];
    await requests.put(`/sessions/${found!.id}`, { total_pieces: 1 }, 409);
    await requests.del(`/sessions/${found!.id}`, 409);
    await requests.del(`/sessions/${manual.id}`);
    expect(await read(found!)).toBe(before);
    expect(await requests.get(`/pieces-production/?session_id=${manual.id}`)).toEqual([]);
    expect(await workshop.state()).toEqual(state);
  });

  it('a centre with sessions or files cannot be deleted, nor renamed: it is switched off', async () => {
    const gone = (await requests.del(`/centres/${centre.id}`, 409)) as Problem;
    expect(gone.detail).toMatch(/2 session\(s\), 1 fichier\(s\) LOG.*actif/);
    const renamed = await requests.put<Problem>(`/centres/${centre.id}`, { nom: 'DEM99' }, 409);
    expect(renamed.detail).toContain('nom du dossier');
    const same = await requests.put<Row>(`/centres/${centre.id}`, { nom: 'DEM12', actif: false });
    expect(same).toEqual({ ...centre, actif: false });
  });

  it('S25 a centre that an import is writing to is not deleted under it', async () => {
    const { id } = await requests.post<Row>('/centres/', { nom: 'DEM77' });
    const writer = await api.pool.connect();
    try {
      await writer.query('BEGIN');
      await writer.query(
        "INSERT INTO session_production (centre_usinage_id, date_production) VALUES ($1, '2025-01-01')",
        [id],
      );
      const gone = requests.send('DELETE', `/centres/${id}`);
      await untilSomeoneWaits(api.pool);
      await writer.query('COMMIT');
      expect((await gone).statusCode).toBe(409);
    } finally {
      writer.release();
    }
  });

  it('the type that somebody gave a centre is not overwritten by imports; one that nobody gave is', async () => {
    const said = await requests.post<Row>('/centres/', { nom: 'MAIN1', type_cu: 'ALU' });
    const unsaid = await requests.post<Row>('/centres/', { nom: 'MAIN2' });
    expect(unsaid).toMatchObject({ type_cu: 'INCONNU', actif: true, description: null });
    const corrected = await requests.put<Row>(`/centres/${centre.id}`, { type_cu: 'HYBRIDE' });
    expect(corrected['type_cu']).toBe('HYBRIDE');
    for (const folder of ['MAIN1 (PVC)', 'MAIN2 (PVC)', 'DEM12']) {
      await mkdir(join(workshop.logs, folder), { recursive: true });
      await writeFile(join(workshop.logs, folder, '20250601.LOG'), LOG.replaceAll('20250528', '20250601'));
    }
    await workshop.import();
    const types = await Promise.all(
      [said, unsaid, centre].map(async ({ id }) => (await requests.get<Row>(`/centres/${id}`))['type_cu']),
    );
    expect(types).toEqual(['ALU', 'PVC', 'HYBRIDE']);
    expect((await requests.get<Row[]>('/sessions/?date_debut=2025-06-01')).length).toBe(3);
  });

  it('a centre that nothing depends on is renamed and deleted', async () => {
    const { id } = await requests.post<Row>('/centres/', { nom: 'VIDE' });
    expect((await requests.put<Row>(`/centres/${id}`, { nom: 'VIDE 2' }))['nom']).toBe('VIDE 2');
    const taken = await requests.put<Problem>(`/centres/${id}`, { nom: 'DEM12' }, 409);
    expect(taken.detail).toContain(`/centres/${centre.id}`);
    await requests.del(`/centres/${id}`);
  });
});
