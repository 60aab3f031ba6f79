// What `atelier sync` would make, without a command: also for child processes, so nothing of the test runner here.

import type { ErpConfig } from '../../src/base/config/erp.ts';
import { loadConfig } from '../../src/base/config.ts';
import { type Logger, silentLogger } from '../../src/base/logger.ts';
import { Shutdown } from '../../src/base/shutdown.ts';
import { FactoryTime } from '../../src/base/time.ts';
import type { SyncContext } from '../../src/jobs/sync.ts';
import { createPool } from '../../src/postgres/pool.ts';

/** The context of a synchronisation from `erp` into the database at `url`; end its pool. */
export function makeSyncContext(
  url: string,
  erp: ErpConfig,
  logger: Logger = silentLogger(),
): SyncContext & { readonly shutdown: Shutdown } {
  const config = { ...loadConfig({ DATABASE_URL: url }), erp };
  return {
    config,
    logger,
    shutdown: new Shutdown(),
    time: new FactoryTime(config.fuseau),
    pool: createPool(url, { logger }),
  };
}
