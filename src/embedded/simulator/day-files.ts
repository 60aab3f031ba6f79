import { formatDay } from '../../base/time.ts';
import type { SimulatedCentre } from './centres.ts';
import { cleanDay } from './clean-day.ts';
import { type Encoding, encode } from './encode.ts';
import { damageLines } from './line-noise.ts';
import { FILE_NOISE, type FileNoise, type NoiseKind } from './noise-kinds.ts';
import { Random } from './random.ts';

/** Everything that decides the bytes of one centre on one day. */
export interface DayRequest {
  readonly seed: number;
  readonly centre: SimulatedCentre;
  /** days since 1970-01-01 */
  readonly day: number;
  /** from 0 (every line well-formed, one file a day) to 1 (a bad workshop) */
  readonly noise: number;
}

/** One file as a centre deposits it. */
export interface SimulatedFile {
  /** relative to the centre's folder, `/` between its parts */
  readonly path: string;
  readonly content: Buffer;
}

/** The files of one centre and day. */
export interface SimulatedDay {
  /** the main file first; none on a Sunday */
  readonly files: readonly SimulatedFile[];
  /** usable pieces of the day, each counted once however many files hold it */
  readonly pieces: number;
  readonly noise: readonly NoiseKind[];
}

/** The content of one `YYYYMMDD.LOG`; empty on a Sunday. */
export function generateDay(request: DayRequest): Buffer {
  return simulateDay(request).files[0]?.content ?? Buffer.alloc(0);
}

/**
 * All files that a centre deposits for one day. The noise has its own random numbers: with any noise a day
 * has the same events, only damaged.
 */
export function simulateDay(request: DayRequest): SimulatedDay {
  const { seed, centre, day, noise } = request;
  const clean = cleanDay(seed, centre, day);
  if (!clean) return { files: [], pieces: 0, noise: [] };
  const random = new Random('noise', seed, centre.nom, centre.type, day);
  const damaged = damageLines(clean.bytes, random, noise);
  const struck = drawFileNoise(random, noise);
  const format = { encoding: drawEncoding(random, struck), crlf: struck.has('crlf') };
  const date = formatDay(day).replaceAll('-', '');
  const main = `${date}${struck.has('extension_minuscule') ? '.log' : '.LOG'}`;

  // Where a rotation or an earlier upload ended: always between two lines, half a line would be another event.
  const cut = lineNear(damaged.bytes, random.between(0.2, 0.7));
  const overlap = lineNear(damaged.bytes, random.between(0.05, 0.2));
  const wholeStays = random.chance(0.5);
  const whole = encode(damaged.bytes, format);
  const files: SimulatedFile[] = [];
  if (struck.has('rotation')) {
    const rest = wholeStays ? whole : encode(damaged.bytes.subarray(overlap), format);
    files.push({ path: main, content: rest });
    files.push({ path: `${date}_1.LOG`, content: encode(damaged.bytes.subarray(0, cut), format) });
  } else {
    files.push({ path: main, content: whole });
  }
  const content = files[0]!.content;
  if (struck.has('copie')) {
    const path = random.pick([`${date} (1).LOG`, `copie/${date}.LOG`]);
    const partial = random.chance(0.3);
    files.push({ path, content: partial ? encode(damaged.bytes.subarray(0, cut), format) : content });
  }
  if (struck.has('filepart')) {
    const length = Math.floor(content.length * random.between(0.2, 0.9));
    files.push({ path: `${main}.filepart`, content: content.subarray(0, length) });
  }
  return { files, pieces: clean.pieces + damaged.pieces, noise: [...damaged.kinds, ...struck] };
}

function drawFileNoise(random: Random, noise: number): Set<FileNoise> {
  const struck = new Set<FileNoise>();
  for (const kind of Object.keys(FILE_NOISE) as FileNoise[]) {
    if (random.chance(FILE_NOISE[kind] * noise)) struck.add(kind);
  }
  // A file has one encoding only: the first drawn.
  if (struck.has('utf8_bom')) struck.delete('utf8');
  if (struck.has('utf8_bom') || struck.has('utf8')) struck.delete('utf16');
  return struck;
}

function drawEncoding(random: Random, struck: Set<FileNoise>): Encoding {
  const utf16 = random.pick(['utf16le_bom', 'utf16be_bom', 'utf16le', 'utf16be'] as const);
  if (struck.has('utf8_bom')) return 'utf8_bom';
  if (struck.has('utf8')) return 'utf8';
  return struck.has('utf16') ? utf16 : 'windows1252';
}

/** The offset just behind the line that a given share of the file falls in. */
function lineNear(bytes: Buffer, share: number): number {
  return bytes.indexOf(0x0a, Math.floor(bytes.length * share)) + 1;
}
