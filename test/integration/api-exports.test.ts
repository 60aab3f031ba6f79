// Lists as files: CSV and XLSX have what JSON has, in forms that spreadsheets read and cannot be attacked with (S23).

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiDEssai, createApi } from '../harness/api.ts';
import { type Answer, type Requests, requestsOf } from '../harness/api-requests.ts';
import { cellsAsSpreadsheet, readCsv } from '../harness/csv.ts';
import { compareCsv, compareXlsx } from '../harness/exports.ts';
import { assertProperty } from '../harness/property.ts';
import { child, readXlsx } from '../harness/xlsx.ts';

const XLSX = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';
const FRENCH = { 'accept-language': 'fr-FR,fr;q=0.9,en;q=0.8' };
type Json = Record<string, unknown>;

let api: ApiDEssai;
let as: Requests;

beforeAll(async () => {
  api = await createApi();
  as = requestsOf(api, 'lecteur');
  await api.pool.query(`INSERT INTO centre_usinage (nom, type_cu, description, actif)
    VALUES ('DEM12', 'PVC', 'Dé « 1 »; a,b', true), ('ALU 3', 'ALU', NULL, false), ('VIDE', 'PVC', '', true)`);
  await api.pool.query(`INSERT INTO session_production
      (centre_usinage_id, date_production, heure_premiere_piece, total_pieces, temps_attente, taux_occupation, origine)
    SELECT 1 + n % 2, date '2025-05-20' + n, CASE WHEN n % 3 > 0 THEN timestamptz '2025-05-20 06:12:00+02' + n * interval '1 day' END,
           n, n * 1.0625, 62.5, 'log' FROM generate_series(1, 12) n`);
  // Both hours of an autumn night, the offset of which only the zone tells, an instant before offsets were round, and fractions.
  await api.pool.query(`INSERT INTO piece_production (centre_usinage_id, session_id, numero_piece, timestamp_production, details)
    SELECT s.centre_usinage_id, s.id, row_number() OVER (), v.t::timestamptz, v.d
      FROM session_production s,
           (VALUES ('2025-10-26T00:30:00Z', 'été'), ('2025-10-26T01:30:00Z', 'hiver'), ('2025-01-05T10:00:00.25Z', '-12,5'),
                   ('1900-01-01T00:00:00Z', NULL), ('1900-03-01T12:00:00Z', ''), ('2025-05-28T04:12:00.123456Z', '=1+1')) v (t, d)
     WHERE s.id <= 2`);
  await api.pool.query(`INSERT INTO commandes_volets_roulants
      (numero_commande, extension, status, date_modification, coffre, coffres, gestion_en_stock)
    SELECT 'C' || n, '', CASE WHEN n % 2 = 0 THEN 'Planifiée' ELSE '$1'' OR 1=1' END, date '2025-05-01' + n % 5,
           'CF' || n % 3, ARRAY['CF' || n % 3, 'B;1', 'x,y'], n % 2 FROM generate_series(1, 40) n`);
});
afterAll(() => api?.close());

const get = (url: string, headers: Record<string, string> = {}): Promise<Answer> =>
  as.send('GET', url, undefined, headers);

async function file(url: string, headers: Record<string, string> = {}): Promise<Answer> {
  const answer = await get(url, headers);
  expect(answer.statusCode, answer.body.slice(0, 500)).toBe(200);
  return answer;
}

const LISTS = [
  '/centres/?',
  '/centres/?actif=false',
  '/sessions/?',
  '/sessions/?type_cu=PVC&date_debut=2025-05-23&date_fin=2025-05-30&tri=-total_pieces',
  '/sessions/?tri=heure_premiere_piece,-date_production',
  '/sessions/?centre_usinage_id=2&skip=1&limit=3&tri=-date_production',
  '/pieces-production/?',
  '/pieces-production/?date_debut=2025-05-28&date_fin=2025-05-28&tri=-timestamp_production',
  '/pieces-production/?date_fin=2025-05-28T06:12:00%2B02:00&origine=log&session_id=2',
  '/commandes-volets/?status=Planifi%C3%A9e&tri=-date_modification,numero_commande',
  `/commandes-volets/?${new URLSearchParams({ status: "$1' OR 1=1", coffre: 'CF1' })}`,
  '/commandes-volets/?gestion_en_stock=1&skip=5&limit=10',
  '/commandes-volets/?numero_commande=absente',
];

describe('the same rows as JSON: columns, order, filters, tri, skip and limit', () => {
  it.each(LISTS)('%s', async (url) => {
    const json = await file(`${url}${url.includes('limit=') ? '' : '&limit=1000'}`);
    const rows = json.json<Json[]>();
    const english = await file(`${url}&format=csv`);
    expect(english.headers['content-type']).toBe('text/csv; charset=utf-8; header=present');
    compareCsv(english.body, rows, ',');
    const french = await file(`${url}&format=csv`, FRENCH);
    expect(french.body.startsWith('\ufeff')).toBe(true);
    compareCsv(french.body.slice(1), rows, ';');
    const workbook = await file(`${url}&format=xlsx`);
    expect(workbook.headers['content-type']).toBe(XLSX);
    compareXlsx(workbook.rawPayload, rows);
    for (const { headers } of [english, french, workbook]) {
      expect(headers['x-total-count']).toBe(String(rows.length));
      expect(headers['x-total-count-kind']).toBe('exact');
      expect(headers['cache-control']).toContain('no-store');
    }
  });

  it('S23: an empty list is a header alone', async () => {
    const empty = '/commandes-volets/?numero_commande=absente';
    expect((await file(`${empty}&format=csv`)).body).toBe(
      'id,numero_commande,extension,status,date_modification,coffre,coffres,gestion_en_stock,origine,date_creation,date_synchronisation\n',
    );
    expect(readXlsx((await file(`${empty}&format=xlsx`)).rawPayload).rows).toHaveLength(1);
  });

  it('more rows than a page has: all of them, without limit', async () => {
    await api.pool.query(`INSERT INTO commandes_volets_roulants (numero_commande, status, date_modification, coffre, coffres, origine)
      SELECT 'L' || n, 'Longue', '2025-01-01', 'A', '{A}', 'erp' FROM generate_series(1, 5001) n`);
    const all = '/commandes-volets/?status=Longue&tri=-numero_commande';
    const ids = (
      await api.pool.query<{ n: string }>(
        "SELECT numero_commande AS n FROM commandes_volets_roulants WHERE status = 'Longue' ORDER BY 1 DESC",
      )
    ).rows.map(({ n }) => n);
    const csv = await file(`${all}&format=csv`);
    expect(
      readCsv(csv.body, ',')
        .slice(1)
        .map((row) => row[1]),
    ).toEqual(ids);
    expect(csv.headers['x-total-count']).toBe('5001');
    const { rows } = readXlsx((await file(`${all}&format=xlsx`)).rawPayload);
    expect(rows.slice(1).map((row) => row[1])).toEqual(ids);
  });
});

describe('every list can be exported', () => {
  it.each(['/fichiers/', '/rejets/', '/job-profils/', '/periodes-attente/', '/periodes-arret/'])(
    '%s',
    async (url) => {
      const csv = await file(`${url}?format=csv`);
      const { rows } = readXlsx((await file(`${url}?format=xlsx`)).rawPayload);
      expect(readCsv(csv.body, ',')).toEqual(rows);
    },
  );

  it('/executions/: what JSON has as an object is a cell with that object', async () => {
    await api.pool.query(`INSERT INTO execution (tache, etat, hote, processus, debut, fin, compteurs)
      VALUES ('ingest', 'reussie', 'essai', 1, '2025-05-28T04:00:00Z', '2025-05-28T04:00:01.5Z', '{"lignes": 3, "dossier": "a,b"}')`);
    const [row] = (await file('/executions/?etat=reussie')).json<Json[]>();
    const [head, cells] = readCsv((await file('/executions/?etat=reussie&format=csv')).body, ',');
    const [, typed] = readXlsx((await file('/executions/?etat=reussie&format=xlsx')).rawPayload).rows;
    const at = head!.indexOf('compteurs');
    expect(head).toEqual(Object.keys(row!));
    for (const cell of [cells![at], typed![at]]) expect(JSON.parse(String(cell))).toEqual(row!['compteurs']);
    expect(typed![head!.indexOf('duree_secondes')]).toBe(1.5);
  });
});

describe('instants as in JSON, whatever the zone', () => {
  it.each(['Europe/Paris', 'Asia/Kolkata', 'America/St_Johns', 'UTC'])('%s', async (FUSEAU) => {
    const there = await createApi({ url: api.url, env: zoned(FUSEAU), comptes: false });
    try {
      const url = '/pieces-production/?limit=1000';
      const ask = (query: string): Promise<Answer> =>
        there.app.inject({ url: url + query, headers: api.comptes.lecteur.entete });
      const rows = (await ask('')).json<Json[]>();
      expect(rows).toHaveLength(12);
      compareCsv((await ask('&format=csv')).body, rows, ',');
      compareXlsx((await ask('&format=xlsx')).rawPayload, rows);
    } finally {
      await there.close();
    }
  });

  /** Same keys, so that tokens are good here too. */
  function zoned(FUSEAU: string): Record<string, string> {
    const { secretKey, cleChiffrement } = api.deps.config.api;
    return { FUSEAU, SECRET_KEY: secretKey!, CLE_CHIFFREMENT: cleChiffrement! };
  }
});

describe('S23: text that spreadsheets would calculate', () => {
  const text = fc
    .array(
      fc.oneof(
        fc.constantFrom(
          ...['=', '+', '-', '@', '\t', '\r', '\n', '"', ',', ';', "'", '|', '\\', '\\.', '\\N', ' ', '$1'],
          ...[
            '＝',
            '＋',
            '－',
            '＠',
            '😀',
            'é',
            'e\u0301',
            '\u0001',
            '\u001f',
            '\ufffe',
            '<',
            '&',
            ']]>',
            '_x000D_',
            '_x0041_x0042_',
          ],
          ...['1', '2,5', '2025-05-28 06:12:00+02', '+02', 'CMD()', '\u2028', '\u00a0', '\ufeff'],
        ),
        fc.string({ unit: 'grapheme', maxLength: 3 }),
      ),
      { maxLength: 6 },
    )
    .map((parts) => parts.join('').replaceAll('\0', '').toWellFormed());

  it('S23: any text comes back as it was, a formula with an apostrophe before it', async () => {
    let round = 0;
    await assertProperty(
      'exports de textes quelconques',
      fc.asyncProperty(
        fc.array(fc.tuple(text, text, fc.array(text, { maxLength: 3 })), { minLength: 1, maxLength: 30 }),
        async (rows) => {
          const extension = `essai ${++round}`;
          await api.pool.query(
            `INSERT INTO commandes_volets_roulants (numero_commande, extension, status, date_modification, coffre, coffres)
           SELECT 'N' || n || (r ->> 0), $1, r ->> 1, '2025-05-28', r ->> 1, ARRAY(SELECT r ->> 1 UNION ALL SELECT jsonb_array_elements_text(r -> 2))
             FROM jsonb_array_elements($2::jsonb) WITH ORDINALITY j (r, n)`,
            [extension, JSON.stringify(rows)],
          );
          const url = `/commandes-volets/?${new URLSearchParams({ extension })}`;
          const json = (await file(`${url}&limit=1000`)).json<Json[]>();
          expect(json.map(({ status }) => status)).toEqual(rows.map(([, status]) => status));
          compareCsv((await file(`${url}&format=csv`)).body, json, ',');
          compareCsv((await file(`${url}&format=csv`, FRENCH)).body.slice(1), json, ';');
          compareXlsx((await file(`${url}&format=xlsx`)).rawPayload, json);
        },
      ),
      { numRuns: 25 },
    );
  });

  it.each(['=1+1', '+1', '-1', '@A1', '\t=1', '\r=1', '\n=1', '＝1', '＋1', '－1', '＠A'])(
    'S23: %j in CSV begins with an apostrophe; numbers below zero do not',
    async (payload) => {
      const status = `${payload} formule`;
      await api.pool.query(
        `INSERT INTO commandes_volets_roulants (id, numero_commande, status, date_modification, coffre, coffres)
         VALUES (-1, 'F', $1, '2025-05-28', 'A', '{A}') ON CONFLICT (id) DO UPDATE SET status = excluded.status`,
        [status],
      );
      const url = `/commandes-volets/?${new URLSearchParams({ numero_commande: 'F' })}`;
      const [, row] = readCsv((await file(`${url}&format=csv`)).body, ',');
      // Behind a tab or the end of a line a cell may begin, too.
      const shown = `'${status}`.replace(/[\t\r\n](?==)/, "$&'");
      expect([row![0], row![3]]).toEqual(['-1', shown]);
      // In a workbook text is text by its type.
      expect(readXlsx((await file(`${url}&format=xlsx`)).rawPayload).rows[1]!.slice(0, 4)).toEqual([
        -1,
        'F',
        '',
        status,
      ]);
    },
  );

  it('S23: a file that is opened with another separator than its own has no formula either', async () => {
    const hostile = fc
      .array(fc.constantFrom(';', ',', '\t', '\n', '\r', '"', ' ', '=', '+', '-', '@', '＝', 'a', "'", '1'), {
        maxLength: 12,
      })
      .map((parts) => parts.join(''));
    let round = 0;
    await assertProperty(
      'exports ouverts autrement',
      fc.asyncProperty(
        fc.array(fc.tuple(hostile, hostile), { minLength: 1, maxLength: 40 }),
        async (rows) => {
          const extension = `autre ${++round}`;
          await api.pool.query(
            `INSERT INTO commandes_volets_roulants (numero_commande, extension, status, date_modification, coffre, coffres)
           SELECT 'M' || n, $1, r ->> 0, '2025-05-28', r ->> 1, ARRAY[r ->> 1, r ->> 0] FROM jsonb_array_elements($2::jsonb) WITH ORDINALITY j (r, n)`,
            [extension, JSON.stringify(rows)],
          );
          const url = `/commandes-volets/?${new URLSearchParams({ extension })}&format=csv`;
          for (const [body, others] of [
            [(await file(url)).body, [';', '\t']],
            [(await file(url, FRENCH)).body, [',', '\t']],
          ] as const) {
            for (const separator of others) {
              const formulas = cellsAsSpreadsheet(body, separator).filter(
                (cell) => /^[=+\-@＝＋－＠]/.test(cell.trimStart()) && !/^-?[\d.,]*$/.test(cell),
              );
              expect([separator, formulas]).toEqual([separator, []]);
            }
          }
        },
      ),
      { numRuns: 25 },
    );
  });

  it('S23: the name of the file is that of the list and of the day in the zone of the factory', async () => {
    const today = Temporal.Now.zonedDateTimeISO('Europe/Paris').toPlainDate();
    for (const [format, name] of [
      ['csv', `centres_${today}.csv`],
      ['xlsx', `centres_${today}.xlsx`],
    ]) {
      const { headers } = await file(`/centres/?format=${format}`);
      expect(headers['content-disposition']).toBe(`attachment; filename="${name}"; filename*=UTF-8''${name}`);
    }
  });
});

describe('a workbook', () => {
  it('has a frozen row of names, filters, widths and the name of the list', async () => {
    const { sheet, sheetName, rows } = readXlsx((await file('/sessions/?format=xlsx')).rawPayload);
    expect(sheetName).toBe('sessions');
    const pane = child(child(child(sheet, 'sheetViews'), 'sheetView'), 'pane').attributes;
    expect(pane).toMatchObject({ ySplit: '1', topLeftCell: 'A2', state: 'frozen' });
    expect(child(sheet, 'autoFilter').attributes['ref']).toBe(`A1:R${rows.length}`);
    expect(child(sheet, 'dimension').attributes['ref']).toBe(`A1:R${rows.length}`);
    expect(child(sheet, 'cols').children).toHaveLength(18);
    // The order that the schema of the format demands.
    expect(sheet.children.map(({ name }) => name)).toEqual([
      ...['dimension', 'sheetViews', 'sheetFormatPr', 'cols', 'sheetData', 'autoFilter'],
    ]);
  });

  it('keeps numbers that have more digits than spreadsheets keep, and texts that are longer than a cell, from changing unsaid', async () => {
    const long = `début${'é😀'.repeat(20_000)}`;
    await api.pool.query(
      `INSERT INTO commandes_volets_roulants (id, numero_commande, status, date_modification, coffre, coffres)
       VALUES (9007199254740991, 'GROS', $1, '2025-05-28', 'A', '{A}'), (123456789012345, 'MOINS GROS', 'x', '2025-05-28', 'A', '{A}')`,
      [long],
    );
    const [, big] = readXlsx(
      (await file('/commandes-volets/?numero_commande=GROS&format=xlsx')).rawPayload,
    ).rows;
    expect(big![0]).toBe('9007199254740991');
    const text = big![3] as string;
    expect(text).toHaveLength(32_767);
    expect(text.isWellFormed()).toBe(true);
    expect(text).toMatch(/^début.*\[coupé ici : format=csv donne tout\]$/u);
    const [, small] = readXlsx(
      (await file('/commandes-volets/?numero_commande=MOINS+GROS&format=xlsx')).rawPayload,
    ).rows;
    expect(small![0]).toBe(123_456_789_012_345);
    expect(readCsv((await file('/commandes-volets/?numero_commande=GROS&format=csv')).body, ',')[1]![3]).toBe(
      long,
    );
  });
});

describe('negotiation', () => {
  it('Accept asks for a form as format= does', async () => {
    expect((await file('/centres/', { accept: 'text/csv' })).headers['content-type']).toContain('text/csv');
    expect((await file('/centres/', { accept: XLSX })).headers['content-type']).toBe(XLSX);
    expect(
      (await file('/centres', { accept: 'text/html, text/csv;q=0.9, */*;q=0.1' })).headers['vary'],
    ).toMatch(/Accept\b.*Accept-Language/);
  });

  it.each([
    ['fr', ';'],
    ['fr-CA', ';'],
    ['en;q=0.5, fr;q=0.8', ';'],
    ['FR-be, en', ';'],
    ['en-GB,fr;q=0.9', ','],
    ['de', ','],
    ['*', ','],
    ['frr', ','],
    ['fr;q=0', ','],
    ['fr;q=x', ','],
  ])('Accept-Language: %s separates by %s', async (language, separator) => {
    const { body } = await file('/centres/?format=csv', { 'accept-language': language });
    expect(body.startsWith(separator === ';' ? '\ufeffid;nom;' : 'id,nom,')).toBe(true);
  });

  it('separateur= says it whatever language is asked for', async () => {
    const start = async (query: string, language?: string): Promise<string> => {
      const headers = language === undefined ? {} : { 'accept-language': language };
      return (await file(`/centres/?format=csv${query}`, headers)).body.slice(0, 7);
    };
    expect(await start('&separateur=point-virgule')).toBe('\ufeffid;nom');
    expect(await start('&separateur=point-virgule', 'en')).toBe('\ufeffid;nom');
    expect(await start('&separateur=virgule', 'fr')).toBe('id,nom,');
    expect(await start('')).toBe('id,nom,');
    const wrong = await get('/centres/?format=csv&separateur=;');
    expect([wrong.statusCode, wrong.json().errors[0].pointer]).toEqual([422, '/query/separateur']);
  });

  it('HEAD tells how many rows there are, without a body and without an export in the audit log', async () => {
    const before = await audited();
    for (const format of ['csv', 'xlsx']) {
      const answer = await as.send('HEAD', `/sessions/?format=${format}`);
      expect(answer.statusCode).toBe(200);
      expect(answer.headers['x-total-count']).toBe('12');
      expect(answer.headers['content-length']).toBeUndefined();
      expect(answer.body).toBe('');
    }
    expect(await audited()).toEqual(before);
  });

  it('a cursor, an unknown parameter and a wrong value are refused by name', async () => {
    for (const query of ['format=csv&cursor=abc', 'format=pdf', 'format=csv&foo=1', 'format=csv&limit=0']) {
      expect((await get(`/sessions/?${query}`)).statusCode, query).toBe(422);
    }
  });

  it('S12: nobody exports without a token, a key without the scope neither', async () => {
    const made = await as.post<{ cle: string }>('/cles/', { nom: 'Centres', portees: ['centres:lire'] });
    const key = { authorization: `Bearer ${made.cle}` };
    for (const format of ['csv', 'xlsx']) {
      expect((await api.app.inject({ url: `/sessions/?format=${format}` })).statusCode).toBe(401);
      expect((await api.app.inject({ url: `/sessions/?format=${format}`, headers: key })).statusCode).toBe(
        403,
      );
      expect((await api.app.inject({ url: `/centres/?format=${format}`, headers: key })).statusCode).toBe(
        200,
      );
    }
  });
});

async function audited(): Promise<Json[]> {
  const { rows } = await api.pool.query<Json>(
    "SELECT user_id, cible, requete, details FROM journal_audit WHERE evenement = 'export' ORDER BY id",
  );
  return rows;
}

describe('audit', () => {
  it('S32, M9: each export leaves a line: who, what, how many rows, by which filters, no text of theirs', async () => {
    const before = (await audited()).length;
    const csv = await file('/sessions/?type_cu=PVC&origine=log&date_fin=2030-01-01&format=csv');
    const xlsx = await file('/centres/?format=xlsx&limit=2');
    expect((await audited()).slice(before)).toEqual([
      {
        user_id: api.comptes.lecteur.id,
        cible: 'sessions',
        requete: csv.headers['x-request-id'],
        details: {
          format: 'csv',
          lignes: 6,
          filtres: { type_cu: '…', origine: '…', date_fin: '2030-01-01' },
        },
      },
      {
        user_id: api.comptes.lecteur.id,
        cible: 'centres',
        requete: xlsx.headers['x-request-id'],
        details: { format: 'xlsx', lignes: 2, filtres: {} },
      },
    ]);
  });
});
