// What a command would make, without one: also for child processes, so nothing of the test runner is imported here.

import { ouvrirArchives } from '../../src/archives/archive.ts';
import { loadConfig } from '../../src/base/config.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { Shutdown } from '../../src/base/shutdown.ts';
import { FactoryTime } from '../../src/base/time.ts';
import type { IngestContext } from '../../src/jobs/ingest/context.ts';
import { migrate } from '../../src/postgres/migrate.ts';
import { createPool, withClient } from '../../src/postgres/pool.ts';
import { DossierLocal } from '../../src/sources/dossier.ts';
import { dossiersIgnores } from '../../src/sources/noms.ts';

/** Settings by their names in the environment (`FUSEAU`, `JOURNEE_DEBUT`, `CENTRES`…). */
export type Settings = Readonly<Record<string, string>>;

/** An import context as a command would make it, for any database and folders. */
export function makeContext(places: {
  url: string;
  logs: string;
  archives: string;
  settings?: Settings | undefined;
}): IngestContext {
  const config = loadConfig({
    DATABASE_URL: places.url,
    LOGS_DIR: places.logs,
    ARCHIVES_DIR: places.archives,
    ...places.settings,
  });
  const logger = silentLogger();
  return {
    config,
    logger,
    time: new FactoryTime(config.fuseau, config.journeeDebut),
    shutdown: new Shutdown(),
    pool: createPool(places.url, { logger }),
    archive: ouvrirArchives(config),
    source: new DossierLocal(config.logsDir, undefined, { ignore: dossiersIgnores(config) }),
  };
}

export async function migrateUrl(url: string): Promise<void> {
  const pool = createPool(url, { logger: silentLogger(), max: 1 });
  try {
    await withClient(pool, (client) => migrate(client));
  } finally {
    await pool.end();
  }
}
