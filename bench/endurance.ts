// A year of a worker's life, day after day, with a purge every night (O14): whether memory and database stay as large as
// they were once everything that has a period has reached it. See README.md.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Ordre, Releve } from './children/endurance.ts';
import { engineFlags } from './lib/program.ts';
import type { Ratio } from './lib/reference.ts';
import { currentLoad, machineFacts, median, publish, table } from './lib/report.ts';
import { openWorkplace } from './lib/workplace.ts';

const { values: options } = parseArgs({
  options: {
    jours: { type: 'string', default: '365' },
    lignes: { type: 'string', default: '300' },
    save: { type: 'boolean', default: false },
    comparer: { type: 'boolean', default: false },
  },
});
const [jours, lignes] = [options.jours, options.lignes].map(Number) as [number, number];
if (!(jours >= 20 && lignes >= 3)) {
  throw new Error(
    'usage: bench/endurance.ts [--jours N] [--lignes N] [--save] [--comparer]; 20 days at least',
  );
}

const MB = 1e6;
/** Memory: what a heap plays. Database: figures of days, and what is known of files, are kept for longer. */
const GOALS = { rssMb: 15, heapMbYear: 5, baseMbYear: 10 };
const CHILD = fileURLToPath(new URL('./children/endurance.ts', import.meta.url));

const load = currentLoad();
await using place = await openWorkplace();
const ordre: Ordre = {
  url: await place.server.create('endurance'),
  logs: join(place.dir, 'logs'),
  archives: join(place.dir, 'archives'),
  jours,
  lignes,
};
mkdirSync(ordre.logs);
const begun = performance.now();
const releves = await live(ordre);
const seconds = (performance.now() - begun) / 1000;

// Half of the time everything grows to its size: code gets warm, periods fill.
const settled = releves.slice(Math.floor(releves.length / 2));
const half = Math.floor(settled.length / 2);
const [early, late] = [settled.slice(0, half), settled.slice(half)];
const rss = mid(late, 'rss') - mid(early, 'rss');
const heap = slope(settled, 'tas') * 365;
const base = slope(settled, 'base') * 365;
const dead = Math.max(...settled.map(({ mortes }) => mortes));
const row = (name: string, value: number, digits: number, most: number): string[] => [
  name,
  value.toFixed(digits),
  `<= ${most}`,
  value <= most ? 'yes' : '**no**',
];
const ratios: Ratio[] = [
  {
    nom: 'resident size, last quarter / third',
    valeur: mid(late, 'rss') / mid(early, 'rss'),
    mieux: 'petit',
  },
  { nom: 'database, last quarter / third', valeur: mid(late, 'base') / mid(early, 'base'), mieux: 'petit' },
];
await publish(
  `endurance, ${jours} days`,
  [
    machineFacts({ postgres: place.server.version, repeats: 1, load }),
    `${jours} days of 3 centres, ${lignes} lines each, written in three parts and followed; every night an import, a purge with the shortest periods (details a month), a look at the alerts. ${(seconds / jours).toFixed(1)} s a day. Slopes are those of a straight line through the second half of the days, which tell something from a year on. At most ${(dead * 100).toFixed(0)} % of the rows were dead.`,
    table(
      ['goal', 'measured', 'asked for', 'met'],
      [
        row('resident size, last quarter over the third, MB', rss, 1, GOALS.rssMb),
        row('live heap, MB a year', heap, 1, GOALS.heapMbYear),
        row('database, MB a year', base, 1, GOALS.baseMbYear),
      ],
    ),
    table(
      ['after', 'resident, MB', 'live heap, MB', 'database, MB'],
      [0.1, 0.25, 0.5, 0.75, 1].map((share) => {
        const one = releves[Math.ceil(releves.length * share) - 1]!;
        return [`${one.jour} days`, ...[one.rss, one.tas, one.base].map((bytes) => (bytes / MB).toFixed(1))];
      }),
    ),
  ].join('\n\n'),
  options,
  ratios,
);

async function live(order: Ordre): Promise<Releve[]> {
  const flags = [...engineFlags(), '--expose-gc'];
  const child = spawn(process.execPath, [...flags, CHILD, JSON.stringify(order)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  process.once('exit', () => child.kill('SIGKILL'));
  const ended = once(child, 'exit');
  const all: Releve[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    all.push(JSON.parse(line) as Releve);
    if (all.length % 30 === 0) process.stderr.write(`day ${all.length} of ${jours}\n`);
  }
  const [code] = await ended;
  if (code !== 0) throw new Error(`the worker ended with ${code}`);
  return all;
}

/** Median, MB. */
function mid(of: readonly Releve[], what: 'rss' | 'base'): number {
  return median(of.map((one) => one[what])) / MB;
}

/** Of the straight line through the points, MB a day. */
function slope(of: readonly Releve[], what: 'tas' | 'base'): number {
  const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [mean(of.map(({ jour }) => jour)), mean(of.map((one) => one[what]))];
  const above = of.reduce((sum, one) => sum + (one.jour - x) * (one[what] - y), 0);
  return above / of.reduce((sum, { jour }) => sum + (jour - x) ** 2, 0) / MB;
}
