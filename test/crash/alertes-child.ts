// A process that sends what is due and dies as soon as a receiver has accepted it. Its one argument is JSON.

import { loadConfig } from '../../src/base/config.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { surveiller } from '../../src/jobs/alertes.ts';
import { createPool } from '../../src/postgres/pool.ts';

export interface AlertesOrder {
  readonly env: Readonly<Record<string, string>>;
  /** milliseconds since the epoch */
  readonly maintenant: number;
}

const { env, maintenant } = JSON.parse(process.argv[2]!) as AlertesOrder;
const config = loadConfig(env);
const logger = silentLogger();
await surveiller({
  ...{ config, logger, pool: createPool(config.databaseUrl!, { logger }) },
  maintenant: () => maintenant,
  disques: async () => [],
  apresEnvoi: () => void process.kill(process.pid, 'SIGKILL'),
});
