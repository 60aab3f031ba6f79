import { Readable } from 'node:stream';
import type { Connection } from 'mysql2/promise';
import type { ErpOrder } from './erp-generator.ts';

const NL = '\n';

/** One value in the text format of LOAD DATA. */
function cell(value: string | number | null): string {
  if (value === null) return '\\N';
  return String(value).replaceAll(/[\\\t\n\r\0]/g, (c) => (c === '\0' ? '\\0' : `\\${c}`));
}

interface Target {
  readonly table: string;
  readonly columns: string;
  readonly lines: (order: ErpOrder, next: () => number) => string[];
}

const TARGETS: readonly Target[] = [
  {
    table: 'A_Kopf',
    columns:
      'ID, AuftragsTyp, AuNummer, AuAlpha, AufStatus, KundenNr, KundenBez, Kommission, Techniker, A_VorMwSt',
    lines: ({ kopf }) => [
      [
        kopf.ID,
        kopf.AuftragsTyp,
        kopf.AuNummer,
        kopf.AuAlpha,
        kopf.AufStatus,
        4711,
        'Client inventé',
        'Chantier',
        'T1',
        '99.90',
      ]
        .map(cell)
        .join('\t'),
    ],
  },
  {
    table: 'A_Logbuch',
    columns: 'ID, ID_A_Kopf, Datum, Notiz, Code, Bezeichnung, Benutzer',
    lines: ({ logbuch }, next) =>
      logbuch.map((row) =>
        [next(), row.ID_A_Kopf, row.Datum, row.Notiz, 'NOTE', 'Note de suivi', 'poste1'].map(cell).join('\t'),
      ),
  },
  {
    table: 'P_Zubeh',
    columns: 'ID, ID_A_Kopf, Position, Kennung, ZNr, ZCode, Text, Stueck',
    lines: ({ zubeh }, next) =>
      zubeh.map((row, at) =>
        [next(), row.ID_A_Kopf, at + 1, 'Z', at + 1, row.ZCode, 'Accessoire de volet', 1]
          .map(cell)
          .join('\t'),
      ),
  },
  {
    table: 'A_Vorgang',
    columns: 'ID, ID_A_Kopf, Nummer, Bezeichnung, Datum, Benutzer, NotizText',
    lines: ({ vorgang }, next) =>
      vorgang.map((row) =>
        [next(), row.ID_A_Kopf, row.Nummer, 'Opération', '2025-03-01 08:00:00', 'poste1', 'RAS']
          .map(cell)
          .join('\t'),
      ),
  },
  {
    table: 'A_KopfFreie',
    columns: 'ID, ID_A_Kopf, Feld, Wert',
    lines: ({ kopf, freie }, next) =>
      Array.from({ length: freie }, (_, at) => [next(), kopf.ID, `F${at}`, 'libre'].map(cell).join('\t')),
  },
  {
    table: 'P_Artikel',
    columns: 'ID, ID_A_Kopf, Position, ArtikelNr, Text, Stueck',
    lines: ({ kopf, artikel }, next) =>
      Array.from({ length: artikel }, (_, at) =>
        [next(), kopf.ID, at + 1, `ART-${at}`, 'Article', 2].map(cell).join('\t'),
      ),
  },
];

/**
 * Replaces the content of the six tables by the given orders, one LOAD DATA a table.
 * `orders` is called once a table: pass a function that draws the same orders each time.
 * The connection needs the right to write and `LOCAL_FILES`.
 */
export async function loadErp(connection: Connection, orders: () => Iterable<ErpOrder>): Promise<void> {
  // No mode: the traps hold zero dates, which a strict server refuses to write.
  await connection.query("SET SESSION sql_mode = '', unique_checks = 0, foreign_key_checks = 0");
  for (const { table, columns, lines } of TARGETS) {
    await connection.query(`DELETE FROM ${table}`);
    let id = 0;
    const next = (): number => ++id;
    const infileStreamFactory = (): Readable => Readable.from(chunks(orders(), lines, next));
    await connection.query({
      sql: `LOAD DATA LOCAL INFILE 'rows' INTO TABLE ${table} CHARACTER SET utf8mb4 (${columns})`,
      infileStreamFactory,
    });
  }
}

function* chunks(orders: Iterable<ErpOrder>, lines: Target['lines'], next: () => number): Generator<Buffer> {
  let text = '';
  for (const order of orders) {
    for (const line of lines(order, next)) text += line + NL;
    if (text.length < 65_536) continue;
    yield Buffer.from(text);
    text = '';
  }
  if (text) yield Buffer.from(text);
}
