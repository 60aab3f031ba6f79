// A process that imports, or migrates, and dies where it is told to. Its one argument is JSON; see `Order`.

import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../src/base/errors.ts';
import type { Etape } from '../../src/jobs/ingest/context.ts';
import { ingest } from '../../src/jobs/ingest.ts';
import { makeContext, migrateUrl, type Settings } from '../harness/context.ts';

export interface Order {
  readonly task: 'ingest' | 'migrate';
  readonly url: string;
  readonly logs: string;
  readonly archives: string;
  readonly settings?: Settings;
  /** dies by SIGKILL the `nth` time it comes there */
  readonly etape?: Etape;
  readonly nth?: number;
}

export interface Result {
  readonly compteurs?: unknown;
  readonly erreur?: string;
  /** most memory the process ever had, bytes */
  readonly maxRss: number;
}

const order = JSON.parse(process.argv[2]!) as Order;
let seen = 0;
const context = makeContext(order);
const onEtape = (etape: Etape): void => {
  // No handler runs and nothing is flushed: the process is gone.
  if (etape === order.etape && ++seen === (order.nth ?? 1)) process.kill(process.pid, 'SIGKILL');
};
let result: Partial<Result> = {};
try {
  if (order.task === 'migrate') await migrateUrl(order.url);
  else result = { compteurs: await ingest({ ...context, onEtape }) };
} catch (error) {
  result = { erreur: messageOf(error) };
  process.exitCode = 1;
}
await Promise.race([context.pool.end(), sleep(2_000)]);
const maxRss = process.resourceUsage().maxRSS * 1024;
process.stdout.write(`${JSON.stringify({ ...result, maxRss })}\n`);
