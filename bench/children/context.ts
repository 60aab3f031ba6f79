import { ouvrirArchives } from '../../src/archives/archive.ts';
import { loadConfig } from '../../src/base/config.ts';
import type { Logger } from '../../src/base/logger.ts';
import { Shutdown } from '../../src/base/shutdown.ts';
import { FactoryTime } from '../../src/base/time.ts';
import type { IngestContext } from '../../src/jobs/ingest/context.ts';
import { createPool } from '../../src/postgres/pool.ts';
import { DossierLocal } from '../../src/sources/dossier.ts';

/** What an import needs, from the environment; `shutdown.close()` closes it. */
export function contextOf(logger: Logger): IngestContext {
  const config = loadConfig();
  const shutdown = new Shutdown();
  const pool = createPool(config.databaseUrl!, { logger });
  shutdown.add(() => pool.end());
  return {
    config,
    logger,
    shutdown,
    pool,
    time: new FactoryTime(config.fuseau, config.journeeDebut),
    archive: ouvrirArchives(config),
    source: new DossierLocal(config.logsDir),
  };
}
