// Lists: each filter against an oracle, order, pages, totals, links. Cursors are in api-curseurs.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiDEssai, createApi } from '../harness/api.ts';
import {
  type Answer,
  linkOf,
  pointersOf,
  problemOf,
  type Requests,
  type Row,
  requestsOf,
} from '../harness/api-requests.ts';
import { makeDerived, NOUNS } from '../harness/api-rows.ts';

let api: ApiDEssai;
let requests: Requests;
/** what a detail takes from its session, by session id */
let sessions: Map<number, { centre: number; type: string; origine: string }>;
let centres: { pvc: number; alu: number };

/** Instants around the ends of days in Paris, also of the day that has 25 hours. */
const INSTANTS = [
  '2025-05-27T23:59:59.999999+02:00',
  '2025-05-28T00:00:00+02:00',
  '2025-05-28T12:00:00+02:00',
  '2025-05-28T23:59:59.999999+02:00',
  '2025-05-29T00:00:00+02:00',
  '2025-10-26T00:00:00+02:00',
  '2025-10-26T02:30:00+02:00',
  '2025-10-26T02:30:00+01:00',
  '2025-10-26T23:30:00+01:00',
  '2025-10-27T00:00:00+01:00',
];

beforeAll(async () => {
  api = await createApi();
  requests = requestsOf(api);
  const { id: pvc } = await requests.post<Row>('/centres/', { nom: 'PVC1', type_cu: 'PVC' });
  const { id: alu } = await requests.post<Row>('/centres/', { nom: 'ALU1', type_cu: 'ALU', actif: false });
  centres = { pvc, alu };
  for (const [n, centre_usinage_id] of [pvc, pvc, alu].entries()) {
    const { id: session_id } = await requests.post<Row>('/sessions/', {
      ...{ centre_usinage_id, date_production: `2025-05-2${7 + n}`, total_pieces: n % 2 },
      ...(n === 0
        ? {}
        : { heure_premiere_piece: INSTANTS[3 * n - 2], heure_derniere_piece: INSTANTS[3 * n - 2] }),
    });
    for (const [i, timestamp] of INSTANTS.entries()) {
      await requests.post('/pieces-production/', { session_id, timestamp_production: timestamp });
      await requests.post('/job-profils/', {
        ...{ session_id, reference: `21502${i % 3}`, longueur: 100 + i, timestamp_debut: timestamp },
        couleur: [null, '7016', '7016 G ALU'][i % 3],
      });
      const period = { session_id, timestamp_debut: timestamp, timestamp_fin: '2025-11-01T00:00:00Z' };
      await requests.post('/periodes-attente/', period);
      await requests.post('/periodes-arret/', period);
    }
  }
  await makeDerived(api, 'LOG1');
  for (let n = 0; n < 12; n++) {
    await requests.post('/commandes-volets/', {
      ...{ numero_commande: `${25_000 + (n % 4)}`, extension: ['', 'A', 'B'][n % 3] },
      ...{ status: ['Planifiée', 'Fabriquée', 'planifiée'][n % 3], date_modification: `2025-05-2${n % 10}` },
      ...{ coffres: [`CF${n % 2}`, 'CF9'], gestion_en_stock: n % 2 },
    });
  }
  const { rows } = await api.pool.query<{ id: number; centre: number; type: string; origine: string }>(
    `SELECT s.id, c.id AS centre, c.type_cu AS type, s.origine
       FROM session_production s JOIN centre_usinage c ON c.id = s.centre_usinage_id`,
  );
  sessions = new Map(rows.map((row) => [row.id, row]));
});
afterAll(() => api?.close());

describe('filters', () => {
  const start = (day: string): number => instantOf(Temporal.PlainDate.from(day));
  const end = (day: string): number => instantOf(Temporal.PlainDate.from(day).add({ days: 1 }));
  const instantOf = (day: Temporal.PlainDate): number =>
    day.toZonedDateTime('Europe/Paris').epochMilliseconds * 1000;
  const micros = (text: unknown): number =>
    Number(Temporal.Instant.from(text as string).epochNanoseconds / 1000n);
  type Case = readonly [query: string, (row: Row) => boolean];
  const of = (row: Row) => sessions.get(row['session_id'] as number)!;

  /** By id, as they come; details of a centre or of a time in the order of time. */
  const inOrder = (nom: string, query: string, rows: Row[]): Row[] => {
    const column = { 'pieces-production': 'timestamp_production' }[nom] ?? 'timestamp_debut';
    if (!/^(pieces|periodes|job)/.test(nom) || !/centre_usinage_id|type_cu|date_/.test(query)) return rows;
    return rows.toSorted((a, b) => micros(a[column]) - micros(b[column]) || a.id - b.id);
  };

  const details = (column: string): Case[] => [
    ...[...Array(5).keys()].map((id): Case => [`session_id=${id}`, (row) => row['session_id'] === id]),
    ['session_id=987654321', () => false],
    ['origine=manuel', (row) => of(row).origine === 'manuel'],
    ['origine=log', (row) => of(row).origine === 'log'],
    ['type_cu=PVC', (row) => of(row).type === 'PVC'],
    ['type_cu=ALU', (row) => of(row).type === 'ALU'],
    ['type_cu=inconnu', () => false],
    ['centre_usinage_id=1', (row) => of(row).centre === 1],
    ['centre_usinage_id=2', (row) => of(row).centre === 2],
    ['centre_usinage_id=9999999999', () => false],
    ['date_debut=2025-05-28', (row) => micros(row[column]) >= start('2025-05-28')],
    ['date_fin=2025-05-28', (row) => micros(row[column]) < end('2025-05-28')],
    [
      'date_debut=2025-10-26&date_fin=2025-10-26',
      (row) => micros(row[column]) >= start('2025-10-26') && micros(row[column]) < end('2025-10-26'),
    ],
    [
      'date_debut=2025-05-28T12:00:00%2B02:00&date_fin=2025-10-26T00:30:00Z',
      (row) =>
        micros(row[column]) >= micros('2025-05-28T10:00:00Z') &&
        micros(row[column]) <= micros('2025-10-26T00:30:00Z'),
    ],
    [
      'type_cu=PVC&origine=manuel&date_debut=2025-05-29',
      (row) =>
        of(row).type === 'PVC' && of(row).origine === 'manuel' && micros(row[column]) >= start('2025-05-29'),
    ],
  ];
  const cases: Readonly<Record<string, readonly Case[]>> = {
    centres: [
      ['type_cu=PVC', (row) => row['type_cu'] === 'PVC'],
      ['actif=true', (row) => row['actif'] === true],
      ['actif=false', (row) => row['actif'] === false],
      ['actif=true&type_cu=ALU', (row) => row['actif'] === true && row['type_cu'] === 'ALU'],
    ],
    sessions: [
      ['centre_usinage_id=1', (row) => row['centre_usinage_id'] === 1],
      ['type_cu=PVC', (row) => sessions.get(row.id)!.type === 'PVC'],
      ['date_debut=2025-05-28', (row) => (row['date_production'] as string) >= '2025-05-28'],
      ['date_fin=2025-05-28', (row) => (row['date_production'] as string) <= '2025-05-28'],
      ['date_debut=2025-05-28&date_fin=2025-05-28', (row) => row['date_production'] === '2025-05-28'],
      ['date_debut=2025-05-29&date_fin=2025-05-28', () => false],
      ['origine=log', (row) => row['origine'] === 'log'],
      ['origine=manuel', (row) => row['origine'] === 'manuel'],
    ],
    'job-profils': [
      ...details('timestamp_debut'),
      ['reference=215021', (row) => row['reference'] === '215021'],
      ['couleur=7016', (row) => row['couleur'] === '7016'],
      [
        'couleur=7016%20G%20ALU&reference=215022',
        (row) => row['reference'] === '215022' && row['couleur'] === '7016 G ALU',
      ],
      ['reference=%25', () => false],
    ],
    'periodes-attente': details('timestamp_debut'),
    'periodes-arret': details('timestamp_debut'),
    'pieces-production': details('timestamp_production'),
    'commandes-volets': [
      ['numero_commande=25001', (row) => row['numero_commande'] === '25001'],
      ['extension=A', (row) => row['extension'] === 'A'],
      ['extension=', (row) => row['extension'] === ''],
      ['status=Planifi%C3%A9e', (row) => row['status'] === 'Planifiée'],
      ['coffre=CF9', (row) => (row['coffres'] as string[]).includes('CF9')],
      ['coffre=CF1', (row) => (row['coffres'] as string[]).includes('CF1')],
      ['gestion_en_stock=1', (row) => row['gestion_en_stock'] === 1],
      ['gestion_en_stock=0', (row) => row['gestion_en_stock'] === 0],
      ['origine=erp', (row) => row['origine'] === 'erp'],
      [
        'origine=manuel&gestion_en_stock=1',
        (row) => row['origine'] === 'manuel' && row['gestion_en_stock'] === 1,
      ],
      [
        'date_debut=2025-05-25&date_fin=2025-05-27',
        (row) => /2[567]$/.test(row['date_modification'] as string),
      ],
    ],
  };

  it.each(Object.entries(cases))('of %s give the rows that they name, no other', async (nom, list) => {
    const all = await requests.get<Row[]>(`/${nom}/?limit=1000`);
    let some = 0;
    for (const [query, fits] of list) {
      const wanted = inOrder(nom, query, all.filter(fits));
      if (wanted.length > 0 && wanted.length < all.length) some++;
      expect(await requests.get(`/${nom}/?limit=1000&${query}`), query).toEqual(wanted);
    }
    expect(some, 'cases that tell rows apart').toBeGreaterThan(3);
  });

  const bad: Readonly<Record<string, readonly string[]>> = {
    session_id: ['abc', '-1', '1.5', '', '1e3', '9223372036854775808', "1' OR '1'='1"],
    centre_usinage_id: ['abc', '%00', '99999999999999999999'],
    date_debut: ['2025-02-30', '28/05/2025', '2025-05-28T06', '2025-05-28 06:12:00+02', 'hier', '2025-13-01'],
    date_fin: ['', 'x', '2025-05-28T25:00:00Z'],
    origine: ['erp', 'LOG', ''],
    type_cu: ['%00', 'x'.repeat(101)],
  };
  it.each(Object.entries(bad))('S16 %s refuses what it cannot be', async (name, values) => {
    for (const value of values) {
      const answer = await requests.send(
        'GET',
        `/pieces-production/?${name}=${value.replaceAll(' ', '%20')}`,
      );
      expect(pointersOf(problemOf(answer, 422)), value).toEqual([`/query/${name}`]);
    }
  });

  it('S16 every parameter of every list: hostile values are refused or find nothing, never a 5xx', async () => {
    const hostile = [
      ...["'", '"', "' OR 1=1 --", '/*', '%25', '%00', '\\', '$1', '{{7*7}}', 'ＳＥＬＥＣＴ', '1e308', '-1'],
      ...[
        '9223372036854775808',
        '[]',
        '\u202e',
        '%E2%80%8B',
        '0000-01-01',
        '9999-12-31T23:59:59.999999%2B15:59',
      ],
      ...[
        '9999-12-31',
        '0001-01-01T00:00:00%2B23:59',
        '2025-05-28T06:12:00.12345678901234567890Z',
        'null',
        'x,x',
      ],
    ];
    for (const { nom } of NOUNS) {
      const { parameters } = api.app.swagger()['paths']![`/${nom}/`]!.get as {
        parameters: { name: string }[];
      };
      expect(parameters.length).toBeGreaterThan(6);
      for (const { name } of parameters) {
        for (const value of hostile) {
          const { statusCode, body } = await requests.send(
            'GET',
            encodeURI(`/${nom}/?${name}=${value}`).replaceAll('%25', '%'),
          );
          expect([200, 422], `${nom} ${name}=${value} : ${statusCode} ${body}`).toContain(statusCode);
        }
        const twice = await requests.send('GET', `/${nom}/?${name}=1&${name}=1`);
        expect(pointersOf(problemOf(twice, 422))).toContain(`/query/${name}`);
      }
    }
  });
});

describe('pages', () => {
  it('have 100 rows unless limit says otherwise, at most 1000', async () => {
    const { id } = await requests.post<Row>('/sessions/', {
      centre_usinage_id: centres.pvc,
      date_production: '2025-01-02',
    });
    await manyPieces(id, 1, 1001);
    const url = `/pieces-production/?session_id=${id}`;
    const lengths = ['', '&limit=1', '&limit=1000', '&skip=1000', '&skip=5000', '&skip=100000'].map(
      async (query) => (await requests.get<Row[]>(url + query)).length,
    );
    expect(await Promise.all(lengths)).toEqual([100, 1, 1000, 1, 0, 0]);
    for (const value of ['0', '1001', '-1', '1.5', '1e2', '', 'x']) {
      expect(pointersOf(await requests.get(`${url}&limit=${value}`, 422))).toEqual(['/query/limit']);
    }
    for (const value of ['-1', '100001', '9007199254740991', '1e308', 'NaN', '']) {
      expect(pointersOf(await requests.get(`${url}&skip=${value}`, 422))).toEqual(['/query/skip']);
    }
  });

  it('followed by Link give all rows once; the first has no prev, the last no next', async () => {
    const wanted = await requests.get<Row[]>('/commandes-volets/?limit=1000&tri=status&origine=manuel');
    const got: Row[] = [];
    let url: string | undefined = '/commandes-volets/?limit=5&tri=status&origine=manuel';
    let pages = 0;
    while (url) {
      const answer: Answer = await requests.send('GET', url);
      got.push(...answer.json<Row[]>());
      expect(answer.headers['x-total-count']).toBe(String(wanted.length));
      expect(linkOf(answer, 'prev') === undefined).toBe(pages === 0);
      url = linkOf(answer, 'next');
      expect(answer.headers['x-next-cursor'] === undefined).toBe(url === undefined);
      pages++;
    }
    expect(got).toEqual(wanted);
    expect(pages).toBe(Math.ceil(wanted.length / 5));
    const last = await requests.send('GET', '/commandes-volets/?limit=5&skip=3');
    expect(linkOf(last, 'prev')).toBe('/commandes-volets/?limit=5&skip=0');
  });

  it('HEAD gives the headers of a list', async () => {
    const [get, head] = await Promise.all(
      (['GET', 'HEAD'] as const).map((method) => requests.send(method, '/centres/?limit=1')),
    );
    for (const name of ['x-total-count', 'x-total-count-kind', 'link', 'x-next-cursor', 'etag']) {
      expect(head!.headers[name], name).toBe(get!.headers[name]);
      expect(head!.headers[name], name).toBeDefined();
    }
    expect(head!.body).toBe('');
  });
});

describe('totals', () => {
  let session: number;
  const totalOf = async (query: string): Promise<[number, unknown]> => {
    const { statusCode, headers } = await requests.send('GET', `/pieces-production/?limit=1&${query}`);
    expect(statusCode).toBe(200);
    return [Number(headers['x-total-count']), headers['x-total-count-kind']];
  };
  beforeAll(async () => {
    const date_production = '2025-01-03';
    ({ id: session } = await requests.post<Row>('/sessions/', {
      centre_usinage_id: centres.pvc,
      date_production,
    }));
    await manyPieces(session, 1, 100_000);
  });

  it('are exact up to 100,000 rows', async () => {
    expect(await totalOf(`session_id=${session}`)).toEqual([100_000, 'exact']);
    expect(await totalOf('origine=log')).toEqual([2, 'exact']);
    expect(await totalOf('type_cu=inconnu')).toEqual([0, 'exact']);
  });

  it('are estimates beyond, and exact when that is asked for', async () => {
    await manyPieces(session, 100_001, 100_050);
    const [total, kind] = await totalOf(`session_id=${session}`);
    expect(kind).toBe('estimate');
    expect(total).toBeGreaterThan(100_000);
    expect(await totalOf(`session_id=${session}&total=exact`)).toEqual([100_050, 'exact']);
    const { rows } = await api.pool.query<{ n: number }>('SELECT count(*) AS n FROM piece_production');
    expect(await totalOf('total=exact')).toEqual([rows[0]!.n, 'exact']);
    expect((await totalOf(''))[1]).toBe('estimate');
    expect(pointersOf(await requests.get('/pieces-production/?total=estimate', 422))).toEqual([
      '/query/total',
    ]);
  });

  it('the page itself is there as deep as skip goes', async () => {
    const [row] = await requests.get<Row[]>(`/pieces-production/?session_id=${session}&limit=1&skip=100000`);
    expect(row!['numero_piece']).toBe(100_001);
  });
});

describe('order', () => {
  it('S16 takes the columns of the resource only, each once', async () => {
    for (const { nom } of NOUNS) {
      for (const tri of [
        '',
        'nope',
        'id,id',
        'id,-id',
        '--id',
        '-',
        'id;',
        'id desc',
        '1',
        'id,',
        'ID',
        't.id',
        "id'",
      ]) {
        const answer = await requests.send('GET', `/${nom}/?tri=${encodeURIComponent(tri)}`);
        expect(pointersOf(problemOf(answer, 422)), `${nom} ${tri}`).toEqual(['/query/tri']);
      }
    }
  });

  it('is by id unless asked otherwise', async () => {
    const rows = await requests.get<Row[]>('/job-profils/?limit=1000');
    expect(rows.map(({ id }) => id)).toEqual(rows.map(({ id }) => id).sort((a, b) => a - b));
  });
});

async function manyPieces(session: number, from: number, to: number): Promise<void> {
  await api.pool.query(
    `INSERT INTO piece_production (centre_usinage_id, session_id, numero_piece, timestamp_production)
     SELECT $1, $2, n, timestamptz '2025-01-03 06:00:00+01' + n * interval '1 ms' FROM generate_series($3::int, $4::int) n`,
    [centres.pvc, session, from, to],
  );
}
