// What a line that is followed costs, with this program and with an earlier one in turn, in one run. See README.md.
import { randomUUID } from 'node:crypto';
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { checkOut, ROOT } from './lib/earlier.ts';
import { installMachines, type Machine, work } from './lib/machines.ts';
import { connect, cpuOf, cpuOfServer, start, stop } from './lib/processes.ts';
import { engineFlags, settings } from './lib/program.ts';
import type { Ratio } from './lib/reference.ts';
import { currentLoad, machineFacts, median, publish, spread, table } from './lib/report.ts';
import { Retards, watchArrivals } from './lib/retards.ts';
import { run } from './lib/run.ts';
import { dayFileOf, makeTree } from './lib/tree.ts';
import { openWorkplace, type Workplace } from './lib/workplace.ts';

const { values: options } = parseArgs({
  options: {
    centres: { type: 'string', default: '30' },
    /** milliseconds between two lines of a machine */
    toutes: { type: 'string', default: '1000' },
    secondes: { type: 'string', default: '12' },
    tours: { type: 'string', default: '3' },
    /** what to compare with: anything that git names a commit by */
    avant: { type: 'string', default: 'HEAD~1' },
    save: { type: 'boolean', default: false },
    comparer: { type: 'boolean', default: false },
  },
});
const [centres, every, seconds, turns] = [
  options.centres,
  options.toutes,
  options.secondes,
  options.tours,
].map(Number) as [number, number, number, number];
if (!(centres >= 1 && every > 0 && seconds > 0 && turns >= 1)) {
  throw new Error(
    'usage: bench/suivi-avant.ts [--avant COMMIT] [--centres N] [--toutes MS] [--secondes N] [--tours N] [--save] [--comparer]',
  );
}

/** Goals of this program: CPU of the worker and of PostgreSQL for a line, and its lag. */
const GOALS = { cpuMs: 7, p50Ms: 60 };
const MB = 1e6;

/** One turn of one program. */
interface Turn {
  readonly workerMs: number;
  readonly serverMs: number;
  readonly p50: number;
  readonly p99: number;
  /** bytes of our own log, a line */
  readonly journal: number;
}

/** A worker that follows its own machines on its own server, so that the time of each is its own. */
interface Follower {
  readonly turns: Turn[];
  turn(): Promise<void>;
  close(): Promise<void>;
}

const KINDS: readonly (readonly [string, (turn: Turn) => number])[] = [
  ['CPU of the worker, ms', ({ workerMs }) => workerMs],
  ['CPU of PostgreSQL, ms', ({ serverMs }) => serverMs],
  ['CPU of both, ms', cpu],
  ['lag p50, ms', ({ p50 }) => p50],
  ['lag p99, ms', ({ p99 }) => p99],
  ['our own log, bytes', ({ journal }) => journal],
];

const load = currentLoad();
await using stack = new AsyncDisposableStack();
const place = stack.use(await openWorkplace());
const other = stack.use(await openWorkplace());
const model = await makeTree(join(place.dir, 'modele'), 5 * MB);
const source = await dayFileOf(model, MB);
const tree = join(other.dir, 'avant');
stack.use(await checkOut(tree, options.avant));
const before = await follower(other, tree);
stack.defer(() => before.close());
const after = await follower(place, ROOT);
stack.defer(() => after.close());
for (let turn = 0; turn < turns; turn++) {
  process.stderr.write(`turn ${turn + 1} of ${turns}\n`);
  // The other way round each time: nobody always has the quieter moment.
  for (const one of turn % 2 === 0 ? [before, after] : [after, before]) await one.turn();
}
await publish(
  `suivi, avant et après, ${centres} centres`,
  [
    machineFacts({ postgres: place.server.version, repeats: turns, load }),
    `${centres} machines, each with half a day's log (0.5 MB) and a line every ${every / 1000} s, for ${seconds} s a turn; before is ${options.avant}.`,
    table(['goal', 'measured', 'asked for', 'met'], goals()),
    table(['a line', 'before', 'after', 'before / after'], figures()),
  ].join('\n\n'),
  options,
  compared(),
);

function cpu({ workerMs, serverMs }: Turn): number {
  return workerMs + serverMs;
}

function goals(): string[][] {
  const goal = (name: string, value: number, most: number): string[] => [
    ...[name, value.toFixed(1), `<= ${most}`],
    value <= most ? 'yes' : '**no**',
  ];
  return [
    goal('CPU of worker and PostgreSQL, ms a line', median(after.turns.map(cpu)), GOALS.cpuMs),
    goal('lag p50, ms', median(after.turns.map(({ p50 }) => p50)), GOALS.p50Ms),
  ];
}

function figures(): string[][] {
  const row = (name: string, of: (turn: Turn) => number): string[] => {
    const [old, now] = [before.turns.map(of), after.turns.map(of)];
    return [name, spread(old, 1), spread(now, 1), ratioOf(median(old), median(now))];
  };
  return KINDS.map(([name, of]) => row(name, of));
}

function ratioOf(old: number, now: number): string {
  return now > 0 ? (old / now).toFixed(2) : '';
}

function compared(): Ratio[] {
  const ratio = median(after.turns.map(cpu)) / median(before.turns.map(cpu));
  return [{ nom: `CPU a line / ${options.avant}`, valeur: ratio, mieux: 'petit' }];
}

async function follower(at: Workplace, program: string): Promise<Follower> {
  const home = join(at.dir, 'suivi');
  const logs = join(home, 'logs');
  mkdirSync(logs, { recursive: true });
  const machines: Machine[] = installMachines(logs, centres, source);
  const name = `s${randomUUID().slice(0, 8)}`;
  // The schema is what the program itself makes of an empty base.
  const url = await at.server.createEmpty(name);
  const env = settings(home, logs, url);
  const bin = join(program, 'bin/atelier.mjs');
  await run(process.execPath, [...engineFlags(), bin, 'migrate'], { env });
  const child = start([...engineFlags(), bin, 'worker'], {
    ...env,
    ...{ METRICS_PORT: '0', CRON_LOGS: 'non', CRON_PURGE: 'non', CRON_SYNC: 'non' },
  });
  const db = await connect(url);
  const pieces = async (): Promise<[string, number][]> =>
    (
      await db.query(
        'SELECT c.nom, s.total_pieces AS n FROM session_production s JOIN centre_usinage c ON c.id = s.centre_usinage_id',
      )
    ).rows.map(({ nom, n }) => [nom, n]);
  while ((await pieces()).length < centres) await sleep(200);
  const start0 = new Map(await pieces());
  const arrived = async (): Promise<[string, number][]> =>
    (await pieces()).map(([centre, n]) => [centre, n - start0.get(centre)!]);
  const journal = (): number => statSync(join(home, 'sync_logs/ftp_log_service.log')).size;
  const turns: Turn[] = [];
  const one = async (time: number): Promise<Turn> => {
    const retards = new Retards(machines);
    const [worker, server, written] = [cpuOf(child), await cpuOfServer(db), journal()];
    let over = false;
    const watching = watchArrivals(retards, arrived, () => over);
    watching.catch(() => undefined);
    await work(machines, every, time);
    over = true;
    await watching;
    const lines = retards.ms.length;
    return {
      workerMs: (cpuOf(child) - worker) / lines,
      serverMs: ((await cpuOfServer(db)) - server) / lines,
      p50: retards.quantile(0.5),
      p99: retards.quantile(0.99),
      journal: (journal() - written) / lines,
    };
  };
  // The first lines are met with cold code.
  await sleep(3_000);
  await one(5);
  return {
    turns,
    turn: async () => void turns.push(await one(seconds)),
    async close() {
      await stop(child);
      await db.end();
    },
  };
}
