// Orders of a big ERP: our extraction against the first version's query, and what writing adds. See README.md.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { silentLogger } from '../src/base/logger.ts';
import { extraireCommandes } from '../src/jobs/extraction-commandes.ts';
import { generateErp } from '../test/harness/erp-generator.ts';
import { loadErp } from '../test/harness/erp-load.ts';
import { MariadbDeTest, SANS_MARIADB } from '../test/harness/mariadb.ts';
import { childRows, physicalRows, sameOrders } from './lib/orders.ts';
import { BIN, engineFlags, settings } from './lib/program.ts';
import type { Ratio } from './lib/reference.ts';
import { currentLoad, machineFacts, median, publish, spread, table } from './lib/report.ts';
import { type MeasuredRun, runNode } from './lib/run.ts';
import { openWorkplace, type Workplace } from './lib/workplace.ts';

const { values: options } = parseArgs({
  options: {
    commandes: { type: 'string', default: '100000' },
    repeats: { type: 'string', default: '3' },
    save: { type: 'boolean', default: false },
    comparer: { type: 'boolean', default: false },
  },
});
const count = Number(options.commandes);
const repeats = Number(options.repeats);
if (!(count >= 1) || !(repeats >= 1)) {
  throw new Error('usage: bench/sync.ts [--commandes N] [--repeats N] [--save] [--comparer]');
}

/** Goals of the issue. */
const GOALS = { faster: 20, whole: 1.5, peakMb: 200, transactionMs: 1000 };
const MB = 1e6;
const ERP = { orders: count, traps: 0, statuses: 0.7 };
const SEED = 1;
const CHILD = fileURLToPath(new URL('./children/orders.ts', import.meta.url));
/** What a user's process has: the first line of bin/atelier.mjs, and what it sets itself. */
const FLAGS = [...engineFlags(), '--heap-growing-percent=50', '--single-threaded-gc'];

/** A fresh process, with what it timed inside itself. */
type Timed = MeasuredRun & {
  readonly ms: number;
  readonly rows: number;
  readonly transactionMs: number;
  readonly modifiees: number;
};

interface Repeat {
  readonly seed: Timed;
  readonly extract: Timed;
  /** milliseconds in this process, whose code is warm */
  readonly warmMs: number;
  readonly first: Timed;
  readonly again: Timed;
  /** one or two thousand orders have another status */
  readonly day: Timed;
  readonly command: MeasuredRun;
  readonly rowsWritten: number;
}

const load = currentLoad();
if (SANS_MARIADB) {
  console.log(`bench/sync.ts: nothing measured, ${SANS_MARIADB}`);
} else {
  await using place = await openWorkplace();
  const maria = await MariadbDeTest.demarrer(512);
  // The last resort after Ctrl+C: the server would outlive us.
  const kill = (): void => {
    process.kill(maria.server.pid, 'SIGKILL');
    rmSync(maria.server.dir, { recursive: true, force: true });
  };
  process.once('exit', kill);
  try {
    await measure(place, maria);
  } finally {
    process.off('exit', kill);
    await maria.arreter();
  }
}

async function measure({ server, dir }: Workplace, maria: MariadbDeTest): Promise<void> {
  progress(`${count} orders: loading`);
  await maria.creerErp('grand');
  await loadErp(maria.admin, () => generateErp(SEED, ERP));
  await maria.admin.query('ANALYZE TABLE A_Kopf, A_Logbuch, P_Zubeh, A_Vorgang, A_KopfFreie, P_Artikel');
  const erp = maria.config({ database: 'grand', delaiMax: 300 });
  const mysqlUrl = `mysql://${erp.user}:${erp.password}@${erp.host}:${erp.port}/${erp.database}`;
  // The reading user may not see two of the five tables: the query is given the administrator's account.
  const { user, password } = maria.server;
  const admin = { ...erp, user, password };

  progress('warm-up and result sets');
  const { commandes } = await extraireCommandes(erp, { log: silentLogger() });
  const same = await sameOrders(commandes, () => generateErp(SEED, ERP), admin);
  const children = await childRows(maria);

  const timed = async (way: string, of: object, url = ''): Promise<Timed> => {
    const run = await runNode([...FLAGS, CHILD, way, JSON.stringify(of), url], process.env);
    return { ...run, ...(JSON.parse(run.stdout) as Omit<Timed, keyof MeasuredRun>) };
  };
  const done: Repeat[] = [];
  for (let i = 0; i < repeats; i++) {
    progress(`repeat ${i + 1} of ${repeats}`);
    const name = `sync_${i}`;
    const url = await server.create(name);
    const ours = async () => {
      const extract = await timed('extract', erp);
      const start = performance.now();
      await extraireCommandes(erp, { log: silentLogger() });
      const warmMs = performance.now() - start;
      await server.settle();
      const first = await timed('sync', erp, url);
      await server.settle();
      const before = await physicalRows(url);
      const again = await timed('sync', erp, url);
      const env = { ...settings(join(dir, name), dir, url), MYSQL_URL: mysqlUrl };
      const command = await runNode([BIN, 'sync'], env);
      const after = await physicalRows(url);
      const rowsWritten = [...after].filter((row) => !before.has(row)).length + before.size - after.size;
      const statuses = i % 2 === 0 ? ['Planifiée', 'Vitrage reçu'] : ['Vitrage reçu', 'Planifiée'];
      await maria.admin.query(
        'UPDATE A_Kopf SET AufStatus = ? WHERE AufStatus = ? AND AuNummer MOD 7 = 0',
        statuses.reverse(),
      );
      await server.settle();
      const day = await timed('sync', erp, url);
      return { extract, warmMs, first, again, day, command, rowsWritten };
    };
    // In turn the one and the other first.
    const both =
      i % 2 === 0
        ? { seed: await timed('seed', admin), ...(await ours()) }
        : { ...(await ours()), seed: await timed('seed', admin) };
    done.push(both);
    await server.drop(name);
  }
  const [[version]] = (await maria.admin.query('SELECT VERSION() AS v')) as unknown as [[{ v: string }]];
  const facts = [
    `MariaDB ${version.v} (512 MiB of cache, loopback TCP), ${count} orders, ${children} child rows in five tables,`,
    `${commandes.length} orders selected; the query's answer has ${done[0]!.seed.rows} rows.`,
  ].join(' ');
  await publish(
    `sync, ${count} orders`,
    [
      machineFacts({ postgres: server.version, repeats, load }),
      facts,
      table(['goal', 'measured', 'asked for', 'met'], goals(done, same)),
      table(['figure', 'median (range)'], details(done)),
    ].join('\n\n'),
    options,
    compared(done),
  );
}

function compared(done: readonly Repeat[]): Ratio[] {
  const over = (part: (repeat: Repeat) => number): number =>
    median(done.map((repeat) => part(repeat) / repeat.extract.ms));
  return [
    { nom: 'the query / extraction', valeur: over(({ seed }) => seed.ms), mieux: 'grand' },
    { nom: 'whole sync, all rows new / extraction', valeur: over(({ first }) => first.ms), mieux: 'petit' },
    { nom: 'whole sync, some changed / extraction', valeur: over(({ day }) => day.ms), mieux: 'petit' },
    {
      nom: '`atelier sync`: peak memory in MB',
      valeur: median(done.map(({ command }) => command.peakBytes / MB)),
      mieux: 'petit',
    },
  ];
}

function goals(done: readonly Repeat[], same: boolean): string[][] {
  const faster = done.map(({ seed, extract }) => seed.ms / extract.ms);
  const whole = done.map(({ first, extract }) => first.ms / extract.ms);
  const daily = done.map(({ day, extract }) => day.ms / extract.ms);
  const peaks = done.flatMap(({ extract, first, again, day, command }) =>
    [extract, first, again, day, command].map((run) => run.peakBytes / MB),
  );
  const written = Math.max(...done.map(({ rowsWritten }) => rowsWritten));
  const open = done.map(({ extract }) => extract.transactionMs - extract.ms);
  const row = (goal: string, measured: string, asked: string, met: boolean): string[] => [
    goal,
    measured,
    asked,
    met ? 'yes' : '**no**',
  ];
  return [
    row(
      'the query / our extraction, fresh process each',
      spread(faster, 1),
      `>= ${GOALS.faster}`,
      median(faster) >= GOALS.faster,
    ),
    row(
      'whole sync, all rows new / extraction',
      spread(whole, 2),
      `<= ${GOALS.whole}`,
      median(whole) <= GOALS.whole,
    ),
    row(
      'whole sync, some changed / extraction',
      spread(daily, 2),
      `<= ${GOALS.whole}`,
      median(daily) <= GOALS.whole,
    ),
    row('rows written when nothing changed', String(written), '0', written === 0),
    row(
      'largest peak memory of ours, MB',
      Math.max(...peaks).toFixed(0),
      `<= ${GOALS.peakMb}`,
      Math.max(...peaks) <= GOALS.peakMb,
    ),
    row(
      'transaction open on the ERP, beyond the extraction, ms',
      spread(open, 0),
      `<= ${GOALS.transactionMs}`,
      Math.max(...open) <= GOALS.transactionMs,
    ),
    row('extraction = reference = query', same ? 'equal' : 'different', 'equal', same),
  ];
}

function details(done: readonly Repeat[]): string[][] {
  const seconds = (name: string, ms: (repeat: Repeat) => number): string[] => [
    name,
    spread(
      done.map((repeat) => ms(repeat) / 1000),
      2,
    ),
  ];
  const peak = (name: string, run: (repeat: Repeat) => MeasuredRun): string[] => [
    name,
    spread(
      done.map((repeat) => run(repeat).peakBytes / MB),
      0,
    ),
  ];
  return [
    seconds("the first version's query, s", ({ seed }) => seed.ms),
    seconds('extraction, fresh process, s', ({ extract }) => extract.ms),
    seconds('extraction, warm process, s', ({ warmMs }) => warmMs),
    [
      'the query / extraction in a warm process',
      spread(
        done.map((r) => r.seed.ms / r.warmMs),
        1,
      ),
    ],
    seconds('extraction: transaction open, s', ({ extract }) => extract.transactionMs),
    seconds('extraction: CPU of the whole process, s', ({ extract }) => extract.cpuMs),
    seconds('sync into an empty table, s', ({ first }) => first.ms),
    [
      'orders changed in that sync',
      spread(
        done.map((r) => r.day.modifiees),
        0,
      ),
    ],
    seconds('sync, some changed, s', ({ day }) => day.ms),
    seconds('sync, nothing changed, s', ({ again }) => again.ms),
    [
      'sync, nothing changed / extraction',
      spread(
        done.map((r) => r.again.ms / r.extract.ms),
        2,
      ),
    ],
    seconds('`atelier sync`, nothing changed, start to end, s', ({ command }) => command.wallMs),
    peak("the first version's query: peak memory, MB", ({ seed }) => seed),
    peak('extraction: peak memory, MB', ({ extract }) => extract),
    peak('sync into an empty table: peak memory, MB', ({ first }) => first),
    peak('`atelier sync`: peak memory, MB', ({ command }) => command),
  ];
}

function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}
