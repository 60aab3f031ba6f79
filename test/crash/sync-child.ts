// A process that synchronises once, to be killed or measured. Its one argument is JSON; see `SyncOrder`.

import { readFileSync } from 'node:fs';
import type { ErpConfig } from '../../src/base/config/erp.ts';
import { messageOf } from '../../src/base/errors.ts';
import { sync } from '../../src/jobs/sync.ts';
import { makeSyncContext } from '../harness/sync-context.ts';

export interface SyncOrder {
  readonly url: string;
  readonly erp: ErpConfig;
  readonly force?: boolean;
}

const { url, erp, force = false } = JSON.parse(process.argv[2]!) as SyncOrder;
const ctx = makeSyncContext(url, erp);
try {
  const result = await sync(ctx, { force });
  await ctx.pool.end();
  process.stdout.write(`${JSON.stringify({ result, peakBytes: peak() })}\n`);
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
}

/** Largest resident size of this program alone; `getrusage` would start at the size of the one that spawned it. */
function peak(): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'latin1'))![1]) * 1024;
  } catch {
    return process.resourceUsage().maxRSS * 1024;
  }
}
