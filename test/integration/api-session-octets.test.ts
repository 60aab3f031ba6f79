// A session with its details is read by columns and put together here: its text is the one PostgreSQL writes row by row.

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiDEssai, createApi } from '../harness/api.ts';
import { type Json, type Requests, requestsOf } from '../harness/api-requests.ts';
import { makePlaces, type Places } from '../harness/api-rows.ts';
import { assertProperty } from '../harness/property.ts';

let api: ApiDEssai;
let requests: Requests;
let places: Places;

beforeAll(async () => {
  api = await createApi();
  requests = requestsOf(api);
  places = await makePlaces(requests, 'OCTETS');
});
afterAll(() => api?.close());

const PARTS = {
  job_profils: [
    'job_profil',
    'id, session_id, reference, trim_scale(longueur) AS longueur, couleur, timestamp_debut, date_creation',
    'numero',
  ],
  periodes_attente: [
    'periode_attente',
    'id, session_id, timestamp_debut, timestamp_fin, trim_scale(duree_secondes) AS duree_secondes, date_creation',
    'numero',
  ],
  periodes_arret: [
    'periode_arret',
    'id, session_id, timestamp_debut, timestamp_fin, trim_scale(duree_secondes) AS duree_secondes, date_creation',
    'numero',
  ],
  pieces_production: [
    'piece_production',
    'id, session_id, numero_piece, timestamp_production, details, job_profil_id, date_creation',
    'numero_piece',
  ],
} as const;
type Part = keyof typeof PARTS;

/** What `row_to_json` makes of the rows of a part. */
async function byRows(session: number, part: Part): Promise<string> {
  const [table, columns, order] = PARTS[part];
  const { rows } = await api.pool.query<{ json: string }>(
    `SELECT coalesce(string_agg(row_to_json(d)::text, ','), '') AS json
       FROM (SELECT ${columns} FROM ${table} WHERE session_id = $1 ORDER BY ${order}) d`,
    [session],
  );
  return `"${part}":[${rows[0]!.json}]`;
}

async function expectSame(session: number): Promise<string> {
  const own = (await requests.send('GET', `/sessions/${session}`)).body;
  const parts = Object.keys(PARTS) as Part[];
  const texts = await Promise.all(parts.map((part) => byRows(session, part)));
  const all = (await requests.send('GET', `/sessions/${session}?inclure=${parts.join(',')}`)).body;
  expect(all).toBe(`${own.slice(0, -1)},${texts.join(',')}}`);
  const last = (await requests.send('GET', `/sessions/${session}?inclure=pieces_production`)).body;
  expect(last).toBe(`${own.slice(0, -1)},${texts[3]}}`);
  return all;
}

let day = 0;
async function makeSession(): Promise<number> {
  const date_production = new Date(Date.UTC(2030, 0, 1) + day++ * 86_400_000).toISOString().slice(0, 10);
  const made = await requests.post('/sessions/', { centre_usinage_id: places.centre, date_production });
  return made.id;
}

interface Piece {
  readonly details: string | null;
  readonly instant: string;
  /** microseconds after its session; null: with it */
  readonly cree: number | null;
}

/** Rows as no import and no request may make them, but a table may hold. */
async function fill(session: number, pieces: readonly Piece[], more: Json[] = []): Promise<void> {
  await api.pool.query(
    `INSERT INTO piece_production (centre_usinage_id, session_id, numero_piece, timestamp_production, details, date_creation)
     SELECT s.centre_usinage_id, s.id, n, (p->>'instant')::timestamptz, p->>'details',
            s.date_creation + coalesce((p->>'cree')::int, 0) * interval '1 microsecond'
       FROM session_production s, jsonb_array_elements($2::jsonb) WITH ORDINALITY x(p, n) WHERE s.id = $1`,
    [session, JSON.stringify(pieces)],
  );
  for (const [i, row] of more.entries()) {
    await api.pool.query(
      `INSERT INTO job_profil (centre_usinage_id, session_id, numero, reference, longueur, couleur, timestamp_debut)
       SELECT centre_usinage_id, id, $2, $3, $4, $5, $6 FROM session_production WHERE id = $1`,
      [session, i + 1, row['reference'], row['longueur'], row['couleur'], row['debut']],
    );
  }
}

/** Both changes of clock of a year, and their neighbours. */
const INSTANTS = [
  '2025-03-30T00:59:59.999999Z',
  '2025-03-30T01:00:00Z',
  '2025-10-26T00:30:00Z',
  '2025-10-26T01:30:00.1Z',
  '2025-10-26T01:00:00.000001Z',
  '2025-12-31T23:30:00Z',
];
const TEXTS = [
  '',
  'null',
  ', ',
  '", "',
  '\\", "',
  '"',
  '\\',
  '[',
  ']',
  '{"a": 1}',
  'é\u2028🪟\u007f',
  '\t\n\r\b\f\u0001\u001f',
];

describe('GET /sessions/{id}?inclure= byte for byte', () => {
  it('changes of clock, microseconds, NULL, separators and escapes in texts', async () => {
    const session = await makeSession();
    const details = [...TEXTS, null];
    const pieces = details.flatMap((detail, i) =>
      INSTANTS.map((instant, j) => ({ details: detail, instant, cree: (i + j) % 3 === 0 ? i : null })),
    );
    await fill(
      session,
      pieces,
      TEXTS.filter((text) => text !== '').map((text, i) => ({
        reference: text,
        couleur: i % 2 ? text : null,
        longueur: i % 3 ? 3359.25 : 100,
        debut: INSTANTS[i % INSTANTS.length],
      })),
    );
    for (const nom of ['periodes-attente', 'periodes-arret']) {
      await requests.post(`/${nom}/`, {
        session_id: session,
        timestamp_debut: '2025-10-26T02:30:00+02:00',
        timestamp_fin: '2025-10-26T02:30:00.000003+01:00',
      });
    }
    const text = await expectSame(session);
    expect(text).toContain('"2025-10-26T02:30:00.1+01:00"');
    expect(text).toContain('"2025-03-30T03:00:00+02:00"');
  });

  it('nothing in any part, one row in one', async () => {
    const session = await makeSession();
    expect(await expectSame(session)).toContain('"periodes_arret":[],"pieces_production":[]}');
    await fill(session, [{ details: null, instant: INSTANTS[0]!, cree: null }]);
    await expectSame(session);
  });

  it('any rows', async () => {
    const piece: fc.Arbitrary<Piece> = fc.record({
      details: fc.option(
        fc.oneof(
          fc.constantFrom(...TEXTS),
          // PostgreSQL has no text with NUL in it.
          fc.string({ unit: 'binary', maxLength: 12 }).map((text) => text.replaceAll('\0', ', ')),
          fc
            .array(fc.constantFrom(', ', '"', '\\', 'null', ' ', '\n'), { maxLength: 6 })
            .map((parts) => parts.join('')),
        ),
        { nil: null },
      ),
      instant: fc
        .tuple(fc.integer({ min: 0, max: 7_258_000_000 }), fc.integer({ min: 0, max: 999_999 }))
        .map(([seconds, micros]) =>
          new Date(seconds * 1000).toISOString().replace('.000Z', `.${String(micros).padStart(6, '0')}Z`),
        ),
      cree: fc.option(fc.integer({ min: -5, max: 5 }), { nil: null }),
    });
    await assertProperty(
      'session par colonnes',
      fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
        const session = await makeSession();
        await fill(session, pieces);
        await expectSame(session);
      }),
      { numRuns: 30 },
    );
  });
});
