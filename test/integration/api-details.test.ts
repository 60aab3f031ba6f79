// Rows that hang on sessions entered by hand, and orders: what belongs together stays together.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiDEssai } from '../harness/api.ts';
import { type ApiAvecLieux, createApiAvecLieux } from '../harness/api-lieux.ts';
import { type Json, type Problem, pointersOf, type Requests, type Row } from '../harness/api-requests.ts';
import { type Derived, noun, type Places } from '../harness/api-rows.ts';

let api: ApiDEssai;
let requests: Requests;
let places: Places;
let derived: Derived;
let make: ApiAvecLieux['make'];
let next: ApiAvecLieux['next'];
let orphans: ApiAvecLieux['orphans'];

beforeAll(async () => {
  ({ api, requests, places, derived, make, next, orphans } = await createApiAvecLieux());
});
afterAll(() => api?.close());

describe('details', () => {
  const session = async (): Promise<number> => (await make('sessions')).id;

  it.each(['job-profils', 'periodes-attente', 'periodes-arret', 'pieces-production'])(
    '%s: an unknown session is refused by name, and a row does not move to another',
    async (nom) => {
      const sent = noun(nom).body({ ...places, session: 987_654_321 }, next());
      expect(pointersOf(await requests.post(`/${nom}/`, sent, 422))).toEqual(['/body/session_id']);
      const row = await make(nom);
      const other = await session();
      expect(pointersOf(await requests.put(`/${nom}/${row.id}`, { session_id: other }, 422))).toEqual([
        '/body/session_id',
      ]);
      expect(await requests.put(`/${nom}/${row.id}`, { session_id: row['session_id'] })).toEqual(row);
    },
  );

  it('belong to the centre of their session, and go with it', async () => {
    const id = await session();
    for (const nom of ['job-profils', 'periodes-attente', 'periodes-arret', 'pieces-production']) {
      await requests.post(`/${nom}/`, noun(nom).body({ ...places, session: id }, next()));
      expect(
        await requests.get<Row[]>(`/${nom}/?session_id=${id}&centre_usinage_id=${places.centre}`),
      ).toHaveLength(1);
    }
    await requests.del(`/sessions/${id}`);
    for (const nom of ['job-profils', 'periodes-attente', 'periodes-arret', 'pieces-production']) {
      expect(await requests.get(`/${nom}/?session_id=${id}`)).toEqual([]);
    }
    expect(await orphans()).toBe(0);
  });

  it('are numbered 1, 2, … in their session, after the last one that there is', async () => {
    const session_id = await session();
    const numbers: unknown[] = [];
    const add = async (more: Json = {}): Promise<Row> => {
      const piece = await make('pieces-production', { session_id, ...more });
      numbers.push(piece['numero_piece']);
      return piece;
    };
    await add();
    const second = await add();
    await add({ numero_piece: 10 });
    await requests.del(`/pieces-production/${second.id}`);
    await add();
    await add({ numero_piece: 2 });
    expect(numbers).toEqual([1, 2, 10, 11, 2]);
    const taken = await requests.put<Problem>(
      `/pieces-production/${(await add()).id}`,
      { numero_piece: 10 },
      409,
    );
    expect(taken.detail).toMatch(/numéro \(\/pieces-production\/\d+\)/);
    for (let i = 1; i <= 3; i++) await make('job-profils', { session_id, reference: `R${i}` });
    const { rows } = await api.pool.query('SELECT numero FROM job_profil WHERE session_id = $1 ORDER BY id', [
      session_id,
    ]);
    expect(rows).toEqual([{ numero: 1 }, { numero: 2 }, { numero: 3 }]);
  });

  it('a piece takes a profile of its own session only, and keeps going when that is deleted', async () => {
    const [mine, foreign] = [await session(), await session()];
    const profil = await make('job-profils', { session_id: mine });
    const other = await make('job-profils', { session_id: foreign });
    const piece = await make('pieces-production', { session_id: mine, job_profil_id: profil.id });
    expect(piece['job_profil_id']).toBe(profil.id);
    for (const job_profil_id of [other.id, 987_654_321, derived.rows['job-profils']]) {
      const sent = { ...noun('pieces-production').body({ ...places, session: mine }, next()), job_profil_id };
      expect(pointersOf(await requests.post('/pieces-production/', sent, 422))).toEqual([
        '/body/job_profil_id',
      ]);
      const put = await requests.put(`/pieces-production/${piece.id}`, { job_profil_id }, 422);
      expect(pointersOf(put)).toEqual(['/body/job_profil_id']);
    }
    const without = await requests.put<Row>(`/pieces-production/${piece.id}`, { job_profil_id: null });
    expect(without['job_profil_id']).toBeNull();
    await requests.put(`/pieces-production/${piece.id}`, { job_profil_id: profil.id });
    await requests.del(`/job-profils/${profil.id}`);
    expect((await requests.get<Row>(`/pieces-production/${piece.id}`))['job_profil_id']).toBeNull();
  });

  describe.each(['periodes-attente', 'periodes-arret'])('%s', (nom) => {
    const period = (debut: string, fin: string, more: Json = {}): Json => ({
      session_id: places.session,
      timestamp_debut: debut,
      timestamp_fin: fin,
      ...more,
    });

    it.each([
      ['2025-05-28T06:20:00+02:00', '2025-05-28T06:21:00+02:00', 60],
      ['2025-05-28T06:20:00+02:00', '2025-05-28T04:20:12.5Z', 12.5],
      ['2025-05-28T06:20:00.000001Z', '2025-05-28T06:20:00.000004Z', 0.000003],
      ['2025-10-26T02:30:00+02:00', '2025-10-26T02:30:00+01:00', 3600],
      ['2025-05-28T06:20:00Z', '2025-05-28T06:20:00Z', 0],
    ])('from %s to %s last %d s, said or not', async (debut, fin, seconds) => {
      const computed = await requests.post<Row>(`/${nom}/`, period(debut, fin));
      expect(computed['duree_secondes']).toBe(seconds);
      const said = await requests.post<Row>(`/${nom}/`, period(debut, fin, { duree_secondes: seconds }));
      expect(said['duree_secondes']).toBe(seconds);
      const wrong = period(debut, fin, { duree_secondes: seconds + 0.000001 });
      expect(pointersOf(await requests.post(`/${nom}/`, wrong, 422))).toEqual(['/body/duree_secondes']);
    });

    it('do not end before they start, by a change of either end neither', async () => {
      const wrong = period('2025-05-28T06:20:00+02:00', '2025-05-28T06:19:59.999999+02:00');
      expect(pointersOf(await requests.post(`/${nom}/`, wrong, 422))).toEqual(['/body/timestamp_fin']);
      const { id } = await requests.post<Row>(
        `/${nom}/`,
        period('2025-05-28T06:20:00Z', '2025-05-28T06:21:00Z'),
      );
      await requests.put(`/${nom}/${id}`, { timestamp_debut: '2025-05-28T06:22:00Z' }, 422);
      await requests.put(`/${nom}/${id}`, { timestamp_fin: '2025-05-28T06:19:00Z' }, 422);
      const moved = await requests.put<Row>(`/${nom}/${id}`, { timestamp_debut: '2025-05-28T06:20:30Z' });
      expect(moved['duree_secondes']).toBe(30);
      await requests.put(`/${nom}/${id}`, { duree_secondes: 31 }, 422);
      expect((await requests.put<Row>(`/${nom}/${id}`, { duree_secondes: 30 }))['duree_secondes']).toBe(30);
    });

    it('instants beyond what is kept are refused', async () => {
      for (const instant of [
        '1969-12-31T23:00:00Z',
        '2200-01-01T00:00:00Z',
        '2025-05-28T06:20:00.1234567Z',
        '2025-05-28T06:20:00+15:00',
      ]) {
        const fields = pointersOf(
          await requests.post(`/${nom}/`, period(instant, '2199-12-31T00:00:00Z'), 422),
        );
        expect(fields).toEqual(['/body/timestamp_debut']);
      }
    });
  });
});

describe('orders', () => {
  const order = { status: 'Planifiée', date_modification: '2025-05-28' };
  const create = (more: Json, status?: number): Promise<Row> =>
    requests.post<Row>('/commandes-volets/', { numero_commande: `N${next()}`, ...order, ...more }, status);

  it('have one box or several, the first of which is the box', async () => {
    expect(await create({ coffre: 'A' })).toMatchObject({ coffre: 'A', coffres: ['A'] });
    expect(await create({ coffres: ['B', 'A'] })).toMatchObject({ coffre: 'B', coffres: ['B', 'A'] });
    const row = await create({ coffre: 'B', coffres: ['B', 'A'] });
    expect(row).toMatchObject({ coffre: 'B', coffres: ['B', 'A'] });
    for (const [more, field] of [
      [{}, 'coffre'],
      [{ coffre: 'A', coffres: ['B', 'A'] }, 'coffre'],
      [{ coffres: [] }, 'coffres'],
      [{ coffres: ['A', 'A'] }, 'coffres'],
      [{ coffres: ['A', ''] }, 'coffres/1'],
      [{ coffre: '' }, 'coffre'],
    ] as const) {
      expect(pointersOf(await create(more, 422)), JSON.stringify(more)).toEqual([`/body/${field}`]);
    }
    const put = (more: Json): Promise<Row> => requests.put<Row>(`/commandes-volets/${row.id}`, more);
    expect(await put({ status: 'x' })).toMatchObject({ coffre: 'B', coffres: ['B', 'A'] });
    expect(await put({ coffre: 'B' })).toMatchObject({ coffre: 'B', coffres: ['B', 'A'] });
    expect(await put({ coffre: 'C' })).toMatchObject({ coffre: 'C', coffres: ['C'] });
    expect(await put({ coffres: ['D', 'C'] })).toMatchObject({ coffre: 'D', coffres: ['D', 'C'] });
  });

  it('have an empty extension, no stock, and a hand as their origin unless said otherwise', async () => {
    const row = await create({ coffre: 'A' });
    expect(row).toMatchObject({
      extension: '',
      gestion_en_stock: 0,
      origine: 'manuel',
      date_synchronisation: null,
    });
    for (const gestion_en_stock of [2, -1, true, '1', null]) {
      expect(pointersOf(await create({ coffre: 'A', gestion_en_stock }, 422))).toEqual([
        '/body/gestion_en_stock',
      ]);
    }
  });

  it('are unique by number and extension, also beside those of the ERP', async () => {
    const numero_commande = `N${next()}`;
    const bare = await create({ numero_commande, coffre: 'A' });
    const extended = await create({ numero_commande, coffre: 'A', extension: 'X' });
    const double = (await create({ numero_commande, coffre: 'A' }, 409)) as unknown as Problem;
    expect(double.detail).toContain(`/commandes-volets/${bare.id}`);
    const moved = await requests.put<Problem>(`/commandes-volets/${extended.id}`, { extension: '' }, 409);
    expect(moved.detail).toContain(`/commandes-volets/${bare.id}`);
    const erp = await requests.get<Row>(`/commandes-volets/${derived.rows['commandes-volets']}`);
    const beside = await create({ numero_commande: erp['numero_commande'], coffre: 'A' }, 409);
    expect((beside as unknown as Problem).detail).toContain(`/commandes-volets/${erp.id}`);
  });
});
