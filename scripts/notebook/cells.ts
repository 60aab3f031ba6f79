/** A cell's text, in lines that keep their line feeds, as Jupyter writes it. */
type Source = readonly string[];

/** The table that a cell of SQL answered, as text and as HTML. */
export interface Output {
  readonly output_type: 'execute_result';
  readonly execution_count: number;
  readonly data: { readonly 'text/html': Source; readonly 'text/plain': Source };
  readonly metadata: object;
}

export interface MarkdownCell {
  readonly cell_type: 'markdown';
  readonly id: string;
  readonly metadata: object;
  readonly source: Source;
}

export interface CodeCell {
  readonly cell_type: 'code';
  readonly id: string;
  readonly metadata: object;
  readonly source: Source;
  execution_count: number | null;
  outputs: Output[];
}

/** A notebook of nbformat 4.5, as far as ours uses it. */
export interface Notebook {
  readonly cells: (MarkdownCell | CodeCell)[];
  readonly metadata: object;
  readonly nbformat: 4;
  readonly nbformat_minor: 5;
}

/** A question of the notebook: a cell of SQL and the text before it. */
export interface Question {
  /** the heading, without its number: `Combien de pièces par jour et par centre ?` */
  readonly titre: string;
  readonly sql: string;
  readonly cell: CodeCell;
}

const MAGIC = /^%%sql[ \t]*\n/;
const HEADING = /^## (?:\d+\. )?(.+)$/m;

/** The SQL of a cell that starts with `%%sql`; undefined for any other. */
export function sqlOf(cell: MarkdownCell | CodeCell): string | undefined {
  const text = cell.source.join('');
  return cell.cell_type === 'code' && MAGIC.test(text) ? text.replace(MAGIC, '') : undefined;
}

/** Every question, in order; the title is empty when the cell before has no heading. */
export function questionsOf(notebook: Notebook): Question[] {
  return notebook.cells.flatMap((cell, at) => {
    const sql = sqlOf(cell);
    const before = notebook.cells[at - 1];
    if (sql === undefined || cell.cell_type !== 'code') return [];
    const text = before?.cell_type === 'markdown' ? before.source.join('') : '';
    return [{ titre: HEADING.exec(text)?.[1] ?? '', sql, cell }];
  });
}

/** Whether a question is about orders: without a MariaDB there is no ERP to fill their tables from. */
export function asksForOrders(sql: string): boolean {
  return /\bcommandes_volets_roulants\b|\bcommande_historique\b/.test(sql);
}

/** The file as Jupyter itself would save it (keys sorted, one space), so that a person who saves it changes little. */
export function serialise(notebook: Notebook): string {
  return `${JSON.stringify(sorted(notebook), null, 1)}\n`;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}
