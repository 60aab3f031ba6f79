// Clients that were there before: what they send goes on being accepted, and what they read may be sent back
// (spec: « What clients may send »).
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiDEssai, createApi, MOT_DE_PASSE } from '../harness/api.ts';

import {
  ask,
  type Json,
  type Problem,
  pointersOf,
  type Requests,
  type Row,
  requestsOf,
  TOKEN_ALONE,
} from '../harness/api-requests.ts';
import { makePlaces, NOUNS, type Places } from '../harness/api-rows.ts';

let api: ApiDEssai;
let requests: Requests;
let places: Places;
let n = 100;

beforeAll(async () => {
  api = await createApi({ env: { JOURNEE_DEBUT: '05:00' } });
  requests = requestsOf(api);
  places = await makePlaces(requests, 'CLIENTS');
});
afterAll(() => api?.close());

/** A session by hand on a day, in a centre of its own. */
async function session(date: string, more: Json = {}, status?: number): Promise<Row> {
  const centre = await requests.post<Row>('/centres/', { nom: `C${++n}` });
  return await requests.post<Row>(
    '/sessions/',
    { centre_usinage_id: centre.id, date_production: date, ...more },
    status,
  );
}

describe.each(NOUNS)('$nom: what a GET gave may be PUT', ({ nom, body, change }) => {
  const create = (): Promise<Row> => requests.post<Row>(`/${nom}/`, body(places, ++n));
  const versions = async (): Promise<unknown[]> =>
    (await requests.get<Row[]>(`/${nom}/`)).map(({ id }) => id);

  it('the same: 200, and the row is as it was', async () => {
    const made = await create();
    const before = await versions();
    expect(await requests.put(`/${nom}/${made.id}`, made)).toEqual(made);
    expect(await requests.get(`/${nom}/${made.id}`)).toEqual(made);
    expect(await versions()).toEqual(before);
  });

  it('with one change in it: that is changed', async () => {
    const made = await create();
    const changed = await requests.put<Row>(`/${nom}/${made.id}`, { ...made, ...change });
    const apart = await create();
    const alone = await requests.put<Row>(`/${nom}/${apart.id}`, change);
    for (const key of Object.keys(change)) expect(changed[key]).toEqual(alone[key]);
  });

  it('another value of a field that nobody changes: refused by its name, and nothing is changed', async () => {
    const made = await create();
    const readOnly = ['id', 'date_creation', 'origine', 'date_synchronisation'].filter((key) => key in made);
    const other: Json = { id: made.id + 1, date_creation: '2001-02-03T04:05:06Z' };
    Object.assign(other, {
      origine: nom === 'sessions' ? 'log' : 'erp',
      date_synchronisation: '2001-02-03T04:05:06Z',
    });
    for (const key of readOnly) {
      const problem = await requests.put<Problem>(
        `/${nom}/${made.id}`,
        { ...made, ...change, [key]: other[key] },
        422,
      );
      expect(pointersOf(problem)).toEqual([`/body/${key}`]);
      expect(problem.detail).toContain(key);
    }
    expect(await requests.get(`/${nom}/${made.id}`)).toEqual(made);
  });

  it('instants in another offset are the same instants; unknown fields stay unknown', async () => {
    const made = await create();
    const elsewhere = Object.fromEntries(
      Object.entries(made).map(([key, value]) => [
        key,
        typeof value === 'string' && /T.*[+-]\d\d:\d\d$/.test(value)
          ? Temporal.Instant.from(value).toZonedDateTimeISO('Asia/Tokyo').toString({ timeZoneName: 'never' })
          : value,
      ]),
    );
    expect(await requests.put(`/${nom}/${made.id}`, elsewhere)).toEqual(made);
    expect(pointersOf(await requests.put(`/${nom}/${made.id}`, { ...made, x: 1 }, 422))).toEqual(['/body/x']);
  });

  it('a field that is missing is called missing, each by its name', async () => {
    const full = body(places, ++n);
    const problem = await requests.post<Problem>(`/${nom}/`, {}, 422);
    const needed = (problem.errors ?? []).map(({ pointer, detail }) => {
      const name = pointer.split('/').at(-1)!;
      expect(detail).toBe(`Champ obligatoire manquant : ${name}.`);
      expect(problem.detail).toContain(name);
      return name;
    });
    expect(Object.keys(full)).toEqual(expect.arrayContaining(needed));
    expect(JSON.stringify(problem)).not.toMatch(/undefined|expected|received/i);
  });
});

describe('accounts', () => {
  it('what a GET gave may be PUT, by oneself and by an admin, without a password', async () => {
    const who = await api.compte('renvoyee', 'lecteur');
    const mine = (await ask(api, 'GET', '/users/me', { as: who })).json();
    for (const [url, as] of [
      ['/users/me', who],
      [`/users/${who.id}`, api.comptes.admin],
    ] as const) {
      const answer = await ask(api, 'PUT', url, { as, payload: mine, headers: TOKEN_ALONE });
      expect([answer.statusCode, answer.json()]).toEqual([200, mine]);
    }
    for (const change of [
      { id: api.comptes.admin.id },
      { date_creation: '2001-02-03T04:05:06Z' },
      { role: 'admin' },
    ]) {
      const answer = await ask(api, 'PUT', '/users/me', { as: who, payload: { ...mine, ...change } });
      expect(answer.statusCode).toBe(422);
      expect(pointersOf(answer.json())).toEqual([`/body/${Object.keys(change)[0]}`]);
    }
    // Another address still asks for the password.
    const email = { ...mine, email: 'autre@exemple.test' };
    const put = async (payload: object): Promise<number> =>
      (await ask(api, 'PUT', '/users/me', { as: who, payload, headers: TOKEN_ALONE })).statusCode;
    expect(await put(email)).toBe(422);
    expect(await put({ ...email, password_actuel: MOT_DE_PASSE })).toBe(200);
  });
});

describe('a session sent back', () => {
  it('with what was included: ignored as it is, refused when it is not', async () => {
    const made = await session('2025-05-28');
    await requests.post('/pieces-production/', {
      session_id: made.id,
      timestamp_production: '2025-05-28T08:00:00',
    });
    const whole = await requests.get<Json>(`/sessions/${made.id}?inclure=pieces_production,job_profils`);
    expect(await requests.put(`/sessions/${made.id}`, { ...whole, total_pieces: 1 })).toEqual({
      ...made,
      total_pieces: 1,
    });
    const problem = await requests.put(
      `/sessions/${made.id}`,
      { ...whole, total_pieces: 1, pieces_production: [] },
      422,
    );
    expect(pointersOf(problem)).toEqual(['/body/pieces_production']);
  });

  it('what follows from a change follows, though the old figures came along', async () => {
    const made = await session('2025-05-28', { duree_production_totale: 8, temps_attente: 1 });
    const changed = await requests.put(`/sessions/${made.id}`, { ...made, temps_attente: 2 });
    expect(changed).toMatchObject({ temps_production_effectif: 6, taux_attente: 25, taux_occupation: 75 });
  });
});

describe('instants without offset are read in FUSEAU', () => {
  const piece = async (at: string): Promise<unknown> => {
    const { id } = await session('2025-05-28');
    const row = { session_id: id, timestamp_production: at };
    return (await requests.post<Row>('/pieces-production/', row))['timestamp_production'];
  };
  it.each([
    ['2025-05-28T06:12:00', '2025-05-28T06:12:00+02:00'],
    ['2025-05-28 06:12:00', '2025-05-28T06:12:00+02:00'],
    ['2025-05-28T06:12', '2025-05-28T06:12:00+02:00'],
    ['2025-01-28T06:12:00.123456', '2025-01-28T06:12:00.123456+01:00'],
    ['2025-05-28 06:12:00+00:00', '2025-05-28T08:12:00+02:00'],
    // The skipped hour of spring: the offset before the change.
    ['2025-03-30T02:30:00', '2025-03-30T03:30:00+02:00'],
    // The repeated hour of autumn: the earlier.
    ['2025-10-26T02:30:00', '2025-10-26T02:30:00+02:00'],
  ])('%s is %s', async (sent, stored) => {
    expect(await piece(sent)).toBe(stored);
  });

  it('in the repeated hour, an end is the reading that is not before its beginning', async () => {
    const { id } = await session('2025-10-25');
    const made = await requests.post<Row>('/periodes-attente/', {
      session_id: id,
      timestamp_debut: '2025-10-26T02:50:00',
      timestamp_fin: '2025-10-26T02:10:00',
    });
    expect(made).toMatchObject({ timestamp_fin: '2025-10-26T02:10:00+01:00', duree_secondes: 1200 });
    const later = await requests.put<Row>(`/periodes-attente/${made.id}`, {
      timestamp_fin: '2025-10-26 02:20:00',
    });
    expect(later['timestamp_fin']).toBe('2025-10-26T02:20:00+01:00');
  });

  it('in a filter, too; a bare + of an offset is told how it is written', async () => {
    const { id } = await session('2025-05-28');
    await requests.post('/pieces-production/', {
      session_id: id,
      timestamp_production: '2025-05-28T08:00:00',
    });
    const url = `/pieces-production/?session_id=${id}&date_debut=`;
    expect(await requests.get(`${url}2025-05-28T08:00:00`)).toHaveLength(1);
    expect(await requests.get(`${url}2025-05-28T08:00:01`)).toHaveLength(0);
    expect(await requests.get(`${url}2025-05-28%2008:00:00`)).toHaveLength(1);
    const problem = await requests.get<Problem>(`${url}2025-05-28T08:00:00+02:00`, 422);
    expect(problem.detail).toContain('%2B');
  });
});

describe('other habits', () => {
  it('decimals as text; what is none is told how to write it', async () => {
    const made = await requests.post<Row>('/job-profils/', {
      ...{
        session_id: places.session,
        reference: '1',
        longueur: '3359.250',
        timestamp_debut: '2025-05-28T07:00:00',
      },
    });
    expect(made['longueur']).toBe(3359.25);
    expect(
      await session('2025-05-28', { duree_production_totale: '8', temps_attente: '12.5e-1' }, 422),
    ).toMatchObject({
      errors: [{ pointer: '/body/temps_attente' }],
    });
    expect(
      await session('2025-05-28', { duree_production_totale: '8.0', temps_attente: '1.25' }),
    ).toMatchObject({
      duree_production_totale: 8,
      temps_attente: 1.25,
    });
    for (const longueur of ['12,5', '', ' 12.5', '1e3', 'NaN', '0', true, null]) {
      const problem = await requests.put<Problem>(`/job-profils/${made.id}`, { longueur }, 422);
      expect(problem.detail).toContain('longueur');
    }
  });

  it('extension null is empty text; date_modification absent is today', async () => {
    const order = { numero_commande: `N${++n}`, status: 'Planifiée', coffre: 'CF1' };
    const made = await requests.post<Row>('/commandes-volets/', { ...order, extension: null });
    const today = Temporal.Now.zonedDateTimeISO('Europe/Paris').toPlainDate();
    expect(made['extension']).toBe('');
    // The test may run over midnight.
    expect([today.toString(), today.subtract({ days: 1 }).toString()]).toContain(made['date_modification']);
    const named = await requests.post<Row>('/commandes-volets/', {
      ...order,
      extension: 'B',
      date_modification: null,
    });
    expect(await requests.put(`/commandes-volets/${named.id}`, { extension: null }, 409)).toMatchObject({
      status: 409,
    });
    await requests.put(`/commandes-volets/${named.id}`, { date_modification: null }, 422);
  });

  it('a profile without timestamp_debut was loaded when its session began', async () => {
    const hours = {
      heure_premier_machine_start: '2025-05-28T06:00:00',
      heure_premiere_piece: '2025-05-28T06:12:00',
      heure_derniere_piece: '2025-05-28T08:00:00',
    };
    const begin = async (more: Json): Promise<unknown> => {
      const { id } = await session('2025-05-28', more);
      const body = { session_id: id, reference: '1', longueur: 1 };
      const made = await requests.post<Row>('/job-profils/', body);
      expect(await requests.post<Row>('/job-profils/', { ...body, timestamp_debut: null })).toMatchObject({
        timestamp_debut: made['timestamp_debut'],
      });
      return made['timestamp_debut'];
    };
    expect(await begin(hours)).toBe('2025-05-28T06:00:00+02:00');
    expect(await begin({ ...hours, heure_premier_machine_start: null })).toBe('2025-05-28T06:12:00+02:00');
    expect(await begin({})).toBe('2025-05-28T05:00:00+02:00');
  });

  it('numbers have no idle zeros, in JSON, CSV and among what is included', async () => {
    const made = await session('2025-05-28', { duree_production_totale: 8, taux_occupation: 50 });
    const period = {
      session_id: made.id,
      timestamp_debut: '2025-05-28T06:00:00',
      timestamp_fin: '2025-05-28T06:00:31',
    };
    await requests.post('/periodes-arret/', period);
    await requests.post('/job-profils/', { session_id: made.id, reference: '1', longueur: '3359.000' });
    const texts = [
      `/sessions/${made.id}?inclure=periodes_arret,job_profils`,
      `/periodes-arret/?session_id=${made.id}`,
      `/periodes-arret/?session_id=${made.id}&format=csv`,
      '/sessions/?format=csv',
      '/stats/production-summary',
      `/stats/production-by-centre/${String(made['centre_usinage_id'])}`,
    ];
    for (const url of texts) {
      const { body } = await requests.send('GET', url);
      expect(body, url).not.toMatch(/\d\.\d*0(?=[,;}\]\n])/);
    }
    expect((await requests.send('GET', texts[1]!)).body).toContain('"duree_secondes":31,');
  });

  it('French CSV has instants that Excel takes for dates', async () => {
    const made = await session('2025-06-02', {
      heure_premiere_piece: '2025-06-02T05:29:55.75',
      temps_attente: 0.5,
    });
    const url = `/sessions/?format=csv&centre_usinage_id=${String(made['centre_usinage_id'])}`;
    const french = (await requests.send('GET', url, undefined, { 'accept-language': 'fr' })).body;
    expect(french).toContain(';2025-06-02;02/06/2025 05:29:55;');
    expect(french).toContain(';0,5;');
    const english = (await requests.send('GET', url)).body;
    expect(english).toContain(',2025-06-02,2025-06-02T05:29:55.75+02:00,');
  });
});

describe('the hours of a session are of its production day (JOURNEE_DEBUT 05:00)', () => {
  const HOURS = [
    'heure_premiere_piece',
    'heure_derniere_piece',
    'heure_premier_machine_start',
    'heure_dernier_machine_stop',
  ];
  it.each(HOURS)('%s', async (field) => {
    for (const at of ['2025-05-28T05:00:00', '2025-05-29T04:59:59.999999', '2025-05-29T02:59:59Z']) {
      expect((await session('2025-05-28', { [field]: at }))[field]).not.toBeNull();
    }
    for (const at of [
      '2025-05-28T04:59:59',
      '2025-05-29T05:00:00',
      '2025-05-29T03:00:00Z',
      '2024-05-28T06:00:00',
    ]) {
      const problem = await session('2025-05-28', { [field]: at }, 422);
      expect(pointersOf(problem)).toEqual([`/body/${field}`]);
      expect(problem['detail']).toMatch(/autre journée.*date_production/);
    }
    const made = await session('2025-05-28', { [field]: '2025-05-28T06:00:00' });
    expect(
      pointersOf(await requests.put(`/sessions/${made.id}`, { date_production: '2025-05-27' }, 422)),
    ).toEqual([`/body/${field}`]);
    const both = { date_production: '2025-05-27', [field]: '2025-05-27T06:00:00' };
    expect(await requests.put(`/sessions/${made.id}`, both)).toMatchObject({ date_production: '2025-05-27' });
  });
});
