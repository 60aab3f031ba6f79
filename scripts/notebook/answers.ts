import pg from 'pg';
import type { Output } from './cells.ts';

/** What a query answered; every value is the text that PostgreSQL sent. */
export interface Answer {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
  /** of each column, whether it holds numbers */
  readonly numeric: readonly boolean[];
}

/** int8, int2, int4, float4, float8, numeric */
const NUMBERS = [20, 21, 23, 700, 701, 1700];
/** What stands for NULL, as in `atelier db psql`. */
const NULL = '∅';

/** A connection that cannot write, whose values stay text. */
export async function connectReadOnly(
  url: string,
  settings: Record<string, string> = {},
): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'atelier carnet',
    types: { getTypeParser: () => (value: string) => value },
  });
  await client.connect();
  for (const [name, value] of Object.entries({ ...settings, default_transaction_read_only: 'on' })) {
    await client.query('SELECT set_config($1, $2, false)', [name, value]);
  }
  return client;
}

/** Runs one query in a read-only transaction. The extended protocol refuses a second statement behind a `;`. */
export async function ask(client: pg.Client, sql: string): Promise<Answer> {
  await client.query('BEGIN TRANSACTION READ ONLY');
  try {
    const query = { text: sql, rowMode: 'array', queryMode: 'extended' };
    const { fields, rows } = await client.query<(string | null)[]>(query as pg.QueryArrayConfig);
    return {
      columns: fields.map((field) => field.name),
      rows,
      numeric: fields.map((field) => NUMBERS.includes(field.dataTypeID)),
    };
  } finally {
    await client.query('ROLLBACK');
  }
}

/** An answer as the output of a cell. @param count number of the execution, shown beside the cell */
export function toOutput(answer: Answer, count: number): Output {
  const data = { 'text/html': lines(toHtml(answer)), 'text/plain': lines(toText(answer)) };
  return { output_type: 'execute_result', execution_count: count, data, metadata: {} };
}

function toText({ columns, rows, numeric }: Answer): string {
  const table = [columns, ...rows.map((row) => row.map(shown))];
  const widths = columns.map((_, at) => Math.max(...table.map((row) => width(row[at]!))));
  const line = (row: readonly string[], right: (at: number) => boolean): string => {
    const cells = row.map((text, at) => {
      const blanks = ' '.repeat(widths[at]! - width(text));
      return right(at) ? blanks + text : text + blanks;
    });
    return `| ${cells.join(' | ')} |`;
  };
  const rule = `+${widths.map((columnWidth) => '-'.repeat(columnWidth + 2)).join('+')}+`;
  const body = table.slice(1).map((row) => line(row, (at) => numeric[at]!));
  return [rule, line(columns, () => false), rule, ...body, rule].join('\n');
}

function toHtml({ columns, rows, numeric }: Answer): string {
  const cell = (text: string, at: number): string =>
    `<td${numeric[at] ? ' style="text-align: right"' : ''}>${escapeHtml(text)}</td>`;
  return [
    '<table>',
    `<thead><tr>${columns.map((name) => `<th>${escapeHtml(name)}</th>`).join('')}</tr></thead>`,
    '<tbody>',
    ...rows.map((row) => `<tr>${row.map((value, at) => cell(shown(value), at)).join('')}</tr>`),
    '</tbody>',
    '</table>',
  ].join('\n');
}

/** A line of a log may hold anything: no control character may reach a terminal or a page. */
function shown(value: string | null): string {
  const hex = (character: string): string => character.charCodeAt(0).toString(16).padStart(2, '0');
  return value === null
    ? NULL
    : value.replaceAll(/[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu, (c) => `\\x${hex(c)}`);
}

const graphemes = new Intl.Segmenter('fr');

/** Columns that a text takes on a terminal: an accent none, an emoji two. */
function width(text: string): number {
  const parts = [...graphemes.segment(text)];
  return parts.reduce((sum, { segment }) => sum + (/\p{Emoji_Presentation}/u.test(segment) ? 2 : 1), 0);
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** Lines that keep their line feeds, as a notebook stores a text. */
function lines(text: string): string[] {
  return text.split(/(?<=\n)/);
}
