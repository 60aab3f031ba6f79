// The contract of every resource: routes, names, both spellings, each error, nothing undeclared in an answer.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { sessionComplete } from '../../src/api/schemas/sessions.ts';
import { type ApiDEssai, createApi } from '../harness/api.ts';
import {
  type Json,
  pointersOf,
  problemOf,
  type Requests,
  type Row,
  requestsOf,
} from '../harness/api-requests.ts';
import { makeDerived, makePlaces, NOUNS, type Places } from '../harness/api-rows.ts';

let api: ApiDEssai;
let requests: Requests;
let places: Places;

beforeAll(async () => {
  api = await createApi();
  requests = requestsOf(api);
  places = await makePlaces(requests, 'LIEUX');
});
afterAll(() => api?.close());

describe.each(NOUNS)('$nom', ({ nom, row, fields, body, change, text }) => {
  const strict = z.strictObject(row.shape);
  let made: Row;
  let n = 10;
  const next = (): Json => body(places, n++);

  it('POST makes a row and says where it is; the answer is the row as a GET gives it', async () => {
    const sent = next();
    const answer = await requests.send('POST', `/${nom}/`, sent);
    expect(answer.statusCode, answer.body).toBe(201);
    made = answer.json<Row>();
    expect(answer.headers.location).toBe(`/${nom}/${made.id}`);
    expect(answer.headers['cache-control']).toBe('no-store');
    const read = await requests.send('GET', answer.headers.location!);
    expect(read.statusCode).toBe(200);
    expect(read.body).toBe(answer.body);
    expect(read.headers.etag).toBe(answer.headers.etag);
    expect(read.headers['content-type']).toBe('application/json; charset=utf-8');
    for (const [field, value] of Object.entries(sent)) {
      if (!field.startsWith('timestamp')) expect(made[field], field).toEqual(value);
      else expect(Date.parse(made[field] as string)).toBe(Date.parse(value as string));
    }
  });

  it('S15 answers have the fields of the contract in their order, and no other', async () => {
    expect(Object.keys(made)).toEqual(fields);
    strict.parse(made);
    const list = await requests.get<Row[]>(`/${nom}/`);
    expect(list.length).toBeGreaterThan(0);
    z.array(strict).parse(list);
    expect(list).toContainEqual(made);
  });

  it('both spellings of a path answer the same, without a redirect', async () => {
    for (const path of [`/${nom}`, `/${nom}/${made.id}`]) {
      const [bare, slash] = [await requests.send('GET', path), await requests.send('GET', `${path}/`)];
      expect(bare.statusCode).toBe(200);
      expect(slash.statusCode).toBe(200);
      expect(slash.body).toBe(bare.body);
    }
    const answer = await requests.send('POST', `/${nom}`, next());
    expect(answer.statusCode, answer.body).toBe(201);
    const { id } = answer.json<Row>();
    expect((await requests.send('PUT', `/${nom}/${id}/`, change)).statusCode).toBe(200);
    expect((await requests.send('DELETE', `/${nom}/${id}/`)).statusCode).toBe(204);
  });

  it('instants carry the offset of the factory', async () => {
    expect(made['date_creation']).toMatch(/T.*\+0[12]:00$/);
  });

  it('a read that knows the ETag already gets 304 and no body; HEAD gets the headers', async () => {
    const url = `/${nom}/${made.id}`;
    const first = await requests.send('GET', url);
    const etag = first.headers.etag as string;
    const again = await requests.send('GET', url, undefined, { 'if-none-match': etag });
    expect([again.statusCode, again.body]).toEqual([304, '']);
    const weak = await requests.send('GET', `/${nom}/`, undefined, { 'if-none-match': 'W/"x"' });
    expect(weak.statusCode).toBe(200);
    const head = await requests.send('HEAD', url);
    expect([head.statusCode, head.body, head.headers.etag]).toEqual([200, '', etag]);
  });

  it('PUT changes what is sent and leaves the rest', async () => {
    const answer = await requests.send('PUT', `/${nom}/${made.id}`, change);
    expect(answer.statusCode, answer.body).toBe(200);
    const after = answer.json<Row>();
    strict.parse(after);
    const same = fields.filter((field) => !(field in change) && !/^(duree|taux|temps)/.test(field));
    for (const field of same) expect(after[field], field).toEqual(made[field]);
    expect(after).not.toEqual(made);
    expect((await requests.send('GET', `/${nom}/${made.id}`)).body).toBe(answer.body);
    expect(answer.headers.etag).toBe((await requests.send('GET', `/${nom}/${made.id}`)).headers.etag);
    made = after;
  });

  it('DELETE answers 204, after which there is nothing', async () => {
    const { id } = await requests.post<Row>(`/${nom}/`, next());
    const answer = await requests.send('DELETE', `/${nom}/${id}`);
    expect([answer.statusCode, answer.body]).toEqual([204, '']);
    await requests.get(`/${nom}/${id}`, 404);
  });

  it('S13 an id that never was and one that is gone get the same 404', async () => {
    const { id } = await requests.post<Row>(`/${nom}/`, next());
    await requests.del(`/${nom}/${id}`);
    for (const method of ['GET', 'PUT', 'DELETE'] as const) {
      const payload = method === 'PUT' ? change : undefined;
      const gone = problemOf(await requests.send(method, `/${nom}/${id}`, payload), 404);
      const never = problemOf(await requests.send(method, `/${nom}/987654321987`, payload), 404);
      expect(gone.detail).toBe(never.detail);
    }
  });

  it('401 without credentials, 403 for a reader who writes', async () => {
    for (const [method, url] of [
      ['GET', `/${nom}/`],
      ['POST', `/${nom}/`],
      ['GET', `/${nom}/${made.id}`],
      ['PUT', `/${nom}/${made.id}`],
      ['DELETE', `/${nom}/${made.id}`],
    ] as const) {
      const answer = await api.app.inject({ method, url });
      problemOf(answer, 401);
      expect(answer.headers['www-authenticate']).toMatch(/^Bearer/);
    }
    const reader = requestsOf(api, 'lecteur');
    expect((await reader.send('GET', `/${nom}/`)).statusCode).toBe(200);
    problemOf(await reader.send('POST', `/${nom}/`, next()), 403);
    problemOf(await reader.send('PUT', `/${nom}/${made.id}`, change), 403);
    problemOf(await reader.send('DELETE', `/${nom}/${made.id}`), 403);
    expect(await requests.get(`/${nom}/${made.id}`)).toEqual(made);
  });

  it('400 for what is no JSON, 415 for another type, 413 for too much', async () => {
    const raw = (payload: string, type: string) =>
      api.app.inject({
        method: 'POST',
        url: `/${nom}/`,
        headers: { ...api.comptes.gestionnaire.entete, 'content-type': type },
        payload,
      });
    problemOf(await raw('{"nom":', 'application/json'), 400);
    problemOf(await raw('', 'application/json'), 400);
    problemOf(await raw('<a/>', 'application/xml'), 415);
    problemOf(await raw(JSON.stringify({ nom: 'x'.repeat(1_100_000) }), 'application/json'), 413);
  });

  it('405 names the methods that are allowed', async () => {
    const list = await requests.send('DELETE', `/${nom}/`);
    problemOf(list, 405);
    expect(list.headers.allow).toBe('GET, HEAD, POST');
    const element = await requests.send('PATCH', `/${nom}/${made.id}`, change);
    problemOf(element, 405);
    expect(element.headers.allow).toBe('DELETE, GET, HEAD, PUT');
  });

  it('406 for a form that there is not', async () => {
    problemOf(await requests.send('GET', `/${nom}/`, undefined, { accept: 'image/png' }), 406);
  });

  it('422 names every unknown parameter and field', async () => {
    expect(pointersOf(await requests.get(`/${nom}/?couleurs=7&page=2`, 422))).toEqual([
      '/query/couleurs',
      '/query/page',
    ]);
    const unknown = '/query/inconnu';
    expect(pointersOf(await requests.get(`/${nom}/${made.id}?inconnu=1`, 422))).toEqual([unknown]);
    expect(pointersOf(await requests.post(`/${nom}/?inconnu=1`, next(), 422))).toEqual([unknown]);
    expect(pointersOf(await requests.put(`/${nom}/${made.id}?inconnu=1`, change, 422))).toEqual([unknown]);
    expect(pointersOf(await requests.del(`/${nom}/${made.id}?inconnu=1`, 422))).toEqual([unknown]);
    expect(pointersOf(await requests.post(`/${nom}/`, { ...next(), a: 1, b: 2 }, 422))).toEqual([
      '/body/a',
      '/body/b',
    ]);
    expect(pointersOf(await requests.put(`/${nom}/${made.id}`, { ...change, a: 1 }, 422))).toEqual([
      '/body/a',
    ]);
    expect(await requests.get(`/${nom}/${made.id}`)).toEqual(made);
  });

  it('422 for bodies that are no object, are empty, or lack a field; a change says at least one', async () => {
    for (const payload of ['[]', '"x"', '1', 'null']) {
      const headers = { ...api.comptes.gestionnaire.entete, 'content-type': 'application/json' };
      const answer = await api.app.inject({ method: 'POST', url: `/${nom}/`, headers, payload });
      problemOf(answer, 422);
    }
    expect(pointersOf(await requests.post(`/${nom}/`, {}, 422)).length).toBeGreaterThan(0);
    await requests.put(`/${nom}/${made.id}`, {}, 422);
  });

  it.each(['0x1', '-1', '1.5', 'abc', '1e3', '99999999999999999', '%00', "1'--", '١'])(
    'S16 id %s is refused',
    async (id) => {
      expect(pointersOf(await requests.get(`/${nom}/${encodeURI(id).replace('%2500', '%00')}`, 422))).toEqual(
        ['/path/id'],
      );
    },
  );

  if (text)
    it('S16 texts come back as they were sent; NUL and half characters are refused', async () => {
      const { field, max } = text;
      const hostile = [
        `l'été "d'hier" \\ ; DROP TABLE piece_production; --`,
        'Robert\'); DELETE FROM "user"; /* */ $1 %s {} ',
        '👩‍🏭 🇫🇷 𝒳 \u202e عربي \u0301',
        '<script>alert(1)</script>\t\r\n\u0001\u001f\u007f\ufeff',
        '=1+1',
        'null',
        'é'.repeat(max),
      ];
      for (const value of hostile) {
        const { id } = await requests.put<Row>(`/${nom}/${made.id}`, { [field]: value });
        expect((await requests.get<Row>(`/${nom}/${id}`))[field]).toBe(value);
      }
      for (const value of ['a\u0000b', '\ud800', 'x'.repeat(max + 1), 7, ['x'], { x: 1 }]) {
        const problem = await requests.put(`/${nom}/${made.id}`, { [field]: value }, 422);
        expect(pointersOf(problem)).toEqual([`/body/${field}`]);
      }
    });
});

describe('GET /commandes-volets/by-numero and by-status', () => {
  beforeAll(async () => {
    for (const [numero_commande, extension, status] of [
      ['77', '', 'Planifiée'],
      ['77', 'A', 'Planifiée'],
      ['77', 'B', 'Fabriquée & livrée / 100 %'],
      ['78', '', 'Fabriquée & livrée / 100 %'],
    ]) {
      const rest = { date_modification: '2025-05-28', coffre: 'CF180' };
      await requests.post('/commandes-volets/', { numero_commande, extension, status, ...rest });
    }
  });
  const path = (route: string, value: string): string =>
    `/commandes-volets/${route}/${encodeURIComponent(value)}`;

  it('give the rows of the list, in both spellings', async () => {
    const wanted = await requests.get<Row[]>('/commandes-volets/?numero_commande=77&tri=extension');
    expect(wanted.map((row) => row['extension'])).toEqual(['', 'A', 'B']);
    for (const slash of ['', '/']) {
      expect(await requests.get(`${path('by-numero', '77')}${slash}?tri=extension`)).toEqual(wanted);
    }
    const status = 'Fabriquée & livrée / 100 %';
    const found = await requests.get<Row[]>(path('by-status', status));
    expect(found.map((row) => row['numero_commande'])).toEqual(['77', '78']);
    expect(found).toEqual(await requests.get(`/commandes-volets/?status=${encodeURIComponent(status)}`));
  });

  it('are empty arrays where there is nothing', async () => {
    expect(await requests.get(path('by-numero', 'inconnu'))).toEqual([]);
    expect(await requests.get(path('by-status', "'; --"))).toEqual([]);
  });

  it('take the parameters of pages, and no filter', async () => {
    const answer = await requests.send('GET', `${path('by-numero', '77')}?limit=1&skip=1&tri=-extension`);
    expect(answer.json<Row[]>().map((row) => row['extension'])).toEqual(['A']);
    expect(answer.headers['x-total-count']).toBe('3');
    expect(answer.headers.link).toContain('</commandes-volets/by-numero/77?');
    const next = await requests.get<Row[]>(
      `${path('by-numero', '77')}?limit=1&tri=-extension&cursor=${answer.headers['x-next-cursor']}`,
    );
    expect(next.map((row) => row['extension'])).toEqual(['']);
    expect(pointersOf(await requests.get(`${path('by-numero', '77')}?status=x`, 422))).toEqual([
      '/query/status',
    ]);
  });

  it('S16 refuse NUL and what is too long', async () => {
    expect(pointersOf(await requests.get('/commandes-volets/by-numero/a%00b', 422))).toEqual([
      '/path/numero',
    ]);
    expect(pointersOf(await requests.get(path('by-status', 'x'.repeat(201)), 422))).toEqual(['/path/status']);
    expect((await requests.send('GET', '/commandes-volets/by-status/%zz')).statusCode).toBe(400);
    problemOf(await api.app.inject({ url: path('by-numero', '77') }), 401);
  });
});

describe('GET /sessions/{id}?inclure=', () => {
  const parts = {
    job_profils: 'job-profils',
    periodes_attente: 'periodes-attente',
    periodes_arret: 'periodes-arret',
    pieces_production: 'pieces-production',
  } as const;

  it('embeds each detail as its own list gives it, in order of number', async () => {
    const { session } = await makeDerived(api, 'INCLURE');
    const own = await requests.get<Row>(`/sessions/${session}`);
    const all = await requests.get<Json>(`/sessions/${session}?inclure=${Object.keys(parts).join(',')}`);
    z.strictObject(sessionComplete.shape).parse(all);
    expect(Object.keys(all)).toEqual([...Object.keys(own), ...Object.keys(parts)]);
    for (const [field, value] of Object.entries(own)) expect(all[field]).toEqual(value);
    for (const [part, nom] of Object.entries(parts)) {
      const list = await requests.get<Row[]>(`/${nom}/?session_id=${session}`);
      expect(list).toHaveLength(2);
      expect(all[part]).toEqual(list);
      const one = await requests.get<Json>(`/sessions/${session}?inclure=${part}`);
      expect(one).toEqual({ ...own, [part]: list });
    }
  });

  it('orders by number even when rows were added in another order; nothing is an empty array', async () => {
    const other = await requests.post<Row>('/sessions/', {
      centre_usinage_id: places.centre,
      date_production: '2025-05-29',
    });
    for (const numero_piece of [3, 1, 2]) {
      const timestamp_production = '2025-05-29T06:00:00+02:00';
      await requests.post('/pieces-production/', {
        session_id: other.id,
        numero_piece,
        timestamp_production,
      });
    }
    const got = await requests.get<{ pieces_production: Row[]; periodes_arret: Row[] }>(
      `/sessions/${other.id}?inclure=pieces_production,periodes_arret`,
    );
    expect(got.pieces_production.map((piece) => piece['numero_piece'])).toEqual([1, 2, 3]);
    expect(got.periodes_arret).toEqual([]);
  });

  it('has an ETag of its own', async () => {
    const url = `/sessions/${places.session}?inclure=job_profils`;
    const first = await requests.send('GET', url);
    expect(first.headers.etag).not.toBe(
      (await requests.send('GET', `/sessions/${places.session}`)).headers.etag,
    );
    const again = await requests.send('GET', url, undefined, {
      'if-none-match': first.headers.etag as string,
    });
    expect(again.statusCode).toBe(304);
  });

  it.each([
    '',
    'pieces',
    'job_profils,',
    'job_profils,job_profils',
    'job_profils, periodes_arret',
    'details',
  ])('refuses inclure=%s', async (value) => {
    const url = `/sessions/${places.session}?inclure=${encodeURIComponent(value)}`;
    expect(pointersOf(await requests.get(url, 422))).toEqual(['/query/inclure']);
  });

  it('404 for a session that is not there', async () => {
    await requests.get('/sessions/987654321?inclure=job_profils', 404);
  });
});
