import { expect, test } from 'vitest';
import { loadConfig } from '../../src/base/config.ts';
import { Shutdown } from '../../src/base/shutdown.ts';
import { FactoryTime } from '../../src/base/time.ts';
import { sessionColumns } from '../../src/cli/sessions.ts';
import { date, type Format, positive, printRows, type TableColumn } from '../../src/cli/table.ts';
import { bytes } from '../../src/cli/text.ts';
import type { SessionListee } from '../../src/postgres/listes.ts';

/** What a listing prints on a terminal of a given width. */
function print<Row>(
  columns: number,
  format: Format,
  table: readonly TableColumn<Row>[],
  rows: readonly Row[],
): string {
  const lines: string[] = [];
  const out = (line: string): void => void lines.push(line);
  const cli = { config: loadConfig({}), shutdown: new Shutdown(), out, err: out, isTerminal: true, columns };
  printRows(cli, format, table, rows);
  return lines.join('\n');
}

const SESSION: SessionListee = {
  id: 1234567,
  centre: 'DEMALU',
  date_production: '2025-05-28',
  heure_premiere_piece: 1_748_404_810,
  heure_derniere_piece: 1_748_412_010,
  total_pieces: 12_345,
  duree_production_totale: '24.0000',
  temps_attente: '10.0000',
  temps_arret_volontaire: '10.0000',
  temps_production_effectif: '14.0000',
  taux_occupation: '100.00',
  taux_attente: '100.00',
  taux_arret_volontaire: '100.00',
  fichier_log_source: 'DEMALU/20250528.LOG',
};
const WIDE_TITLES = ['Fenêtre h', 'Attente h', 'Arrêt h', 'Effectif h'];
const RATES = ['Occup. %', 'Attente %', 'Arrêt %'];

test('on a narrow terminal the sessions keep their rates and fit', () => {
  const text = print(100, 'table', sessionColumns(new FactoryTime('Europe/Paris')), [SESSION]);
  for (const title of RATES) expect(text).toContain(title);
  for (const title of WIDE_TITLES) expect(text).not.toContain(title);
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
});

test.each([
  [143, false],
  [144, true],
])('at %i columns, hours are shown: %s', (columns, shown) => {
  const text = print(columns, 'table', sessionColumns(new FactoryTime('Europe/Paris')), [SESSION]);
  for (const title of WIDE_TITLES) expect(text.includes(title)).toBe(shown);
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(columns);
});

test('data keep all columns, whatever the width', () => {
  const columns = sessionColumns(new FactoryTime('Europe/Paris'));
  const [row] = JSON.parse(print(40, 'json', columns, [SESSION])) as Record<string, unknown>[];
  expect(Object.keys(row!)).toEqual(columns.map((column) => column.key));
  expect(row!['duree_production_totale']).toBe(24);
  expect(print(40, 'csv', columns, [SESSION]).split('\n')[0]).toBe(columns.map((c) => c.key).join(','));
});

const TEXT: TableColumn<string>[] = [{ key: 'texte', title: 'Texte', value: (text) => text }];

test.each(['=1+1', '+1', '-1', '@A1', '\t=1', '\r=1'])('%j stays text in a spreadsheet', (cell) => {
  const line = print(80, 'csv', TEXT, [cell]).split('\n').slice(1).join('\n');
  expect(line.replace(/^"/, '').startsWith("'")).toBe(true);
});

test('control characters are shown, not obeyed', () => {
  const nasty = '\x1b[2J\u009b31m\x07a\nb\u202ec';
  const text = print(80, 'table', TEXT, [nasty]);
  expect(text).toContain('\\x1b[2J\\x9b31m\\x07a\\x0ab\\x202ec');
  expect(JSON.parse(print(80, 'json', TEXT, [nasty]))).toEqual([{ texte: nasty }]);
});

test.each(['20250528', '2025-5-28', '2025-02-29', '0000-01-01', '2025-05-28T06:00', '', 'hier'])(
  'the date %j is refused by the name of its option',
  (text) => {
    expect(() => date('du', text)).toThrow(/^--du : /);
  },
);

test.each(['0', '-1', '1.5', '1e3', '0x10', '', ' 5', '99999999999999999999'])(
  'the number %j is refused by the name of its option',
  (text) => {
    expect(() => positive('limite', text, 1)).toThrow(/^--limite : /);
  },
);

test('sizes are for people', () => {
  const sizes = [0, 999, 1000, 999_499, 999_500, 12_345_678, 5e12, 5e15];
  expect(sizes.map(bytes)).toEqual([
    '0 o',
    '999 o',
    '1,0 ko',
    '999 ko',
    '1,0 Mo',
    '12 Mo',
    '5,0 To',
    '5\u202f000 To',
  ]);
});
