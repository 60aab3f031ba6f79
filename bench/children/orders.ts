// One way of getting the orders out of the ERP, timed inside a fresh process: `seed`, `extract` or `sync`.
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import type { ErpConfig } from '../../src/base/config/erp.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { extraireCommandes } from '../../src/jobs/extraction-commandes.ts';
import { sync } from '../../src/jobs/sync.ts';
import { makeSyncContext } from '../../test/harness/sync-context.ts';
import { SEED_QUERY } from '../lib/seed-query.ts';

const [way, settings, url] = process.argv.slice(2);
const erp = JSON.parse(settings!) as ErpConfig;
const start = performance.now();
const found = await runWay(way!);
console.log(JSON.stringify({ ms: performance.now() - start, ...found }));

async function runWay(name: string): Promise<object> {
  if (name === 'seed') {
    const { host, port, user, password, database } = erp;
    const connection = await createConnection({ host, port, user, password, database, dateStrings: true });
    const [rows] = await connection.query<RowDataPacket[]>(SEED_QUERY);
    await connection.end();
    return { rows: rows.length };
  }
  if (name === 'extract') {
    const { commandes, lecture } = await extraireCommandes(erp, { log: silentLogger() });
    return { rows: commandes.length, transactionMs: lecture.transactionMs };
  }
  const ctx = makeSyncContext(url!, erp);
  const result = await sync(ctx);
  await ctx.pool.end();
  return result;
}
