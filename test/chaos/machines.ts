// Machines that write while everything else breaks: bytes cut anywhere, files replaced, renamed, copied.

import { createHash } from 'node:crypto';
import { appendFile, mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { dayLines } from '../harness/tree.ts';

export const CENTRES = ['DEM12', 'DEMALU', 'SU12'];
const DAYS = ['20250528', '20250529'];
/** What no controller should write, and some do. */
const DAMAGE = [
  Buffer.from('\0\0\0'),
  Buffer.from([0xe9, 0x20]),
  Buffer.from('@|onzin\n'),
  Buffer.from('\r'),
];
/** Milliseconds between two writes of a centre. */
const PAUSE = { least: 15, most: 120 };

/** Machines at work, and all that they ever wrote. */
export class Machines {
  readonly #dir: string;
  readonly #random: () => number;
  /** contents of each path: each grows until the next takes its place */
  readonly #contents = new Map<string, Buffer[]>();
  /** bytes that a path is still to get */
  readonly #pending = new Map<string, Buffer>();
  readonly #second = new Map<string, number>();
  #copies = 0;

  constructor(dir: string, random: () => number) {
    this.#dir = dir;
    this.#random = random;
  }

  /** Writes until the signal; then every half line gets its other half, but for a few that never do. */
  async work(signal: AbortSignal): Promise<void> {
    await Promise.all(
      CENTRES.map(async (centre) => {
        while (!signal.aborted) {
          await this.#step(centre);
          const pause = PAUSE.least + this.#random() * (PAUSE.most - PAUSE.least);
          await sleep(pause, undefined, { signal }).catch(() => undefined);
        }
        for (const day of DAYS)
          if (this.#random() < 0.8) await this.#append(path(centre, day), Number.POSITIVE_INFINITY);
      }),
    );
  }

  /** Notes that somebody else wrote a file. */
  ecrit(chemin: string, octets: Buffer): void {
    this.#contents.set(chemin, [...(this.#contents.get(chemin) ?? []), octets]);
  }

  /** Whether a path held these bytes at some moment, or they are the beginning of what it held. */
  wrote(chemin: string, octets: Buffer): boolean {
    return (this.#contents.get(chemin) ?? []).some((content) =>
      content.subarray(0, octets.length).equals(octets),
    );
  }

  /** SHA-256 of all that was written, to compare two rounds of the same seed. */
  get bytes(): number {
    return this.#contents
      .values()
      .reduce((sum, contents) => sum + contents.reduce((n, c) => n + c.length, 0), 0);
  }

  async #step(centre: string): Promise<void> {
    const chemin = path(centre, this.#pick(DAYS));
    const dice = this.#random();
    if (dice < 0.9) await this.#append(chemin, 1 + Math.floor(this.#random() * 400));
    else if (dice < 0.94) await this.#copy(centre, chemin);
    else if (dice < 0.97) await this.#replace(chemin);
    else await this.#move(centre, chemin);
  }

  /** The next bytes of a file, wherever that cuts a line. */
  async #append(chemin: string, most: number): Promise<void> {
    let pending = this.#pending.get(chemin) ?? Buffer.alloc(0);
    if (pending.length === 0) {
      if (most === Number.POSITIVE_INFINITY) return;
      const from = this.#second.get(chemin) ?? 21_600;
      this.#second.set(chemin, Math.min(from + 180, 80_000));
      pending = Buffer.from(dayLines(/\d{8}/.exec(chemin)![0], from, 6, this.#random));
      if (this.#random() < 0.1) pending = Buffer.concat([pending, this.#pick(DAMAGE)]);
    }
    const bytes = pending.subarray(0, most);
    this.#pending.set(chemin, pending.subarray(bytes.length));
    const contents = this.#contents.get(chemin) ?? [Buffer.alloc(0)];
    this.#contents.set(chemin, contents);
    contents.push(Buffer.concat([contents.pop()!, bytes]));
    await mkdir(join(this.#dir, dirname(chemin)), { recursive: true });
    await appendFile(join(this.#dir, chemin), bytes);
  }

  /** A copy of what a file holds now, beside it, with a line more: it overlaps. */
  async #copy(centre: string, chemin: string): Promise<void> {
    const content = this.#contents.get(chemin)?.at(-1);
    if (!content?.length) return;
    const name = `${centre}/reprises/copie ${this.#copies++ % 3}.log`;
    await this.#put(
      name,
      Buffer.concat([content, Buffer.from('20250528 23:00:00|@StukUitgevoerd: reprise\r\n')]),
    );
  }

  /** The day begins anew under the same name: the end of the old bytes, and no half line. */
  async #replace(chemin: string): Promise<void> {
    const content = this.#contents.get(chemin)?.at(-1);
    if (!content?.length) return;
    this.#pending.delete(chemin);
    await this.#put(chemin, content.subarray(content.indexOf(10, content.length >> 1) + 1));
  }

  /** A file that was complete is filed away under another name, and starts again. */
  async #move(centre: string, chemin: string): Promise<void> {
    const content = this.#contents.get(chemin)?.at(-1);
    if (!content?.length) return;
    const to = `${centre}/anciens/${createHash('sha256').update(content).digest('hex').slice(0, 8)}.LOG`;
    this.#pending.delete(chemin);
    this.#contents.set(to, [...(this.#contents.get(to) ?? []), content]);
    this.#contents.get(chemin)!.push(Buffer.alloc(0));
    await mkdir(join(this.#dir, dirname(to)), { recursive: true });
    await rename(join(this.#dir, chemin), join(this.#dir, to));
  }

  /** The whole file at once, as a transfer that ends with a rename. */
  async #put(chemin: string, bytes: Buffer): Promise<void> {
    const target = join(this.#dir, chemin);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(`${target}.filepart`, bytes);
    this.#contents.set(chemin, [...(this.#contents.get(chemin) ?? []), bytes]);
    await rename(`${target}.filepart`, target);
  }

  #pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.#random() * from.length)]!;
  }
}

function path(centre: string, day: string): string {
  return `${centre}/${day}.LOG`;
}
