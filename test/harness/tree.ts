import { appendFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readTree } from '../reference/model.ts';
import { type ReferenceState, reference, type SeenVersion } from '../reference/reference.ts';

export const ZONE = { fuseau: 'Europe/Paris', journeeDebut: '00:00' };

/** A deterministic source of numbers in [0, 1) (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const EVENTS = [
  'StukUitgevoerd: A',
  'StukUitgevoerd: B',
  'StukUitgevoerd',
  'Zaagcyclus: 3',
  'MachineWait: 12,5 sec',
  'MachineStop',
  'MachineStart',
  'JobProfiel: R:215023 L:3359.0 C:7016 G ALU',
  'MachineWait: wacht',
];

/** `count` lines of one day, from a second of the day on, one every 20 seconds or so. */
export function dayLines(day: string, from: number, count: number, random: () => number): string {
  let text = '';
  let second = from;
  for (let i = 0; i < count; i++) {
    second += Math.floor(random() * 40);
    const clock = [second / 3600, (second / 60) % 60, second % 60].map((n) =>
      String(Math.floor(n)).padStart(2, '0'),
    );
    text += `${day} ${clock.join(':')}|@${EVENTS[Math.floor(random() * EVENTS.length)]}\r\n`;
  }
  return text;
}

/** Days 1 to `days` of May 2025 for two centres, `lines` lines each. */
export async function writeTree(logs: string, days: number, lines: number, seed = 1): Promise<void> {
  const random = randomFrom(seed);
  for (const centre of ['DEM12', 'SU12']) {
    await mkdir(join(logs, centre), { recursive: true });
    for (let d = 1; d <= days; d++) {
      const day = `202505${String(d).padStart(2, '0')}`;
      await writeFile(join(logs, centre, `${day}.LOG`), dayLines(day, 21_600, lines, random));
    }
  }
}

/** Every file grows by some lines, and the first of each centre gets an overlapping copy. */
export async function growTree(logs: string, lines: number, seed: number): Promise<void> {
  const random = randomFrom(seed);
  for (const centre of (await readdir(logs)).sort()) {
    for (const name of (await readdir(join(logs, centre))).sort()) {
      if (!/^\d{8}\.LOG$/.test(name)) continue;
      await appendFile(join(logs, centre, name), dayLines(name.slice(0, 8), 50_000, lines, random));
    }
    const copy = join(logs, centre, 'reprise', 'copie.log');
    await mkdir(dirname(copy), { recursive: true });
    await writeFile(copy, dayLines('20250501', 21_600 + seed, lines, random));
  }
}

/** What an import would see now. */
export async function seenIn(logs: string): Promise<SeenVersion[]> {
  return [...(await readTree(logs))].map(([chemin, octets]) => ({
    centre: chemin.split('/')[0]!,
    chemin,
    octets,
  }));
}

export function referenceOf(versions: SeenVersion[]): ReferenceState {
  return reference({ versions, ...ZONE });
}
