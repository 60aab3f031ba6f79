import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A day's log of one centre that grows while it is followed. */
export interface Machine {
  readonly centre: string;
  /** lines appended so far; when each was on the disk, `performance.now()` */
  readonly ecrites: number[];
  append(): void;
}

/** Gives each centre the first half of a day's log, cut at a line's end. */
export function installMachines(dir: string, centres: number, source: string): Machine[] {
  const whole = readFileSync(source);
  const half = whole.subarray(0, whole.indexOf(0x0a, whole.length >> 1) + 1);
  const stamp = [...half.toString('latin1').matchAll(/^(\d{8}) (\d\d):(\d\d):(\d\d)\|@/gm)].at(-1)!;
  const start = Number(stamp[2]) * 3600 + Number(stamp[3]) * 60 + Number(stamp[4]);
  return Array.from({ length: centres }, (_, i) => {
    const centre = `C${String(i + 1).padStart(3, '0')}`;
    const file = join(dir, centre, `${stamp[1]}.LOG`);
    mkdirSync(join(dir, centre), { recursive: true });
    if (!existsSync(file)) writeFileSync(file, half);
    const ecrites: number[] = [];
    return {
      ...{ centre, ecrites },
      append() {
        const second = start + 1 + ecrites.length;
        const clock = [second / 3600, (second / 60) % 60, second % 60].map((n) =>
          `${Math.floor(n)}`.padStart(2, '0'),
        );
        appendFileSync(
          file,
          `${stamp[1]} ${clock.join(':')}|@StukUitgevoerd: BENCH Pos=${ecrites.length} L=1000.0\r\n`,
        );
        ecrites.push(performance.now());
      },
    };
  });
}

/** Every machine appends a line each `everyMs`, all at other moments, for `seconds`. */
export async function work(machines: readonly Machine[], everyMs: number, seconds: number): Promise<void> {
  const begun = performance.now();
  const rounds = Math.floor((seconds * 1000) / everyMs);
  for (let round = 0; round < rounds; round++) {
    for (const [i, machine] of machines.entries()) {
      const due = begun + (round + i / machines.length) * everyMs;
      const wait = due - performance.now();
      if (wait > 1) await sleep(wait);
      machine.append();
    }
  }
}

/** Every machine appends a line at the same moment, `bursts` times. */
export async function burst(machines: readonly Machine[], everyMs: number, bursts: number): Promise<void> {
  for (let i = 0; i < bursts; i++) {
    for (const machine of machines) machine.append();
    await sleep(everyMs);
  }
}
