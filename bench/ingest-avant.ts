// The main job with this program and with an earlier one in turn, in one run. See README.md.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { EncodingDetector } from '../src/domain/journal/encoding.ts';
import { checkOut, ROOT } from './lib/earlier.ts';
import { connect, cpuOfServer } from './lib/processes.ts';
import { runIngest, runParse, settings } from './lib/program.ts';
import type { Ratio } from './lib/reference.ts';
import { currentLoad, machineFacts, median, publish, spread, table } from './lib/report.ts';
import { makeTree } from './lib/tree.ts';
import { openWorkplace } from './lib/workplace.ts';

const { values: options } = parseArgs({
  options: {
    mo: { type: 'string', default: '200' },
    repeats: { type: 'string', default: '7' },
    /** what to compare with: anything that git names a commit by */
    avant: { type: 'string', default: 'HEAD~1' },
    save: { type: 'boolean', default: false },
    comparer: { type: 'boolean', default: false },
  },
});
const [size, repeats] = [Number(options.mo), Number(options.repeats)];
if (!(size > 0 && repeats >= 1)) {
  throw new Error(
    'usage: bench/ingest-avant.ts [--avant COMMIT] [--mo MEGABYTES] [--repeats N] [--save] [--comparer]',
  );
}

/** What the rules of lines may cost. */
const GOAL = 1.03;
/** A file changed less than this ago (ms) is read again by the next import: it may still be changing. */
const STILL_WARM = 2500;
const PASSES = 4;
const MB = 1e6;

/** One repeat of one program. */
interface Repeat {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly serverMs: number;
  readonly peakMb: number;
  readonly parseMs: number;
  readonly parseCrlfMs: number;
}

const KINDS: readonly (readonly [string, (repeat: Repeat) => number])[] = [
  ['import, s', ({ wallMs }) => wallMs / 1000],
  ['import, CPU of the program, s', ({ cpuMs }) => cpuMs / 1000],
  ['import, CPU of program and PostgreSQL, s', ({ cpuMs, serverMs }) => (cpuMs + serverMs) / 1000],
  ['import, peak memory, MB', ({ peakMb }) => peakMb],
  ['parser alone, ms', ({ parseMs }) => parseMs],
  ['parser alone, lines that end in CRLF, ms', ({ parseCrlfMs }) => parseCrlfMs],
];

const load = currentLoad();
await using place = await openWorkplace();
const { dir, server } = place;
const earlier = join(dir, 'avant');
await using _ = await checkOut(earlier, options.avant);
const tree = await makeTree(join(dir, 'logs'), size * MB);
const crlf = await withCrlf();
await sleep(STILL_WARM);
const [before, after]: [Repeat[], Repeat[]] = [[], []];
for (let i = 0; i < repeats; i++) {
  process.stderr.write(`repeat ${i + 1} of ${repeats}\n`);
  const turns: [string, Repeat[]][] = [
    [earlier, before],
    [ROOT, after],
  ];
  // The other way round each time: nobody always has the quieter moment.
  for (const [program, list] of i % 2 === 0 ? turns : turns.toReversed()) list.push(await one(program, i));
}
await publish(
  `ingest, avant et après, ${size} MB`,
  [
    machineFacts({ postgres: server.version, repeats, load }),
    `${(tree.bytes / MB).toFixed(0)} MB in ${tree.files.length} files; before is ${options.avant}; goal for the import: at most ${GOAL}, fastest beside fastest, which neighbours on the machine disturb least.`,
    table(
      ['figure', 'before', 'after', 'after / before, median of the repeats', 'of the fastest'],
      figures(),
    ),
  ].join('\n\n'),
  options,
  compared(),
);

function figures(): string[][] {
  return KINDS.map(([name, of]) => {
    const [old, now] = [before.map(of), after.map(of)];
    const pairs = now.map((value, i) => value / old[i]!);
    return [name, spread(old, 2), spread(now, 2), spread(pairs, 2), fastest(of).toFixed(3)];
  });
}

function fastest(of: (repeat: Repeat) => number): number {
  return Math.min(...after.map(of)) / Math.min(...before.map(of));
}

function compared(): Ratio[] {
  const cpu = median(after.map(({ cpuMs }) => cpuMs)) / median(before.map(({ cpuMs }) => cpuMs));
  return [{ nom: `import CPU / ${options.avant}`, valeur: cpu, mieux: 'petit' }];
}

async function one(program: string, i: number): Promise<Repeat> {
  const name = `r${i}`;
  const home = join(dir, name);
  // The schema is what the program itself makes of an empty base.
  const url = await server.createEmpty(name);
  const env = settings(home, tree.dir, url);
  const empty = join(dir, 'vide');
  await mkdir(empty, { recursive: true });
  await runIngest({ ...env, LOGS_DIR: empty }, program, ['migrate']);
  await server.settle();
  const db = await connect(url);
  const cpu = await cpuOfServer(db);
  const { wallMs, cpuMs, peakBytes } = await runIngest(env, program);
  const serverMs = (await cpuOfServer(db)) - cpu;
  await db.end();
  await server.drop(name);
  await rm(home, { recursive: true, force: true });
  const parse = async (at: string): Promise<number> =>
    median((await runParse(at, PASSES, program)).passesMs.slice(1));
  return {
    ...{ wallMs, cpuMs, serverMs, peakMb: peakBytes / MB },
    ...{ parseMs: await parse(tree.dir), parseCrlfMs: await parse(crlf) },
  };
}

/** The same logs as a machine under Windows writes them. */
async function withCrlf(): Promise<string> {
  const to = join(dir, 'logs-crlf');
  for (const file of tree.files) {
    const copy = join(to, relative(tree.dir, file));
    await mkdir(dirname(copy), { recursive: true });
    const bytes = await readFile(file);
    const wide = new EncodingDetector();
    wide.push(bytes);
    const crlf = wide.end().name.startsWith('utf-16')
      ? bytes
      : Buffer.from(bytes.toString('latin1').replaceAll(/\r?\n/g, '\r\n'), 'latin1');
    await writeFile(copy, crlf);
  }
  return to;
}
