// Writes: what may be sent (S14, S16), conflicts and lost updates (S25), derived rows, If-Match.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiDEssai } from '../harness/api.ts';
import { type ApiAvecLieux, createApiAvecLieux } from '../harness/api-lieux.ts';
import {
  type Json,
  type Problem,
  pointersOf,
  problemOf,
  type Requests,
  type Row,
} from '../harness/api-requests.ts';
import { type Derived, NOUNS, noun, type Places } from '../harness/api-rows.ts';
import { untilSomeoneWaits } from '../harness/locks.ts';

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

describe.each(NOUNS)('$nom', ({ nom, body, change }) => {
  const etagOf = async (id: number): Promise<string> =>
    (await requests.send('GET', `/${nom}/${id}`)).headers.etag as string;
  const put = (id: number, etag: string, payload: Json = change) =>
    requests.send('PUT', `/${nom}/${id}`, payload, { 'if-match': etag });

  it('S14 no field that is not the client’s can be written, and nothing of the body is kept', async () => {
    const row = await make(nom);
    const foreign = [
      ...[
        'id',
        'origine',
        'date_creation',
        'role',
        'password_hash',
        'created_at',
        'type_origine',
        'constructor',
      ],
      ...[
        'fichier_log_version_id',
        'ligne',
        'date_synchronisation',
        'numero',
        '__proto',
        'prototype',
        'toString',
      ],
    ];
    for (const field of foreign) {
      // A body that reaches for prototypes is refused before it is looked at.
      const reaches = field === 'constructor';
      const value = reaches ? { prototype: { x: 1 } } : 1;
      for (const answer of [
        await requests.send('POST', `/${nom}/`, { ...body(places, next()), [field]: value }),
        await requests.send('PUT', `/${nom}/${row.id}`, { ...change, [field]: value }),
      ]) {
        const problem = problemOf(answer, reaches ? 400 : 422);
        if (!reaches) expect(pointersOf(problem)).toEqual([`/body/${field}`]);
      }
    }
    for (const text of [
      '{"__proto__":{"actif":true}}',
      '{"constructor":{"prototype":{"x":1}}}',
      '{"a":{"__proto__":1}}',
    ]) {
      const headers = { ...api.comptes.gestionnaire.entete, 'content-type': 'application/json' };
      for (const [method, url] of [
        ['POST', `/${nom}/`],
        ['PUT', `/${nom}/${row.id}`],
      ] as const) {
        problemOf(await api.app.inject({ method, url, headers, payload: text }), 400);
      }
    }
    expect(await requests.get(`/${nom}/${row.id}`)).toEqual(row);
  });

  it('S16 values of another type or beyond bounds are refused by name, for every field; never a 5xx', async () => {
    const row = await make(nom);
    const wrong = [
      true,
      1e308,
      -1e308,
      -1,
      2 ** 63,
      1.5,
      '',
      '1',
      'x'.repeat(5000),
      [],
      [1],
      {},
      '\u0000',
      '0000-01-01',
      '9999-12-31T23:59:59Z',
      '2025-05-28T06:00:00+23:59',
    ];
    for (const field of Object.keys(body(places, next()))) {
      let refused = 0;
      for (const value of wrong) {
        const answer = await requests.send('PUT', `/${nom}/${row.id}`, { [field]: value });
        expect([200, 409, 422], `${field}=${JSON.stringify(value)} : ${answer.body}`).toContain(
          answer.statusCode,
        );
        if (answer.statusCode === 422) {
          refused++;
          for (const pointer of pointersOf(answer.json()))
            expect(pointer).toMatch(new RegExp(`^/body/(${field}|timestamp_fin)`));
        }
      }
      expect(refused, field).toBeGreaterThan(8);
    }
  });

  it('If-Match: the current ETag lets a write through, an older one does not', async () => {
    const { id } = await make(nom);
    const old = await etagOf(id);
    const first = await put(id, old);
    expect(first.statusCode, first.body).toBe(200);
    const now = await requests.get(`/${nom}/${id}`);

    const refused = await put(id, old);
    problemOf(refused, 412);
    expect(refused.headers.etag).toBe(first.headers.etag);
    problemOf(await put(id, '"x", W/"y"'), 412);
    problemOf(await put(id, `W/${first.headers.etag}`), 412);
    problemOf(await requests.send('DELETE', `/${nom}/${id}`, undefined, { 'if-match': old }), 412);
    expect(await requests.get(`/${nom}/${id}`)).toEqual(now);

    expect((await put(id, '*')).statusCode).toBe(200);
    expect((await put(id, `"x", ${await etagOf(id)}`)).statusCode).toBe(200);
    const gone = await requests.send('DELETE', `/${nom}/${id}`, undefined, { 'if-match': await etagOf(id) });
    expect(gone.statusCode).toBe(204);
  });

  it('S25 of two changes made from the same reading, one is told that it comes too late', async () => {
    for (let round = 0; round < 3; round++) {
      const { id } = await make(nom);
      const etag = await etagOf(id);
      const answers = await Promise.all([put(id, etag), put(id, etag), put(id, etag)]);
      expect(answers.map((answer) => answer.statusCode).sort()).toEqual([200, 412, 412]);
    }
  });

  it('S25 a change and a deletion from the same reading: one of them happens', async () => {
    const { id } = await make(nom);
    const etag = await etagOf(id);
    const [changed, gone] = await Promise.all([
      put(id, etag),
      requests.send('DELETE', `/${nom}/${id}`, undefined, { 'if-match': etag }),
    ]);
    expect([
      [200, 412],
      [404, 204],
    ]).toContainEqual([changed!.statusCode, gone!.statusCode]);
  });
});

describe('derived rows', () => {
  it.each(NOUNS.filter(({ nom }) => nom !== 'centres'))(
    'of $nom answer 409 and say why',
    async ({ nom, change }) => {
      const url = `/${nom}/${derived.rows[nom]}`;
      const before = await requests.send('GET', url);
      for (const [method, payload] of [
        ['PUT', change],
        ['DELETE', undefined],
      ] as const) {
        const { detail } = problemOf(await requests.send(method, url, payload), 409);
        expect(detail).toMatch(
          nom === 'commandes-volets' ? /ERP.*sync/s : /fichiers LOG.*fichier corrigé.*POST \/sessions\//s,
        );
      }
      expect((await requests.send('GET', url)).body).toBe(before.body);
    },
  );

  it.each(['job-profils', 'periodes-attente', 'periodes-arret', 'pieces-production'])(
    'no row of %s can be added to a computed session',
    async (nom) => {
      const before = await requests.get<Row[]>(`/${nom}/?session_id=${derived.session}`);
      const sent = noun(nom).body({ ...places, session: derived.session }, next());
      const { detail } = await requests.post<Problem>(`/${nom}/`, sent, 409);
      expect(detail).toContain('calculée des fichiers LOG');
      expect(await requests.get(`/${nom}/?session_id=${derived.session}`)).toEqual(before);
    },
  );

  it('an order that a synchronisation takes over while we wait to change it is derived: no deadlock, 409', async () => {
    const { id } = await make('commandes-volets');
    const sync = await api.pool.connect();
    try {
      await sync.query('BEGIN');
      await sync.query('LOCK TABLE commandes_volets_roulants IN SHARE ROW EXCLUSIVE MODE');
      const change = requests.send('PUT', `/commandes-volets/${id}`, { status: 'x' });
      await untilSomeoneWaits(api.pool);
      await sync.query("UPDATE commandes_volets_roulants SET origine = 'erp' WHERE id = $1", [id]);
      await sync.query('COMMIT');
      // A deadlock would be 503, and it might have been the synchronisation that lost.
      expect(problemOf(await change, 409).detail).toMatch(/vient de l’ERP/);
    } finally {
      sync.release();
    }
    expect((await requests.get<Row>(`/commandes-volets/${id}`))['status']).toBe('Planifiée');
  });
});

it.each(['40001', '40P01'])(
  'O10: a write that PostgreSQL gives up for another one (%s) is 503 with Retry-After, and changes nothing',
  async (code) => {
    const sent = noun('centres').body(places, next());
    await api.pool.query(
      `CREATE FUNCTION ceder() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN RAISE EXCEPTION 'perdu' USING ERRCODE = '${code}'; END $$;
       CREATE TRIGGER ceder AFTER INSERT ON centre_usinage FOR EACH ROW EXECUTE FUNCTION ceder()`,
    );
    try {
      const answer = await requests.send('POST', '/centres/', sent);
      expect(problemOf(answer, 503).detail).toContain('recommencez');
      expect(answer.headers['retry-after']).toBe('1');
    } finally {
      await api.pool.query('DROP FUNCTION ceder() CASCADE');
    }
    await requests.post('/centres/', sent, 201);
  },
);

describe('S25 simultaneous creations', () => {
  const race = async (nom: string, sent: Json): Promise<void> => {
    const answers = await Promise.all([...Array(6)].map(() => requests.send('POST', `/${nom}/`, sent)));
    expect(answers.map((answer) => answer.statusCode).sort()).toEqual([201, 409, 409, 409, 409, 409]);
    const { id } = answers.find((answer) => answer.statusCode === 201)!.json<Row>();
    for (const answer of answers) {
      // The one that is there is named, so that whoever sent it twice finds it.
      if (answer.statusCode === 409) expect(problemOf(answer, 409).detail).toContain(`/${nom}/${id}`);
    }
  };
  it.each(['centres', 'sessions', 'commandes-volets'])(
    'of the same row of %s: one 201, the others 409',
    (nom) => race(nom, noun(nom).body(places, next())),
  );
  it('of a piece of the same number: one 201, the others 409', () =>
    race('pieces-production', { ...noun('pieces-production').body(places, next()), numero_piece: 5_000 }));

  it('of pieces without a number give each its own', async () => {
    const { id: session_id } = await make('sessions');
    const sent = { session_id, timestamp_production: '2025-05-28T06:12:00+02:00' };
    const made = await Promise.all([...Array(12)].map(() => requests.post<Row>('/pieces-production/', sent)));
    const numbers = made.map((piece) => piece['numero_piece'] as number).sort((a, b) => a - b);
    expect(numbers).toEqual([...Array(12)].map((_, i) => i + 1));
  });

  it('of details while their session is deleted leave no orphan', async () => {
    for (let round = 0; round < 5; round++) {
      const { id: session_id } = await make('sessions');
      const sent = { session_id, timestamp_production: '2025-05-28T06:12:00+02:00' };
      const [gone, ...added] = await Promise.all([
        requests.send('DELETE', `/sessions/${session_id}`),
        ...[...Array(4)].map(() => requests.send('POST', '/pieces-production/', sent)),
      ]);
      expect(gone!.statusCode).toBe(204);
      for (const answer of added) expect([201, 422], answer.body).toContain(answer.statusCode);
    }
    expect(await orphans()).toBe(0);
  });

  it('refusals do not cost connections', async () => {
    let removed = 0;
    const count = (): void => {
      removed++;
    };
    api.pool.on('remove', count);
    const sent = noun('centres').body(places, next());
    const { id } = await requests.post<Row>('/centres/', sent);
    for (let i = 0; i < 5; i++) {
      await requests.post('/centres/', sent, 409);
      await requests.put(`/sessions/${derived.session}`, { total_pieces: 1 }, 409);
      problemOf(await requests.send('PUT', `/centres/${id}`, { actif: true }, { 'if-match': '"x"' }), 412);
      await requests.put('/centres/987654321', { actif: true }, 404);
    }
    api.pool.off('remove', count);
    expect(removed).toBe(0);
  });
});
