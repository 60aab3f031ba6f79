import { appendFile, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AtelierError, messageOf } from '../../base/errors.ts';
import type { FactoryTime } from '../../base/time.ts';
import type { SimulatedCentre } from './centres.ts';
import { cleanDay } from './clean-day.ts';
import { Random } from './random.ts';

export interface LiveOptions {
  /** root of the logs */
  readonly dir: string;
  readonly centres: readonly SimulatedCentre[];
  /** simulated seconds a real second */
  readonly speed: number;
  readonly seed: number;
  /** the factory's clock: stamps are local */
  readonly time: FactoryTime;
  /** stops the machines; a line begun is finished first */
  readonly signal: AbortSignal;
  /** after each line that is on the disk whole */
  readonly onLine?: (line: { centre: string; path: string; text: string }) => void;
}

interface Event {
  /** simulated seconds since the start */
  readonly offset: number;
  /** the line from its `|@` on */
  readonly text: string;
}

const STAMP_LENGTH = 17;

/**
 * Plays machines at work until the signal: each centre appends to today's log, in bursts, sometimes half a
 * line first. The simulated clock starts now, whatever the hour, with the first event of a working day, and
 * runs `speed` times as fast as ours: faster than 1, it comes to be ahead, and past midnight goes on in the
 * file of the next day.
 *
 * @throws AtelierError ATL_L201 when a log cannot be written
 */
export async function live(options: LiveOptions): Promise<void> {
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const start = Math.floor(Date.now() / 1000);
  const outcomes = await Promise.allSettled(
    options.centres.map(async (centre) => {
      try {
        await play(options, centre, start, signal);
      } catch (error) {
        failed.abort(error);
        throw error;
      }
    }),
  );
  const failure = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failure) throw failure.reason;
}

async function play(
  options: LiveOptions,
  centre: SimulatedCentre,
  start: number,
  signal: AbortSignal,
): Promise<void> {
  const folder = join(options.dir, centre.dossier ?? centre.nom);
  const random = new Random('live', options.seed, centre.nom);
  const events = eventsFrom(options, centre, Math.floor(start / 86_400));
  const begun = performance.now();
  let next = events.next().value;
  while (!signal.aborted) {
    const clock = ((performance.now() - begun) / 1000) * options.speed;
    const burst = new Map<string, string[]>();
    for (; next.offset <= clock; next = events.next().value) {
      const stamp = options.time.format(start + next.offset);
      const date = stamp.slice(0, 10).replaceAll('-', '');
      const path = join(folder, `${date}.LOG`);
      const line = `${date} ${stamp.slice(11, 19)}${next.text}`;
      const lines = burst.get(path);
      if (lines) lines.push(line);
      else burst.set(path, [line]);
    }
    for (const [path, lines] of burst) {
      await append(path, lines, random);
      for (const text of lines) options.onLine?.({ centre: centre.nom, path, text });
    }
    await pause(random.between(200, 1200), signal);
  }
}

/** One working day after another, without the nights and Sundays between them. */
function* eventsFrom(options: LiveOptions, centre: SimulatedCentre, first: number): Generator<Event, never> {
  let base = 0;
  for (let day = first; ; day++) {
    const clean = cleanDay(options.seed, centre, day);
    if (!clean) continue;
    const lines = clean.bytes.toString('latin1').trimEnd().split('\n');
    const opening = secondOf(lines[0]!);
    for (const line of lines) {
      yield { offset: base + secondOf(line) - opening, text: line.slice(STAMP_LENGTH) };
    }
    base += secondOf(lines.at(-1)!) - opening + 60;
  }
}

function secondOf(line: string): number {
  return Number(line.slice(9, 11)) * 3600 + Number(line.slice(12, 14)) * 60 + Number(line.slice(15, 17));
}

async function append(path: string, lines: readonly string[], random: Random): Promise<void> {
  const text = `${lines.join('\n')}\n`;
  // A controller's buffer is flushed when it is full, not when a line ends.
  const half = random.chance(0.3) ? text.length - random.int(1, lines.at(-1)!.length) : text.length;
  try {
    await mkdir(dirname(path), { recursive: true });
    await appendFile(path, text.slice(0, half), 'latin1');
    if (half === text.length) return;
    await sleep(random.between(20, 150));
    await appendFile(path, text.slice(half), 'latin1');
  } catch (cause) {
    throw new AtelierError('ATL_L201', `Écriture de ${path} : ${messageOf(cause)}`, { cause });
  }
}

/** Waits, or not so long when the signal comes. */
async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}
