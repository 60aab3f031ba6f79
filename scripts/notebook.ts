/**
 * Runs every cell of SQL of `notebooks/queries.ipynb` on the data of the demonstration, in a private PostgreSQL, and
 * writes the answers into it. The cells themselves are never changed. `--check` writes nothing and fails when an
 * answer is not current. Without a MariaDB on the machine the answers about orders stay as they are.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startDemoErp } from '../src/embedded/demo-erp.ts';
import { isMariadbAvailable, removeMariadb } from '../src/embedded/mariadb.ts';
import { ensureEmbedded, stopEmbedded } from '../src/embedded/postgres.ts';
import { ask, connectReadOnly, toOutput } from './notebook/answers.ts';
import { asksForOrders, type Notebook, questionsOf, serialise } from './notebook/cells.ts';
import { fillWithDemo } from './notebook/demo-data.ts';

const FILE = new URL('../notebooks/queries.ipynb', import.meta.url);
const { check } = parseArgs({ options: { check: { type: 'boolean', default: false } } }).values;

const before = readFileSync(FILE, 'utf8');
const notebook = JSON.parse(before) as Notebook;
const dir = mkdtempSync(join(tmpdir(), 'atelier-carnet-'));
try {
  const withOrders = isMariadbAvailable();
  if (!withOrders)
    console.error('sans MariaDB : les réponses sur les commandes restent telles qu’elles sont');
  const { url } = await ensureEmbedded({ dataDir: dir });
  await fill(url, withOrders);
  await answer(url, withOrders);
} finally {
  await stopEmbedded(dir);
  rmSync(dir, { recursive: true, force: true });
}
const after = serialise(notebook);
if (after === before) console.log('notebooks/queries.ipynb est à jour');
else if (check) {
  console.error('notebooks/queries.ipynb n’est pas à jour : node scripts/notebook.ts');
  process.exitCode = 1;
} else {
  writeFileSync(FILE, after);
  console.log('notebooks/queries.ipynb écrit');
}

async function fill(url: string, withOrders: boolean): Promise<void> {
  const mariadb = join(dir, 'mariadb');
  const erp = withOrders ? await startDemoErp(mariadb, 'Europe/Paris') : undefined;
  try {
    await fillWithDemo(url, { dir, erp: erp?.config });
  } finally {
    await erp?.stop();
    if (erp) removeMariadb(mariadb);
  }
}

/** Puts fresh answers into the cells; a query that PostgreSQL refuses stops everything, with the question's name. */
async function answer(url: string, withOrders: boolean): Promise<void> {
  const client = await connectReadOnly(url);
  try {
    for (const [at, { titre, sql, cell }] of questionsOf(notebook).entries()) {
      if (asksForOrders(sql) && !withOrders) continue;
      const result = await ask(client, sql).catch((cause: unknown) => {
        throw new Error(`« ${titre} » : ${cause instanceof Error ? cause.message : cause}`, { cause });
      });
      cell.execution_count = at + 1;
      cell.outputs = [toOutput(result, at + 1)];
    }
  } finally {
    await client.end();
  }
}
