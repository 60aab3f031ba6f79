import { join } from 'node:path';
import { ouvrirArchives } from '../../src/archives/archive.ts';
import type { ErpConfig } from '../../src/base/config/erp.ts';
import { loadConfig } from '../../src/base/config.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { Shutdown } from '../../src/base/shutdown.ts';
import { FactoryTime } from '../../src/base/time.ts';
import { DEMO_TREE, simulateTree, type TreeResult } from '../../src/embedded/simulator/tree.ts';
import { ingest } from '../../src/jobs/ingest.ts';
import { sync } from '../../src/jobs/sync.ts';
import { migrate } from '../../src/postgres/migrate.ts';
import { createPool, withClient } from '../../src/postgres/pool.ts';
import { DossierLocal } from '../../src/sources/dossier.ts';

/**
 * Brings an empty database to the state after `npm run demo`.
 *
 * @param options `dir`: an empty folder for logs and archive; `erp`: the demonstration's ERP, without it no orders
 */
export async function fillWithDemo(
  url: string,
  options: { dir: string; erp?: ErpConfig | undefined },
): Promise<TreeResult> {
  const logs = join(options.dir, 'logs');
  const tree = await simulateTree({ dir: logs, ...DEMO_TREE });
  const settings = { DATABASE_URL: url, LOGS_DIR: logs, ARCHIVES_DIR: join(options.dir, 'archives') };
  const config = { ...loadConfig(settings), erp: options.erp };
  const logger = silentLogger();
  const pool = createPool(url, { logger });
  try {
    await withClient(pool, (client) => migrate(client));
    const ctx = {
      config,
      logger,
      pool,
      shutdown: new Shutdown(),
      time: new FactoryTime(config.fuseau, config.journeeDebut),
      archive: ouvrirArchives(config),
      source: new DossierLocal(logs),
    };
    await ingest(ctx);
    if (options.erp) await sync(ctx);
  } finally {
    await pool.end();
  }
  return tree;
}
