// Following: how long until a line that a machine wrote is in PostgreSQL and announced, with many machines at once; and
// memory while a year is imported from nothing. See README.md.
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { suivre } from '../test/harness/flux.ts';
import { MOT_DE_PASSE } from '../test/harness/mots-de-passe.ts';
import { burst, installMachines, type Machine, work } from './lib/machines.ts';
import { connect, cpuOf, start, stop } from './lib/processes.ts';
import { BIN, engineFlags, settings } from './lib/program.ts';
import type { Ratio } from './lib/reference.ts';
import { currentLoad, machineFacts, publish, table } from './lib/report.ts';
import { Retards, watchArrivals } from './lib/retards.ts';
import { serve } from './lib/service.ts';
import { dayFileOf, makeTree } from './lib/tree.ts';
import { openWorkplace } from './lib/workplace.ts';

const { values: options } = parseArgs({
  options: {
    centres: { type: 'string', default: '100' },
    /** milliseconds between two lines of a machine */
    toutes: { type: 'string', default: '3000' },
    secondes: { type: 'string', default: '60' },
    jours: { type: 'string', default: '365' },
    save: { type: 'boolean', default: false },
    comparer: { type: 'boolean', default: false },
  },
});
const [centres, every, seconds, days] = [
  options.centres,
  options.toutes,
  options.secondes,
  options.jours,
].map(Number) as [number, number, number, number];
if (!(centres >= 1 && every > 0 && seconds > 0 && days > 0)) {
  throw new Error(
    'usage: bench/suivi.ts [--centres N] [--toutes MS] [--secondes N] [--jours N] [--save] [--comparer]',
  );
}

/** Goals: the two seconds; memory of the last quarter of a year's import against the first. */
const GOALS = { lagMs: 2_000, flatMb: 30 };
const MB = 1e6;
/** Bursts in which all machines write at the same moment, and the time between them (ms). */
const BURSTS = { count: 5, everyMs: 5_000 };
const BARE = fileURLToPath(new URL('./children/suivi-nu.ts', import.meta.url));

const load = currentLoad();
await using place = await openWorkplace();
const model = await makeTree(join(place.dir, 'modele'), 5 * MB);
const source = await dayFileOf(model, MB);

/** Lags of one phase. */
interface Phase {
  readonly base: Retards;
  readonly annonce: Retards | undefined;
  readonly cpuMs: number;
  readonly wallMs: number;
}

const bare = await measureBare();
const ours = await measureWorker();
const year = await measureYear();
await publish(
  `suivi, ${centres} centres`,
  [
    machineFacts({ postgres: place.server.version, repeats: 1, load }),
    `${centres} machines, each with half a day's log (0.5 MB) and a line every ${every / 1000} s, for ${seconds} s; then ${BURSTS.count} times all at the same moment. Bare: file events, the new bytes, one INSERT of the raw text.`,
    table(['goal', 'measured', 'asked for', 'met'], goals()),
    table(['lag, ms', 'p50', 'p99', 'largest', 'CPU of the process, ms a line'], lags()),
    table(['figure', 'value'], figures()),
  ].join('\n\n'),
  options,
  compared(),
);

function goals(): string[][] {
  const most = Math.max(...[ours.steady, ours.burst].map(({ annonce }) => annonce!.quantile(0.99)));
  const growth = year.peaks.at(-1)! - year.peaks[0]!;
  return [
    [
      'written to announced, p99, ms',
      most.toFixed(0),
      `<= ${GOALS.lagMs}`,
      most <= GOALS.lagMs ? 'yes' : '**no**',
    ],
    [
      'import of a year: memory of the last quarter over the first, MB',
      growth.toFixed(0),
      `<= ${GOALS.flatMb} (flat)`,
      growth <= GOALS.flatMb ? 'yes' : '**no**',
    ],
  ];
}

/** Lags of the bare process are a few milliseconds and play too much to divide by; CPU and memory play little. */
function compared(): Ratio[] {
  const cpu = (phase: Phase): number => phase.cpuMs / phase.base.ms.length;
  return [
    { nom: 'CPU a line / bare, steady', valeur: cpu(ours.steady) / cpu(bare.steady), mieux: 'petit' },
    { nom: 'worker, peak memory in MB', valeur: ours.peak / MB, mieux: 'petit' },
    { nom: 'import of a year, peak memory in MB', valeur: Math.max(...year.peaks), mieux: 'petit' },
  ];
}

function lags(): string[][] {
  const row = (name: string, retards: Retards, phase?: Phase): string[] => [
    name,
    ...[0.5, 0.99, 1].map((share) => retards.quantile(share).toFixed(0)),
    phase ? (phase.cpuMs / retards.ms.length).toFixed(1) : '',
  ];
  return [
    row('steady: in PostgreSQL', ours.steady.base, ours.steady),
    row('steady: announced to a client', ours.steady.annonce!),
    row('steady, bare', bare.steady.base, bare.steady),
    row('at once: in PostgreSQL', ours.burst.base, ours.burst),
    row('at once: announced to a client', ours.burst.annonce!),
    row('at once, bare', bare.burst.base, bare.burst),
  ];
}

function figures(): string[][] {
  const ratio = (of: 'steady' | 'burst'): string =>
    (ours[of].base.quantile(0.99) / bare[of].base.quantile(0.99)).toFixed(1);
  const share = ({ cpuMs, wallMs }: Phase): string => `${((cpuMs / wallMs) * 100).toFixed(0)} %`;
  return [
    ['p99 / bare, steady', ratio('steady')],
    ['p99 / bare, at once', ratio('burst')],
    ['worker, CPU of one core, nothing changes', `${(ours.idle * 100).toFixed(1)} %`],
    ['worker, CPU of one core, steady', share(ours.steady)],
    ['worker, peak memory, MB', (ours.peak / MB).toFixed(0)],
    [`import of ${days} days × 3 centres, MB read`, (year.bytes / MB).toFixed(0)],
    ['  time, s', (year.wallMs / 1000).toFixed(1)],
    ['  peak memory by quarter of the time, MB', year.peaks.map((peak) => peak.toFixed(0)).join(', ')],
  ];
}

async function measureWorker() {
  progress(`${centres} centres: worker`);
  const { logs, machines, url, env } = await stage('suivi');
  const child = start([...engineFlags(), BIN, 'worker'], {
    ...env,
    METRICS_PORT: '0',
    CRON_LOGS: 'non',
    CRON_PURGE: 'non',
  });
  const db = await connect(url);
  const pieces = async (): Promise<[string, number][]> =>
    (
      await db.query(
        'SELECT c.nom, s.total_pieces AS n FROM session_production s JOIN centre_usinage c ON c.id = s.centre_usinage_id',
      )
    ).rows.map(({ nom, n }) => [nom, n]);
  while ((await pieces()).length < centres) await sleep(200);
  await sleep(4_000);
  const before = new Map(await pieces());
  const arrived = async (): Promise<[string, number][]> =>
    (await pieces()).map(([centre, n]) => [centre, n - before.get(centre)!]);

  await using api = await serve(
    [...engineFlags(), BIN, 'serve'],
    {
      ...env,
      PORT: '0',
      SECRET_KEY: randomBytes(48).toString('base64url'),
      CLE_CHIFFREMENT: randomBytes(32).toString('hex'),
    },
    (text) => /API : http:\S+:(\d+)/.exec(text)?.[1],
  );
  const flux = await suivre(api.url, await signIn(api.url), '?tables=sessions');
  /** what is being measured now; an event makes a client ask, and what it finds has been announced */
  let annonce: Retards | undefined;
  void (async () => {
    const client = await connect(url);
    for (let event = await flux.suivant(); event !== undefined; event = await flux.suivant()) {
      const at = performance.now();
      const { rows } = await client.query(
        'SELECT c.nom, s.total_pieces AS n FROM session_production s JOIN centre_usinage c ON c.id = s.centre_usinage_id',
      );
      for (const { nom, n } of rows) annonce?.note(nom, n - before.get(nom)!, at);
    }
    await client.end();
  })().catch(() => undefined);

  const idleFrom = cpuOf(child);
  await sleep(5_000);
  const idle = (cpuOf(child) - idleFrom) / 5_000;
  const phase = async (doing: () => Promise<void>): Promise<Phase> => {
    const [base, told] = [new Retards(machines), new Retards(machines)];
    annonce = told;
    const [cpu, begun] = [cpuOf(child), performance.now()];
    await watched(base, arrived, doing);
    const [cpuMs, wallMs] = [cpuOf(child) - cpu, performance.now() - begun];
    for (const end = performance.now() + 10_000; told.missing > 0; await sleep(20)) {
      if (performance.now() > end) throw new Error(`${told.missing} lines were never announced`);
    }
    return { base, annonce: told, cpuMs, wallMs };
  };
  const steady = await phase(() => work(machines, every, seconds));
  const atOnce = await phase(() => burst(machines, BURSTS.everyMs, BURSTS.count));
  const peak = peakOf(child);
  flux.fermer();
  await stop(child);
  await db.end();
  await rm(logs, { recursive: true });
  return { steady, burst: atOnce, idle, peak };
}

async function measureBare() {
  progress(`${centres} centres: bare`);
  const { logs, machines, url, env } = await stage('suivi_nu');
  const child = start([BARE, logs, url], env);
  await once(child.stdout!, 'data');
  const db = await connect(url);
  const arrived = async (): Promise<[string, number][]> =>
    (await db.query('SELECT chemin, sum(lignes)::int AS n FROM ligne_nue GROUP BY 1')).rows.map(
      ({ chemin, n }) => [chemin.split('/')[0], n],
    );
  const phase = async (doing: () => Promise<void>): Promise<Phase> => {
    const base = new Retards(machines);
    const [cpu, begun] = [cpuOf(child), performance.now()];
    await watched(base, arrived, doing);
    return { base, annonce: undefined, cpuMs: cpuOf(child) - cpu, wallMs: performance.now() - begun };
  };
  const steady = await phase(() => work(machines, every, seconds));
  const atOnce = await phase(() => burst(machines, BURSTS.everyMs, BURSTS.count));
  await stop(child);
  await db.end();
  await rm(logs, { recursive: true });
  return { steady, burst: atOnce };
}

/** A year from nothing; memory is looked at ten times a second, and told for each quarter of the time. */
async function measureYear() {
  progress(`${days} days: simulating`);
  const bytes = days * 2.7 * MB;
  const tree = await makeTree(join(place.dir, 'annee'), bytes);
  const env = settings(join(place.dir, 'annee-import'), tree.dir, await place.server.create('annee'));
  progress(`${days} days: import`);
  const begun = performance.now();
  const child = start([...engineFlags(), BIN, 'ingest'], env);
  const samples: number[] = [];
  let over = false;
  const ended = once(child, 'close').then(([code]) => {
    over = true;
    if (code !== 0) throw new Error(`ingest: ${code}`);
  });
  while (!over) {
    const rss = residentOf(child);
    if (rss !== undefined) samples.push(rss / MB);
    await sleep(100);
  }
  await ended;
  const wallMs = performance.now() - begun;
  const quarter = Math.ceil(samples.length / 4);
  const peaks = [0, 1, 2, 3].map((q) => Math.max(...samples.slice(q * quarter, (q + 1) * quarter), 0));
  return { bytes: tree.bytes, wallMs, peaks };
}

async function stage(
  name: string,
): Promise<{ logs: string; machines: Machine[]; url: string; env: NodeJS.ProcessEnv }> {
  const home = join(place.dir, name);
  const logs = join(home, 'logs');
  mkdirSync(logs, { recursive: true });
  const machines = installMachines(logs, centres, source);
  const url = await place.server.create(name);
  return { logs, machines, url, env: settings(home, logs, url) };
}

async function watched(
  retards: Retards,
  arrived: () => Promise<[string, number][]>,
  doing: () => Promise<void>,
): Promise<void> {
  let over = false;
  const watching = watchArrivals(retards, arrived, () => over);
  watching.catch(() => undefined);
  await doing();
  over = true;
  await watching;
}

async function signIn(base: string): Promise<Record<string, string>> {
  const account = { username: 'banc', email: 'banc@exemple.test', password: MOT_DE_PASSE };
  await fetch(`${base}/users/`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(account),
  });
  const answer = await fetch(`${base}/token`, {
    method: 'POST',
    body: new URLSearchParams({ username: account.username, password: MOT_DE_PASSE }),
  });
  const { access_token } = (await answer.json()) as { access_token: string };
  return { authorization: `Bearer ${access_token}` };
}

function peakOf(child: ChildProcess): number {
  return Number(/^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))![1]) * 1024;
}

/** Resident size now, bytes; undefined once it is gone. */
function residentOf(child: ChildProcess): number | undefined {
  try {
    const kb = /^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1];
    return kb === undefined ? undefined : Number(kb) * 1024;
  } catch {
    return undefined;
  }
}

function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}
