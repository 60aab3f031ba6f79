import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AtelierError } from '../../src/base/errors.ts';
import { dayNumber, FactoryTime } from '../../src/base/time.ts';
import { DEFAULT_CENTRES, type SimulatedCentre } from '../../src/embedded/simulator/centres.ts';
import { generateDay, simulateDay } from '../../src/embedded/simulator/day-files.ts';
import { live } from '../../src/embedded/simulator/live.ts';
import { FILE_NOISE, LINE_NOISE } from '../../src/embedded/simulator/noise-kinds.ts';
import { DEFAULT_END, simulateTree } from '../../src/embedded/simulator/tree.ts';
import { linesOf } from '../harness/lines.ts';

const [DEM12, DEMALU] = DEFAULT_CENTRES;
const WEDNESDAY = dayNumber(2025, 5, 28);
const STAMP = /^(\d{8}) (\d\d):(\d\d):(\d\d)$/;

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'atelier-simulator-'));
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

/** Text of a simulated file, decoded as its first bytes ask for. */
function decode(bytes: Buffer): string {
  if (bytes[1] === 0 && bytes[3] === 0) return bytes.toString('utf16le');
  if (bytes[0] === 0 && bytes[2] === 0) return Buffer.from(bytes).swap16().toString('utf16le');
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return bytes.toString('utf16le').slice(1);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return Buffer.from(bytes).swap16().toString('utf16le').slice(1);
  return bytes.toString('latin1').replace('\u00ef\u00bb\u00bf', '');
}

/** Usable pieces as the log's rules count them, written apart from the simulator. */
function pieceLines(bytes: Buffer): string[] {
  const pieces: string[] = [];
  for (const raw of linesOf(decode(bytes))) {
    const bar = raw.indexOf('|@');
    if (
      bar < 0 ||
      raw
        .slice(bar + 2)
        .split(':')[0]!
        .trim() !== 'StukUitgevoerd'
    )
      continue;
    const stamp = STAMP.exec(
      raw
        .slice(0, bar)
        .replaceAll(/[^\0-\x7f]/g, '')
        .trim(),
    );
    if (!stamp || Number(stamp[2]) > 23 || Number(stamp[3]) > 59 || Number(stamp[4]) > 59) continue;
    const [month, day] = [Number(stamp[1]!.slice(4, 6)), Number(stamp[1]!.slice(6))];
    if (month >= 1 && month <= 12 && day >= 1 && day <= 31) pieces.push(raw.slice(bar).trim());
  }
  return pieces;
}

describe('generateDay', () => {
  it('gives the same bytes for the same request, others for another seed, centre or day', () => {
    const request = { seed: 1, centre: DEM12!, day: WEDNESDAY, noise: 0.5 };
    const bytes = generateDay(request);
    expect(generateDay({ ...request, centre: DEMALU! }).equals(bytes)).toBe(false);
    expect(generateDay({ ...request, seed: 2 }).equals(bytes)).toBe(false);
    expect(generateDay({ ...request, day: WEDNESDAY + 1 }).equals(bytes)).toBe(false);
    expect(generateDay(request).equals(bytes)).toBe(true);
  });

  it('gives the bytes that it always gave: a demonstration must not change under its readers', () => {
    const bytes = generateDay({ seed: 1, centre: DEM12!, day: WEDNESDAY, noise: 1 });
    expect(createHash('sha256').update(bytes).digest('hex').slice(0, 16)).toBe('ef3720de12a51abf');
  });

  it('has the same events with noise, only damaged', () => {
    const clean = new Set(pieceLines(generateDay({ seed: 1, centre: DEM12!, day: WEDNESDAY, noise: 0 })));
    const noisy = pieceLines(
      simulateDay({ seed: 1, centre: DEM12!, day: WEDNESDAY, noise: 1 }).files[0]!.content,
    );
    expect(noisy.filter((piece) => clean.has(piece)).length).toBeGreaterThan(clean.size * 0.95);
  });

  it('writes nothing on a Sunday', () => {
    expect(generateDay({ seed: 1, centre: DEM12!, day: WEDNESDAY + 4, noise: 1 })).toHaveLength(0);
  });

  it('at noise 0 writes one file of well-formed ASCII lines in order of time', () => {
    for (const centre of DEFAULT_CENTRES) {
      const { files, pieces, noise } = simulateDay({ seed: 3, centre, day: WEDNESDAY, noise: 0 });
      expect(files.map((file) => file.path)).toEqual(['20250528.LOG']);
      expect(noise).toEqual([]);
      const text = files[0]!.content.toString('latin1');
      expect(text.endsWith('\n')).toBe(true);
      const lines = text.trimEnd().split('\n');
      const known =
        /^20250528 ([01]\d|2[0-3]):[0-5]\d:[0-5]\d\|@(MachineStart|MachineStop|StukUitgevoerd: S\d+ [ -~]+|MachineWait: (\d+ sec|\d+\.\d( sec)?|Wacht op bediener \d+,\d sec)|JobProfiel: R:\w+ L:\d+\.\d( C:[ -~]+)?|[A-Z]\w+: [ -~]{60,})$/;
      expect(lines.filter((line) => !known.test(line))).toEqual([]);
      const stamps = lines.map((line) => line.slice(0, 17));
      expect(stamps).toEqual(stamps.toSorted());
      expect(pieceLines(files[0]!.content)).toHaveLength(pieces);
    }
  });

  it('has the shape of real days', () => {
    let [days, pieces, bytes] = [0, 0, 0];
    for (const centre of DEFAULT_CENTRES) {
      for (let day = WEDNESDAY; day < WEDNESDAY + 28; day++) {
        const { content } = simulateDay({ seed: 1, centre, day, noise: 0 }).files[0] ?? {};
        if (!content) continue;
        const saturday = (day - WEDNESDAY) % 7 === 3;
        const lines = content.toString('latin1').trimEnd().split('\n');
        const count = (event: string): number => lines.filter((line) => line.startsWith(event, 17)).length;
        const made = count('|@StukUitgevoerd');
        expect(made).toBeGreaterThanOrEqual(300);
        expect(made).toBeLessThanOrEqual(2000);
        expect(content.length).toBeGreaterThan(saturday ? 300_000 : 500_000);
        expect(content.length).toBeLessThan(3_000_000);
        expect(made / count('|@JobProfiel')).toBeGreaterThan(10);
        expect(made / count('|@JobProfiel')).toBeLessThan(40);
        expect(count('|@MachineStop')).toBeGreaterThanOrEqual(saturday ? 2 : 4);
        expect(count('|@MachineStop')).toBeLessThanOrEqual(9);
        expect(count('|@MachineStart')).toBe(count('|@MachineStop'));
        expect(count('|@MachineWait')).toBeGreaterThan(5);
        const known = /^\|@(Stuk|Machine|Job)/;
        const others = lines.filter((line) => !known.test(line.slice(17)));
        expect(others.length / made).toBeGreaterThan(4);
        expect(others.length / made).toBeLessThan(8);
        expect(others.every((line) => line.length >= 100 && line.length <= 250)).toBe(true);
        const [first, last] = [lines[0]!.slice(9, 14), lines.at(-1)!.slice(9, 14)];
        expect(first >= (saturday ? '05:50' : '05:20') && first <= (saturday ? '06:10' : '05:40')).toBe(true);
        expect(last >= (saturday ? '12:15' : '20:45') && last <= (saturday ? '12:45' : '21:15')).toBe(true);
        days++;
        pieces += made;
        bytes += content.length;
      }
    }
    expect(days).toBe(72);
    expect(pieces / days).toBeGreaterThan(700);
    expect(pieces / days).toBeLessThan(1000);
    expect(bytes / days).toBeGreaterThan(800_000);
    expect(bytes / days).toBeLessThan(1_200_000);
  });
});

describe('noise', () => {
  it('shows every kind within 60 days of three centres, and counts the pieces that are left', () => {
    const seen = new Set<string>();
    const names = new Set<string>();
    for (const centre of DEFAULT_CENTRES) {
      for (let day = DEFAULT_END - 59; day <= DEFAULT_END; day++) {
        const { files, pieces, noise } = simulateDay({ seed: 1, centre, day, noise: 1 });
        for (const kind of noise) seen.add(kind);
        for (const { path } of files) names.add(path.replace(/\d{8}/, 'J'));
        if (day % 4 > 0) continue;
        const usable = files.filter(({ path }) => /\.log$/i.test(path));
        const union = new Set(usable.flatMap(({ content }) => pieceLines(content)));
        expect(union.size).toBe(pieces);
      }
    }
    expect([...seen].sort()).toEqual([...Object.keys(LINE_NOISE), ...Object.keys(FILE_NOISE)].sort());
    const expected = ['J.LOG', 'J.log', 'J (1).LOG', 'copie/J.LOG', 'J_1.LOG', 'J.LOG.filepart'];
    expect([...names]).toEqual(expect.arrayContaining(expected));
  });

  it('leaves its marks in the bytes', () => {
    let text = '';
    for (let day = DEFAULT_END - 9; day <= DEFAULT_END; day++) {
      text += decode(generateDay({ seed: 5, centre: DEM12!, day, noise: 1 }));
    }
    for (const mark of [
      /\0{32,}/,
      /^[\xa1-\xff]+2025/m,
      /^\d{8} \d\d:6\d:\d\d\|@/m,
      /StukUitgevoerd.*[éèôß±°]/,
      /\|@MachineStop\r?\n\S+ \S+\|@MachineStop/,
      /\|@MachineStop\r?\n\S+ \S+\|@MachineWait: \d+ sec/,
      /\|@MachineWait(:( Wacht op bediener| 0 sec| -5 sec)?)?\r?$/m,
      /\|@JobProfiel: R:\w+( L:(---)?)?( C:|\r?$)/m,
      /^[^|]+\r?$/m,
      /^\S+ \S+\|@(:? ?0?)\r?$/m,
    ]) {
      expect(text).toMatch(mark);
    }
  });
});

describe('simulateTree', () => {
  it('writes each day under its final name only, and nothing the second time', async () => {
    const centres: SimulatedCentre[] = [DEM12!, { nom: 'ESSAI', type: 'ALU', dossier: 'ESSAI (ALU)' }];
    const options = { dir, days: 8, noise: 1, seed: 4, centres };
    const first = await simulateTree(options);
    expect(first.written).toBe(first.files);
    const names = (await readdir(dir, { recursive: true })).filter((name) => /\./.test(name));
    expect(names).toHaveLength(first.files);
    expect(names.filter((name) => /tmp$/.test(name))).toEqual([]);
    expect(names).toContain(join('ESSAI (ALU)', '20250630.LOG'));
    const path = join(dir, 'DEM12', '20250630.LOG');
    const before = await stat(path);
    await writeFile(join(dir, 'DEM12', '20250628.LOG'), 'autre chose');
    expect(await simulateTree(options)).toEqual({ ...first, written: 1 });
    expect((await stat(path)).mtimeMs).toBe(before.mtimeMs);
    expect((await readFile(path)).equals(generateDay({ ...options, centre: DEM12!, day: DEFAULT_END }))).toBe(
      true,
    );
  });

  it('says which file cannot be written', async () => {
    await writeFile(join(dir, 'DEM12'), 'not a folder');
    const failing = simulateTree({ dir, days: 1, noise: 0, seed: 1 });
    await expect(failing).rejects.toThrow(AtelierError);
    await expect(failing).rejects.toThrow(/DEM12/);
  });
});

describe('live', () => {
  it('appends to the log of the day until it is stopped, and ends on a whole line', async () => {
    const time = new FactoryTime('Europe/Paris');
    const today = time
      .format(Math.floor(Date.now() / 1000))
      .slice(0, 10)
      .replaceAll('-', '');
    const lines: string[] = [];
    const signal = AbortSignal.timeout(1500);
    const centres = DEFAULT_CENTRES.slice(0, 2);
    await live({ dir, centres, speed: 600, seed: 1, time, signal, onLine: ({ text }) => lines.push(text) });
    expect(await readdir(dir)).toEqual(['DEM12', 'DEMALU']);
    expect(lines.some((line) => line.startsWith(today))).toBe(true);
    let written = '';
    for (const name of await readdir(dir, { recursive: true })) {
      if (/LOG$/.test(name)) written += await readFile(join(dir, name), 'latin1');
    }
    expect(written.endsWith('\n')).toBe(true);
    expect(written.trimEnd().split('\n').sort()).toEqual(lines.sort());
    expect(lines.length).toBeGreaterThan(20);
  });
});
