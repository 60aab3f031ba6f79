import { join } from 'node:path';
import { AtelierError, messageOf } from '../base/errors.ts';
import { ensureMariadbPrograms, startDemoErp } from '../embedded/demo-erp.ts';
import { sync } from '../jobs/sync.ts';
import { listCommandes } from '../postgres/commandes.ts';
import type { Pool } from '../postgres/pool.ts';
import type { Cli } from './cli.ts';
import { COMMANDE_COLUMNS } from './commandes.ts';
import { Progress } from './progress.ts';
import { openSync, reportSync } from './sync.ts';
import { printRows } from './table.ts';

/**
 * The road of the orders, as far as this machine has a MariaDB. Whatever goes wrong with it is said in one line with the
 * way out: the rest of the demonstration does not need it.
 */
export async function showCommandes(cli: Cli, demo: Cli, pool: Pool): Promise<void> {
  cli.out('5. Les commandes de volets roulants, d’un ERP inventé');
  try {
    const missing = ensureMariadbPrograms((line) => cli.err(`   ${line}`));
    if (missing === undefined) await synchronise(cli, demo, pool);
    else sayWithout(cli, missing);
  } catch (error) {
    // A stop that was asked for ends the demonstration, not only this part of it.
    cli.shutdown.signal.throwIfAborted();
    sayWithout(cli, error instanceof AtelierError ? `${said(error)}. ${error.conseil}` : said(error));
  }
}

const said = (error: unknown): string => messageOf(error).replace(/\.$/, '');

function sayWithout(cli: Cli, why: string): void {
  cli.err(`   sans commandes, la démonstration continue : ${why}`);
}

async function synchronise(cli: Cli, demo: Cli, pool: Pool): Promise<void> {
  const erp = await startDemoErp(join(cli.config.dataDir, 'mariadb'), cli.config.fuseau);
  try {
    const progress = new Progress(undefined, { bytes: 0, files: 0 });
    const withErp: Cli = { ...demo, config: { ...demo.config, erp: erp.config } };
    const result = await sync(await openSync(withErp, (line) => progress.log(line, cli.err)));
    const [, ...lines] = reportSync(result, false);
    for (const line of lines.slice(0, 2)) cli.out(` ${line}`);
    printRows(cli, 'table', COMMANDE_COLUMNS, await listCommandes(pool, { limite: 8 }));
  } finally {
    await erp.stop();
  }
}
