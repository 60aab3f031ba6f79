/** What tests of exports share: rows to export, and the comparison of a file with JSON. */

import type pg from 'pg';
import { expect } from 'vitest';
import { readCsv } from './csv.ts';
import { type Cell, readXlsx } from './xlsx.ts';

type Json = Record<string, unknown>;

/** Rows with texts of a width, made of so many different parts: with one, they take little room but in a CSV file. */
export async function fill(db: pg.Client, rows: number, width: number, parts = width / 32): Promise<void> {
  await db.query("INSERT INTO centre_usinage (nom) VALUES ('DEM12')");
  await db.query(`INSERT INTO session_production (centre_usinage_id, date_production, origine)
    VALUES (1, '2025-05-28', 'log')`);
  await db.query(
    `INSERT INTO piece_production (centre_usinage_id, session_id, numero_piece, timestamp_production, details)
     SELECT 1, 1, n, timestamptz '2025-05-28 06:00:00+02' + n * interval '1 s',
            repeat((SELECT string_agg(md5(n::text || k), '') FROM generate_series(1, $3::int) k), $2::int / 32 / $3::int)
       FROM generate_series(1, $1::int) n`,
    [rows, width, parts],
  );
}

/**
 * What a spreadsheet must show as text: an apostrophe before what it would take for a formula, at the beginning or, where
 * it separates by another character than the file does, inside.
 */
function harmless(text: string, decimal: '.' | ','): string {
  const other = decimal === '.' ? ';' : ',';
  let out = /^[=+\-@\t\n\r＝＋－＠]/.test(text) ? "'" : '';
  let begins = false;
  for (const char of text) {
    if (begins && '=+-@＝＋－＠'.includes(char)) out += "'";
    begins = `${other}\t\n\r`.includes(char) || (begins && '" '.includes(char));
    out += char;
  }
  return out;
}

/** A value of JSON as its cell must be: in French, instants are the factory's clock to the second. */
function cellOf(value: unknown, decimal: '.' | ','): string | null {
  if (value === null) return null;
  if (typeof value === 'number') return String(value).replace('.', decimal);
  if (typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return harmless(value.join(' | '), decimal);
  const [, y, m, d, time] = /^(\d{4})-(\d\d)-(\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?[+-]/.exec(String(value)) ?? [];
  if (decimal === ',' && time !== undefined) return `${d}/${m}/${y} ${time}`;
  return harmless(String(value), decimal);
}

/** A CSV file without its byte order mark against the rows of JSON. */
export function compareCsv(csv: string, rows: readonly Json[], separator: ',' | ';'): void {
  const decimal = separator === ';' ? ',' : '.';
  const [head, ...cells] = readCsv(csv, separator);
  expect(cells).toHaveLength(rows.length);
  for (const [i, row] of rows.entries()) {
    expect(head).toEqual(Object.keys(row));
    expect(cells[i]!).toEqual(Object.values(row).map((value) => cellOf(value, decimal)));
  }
}

/** Cells of a workbook against JSON: texts as they are, dates as days since 1899-12-30 of the wall clock. */
export function compareXlsx(bytes: Buffer, rows: readonly Json[]): void {
  const [head, ...cells] = readXlsx(bytes).rows;
  expect(cells).toHaveLength(rows.length);
  for (const [i, row] of rows.entries()) {
    expect(head).toEqual(Object.keys(row));
    for (const [j, value] of Object.values(row).entries()) expectCell(cells[i]![j]!, value);
  }
}

function expectCell(cell: Cell, value: unknown): void {
  if (cell === null || typeof cell !== 'object') {
    expect(cell).toEqual(Array.isArray(value) ? value.join(' | ') : value);
    return;
  }
  const wall = String(value).replace(/(Z|[+-]\d\d:\d\d)$/, '');
  const ms = Temporal.PlainDateTime.from(wall).toZonedDateTime('UTC').epochMilliseconds;
  expect(cell.format).toBe(wall.includes('T') ? 'yyyy\\-mm\\-dd\\ hh:mm:ss' : 'yyyy\\-mm\\-dd');
  expect(Math.abs((cell.serial - 25_569) * 86_400_000 - ms)).toBeLessThan(1);
}
