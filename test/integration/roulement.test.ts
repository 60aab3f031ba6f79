// What a file costs that drops its head as it grows, so that each of its states is a new version: counted, not timed.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { LogParser } from '../../src/domain/journal/parser.ts';
import { Import } from '../../src/jobs/ingest/import.ts';
import { ingest } from '../../src/jobs/ingest.ts';
import { createWorkshop, type Workshop } from '../harness/ingest.ts';
import { reference, type SeenVersion } from '../reference/reference.ts';

let workshop: Workshop;
beforeAll(async () => {
  workshop = await createWorkshop();
});
afterAll(() => workshop.close());
beforeEach(async () => {
  vi.restoreAllMocks();
  await workshop.reset();
  await mkdir(join(workshop.logs, 'DEM12'));
  seen.length = 0;
});

const PATH = 'DEM12/journal.LOG';
/** Lines that the file holds, and those of a minute. */
const KEPT = 40;
const MINUTE = 5;
const seen: SeenVersion[] = [];

/** Lines of all kinds, of several lengths, some of them twice in a row. */
function line(n: number): string {
  const second = 6 * 3_600 + Math.floor(n / 2) * 13;
  const stamp = [Math.floor(second / 3_600), Math.floor(second / 60) % 60, second % 60];
  const events = [
    `StukUitgevoerd: ${'x'.repeat((n * 7) % 11)}`,
    'StukUitgevoerd: A',
    'MachineStop',
    'MachineStart',
    `MachineWait: ${1 + (n % 4)} sec`,
    'JobProfiel: R:215023 L:3359.0',
    'StukUitgevoerd: A',
  ];
  const time = stamp.map((part) => String(part).padStart(2, '0')).join(':');
  return `20250528 ${time}|@${events[(n >> 1) % events.length]}\r\n`;
}

/** The last lines of the machine's life so far. */
async function write(lines: number, from = lines - KEPT): Promise<void> {
  const text = Array.from({ length: lines - Math.max(0, from) }, (_, i) => line(Math.max(0, from) + i)).join(
    '',
  );
  await writeFile(join(workshop.logs, PATH), text);
  seen.push({ centre: 'DEM12', chemin: PATH, octets: Buffer.from(text) });
}

/** What happens from now on: archives that are read, bytes that are parsed, statements. */
function counters(): { archives: number; octets: number; questions: number } {
  const counted = { archives: 0, octets: 0, questions: 0 };
  const { archive, pool } = workshop.context;
  const { read, readWaiting } = archive;
  vi.spyOn(archive, 'read').mockImplementation((...args) => {
    counted.archives++;
    return read.apply(archive, args);
  });
  vi.spyOn(archive, 'readWaiting').mockImplementation((...args) => {
    counted.archives++;
    return readWaiting.apply(archive, args);
  });
  const { push } = LogParser.prototype;
  vi.spyOn(LogParser.prototype, 'push').mockImplementation(function (this: LogParser, piece) {
    counted.octets += piece.length;
    push.call(this, piece);
  });
  pool.on('acquire', (client) => {
    if (Object.hasOwn(client, 'counted')) return;
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    const own = (...args: unknown[]): unknown => {
      counted.questions++;
      return query(...args);
    };
    Object.assign(client, { counted: true, query: own });
  });
  return counted;
}

async function expectReference(): Promise<void> {
  const expected = reference({ versions: seen, fuseau: 'Europe/Paris', journeeDebut: '00:00' });
  expect(await workshop.state()).toEqual(expected);
  // What a follower does once in a while.
  await new Import(workshop.context, { suivi: true }).scan();
  await workshop.checkInvariants();
}

test('the 200th state of a day costs what the 10th does, and each is read once by the next program', async () => {
  const counted = counters();
  const run = new Import(workshop.context, { suivi: true });
  const costs = new Map<number, typeof counted>();
  let lines = KEPT;
  const step = async (follower: Import): Promise<typeof counted> => {
    lines += MINUTE;
    await write(lines);
    Object.assign(counted, { archives: 0, octets: 0, questions: 0 });
    await follower.look(follower.known([PATH]));
    await follower.scan();
    return { ...counted };
  };
  for (let version = 1; version <= 200; version++) costs.set(version, await step(run));
  // What is done every few seconds, however many states there are, makes a few statements of difference.
  const few = Math.max(...[8, 9, 10, 11].map((version) => costs.get(version)!.questions)) + 12;
  for (const version of [10, 50, 100, 150, 200]) {
    const { archives, octets, questions } = costs.get(version)!;
    expect([version, archives, octets]).toEqual([version, 0, seen[version - 1]!.octets.length]);
    expect(questions).toBeLessThanOrEqual(few);
  }
  await expectReference();

  // A program that begins anew reads each former state: once for how it begins, once for its events.
  const next = new Import(workshop.context, { suivi: true });
  let archives = 0;
  for (let version = 201; version <= 210; version++) archives += (await step(next)).archives;
  expect(archives).toBeLessThanOrEqual(2 * 200);
  await expectReference();
}, 180_000);

test('states that grow before the next head is dropped, beside a log of the whole day, cost no more', async () => {
  const counted = counters();
  const run = new Import(workshop.context, { suivi: true });
  const whole = { centre: 'DEM12', chemin: 'DEM12/20250528.LOG', octets: Buffer.alloc(0) };
  const writeWhole = async (lines: number): Promise<void> => {
    whole.octets = Buffer.from(Array.from({ length: lines }, (_, i) => line(i)).join(''));
    await writeFile(join(workshop.logs, whole.chemin), whole.octets);
  };
  const reads: number[] = [];
  for (let minute = 1; minute <= 40; minute++) {
    const lines = KEPT + minute * MINUTE;
    Object.assign(counted, { archives: 0 });
    for (const more of [0, 1, 2]) {
      await write(lines + more, lines - KEPT);
      await run.scan();
    }
    if (minute % 3 === 0) {
      await writeWhole(lines);
      await run.scan();
    }
    reads.push(counted.archives);
  }
  // The log of the day grows although it is not the newest: that is found out once.
  expect(reads.filter((n) => n > 0).length).toBeLessThanOrEqual(2);
  seen.push(whole);
  await expectReference();
}, 120_000);

test('one import after the other reads each former state a fixed number of times', async () => {
  const counted = counters();
  for (let version = 1; version <= 12; version++) {
    await write(KEPT + version * MINUTE);
    Object.assign(counted, { archives: 0 });
    await ingest(workshop.context);
    expect(counted.archives).toBeLessThanOrEqual(2 * (version - 1));
  }
  await expectReference();
}, 60_000);
