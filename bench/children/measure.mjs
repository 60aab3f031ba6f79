// Loaded by `--import` into a program under measure: writes what the process used to a file as it ends.
import { readFileSync, writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const folder = process.env.BENCH_MEASURES;
if (folder && isMainThread) {
  process.on('exit', () => {
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
    const measure = { cpuMs: (userCPUTime + systemCPUTime) / 1000, peakBytes: ownPeak() ?? maxRSS * 1024 };
    writeFileSync(`${folder}/${process.pid}.json`, JSON.stringify(measure));
  });
}

/**
 * Largest resident size of this very program. Linux starts the counter of `getrusage` at the size of the process
 * that spawned us; the one in /proc begins with our own memory.
 */
function ownPeak() {
  try {
    const match = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'latin1'));
    return match ? Number(match[1]) * 1024 : undefined;
  } catch {
    return undefined;
  }
}
