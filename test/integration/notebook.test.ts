// Every cell of SQL of notebooks/queries.ipynb on a real database that holds the data of the demonstration.

import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, connectReadOnly, toOutput } from '../../scripts/notebook/answers.ts';
import { asksForOrders, type Notebook, questionsOf, serialise, sqlOf } from '../../scripts/notebook/cells.ts';
import { fillWithDemo } from '../../scripts/notebook/demo-data.ts';
import { migrateUrl } from '../harness/context.ts';
import { MariadbDeTest, SANS_MARIADB } from '../harness/mariadb.ts';
import { createDatabase, registerTemplate, type TestDatabase } from '../harness/postgres.ts';

registerTemplate(migrateUrl);
const FOLDER = join(import.meta.dirname, '../../notebooks');
const text = readFileSync(join(FOLDER, 'queries.ipynb'), 'utf8');
const notebook = JSON.parse(text) as Notebook;
const questions = questionsOf(notebook);

describe('form of the notebook', () => {
  it('is nbformat 4.5, as Jupyter itself saves it', () => {
    expect(serialise(notebook)).toBe(text);
    expect(Object.keys(notebook)).toEqual(['cells', 'metadata', 'nbformat', 'nbformat_minor']);
    expect([notebook.nbformat, notebook.nbformat_minor]).toEqual([4, 5]);
    expect(notebook.metadata).toMatchObject({ kernelspec: { name: 'python3', display_name: 'Python 3' } });
    const ids = notebook.cells.map((cell) => cell.id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const cell of notebook.cells) {
      expect(cell.id).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
      const code = cell.cell_type === 'code' ? ['execution_count', 'outputs'] : [];
      expect(Object.keys(cell).sort()).toEqual(['cell_type', 'id', 'metadata', 'source', ...code].sort());
      expect(cell.source.slice(0, -1).every((line) => /^[^\n]*\n$/.test(line))).toBe(true);
      expect(cell.source.at(-1)).toMatch(/^[^\n]+$/);
    }
  });

  it('every cell of code has a French question and an explanation before it', () => {
    const before = notebook.cells.flatMap((cell, at) =>
      cell.cell_type === 'code' ? [notebook.cells[at - 1]] : [],
    );
    for (const cell of before) {
      expect(cell?.cell_type).toBe('markdown');
      const [, , explanation = ''] = /^## (.+ \?)\n\n([\s\S]{60,})$/m.exec(cell!.source.join('')) ?? [];
      expect(explanation, cell?.id).toMatch(/\b(le|la|les|des|une?)\b/i);
    }
    expect(questions.length).toBeGreaterThanOrEqual(18);
    expect(new Set(questions.map(({ titre }) => titre)).size).toBe(questions.length);
    const numbers = text.match(/## \d+\./g)!.map((heading) => Number.parseInt(heading.slice(3), 10));
    expect(numbers).toEqual(questions.map((_, at) => at + 1));
  });

  it('one cell connects, read-only; all others are SQL that JupySQL passes on as it is', () => {
    const others = notebook.cells.filter((cell) => cell.cell_type === 'code' && sqlOf(cell) === undefined);
    expect(others.map((cell) => cell.id)).toEqual(['connexion-code']);
    expect(others[0]!.source.join('')).toMatch(/default_transaction_read_only%3Don$/);
    for (const { sql } of questions) {
      // Drivers take `%` for a placeholder, SQLAlchemy takes `:name` for a parameter, Jinja `{{` for a template.
      expect(sql).not.toMatch(/%|(?<![:\w\\]):\w+(?!:)|\{[{#]/);
    }
  });

  it('nothing depends on the moment, and hours of the day are those of the factory', () => {
    for (const { titre, sql } of questions) {
      expect(sql, titre).not.toMatch(
        /\bnow\s*\(|current_|localtime|clock_timestamp|random\s*\(|date_creation/i,
      );
      expect(sql, titre).not.toMatch(/extract\(hour FROM \w+(\.\w+)?\)/);
      if (/to_char\(/.test(sql))
        expect(sql, titre).not.toMatch(/to_char\((?![^,]* AT TIME ZONE 'Europe\/Paris')/);
    }
  });
});

describe('answers', () => {
  let dir: string;
  let database: TestDatabase;
  let client: pg.Client;
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'atelier-carnet-'));
    database = await createDatabase();
    const maria = SANS_MARIADB === undefined ? await MariadbDeTest.demarrer() : undefined;
    try {
      await fillWithDemo(database.url, { dir, erp: maria?.config() });
    } finally {
      await maria?.arreter();
    }
    // A workstation on the other side of the earth must see the same answers.
    client = await connectReadOnly(database.url, { TimeZone: 'Pacific/Auckland' });
  });
  afterAll(async () => {
    await client?.end();
    await database?.drop();
    rmSync(dir, { recursive: true, force: true });
  });

  it.each(questions)('$titre', async ({ sql, cell }) => {
    const answer = await ask(client, sql);
    const count = cell.execution_count!;
    const stored = cell.outputs[0]!;
    if (asksForOrders(sql) && SANS_MARIADB !== undefined) {
      const header = toOutput({ ...answer, rows: [] }, count).data['text/html'].slice(0, 2);
      expect(stored.data['text/html'].slice(0, 2)).toEqual(header);
      return;
    }
    expect(answer.rows.length).toBeGreaterThan(0);
    expect([toOutput(answer, count)]).toEqual(cell.outputs);
  });

  it('nothing can be written: neither by a statement, nor by a second one behind it', async () => {
    const refused = (sql: string) => expect(ask(client, sql)).rejects;
    await refused('DELETE FROM session_production').toMatchObject({ code: '25006' });
    await refused('SELECT 1; COMMIT; DELETE FROM session_production').toMatchObject({ code: '42601' });
    await refused('WITH x AS (DELETE FROM execution RETURNING 1) SELECT * FROM x').toMatchObject({
      code: '25006',
    });
  });

  it('the account of notebooks/README.md can run every cell, and nothing more', async () => {
    const [, script = ''] = /```sql\n([\s\S]*?)```/.exec(readFileSync(join(FOLDER, 'README.md'), 'utf8'))!;
    const role = `lecture_${randomBytes(6).toString('hex')}`;
    const admin = new pg.Client({ connectionString: database.url });
    await admin.connect();
    const url = Object.assign(new URL(database.url), { username: role, password: 'motdepasse' });
    const reader = new pg.Client({ connectionString: url.href });
    try {
      await admin.query(script.replaceAll('atelier_lecture', role));
      await reader.connect();
      for (const { titre, sql } of questions) {
        const run = reader.query(sql).then(({ fields }) => fields.length);
        expect(await run, titre).toBeGreaterThan(0);
      }
      const refused = (sql: string) => expect(reader.query(sql)).rejects;
      await refused('DELETE FROM session_production').toMatchObject({ code: '25006' });
      await reader.query('SET default_transaction_read_only = off');
      await refused('DELETE FROM session_production').toMatchObject({ code: '42501' });
      await refused('SELECT * FROM "user"').toMatchObject({ code: '42501' });
    } finally {
      await reader.end();
      await admin.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
      await admin.end();
    }
  });
});

it('every cell answers on a database that holds nothing yet', async () => {
  const database = await createDatabase();
  const client = await connectReadOnly(database.url);
  try {
    for (const { titre, sql, cell } of questions) {
      const { columns } = await ask(client, sql);
      const header = cell.outputs[0]!.data['text/html'][1];
      expect(header, titre).toContain(columns.map((name) => `<th>${name}</th>`).join(''));
    }
  } finally {
    await client.end();
    await database.drop();
  }
});
