// Cursors: reading on gives every row once, in the order of one big ORDER BY, whatever the order and whoever writes.

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiDEssai, createApi } from '../harness/api.ts';
import {
  linkOf,
  pointersOf,
  problemOf,
  type Requests,
  type Row,
  requestsOf,
} from '../harness/api-requests.ts';
import { makeDerived, makePlaces } from '../harness/api-rows.ts';
import { assertProperty } from '../harness/property.ts';

let api: ApiDEssai;
let requests: Requests;
let centre: number;

beforeAll(async () => {
  api = await createApi();
  requests = requestsOf(api);
  const places = await makePlaces(requests, 'CURSEURS');
  centre = places.centre;
  for (let n = 0; n < 12; n++) {
    await requests.post('/job-profils/', {
      ...{ session_id: places.session, reference: `21502${n % 3}`, longueur: 100 + n },
      timestamp_debut: `2025-05-28T06:00:0${n % 4}.5Z`,
    });
    await requests.post('/centres/', { nom: `C${n}`, type_cu: n % 2 ? 'PVC' : 'ALU', actif: n % 3 > 0 });
  }
  await makeDerived(api, 'LOG1');
});
afterAll(() => api?.close());

/** Tables with many ties and NULL, and the columns that the specification lets one sort by. */
const SORTED = {
  sessions: {
    table: 'session_production',
    columns: [
      'id',
      'date_production',
      'total_pieces',
      'heure_premiere_piece',
      'heure_derniere_piece',
      'taux_occupation',
      'origine',
    ],
  },
  'commandes-volets': {
    table: 'commandes_volets_roulants',
    columns: [
      'id',
      'status',
      'coffre',
      'gestion_en_stock',
      'date_modification',
      'date_synchronisation',
      'numero_commande',
      'extension',
    ],
  },
  'job-profils': { table: 'job_profil', columns: ['id', 'session_id', 'reference', 'timestamp_debut'] },
  centres: { table: 'centre_usinage', columns: ['id', 'nom', 'type_cu', 'actif', 'date_creation'] },
} as const;
type Sorted = keyof typeof SORTED;

const order = fc.constantFrom(...(Object.keys(SORTED) as Sorted[])).chain((nom) =>
  fc.record({
    nom: fc.constant(nom),
    tri: fc
      .shuffledSubarray([...SORTED[nom].columns], { minLength: 1, maxLength: 3 })
      .chain((columns) =>
        fc.tuple(...columns.map((column) => fc.boolean().map((desc) => (desc ? `-${column}` : column)))),
      ),
    limit: fc.integer({ min: 1, max: 9 }),
  }),
);

describe('cursors', () => {
  beforeAll(async () => {
    await api.pool.query(
      `INSERT INTO session_production (centre_usinage_id, date_production, total_pieces, taux_occupation,
                                       heure_premiere_piece, heure_derniere_piece)
       SELECT $1, date '2024-01-01' + n, n % 3, (n % 4) * 12.5,
              CASE n % 3 WHEN 0 THEN NULL ELSE timestamptz '2024-01-01 06:00:00.5+01' + n % 5 * interval '1 s' END,
              CASE n % 2 WHEN 0 THEN NULL ELSE timestamptz '2024-01-01 18:00:00.000001+01' END
         FROM generate_series(1, 30) n`,
      [centre],
    );
    await api.pool.query(
      `INSERT INTO commandes_volets_roulants (numero_commande, status, date_modification, coffre, coffres, gestion_en_stock, date_synchronisation)
       SELECT 'c' || n, (ARRAY['Zoé', 'zoe', 'été', 'Ete', '', 'a''b'])[n % 6 + 1], date '2024-01-01' + n % 3, 'CF' || n % 2,
              ARRAY['CF' || n % 2], n % 2, CASE WHEN n % 4 < 2 THEN NULL ELSE timestamptz '2024-01-01' + n % 3 * interval '1 h' END
         FROM generate_series(1, 30) n`,
    );
  });

  it('read everything in any order, ties and NULL too, as one big ORDER BY does', async () => {
    await assertProperty(
      'curseur',
      fc.asyncProperty(order, async ({ nom, tri, limit }) => {
        expect(await readAll(`/${nom}/?tri=${tri.join(',')}`, limit)).toEqual(await sortedIds(nom, tri));
      }),
      { numRuns: 60 },
    );
  });

  it('while rows are inserted: none that was there is missed or read twice, and the order holds', async () => {
    let made = 0;
    const add = async (nom: Sorted, random: number): Promise<void> => {
      made++;
      if (nom === 'commandes-volets') {
        await requests.post('/commandes-volets/', {
          ...{ numero_commande: `neuf${made}`, status: ['Zoé', 'a', 'été'][random % 3] },
          ...{ date_modification: `2024-01-0${1 + (random % 9)}`, coffre: `CF${random % 2}` },
        });
      } else {
        // Hours lie on the session's day: that of the hours already there, and of a centre of its own.
        const heure_premiere_piece = random % 2 ? '2024-01-01T06:00:01.5+01:00' : null;
        const session = heure_premiere_piece
          ? {
              centre_usinage_id: (await requests.post('/centres/', { nom: `AJOUT${made}` })).id,
              date_production: '2024-01-01',
            }
          : {
              centre_usinage_id: centre,
              date_production: Temporal.PlainDate.from('2022-01-01').add({ days: made }).toString(),
            };
        await requests.post('/sessions/', { ...session, heure_premiere_piece, total_pieces: random % 4 });
      }
    };
    const moving = order.filter(({ nom }) => nom === 'sessions' || nom === 'commandes-volets');
    await assertProperty(
      'curseur et ajouts',
      fc.asyncProperty(
        moving,
        fc.array(fc.nat(), { minLength: 3, maxLength: 3 }),
        async ({ nom, tri, limit }, dice) => {
          const before = await sortedIds(nom, tri);
          let page = 0;
          const got = await readAll(`/${nom}/?tri=${tri.join(',')}`, limit + 4, async () => {
            if (page < dice.length) await add(nom, dice[page]!);
            page++;
          });
          expect(new Set(got).size).toBe(got.length);
          const there = new Set(before);
          expect(got.filter((id) => there.has(id))).toEqual(before);
          const read = new Set(got);
          expect(got).toEqual((await sortedIds(nom, tri)).filter((id) => read.has(id)));
        },
      ),
      { numRuns: 25 },
    );
  });

  it('keep the filters of the reading', async () => {
    const wanted = await requests.get<Row[]>('/commandes-volets/?limit=1000&gestion_en_stock=1&tri=coffre');
    expect(await readAll('/commandes-volets/?gestion_en_stock=1&tri=coffre', 2)).toEqual(
      wanted.map(({ id }) => id),
    );
  });

  it('merge centres in the order of time: of all, of a type, of a time, ties too', async () => {
    const { rows } = await api.pool.query<{ id: number; type: string; seconde: number }>(
      `SELECT d.id, c.type_cu AS type, extract(epoch FROM d.timestamp_debut)::float8 AS seconde
         FROM job_profil d JOIN centre_usinage c ON c.id = d.centre_usinage_id ORDER BY d.timestamp_debut, d.id`,
    );
    const start = new Date('2025-05-28T06:00:02Z').getTime() / 1000;
    const cases = [
      ['', rows],
      ['type_cu=PVC', rows.filter(({ type }) => type === 'PVC')],
      ['type_cu=ALU', rows.filter(({ type }) => type === 'ALU')],
      ['type_cu=AUCUN', []],
      ['date_debut=2025-05-28T06:00:02Z', rows.filter(({ seconde }) => seconde >= start)],
      [
        'date_debut=2025-05-28T06:00:02Z&type_cu=PVC&origine=manuel',
        rows.filter((row) => row.seconde >= start && row.type === 'PVC'),
      ],
    ] as const;
    expect(new Set(rows.map(({ type }) => type)).size).toBeGreaterThan(1);
    for (const [query, wanted] of cases) {
      const ids = wanted.map(({ id }) => id);
      const url = `/job-profils/?${query}`;
      expect(await readAll(`${url}&tri=timestamp_debut`, 3), query).toEqual(ids);
      expect(await readAll(`${url}&tri=-timestamp_debut`, 3), query).toEqual(ids.toReversed());
      const page = await requests.send('GET', `${url}&tri=timestamp_debut&skip=2&limit=4`);
      expect(
        page.json<Row[]>().map(({ id }) => id),
        query,
      ).toEqual(ids.slice(2, 6));
      expect(page.headers['x-total-count'], query).toBe(String(ids.length));
      // By id, of the centres of a type.
      const byId = ids.toSorted((a, b) => a - b);
      expect(await readAll(`${url}&tri=id`, 3), query).toEqual(byId);
    }
  });

  it('say where the next page is, and count nothing', async () => {
    const first = await requests.send('GET', '/sessions/?limit=2&tri=-total_pieces');
    const cursor = first.headers['x-next-cursor'] as string;
    const second = await requests.send('GET', `/sessions/?limit=2&tri=-total_pieces&cursor=${cursor}`);
    expect(second.json()).toEqual(await requests.get('/sessions/?limit=2&tri=-total_pieces&skip=2'));
    expect(second.headers['x-total-count']).toBeUndefined();
    expect(linkOf(second, 'prev')).toBeUndefined();
    expect(linkOf(second, 'next')).toContain(`cursor=${second.headers['x-next-cursor']}`);
    const counted = await requests.send(
      'GET',
      `/sessions/?limit=2&tri=-total_pieces&cursor=${cursor}&total=exact`,
    );
    expect(counted.headers['x-total-count']).toBe(first.headers['x-total-count']);
  });

  it('S16 made up, of another order, or beside skip: 422, never 500', async () => {
    const cursor = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const good = (await requests.send('GET', '/sessions/?limit=1')).headers['x-next-cursor'] as string;
    const refused = [
      ...[
        'x',
        'e30',
        cursor({}),
        cursor([]),
        cursor(['id', []]),
        cursor(['id', ['1', '2']]),
        cursor(['id', [1]]),
      ],
      ...[cursor(['id', ['abc']]), cursor(['id', ['9223372036854775808']]), cursor(['id', ["1'; --"]])],
      ...[
        cursor(['id', ['a\u0000']]),
        cursor(['-id', ['1']]),
        cursor(['nope', ['1']]),
        `${good}&tri=-id`,
        `${good}&skip=1`,
      ],
    ];
    for (const value of refused) problemOf(await requests.send('GET', `/sessions/?cursor=${value}`), 422);
    for (const value of ['', '%00', 'é', `${good}=`, 'x'.repeat(2001)]) {
      const answer = await requests.send(
        'GET',
        `/sessions/?cursor=${encodeURI(value).replace('%2500', '%00')}`,
      );
      expect(pointersOf(problemOf(answer, 422))).toEqual(['/query/cursor']);
    }
    // A position that no row has is one all the same.
    expect(await requests.get(`/sessions/?cursor=${cursor(['id', [null]])}`)).toEqual([]);
    expect(await requests.get(`/sessions/?cursor=${cursor(['id', ['987654321']])}`)).toEqual([]);
  });
});

/** Ids in the order that cursors give, page by page. */
async function readAll(url: string, limit: number, between?: () => Promise<void>): Promise<number[]> {
  const ids: number[] = [];
  let cursor: string | undefined;
  do {
    const answer = await requests.send('GET', `${url}&limit=${limit}${cursor ? `&cursor=${cursor}` : ''}`);
    expect(answer.statusCode, answer.body).toBe(200);
    const rows = answer.json<Row[]>();
    ids.push(...rows.map(({ id }) => id));
    cursor = answer.headers['x-next-cursor'] as string | undefined;
    expect(cursor === undefined || rows.length === limit).toBe(true);
    await between?.();
  } while (cursor);
  return ids;
}

/** The same by one statement that knows nothing of the API; `id` breaks ties in the direction of the last column. */
async function sortedIds(nom: Sorted, tri: readonly string[]): Promise<number[]> {
  const terms = tri.map((term) => (term.startsWith('-') ? `${term.slice(1)} DESC` : `${term} ASC`));
  const { rows } = await api.pool.query<{ id: number }>(
    `SELECT id FROM ${SORTED[nom].table} ORDER BY ${[...terms, terms.at(-1)!.endsWith('DESC') ? 'id DESC' : 'id'].join(', ')}`,
  );
  return rows.map(({ id }) => id);
}
