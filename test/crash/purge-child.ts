// A process that purges and dies by SIGKILL where it is told to. Its one argument is JSON; see `OrdrePurge`.

import { loadConfig } from '../../src/base/config.ts';
import type { EtapePurge } from '../../src/jobs/purge/contexte.ts';
import { purger } from '../../src/jobs/purge.ts';
import { makeContext, type Settings } from '../harness/context.ts';

export interface OrdrePurge {
  readonly url: string;
  readonly logs: string;
  readonly archives: string;
  readonly settings: Settings;
  /** ms since the epoch */
  readonly maintenant: number;
  readonly etape: EtapePurge;
  /** dies the `nth` time it comes there */
  readonly nth: number;
}

const order = JSON.parse(process.argv[2]!) as OrdrePurge;
const context = makeContext({ ...order, settings: order.settings });
let seen = 0;
const onEtape = (etape: EtapePurge): void => {
  // No handler runs and nothing is flushed: the process is gone.
  if (etape === order.etape && ++seen === order.nth) process.kill(process.pid, 'SIGKILL');
};
// The settings are read here as a command reads them.
const { conservation } = loadConfig({ DATABASE_URL: order.url, ...order.settings });
await purger(
  { ...context, onEtape, config: { ...context.config, conservation } },
  { maintenant: order.maintenant, lots: { jours: 2, versions: 2, lignes: 3 }, force: true },
);
await context.pool.end();
