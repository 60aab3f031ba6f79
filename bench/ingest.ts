// The main job on simulated logs, against what the hardware and the server allow at best: see README.md.
import { copyFile, mkdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { copyBack, type Dump, dump, grep } from './lib/floor.ts';
import { type AppendResult, runAppends, runIngest, runParse, settings } from './lib/program.ts';
import type { Ratio } from './lib/reference.ts';
import { currentLoad, machineFacts, median, publish, spread, table } from './lib/report.ts';
import type { MeasuredRun } from './lib/run.ts';
import { dayFileOf, makeTree, NOISE, type Tree } from './lib/tree.ts';
import { openWorkplace, type Workplace } from './lib/workplace.ts';

const { values: options } = parseArgs({
  options: {
    mo: { type: 'string', multiple: true, default: ['200', '1000'] },
    repeats: { type: 'string', default: '3' },
    save: { type: 'boolean', default: false },
    comparer: { type: 'boolean', default: false },
  },
});
const sizes = options.mo.map(Number);
const repeats = Number(options.repeats);
if (!sizes.every((size) => size > 0) || !(repeats >= 1)) {
  throw new Error('usage: bench/ingest.ts [--mo MEGABYTES]... [--repeats N] [--save] [--comparer]');
}

/** Goals of the issue. */
const GOALS = { floor: 2, peakMb: 150, flatMb: 15, parse: 0.25, again: 10, appendMs: 50 };
/** A file changed less than this ago (ms) is read again by the next import: it may still be changing. */
const STILL_WARM = 2500;
const PASSES = 4;
const MB = 1e6;

interface Repeat {
  readonly grepMs: number;
  readonly copyMs: number;
  readonly first: MeasuredRun;
  readonly again: MeasuredRun;
  readonly parseGrepMs: number;
  readonly parseMs: readonly number[];
}

interface Figures {
  readonly tree: Tree;
  readonly dump: Dump;
  readonly repeats: readonly Repeat[];
  readonly alone: AppendResult;
  readonly inTree: AppendResult;
}

const load = currentLoad();
await using place = await openWorkplace();
const all: Figures[] = [];
for (const size of sizes) all.push(await measure(place, size));
await publish(
  `ingest, ${sizes.map((size) => `${size} MB`).join(' and ')}`,
  [
    machineFacts({ postgres: place.server.version, repeats, load }),
    ...all.map(describe),
    table(['goal', 'size', 'measured', 'asked for', 'met'], [...all.flatMap(goals), ...flat(all)]),
    table(['figure', ...all.map(({ tree }) => `${mb(tree.bytes)} MB`)], details(all)),
  ].join('\n\n'),
  options,
  all.flatMap(compared),
);

async function measure({ dir, server }: Workplace, size: number): Promise<Figures> {
  const home = join(dir, `taille-${size}`);
  progress(`${size} MB: simulating`);
  const tree = await makeTree(join(home, 'logs'), size * MB);
  await sleep(STILL_WARM);
  const { files } = tree;

  progress(`${size} MB: warm-up import, rows to text files`);
  const model = `modele_${size}`;
  const modelUrl = await server.create(model);
  await runIngest(settings(join(home, 'modele'), tree.dir, modelUrl));
  const rows = await dump(modelUrl, join(home, 'lignes'));

  const done: Repeat[] = [];
  for (let i = 0; i < repeats; i++) {
    progress(`${size} MB: repeat ${i + 1} of ${repeats}`);
    const name = `import_${size}_${i}`;
    const env = settings(join(home, name), tree.dir, await server.create(name));
    const floor = async () => {
      const { wallMs: grepMs } = await grep(files);
      return { grepMs, copyMs: await copyBack(modelUrl, rows, server.settle) };
    };
    const imports = async () => {
      await server.settle();
      const first = await runIngest(env);
      await server.settle();
      return { first, again: await runIngest(env) };
    };
    // In turn the one and the other first: whoever comes second profits by what is warm.
    const timed =
      i % 2 === 0
        ? { ...(await floor()), ...(await imports()) }
        : { ...(await imports()), ...(await floor()) };
    const { wallMs: parseGrepMs } = await grep(files);
    const { passesMs: parseMs, bytes } = await runParse(tree.dir, PASSES);
    if (bytes !== tree.bytes) throw new Error(`parsed ${bytes} bytes of ${tree.bytes}`);
    done.push({ ...timed, parseGrepMs, parseMs });
    await server.drop(name);
    await rm(join(home, name), { recursive: true, force: true });
  }

  progress(`${size} MB: appended lines`);
  const source = await dayFileOf(tree, MB);
  const aloneDir = join(home, 'seul', 'DEM12');
  await mkdir(aloneDir, { recursive: true });
  await copyFile(source, join(aloneDir, basename(source)));
  const aloneUrl = await server.create(`seul_${size}`);
  const alone = await runAppends(
    settings(join(home, 'import-seul'), join(home, 'seul'), aloneUrl),
    join(aloneDir, basename(source)),
  );
  // Last of all: this changes the tree.
  const inTree = await runAppends(settings(join(home, 'modele'), tree.dir, modelUrl), source);
  await server.drop(`seul_${size}`);
  await server.drop(model);
  await rm(home, { recursive: true, force: true });
  return { tree, dump: rows, repeats: done, alone, inTree };
}

function ratios(figures: Figures) {
  return {
    floor: figures.repeats.map(({ first, grepMs, copyMs }) => first.wallMs / (grepMs + copyMs)),
    again: figures.repeats.map(({ first, again }) => first.wallMs / again.wallMs),
    parse: figures.repeats.map(({ parseGrepMs, parseMs }) => parseGrepMs / parseMs[0]!),
    warm: figures.repeats.map(({ parseGrepMs, parseMs }) => parseGrepMs / median(parseMs.slice(1))),
    peakMb: figures.repeats.map(({ first }) => first.peakBytes / MB),
  };
}

function compared(figures: Figures): Ratio[] {
  const size = `${mb(figures.tree.bytes)} MB`;
  const { floor, again, parse, peakMb } = ratios(figures);
  return [
    { nom: `import / floor, ${size}`, valeur: median(floor), mieux: 'petit' },
    { nom: `peak memory of an import in MB, ${size}`, valeur: median(peakMb), mieux: 'petit' },
    { nom: `parse / grep -c, speed, ${size}`, valeur: median(parse), mieux: 'grand' },
    { nom: `first import / second, ${size}`, valeur: median(again), mieux: 'grand' },
  ];
}

function goals(figures: Figures): string[][] {
  const size = `${mb(figures.tree.bytes)} MB`;
  const { floor, again, parse, peakMb } = ratios(figures);
  const cpu = figures.alone.cpuMs;
  return [
    row('import / floor', size, spread(floor, 2), `<= ${GOALS.floor}`, median(floor) <= GOALS.floor),
    row(
      'peak memory of an import, MB',
      size,
      spread(peakMb, 0),
      `<= ${GOALS.peakMb}`,
      Math.max(...peakMb) <= GOALS.peakMb,
    ),
    row(
      'parse (first pass) / grep -c, speed',
      size,
      spread(parse, 2),
      `>= ${GOALS.parse}`,
      median(parse) >= GOALS.parse,
    ),
    row(
      'first import / second, nothing changed',
      size,
      spread(again, 1),
      `>= ${GOALS.again}`,
      median(again) >= GOALS.again,
    ),
    row(
      'one more line in a 1 MB file, ms of CPU',
      size,
      spread(cpu, 1),
      `< ${GOALS.appendMs}`,
      median(cpu) < GOALS.appendMs,
    ),
  ];
}

/** Memory is flat when the largest tree takes no more than the smallest, give or take the noise of a heap. */
function flat(all: readonly Figures[]): string[][] {
  if (all.length < 2) return [];
  const [small, large] = [all[0]!, all.at(-1)!].map((figures) => median(ratios(figures).peakMb));
  const size = `${mb(all[0]!.tree.bytes)} to ${mb(all.at(-1)!.tree.bytes)} MB`;
  const growth = large! - small!;
  return [
    row(
      'peak memory, growth in MB',
      size,
      growth.toFixed(0),
      `<= ${GOALS.flatMb} (flat)`,
      growth <= GOALS.flatMb,
    ),
  ];
}

function row(goal: string, size: string, measured: string, asked: string, met: boolean): string[] {
  return [goal, size, measured, asked, met ? 'yes' : '**no**'];
}

function details(all: readonly Figures[]): string[][] {
  const line = (name: string, figure: (figures: Figures) => string): string[] => [name, ...all.map(figure)];
  const seconds = (name: string, of: (repeat: Repeat) => number): string[] =>
    line(name, ({ repeats: done }) =>
      spread(
        done.map((repeat) => of(repeat) / 1000),
        2,
      ),
    );
  const speed = (name: string, of: (repeat: Repeat) => number): string[] =>
    line(name, ({ repeats: done, tree }) =>
      spread(
        done.map((repeat) => tree.bytes / MB / (of(repeat) / 1000)),
        0,
      ),
    );
  return [
    seconds('floor: grep -c, s', ({ grepMs }) => grepMs),
    seconds('floor: COPY of the rows, s', ({ copyMs }) => copyMs),
    seconds('first import, s', ({ first }) => first.wallMs),
    speed('first import, MB/s', ({ first }) => first.wallMs),
    seconds('first import, CPU of the program, s', ({ first }) => first.cpuMs),
    seconds('second import, s', ({ again }) => again.wallMs),
    seconds('second import, CPU of the program, s', ({ again }) => again.cpuMs),
    line('second import, peak memory, MB', ({ repeats: done }) =>
      spread(
        done.map(({ again }) => again.peakBytes / MB),
        0,
      ),
    ),
    speed('grep -c, MB/s', ({ parseGrepMs }) => parseGrepMs),
    speed('parse, first pass (cold), MB/s', ({ parseMs }) => parseMs[0]!),
    speed('parse, later passes (warm), MB/s', ({ parseMs }) => median(parseMs.slice(1))),
    line('parse warm / grep -c, speed', (figures) => spread(ratios(figures).warm, 2)),
    line('line appended, file alone: CPU, ms', ({ alone }) => spread(alone.cpuMs, 1)),
    line('line appended, file alone: wall, ms', ({ alone }) => spread(alone.wallMs, 1)),
    line('line appended, whole tree: CPU, ms', ({ inTree }) => spread(inTree.cpuMs, 1)),
    line('line appended, whole tree: wall, ms', ({ inTree }) => spread(inTree.wallMs, 1)),
  ];
}

function describe({ tree, dump: { rows, tables }, alone }: Figures): string {
  const counts = tables.map((of) => `${of.name} ${of.rows}`).join(', ');
  return [
    `${mb(tree.bytes)} MB: ${tree.files.length} files, ${tree.days} days of 3 centres, noise ${NOISE};`,
    `${rows} rows (${counts}). Lines were appended to a file of ${(alone.fileBytes / MB).toFixed(2)} MB.`,
  ].join(' ');
}

function mb(bytes: number): string {
  return (bytes / MB).toFixed(0);
}

function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}
