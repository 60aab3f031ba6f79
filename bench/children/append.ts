// A warmed process that imports a tree again and again, each time after one more line in one file; prints what
// each import cost this process.
import { appendFileSync, readFileSync, statSync } from 'node:fs';
import { silentLogger } from '../../src/base/logger.ts';
import { ingest } from '../../src/jobs/ingest.ts';
import { contextOf } from './context.ts';

const WARM_UP = 15;
const MEASURED = 30;

const file = process.argv[2]!;
const ctx = contextOf(silentLogger());
try {
  await ingest(ctx);
  const fileBytes = statSync(file).size;
  const content = readFileSync(file, 'latin1');
  if (!content.endsWith('\n')) appendFileSync(file, '\r\n');
  const stamp = [...content.matchAll(/^(\d{8}) (\d\d):(\d\d):(\d\d)\|@/gm)].at(-1);
  if (!stamp) throw new Error(`${file} holds no line of the usual layout`);
  let second = Number(stamp[2]) * 3600 + Number(stamp[3]) * 60 + Number(stamp[4]);
  const cpuMs: number[] = [];
  const wallMs: number[] = [];
  for (let i = 0; i < WARM_UP + MEASURED; i++) {
    second++;
    const clock = [second / 3600, (second / 60) % 60, second % 60].map((n) =>
      `${Math.floor(n)}`.padStart(2, '0'),
    );
    appendFileSync(
      file,
      `${stamp[1]} ${clock.join(':')}|@StukUitgevoerd: BENCH Order=1 Pos=${i} L=1000.0\r\n`,
    );
    const cpu = process.cpuUsage();
    const start = performance.now();
    const { sessionsModifiees } = await ingest(ctx);
    const wall = performance.now() - start;
    const { user, system } = process.cpuUsage(cpu);
    if (sessionsModifiees !== 1) throw new Error(`one line changed ${sessionsModifiees} sessions`);
    if (i < WARM_UP) continue;
    cpuMs.push((user + system) / 1000);
    wallMs.push(wall);
  }
  console.log(JSON.stringify({ fileBytes, cpuMs, wallMs }));
} finally {
  await ctx.shutdown.close();
}
