import Table from 'cli-table3';
import { stringify } from 'csv-stringify/sync';
import { withoutFormulas } from '../base/csv.ts';
import { isDate } from '../base/time.ts';
import type { Cli } from './cli.ts';
import { UsageError } from './cli.ts';
import { printable } from './text.ts';

/** A column of a listing. */
export interface TableColumn<Row> {
  /** key in JSON and CSV: the name of the table's column */
  readonly key: string;
  /** heading on a terminal */
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** value for JSON and CSV */
  readonly value: (row: Row) => string | number | boolean | null;
  /** text on a terminal, when it differs */
  readonly text?: (row: Row) => string;
  /** left out on a terminal */
  readonly dataOnly?: true;
  /** shown only on a wide terminal */
  readonly wide?: true;
}

/** Characters from which on a terminal is wide: what the sessions with all their columns take. */
const WIDE = 144;

/** How a listing is to be printed. */
export type Format = 'table' | 'json' | 'csv' | 'excel';

/** The options that every listing has. */
export const FORMAT_OPTIONS = {
  json: { type: 'boolean' },
  csv: { type: 'boolean' },
  excel: { type: 'boolean' },
} as const;

export function formatOf(values: { [Name in 'json' | 'csv' | 'excel']?: boolean | undefined }): Format {
  const asked = (['json', 'csv', 'excel'] as const).filter((name) => values[name]);
  if (asked.length > 1) throw new UsageError(`--${asked[0]} et --${asked[1]} s’excluent.`);
  return asked[0] ?? 'table';
}

/**
 * Prints rows as a table, as a JSON array, as CSV for programs (RFC 4180, UTF-8), or as the CSV that Excel in French opens
 * by a double click (byte order mark, `;`, decimal commas).
 */
export function printRows<Row>(
  cli: Cli,
  format: Format,
  columns: readonly TableColumn<Row>[],
  rows: readonly Row[],
): void {
  if (format === 'json') {
    const objects = rows.map((row) => Object.fromEntries(columns.map((c) => [c.key, c.value(row)])));
    cli.out(JSON.stringify(objects, null, 2));
  } else if (format === 'csv' || format === 'excel') {
    const excel = format === 'excel';
    const records = rows.map((row) => columns.map((c) => c.value(row)));
    const text = stringify([columns.map((c) => c.key), ...records], {
      delimiter: excel ? ';' : ',',
      cast: {
        boolean: String,
        number: (value) => (excel ? String(value).replace('.', ',') : String(value)),
        // A cell such as =HYPERLINK(…) from a log must stay text in a spreadsheet.
        string: withoutFormulas,
      },
    });
    cli.out(`${excel ? '\ufeff' : ''}${text.trimEnd()}`);
  } else {
    const narrow = cli.columns < WIDE;
    const shown = columns.filter((column) => !column.dataOnly && !(column.wide && narrow));
    const table = new Table({
      head: shown.map((column) => column.title),
      colAligns: shown.map((column) => column.align ?? 'left'),
      style: { head: [], border: [], compact: true },
    });
    for (const row of rows)
      table.push(shown.map((c) => printable(c.text?.(row) ?? String(c.value(row) ?? ''))));
    cli.out(table.toString());
  }
}

/** A positive number from an option. */
export function positive(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < 1)
    throw new UsageError(`--${name} : attendu un entier positif, reçu « ${text} »`);
  return value;
}

/** Whether a text is a date `YYYY-MM-DD` that the calendar has. */
export function isDateText(text: string): boolean {
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text) ?? [];
  return day !== undefined && isDate(Number(year), Number(month), Number(day));
}

/** A date `YYYY-MM-DD` from an option. */
export function date(name: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  if (isDateText(text)) return text;
  throw new UsageError(`--${name} : attendu une date AAAA-MM-JJ, reçu « ${text} »`);
}
