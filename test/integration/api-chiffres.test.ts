// Figures of sessions entered by hand: what is not said is computed, what contradicts itself is refused.

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiDEssai, createApi } from '../harness/api.ts';
import {
  type Json,
  type Problem,
  pointersOf,
  type Requests,
  type Row,
  requestsOf,
} from '../harness/api-requests.ts';
import { assertProperty } from '../harness/property.ts';

let api: ApiDEssai;
let requests: Requests;
let centres = 0;

beforeAll(async () => {
  api = await createApi();
  requests = requestsOf(api);
});
afterAll(() => api?.close());

describe('figures', () => {
  let centre: number;
  beforeAll(async () => {
    ({ id: centre } = await requests.post<Row>('/centres/', { nom: 'CHIFFRES' }));
  });
  /** One session a day and centre: each has a centre of its own. */
  const elsewhere = async (): Promise<number> =>
    (await requests.post<Row>('/centres/', { nom: `CHIFFRES ${++centres}` })).id;
  const create = async (body: Json, status?: number): Promise<Row> => {
    const key = { centre_usinage_id: await elsewhere(), date_production: '2025-05-28' };
    return await requests.post<Row>('/sessions/', { ...key, ...body }, status);
  };
  const WINDOW = {
    heure_premiere_piece: '2025-05-28T06:12:00+02:00',
    heure_derniere_piece: '2025-05-28T05:30:00Z',
  };

  it.each<[what: string, body: Json, expected: Json]>([
    [
      'nothing said is 0',
      {},
      {
        ...{ total_pieces: 0, duree_production_totale: 0, temps_attente: 0, temps_arret_volontaire: 0 },
        ...{ temps_production_effectif: 0, taux_occupation: 0, taux_attente: 0, taux_arret_volontaire: 0 },
        ...{
          heure_premiere_piece: null,
          heure_derniere_piece: null,
          fichier_log_source: null,
          origine: 'manuel',
        },
      },
    ],
    [
      'all from the window, waits and stops, as the rules of the logs have it',
      { ...WINDOW, temps_attente: 0.05, temps_arret_volontaire: 0.2 },
      {
        ...{ duree_production_totale: 1.3, temps_production_effectif: 1.05, temps_attente: 0.05 },
        ...{ taux_occupation: 80.77, taux_attente: 3.85, taux_arret_volontaire: 15.38 },
        ...{
          heure_premiere_piece: '2025-05-28T06:12:00+02:00',
          heure_derniere_piece: '2025-05-28T07:30:00+02:00',
        },
      },
    ],
    [
      'rates from the exact span, not from its rounded hours',
      {
        heure_premiere_piece: '2025-05-28T06:00:00Z',
        heure_derniere_piece: '2025-05-28T06:00:01Z',
        temps_attente: 0.0001,
      },
      { duree_production_totale: 0.0003, temps_attente: 0.0001, taux_attente: 36, taux_occupation: 64 },
    ],
    [
      'the duration from its parts, where there is no window',
      { temps_attente: 1, temps_arret_volontaire: 1, temps_production_effectif: 6 },
      { duree_production_totale: 8, taux_occupation: 75, taux_attente: 12.5, taux_arret_volontaire: 12.5 },
    ],
    [
      'what is said is kept, rounded',
      {
        duree_production_totale: 8.00004,
        temps_attente: 1.99996,
        temps_production_effectif: 5,
        taux_occupation: 61.239,
      },
      {
        duree_production_totale: 8,
        temps_attente: 2,
        temps_production_effectif: 5,
        taux_occupation: 61.24,
        taux_attente: 25,
      },
    ],
    [
      'a piece at one instant has no duration',
      { ...WINDOW, heure_derniere_piece: WINDOW.heure_premiere_piece },
      { duree_production_totale: 0, taux_occupation: 0 },
    ],
  ])('%s', async (_what, body, expected) => {
    expect(await create(body)).toMatchObject(expected);
  });

  it.each<[what: string, body: Json, field: string]>([
    [
      'last piece before first',
      {
        heure_premiere_piece: WINDOW.heure_derniere_piece,
        heure_derniere_piece: WINDOW.heure_premiere_piece,
      },
      'heure_derniere_piece',
    ],
    [
      'a window of two days',
      { ...WINDOW, heure_derniere_piece: '2025-05-29T07:12:00.000001+02:00' },
      'heure_derniere_piece',
    ],
    [
      'parts beyond the whole',
      { duree_production_totale: 8, temps_attente: 5, temps_arret_volontaire: 3.001 },
      'duree_production_totale',
    ],
    ['parts beyond the window', { ...WINDOW, temps_attente: 1.3003 }, 'duree_production_totale'],
    [
      'all three beyond the whole',
      { duree_production_totale: 8, temps_attente: 1, temps_production_effectif: 7.5 },
      'duree_production_totale',
    ],
    ['a negative duration', { temps_attente: -0.1 }, 'temps_attente'],
    ['26 hours', { duree_production_totale: 26 }, 'duree_production_totale'],
    ['a rate above 100', { taux_occupation: 100.01 }, 'taux_occupation'],
    ['a negative rate', { taux_attente: -1 }, 'taux_attente'],
    ['rates above 100 together', { taux_occupation: 60, taux_attente: 41 }, 'taux_occupation'],
    ['a number as text', { total_pieces: '3' }, 'total_pieces'],
    ['half a piece', { total_pieces: 1.5 }, 'total_pieces'],
    ['pieces without end', { total_pieces: 1e10 }, 'total_pieces'],
    ['an unknown centre', { centre_usinage_id: 987_654_321_987 }, 'centre_usinage_id'],
    ['a day that is none', { date_production: '2025-02-30' }, 'date_production'],
    ['a day long ago', { date_production: '1900-01-01' }, 'date_production'],
    ['a day that no calendar has', { heure_premiere_piece: '2025-02-30T06:12:00' }, 'heure_premiere_piece'],
  ])('%s: refused by name', async (_what, body, field) => {
    expect(pointersOf(await create(body, 422))).toEqual([`/body/${field}`]);
  });

  it('a change recomputes what follows from what is sent, and nothing else', async () => {
    const { id } = await create({
      ...WINDOW,
      temps_attente: 0.05,
      temps_arret_volontaire: 0.2,
      total_pieces: 2,
    });
    const put = (body: Json): Promise<Row> => requests.put<Row>(`/sessions/${id}`, body);
    const before = await requests.get<Row>(`/sessions/${id}`);
    expect(await put({ total_pieces: 3 })).toEqual({ ...before, total_pieces: 3 });
    expect(await put({ temps_attente: 0.1 })).toMatchObject({
      ...{ temps_attente: 0.1, temps_production_effectif: 1, duree_production_totale: 1.3 },
      ...{ taux_attente: 7.69, taux_occupation: 76.92, taux_arret_volontaire: 15.38 },
    });
    expect(await put({ heure_derniere_piece: '2025-05-28T08:12:00+02:00' })).toMatchObject({
      ...{ duree_production_totale: 2, temps_production_effectif: 1.7, taux_occupation: 85, taux_attente: 5 },
    });
    expect(await put({ heure_derniere_piece: null })).toMatchObject({
      duree_production_totale: 2,
      taux_occupation: 85,
    });
    expect(await put({ duree_production_totale: 4 })).toMatchObject({
      temps_production_effectif: 3.7,
      taux_occupation: 92.5,
    });
    expect(await put({ temps_production_effectif: 3 })).toMatchObject({
      duree_production_totale: 4,
      taux_occupation: 75,
    });
    expect(await put({ taux_occupation: 70 })).toMatchObject({
      temps_production_effectif: 3,
      taux_occupation: 70,
    });
    const kept = await requests.get<Row>(`/sessions/${id}`);
    await requests.put(`/sessions/${id}`, { temps_arret_volontaire: 4 }, 422);
    await requests.put(`/sessions/${id}`, { heure_derniere_piece: '2025-05-28T06:11:59+02:00' }, 422);
    expect(await requests.get(`/sessions/${id}`)).toEqual(kept);
  });

  it('whatever is accepted, created or changed, adds up', async () => {
    const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
    const hours = (min: number, max: number) =>
      optional(fc.integer({ min: min * 9000, max: max * 9000 }).map((units) => units / 9000));
    const instant = (min: number, max: number) =>
      optional(
        fc
          .integer({ min: min * 3_600_000, max: max * 3_600_000 })
          .map((ms) => new Date(1_748_400_000_000 + ms).toISOString()),
      );
    // Most fit together, some do not.
    const figures = fc.record({
      ...{ heure_premiere_piece: instant(0, 3), heure_derniere_piece: instant(2, 14) },
      ...{ duree_production_totale: hours(6, 14), temps_attente: hours(0, 4) },
      ...{ temps_arret_volontaire: hours(0, 4), temps_production_effectif: hours(0, 8) },
    });
    const { id } = await create({});
    let accepted = 0;
    const addsUp = (row: Row, sent: Json): void => {
      accepted++;
      const value = (nom: string): number => row[nom] as number;
      const parts =
        value('temps_attente') + value('temps_arret_volontaire') + value('temps_production_effectif');
      expect(parts).toBeLessThanOrEqual(value('duree_production_totale') + 0.00020001);
      for (const nom of ['taux_occupation', 'taux_attente', 'taux_arret_volontaire']) {
        expect(value(nom)).toBeGreaterThanOrEqual(0);
        expect(value(nom)).toBeLessThanOrEqual(100);
      }
      for (const [nom, said] of Object.entries(sent)) {
        if (typeof said === 'number') expect(value(nom)).toBeCloseTo(said, 4);
      }
    };
    await assertProperty(
      'chiffres saisis',
      fc.asyncProperty(figures, figures, async (first, then) => {
        const made = await requests.send('POST', '/sessions/', {
          ...{
            centre_usinage_id: await elsewhere(),
            date_production: '2025-05-28',
          },
          ...first,
        });
        expect([201, 422], made.body).toContain(made.statusCode);
        if (made.statusCode === 201) addsUp(made.json<Row>(), first);
        const target = made.statusCode === 201 ? made.json<Row>().id : id;
        const changed = await requests.send('PUT', `/sessions/${target}`, { total_pieces: 1, ...then });
        expect([200, 422], changed.body).toContain(changed.statusCode);
        if (changed.statusCode === 200) addsUp(changed.json<Row>(), then);
      }),
      { numRuns: 80 },
    );
    expect(accepted).toBeGreaterThan(40);
  });

  it('one session by hand a centre and day: 409 names it; it moves to a free day, not to another centre', async () => {
    const first = await create({ centre_usinage_id: centre, date_production: '2000-01-01' });
    const second = await create({ centre_usinage_id: centre, date_production: '2000-01-02' });
    const key = { centre_usinage_id: centre, date_production: first['date_production'] };
    const double = await requests.post<Problem>('/sessions/', key, 409);
    expect(double.detail).toContain(`/sessions/${first.id}`);
    const moved = await requests.put<Problem>(
      `/sessions/${second.id}`,
      { date_production: first['date_production'] },
      409,
    );
    expect(moved.detail).toContain(`/sessions/${first.id}`);
    const free = await requests.put<Row>(`/sessions/${second.id}`, { date_production: '1999-12-31' });
    expect(free['date_production']).toBe('1999-12-31');
    const { id: other } = await requests.post<Row>('/centres/', { nom: 'AUTRE' });
    const to = await requests.put(`/sessions/${first.id}`, { centre_usinage_id: other }, 422);
    expect(pointersOf(to)).toEqual(['/body/centre_usinage_id']);
    expect(await requests.put(`/sessions/${first.id}`, key)).toEqual(first);
  });
});
