import { createInterface } from 'node:readline';
import Table from 'cli-table3';
import pg from 'pg';

type Line = (line: string) => void;

/** A connection whose values stay the text that PostgreSQL sent: shown, not computed with. */
export async function connect(url: string, err: Line): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'atelier db psql',
    types: { getTypeParser: () => (value: string) => value },
  });
  client.on('notice', (notice) => err(`${notice.severity ?? 'NOTICE'} : ${notice.message ?? ''}`));
  // A server that stops between two statements shows at the next one.
  client.on('error', () => {});
  await client.connect();
  return client;
}

/** Runs one or several statements and prints every result; false, with the error printed, when refused. */
export async function runBatch(
  client: pg.Client,
  sql: string,
  io: { out: Line; err: Line },
): Promise<boolean> {
  try {
    const text = metaQuery(sql) ?? sql;
    const answer: Result | Result[] = await client.query({ text, rowMode: 'array' });
    for (const result of Array.isArray(answer) ? answer : [answer]) print(result, io.out);
    return true;
  } catch (error) {
    const { message, detail, hint } = error as pg.DatabaseError;
    io.err(`ERREUR : ${message}`);
    if (detail) io.err(`DÉTAIL : ${detail}`);
    if (hint) io.err(`CONSEIL : ${hint}`);
    return false;
  }
}

type Result = pg.QueryArrayResult<(string | null)[]>;

function print(result: Result, out: Line): void {
  if (result.fields.length === 0) {
    if (result.command)
      out(result.rowCount === null ? result.command : `${result.command} ${result.rowCount}`);
    return;
  }
  const table = new Table({
    head: result.fields.map((field) => field.name),
    // No colours: the answer may go to a file.
    style: { head: [], border: [] },
  });
  for (const row of result.rows) table.push(row.map((value) => value ?? '∅'));
  out(table.toString());
  out(`(${result.rows.length} ligne${result.rows.length > 1 ? 's' : ''})`);
}

const LIST_TABLES = `SELECT n.nspname AS schema, c.relname AS nom,
    CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'table partitionnée' WHEN 'v' THEN 'vue'
      ELSE 'vue matérialisée' END AS genre, obj_description(c.oid, 'pg_class') AS description
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition
    AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_toast%'
  ORDER BY 1, 2`;

function describe(table: string): string {
  return `SELECT a.attname AS colonne, format_type(a.atttypid, a.atttypmod) AS type,
    CASE WHEN a.attnotnull THEN 'non' ELSE 'oui' END AS "null", pg_get_expr(d.adbin, d.adrelid) AS "défaut",
    col_description(a.attrelid, a.attnum) AS description
  FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE a.attrelid = ${pg.escapeLiteral(table)}::regclass AND a.attnum > 0 AND NOT a.attisdropped
  ORDER BY a.attnum`;
}

/** The query behind `\dt`, `\d` or `\d TABLE`; undefined for anything else. */
function metaQuery(line: string): string | undefined {
  const [, name, table] = /^\s*\\(dt?)(?:\s+(\S.*?))?\s*;?\s*$/.exec(line) ?? [];
  if (name === 'd' && table !== undefined) return describe(table);
  return name === undefined ? undefined : LIST_TABLES;
}

const HELP = `Une requête se termine par « ; ».  \\dt liste les tables, \\d TABLE décrit, \\q quitte.`;

interface Terminal {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
  readonly out: Line;
  readonly err: Line;
}

/**
 * A small SQL prompt for machines without psql. Also reads statements from a pipe: the exit code is then 1 when
 * one of them was refused.
 */
export async function prompt(client: pg.Client, io: Terminal): Promise<number> {
  const terminal = 'isTTY' in io.input && io.input.isTTY === true;
  const reader = createInterface({ input: io.input, output: io.output, terminal, prompt: 'atelier=# ' });
  let pending = '';
  let refused = false;
  const show = (): void => {
    if (!terminal) return;
    reader.setPrompt(pending === '' ? 'atelier=# ' : 'atelier-# ');
    reader.prompt();
  };
  const execute = async (sql: string): Promise<void> => {
    if (!(await runBatch(client, sql, io))) refused = true;
  };
  reader.on('SIGINT', () => {
    pending = '';
    io.output.write('\n');
    show();
  });
  if (terminal) io.out(HELP);
  show();
  for await (const line of reader) {
    if (pending === '' && /^\s*\\/.test(line)) {
      if (/^\s*\\q\b/.test(line)) break;
      const query = metaQuery(line);
      if (query === undefined) io.out(HELP);
      else await execute(query);
    } else {
      pending += pending === '' && line.trim() === '' ? '' : `${line}\n`;
      const { statements, rest } = splitStatements(pending);
      pending = rest.trim() === '' ? '' : rest;
      for (const statement of statements) await execute(statement);
    }
    show();
  }
  reader.close();
  if (!terminal && pending !== '') await execute(pending);
  return refused && !terminal ? 1 : 0;
}

/** What a `;` does not end: strings, quoted names, dollar quotes and comments (nested ones by their outermost). */
const OPAQUE = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*\n|\/\*[\s\S]*?\*\/|\$(\w*)\$[\s\S]*?\$\1\$/y;
const OPENERS = /['"]|--|\/\*|\$\w*\$/y;

/** Cuts whole statements off `text`; what is left is waiting for its end. */
export function splitStatements(text: string): { statements: string[]; rest: string } {
  const statements: string[] = [];
  let start = 0;
  for (let at = 0; at < text.length; ) {
    OPAQUE.lastIndex = at;
    OPENERS.lastIndex = at;
    if (OPAQUE.test(text)) at = OPAQUE.lastIndex;
    else if (OPENERS.test(text)) break;
    else if (text[at++] === ';') {
      statements.push(text.slice(start, at).trim());
      start = at;
    }
  }
  return { statements: statements.filter((statement) => statement !== ';'), rest: text.slice(start) };
}
