// Neighbours: what importing and following do to those who use the API meanwhile (O20). See README.md.
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import autocannon from 'autocannon';
import { MOT_DE_PASSE } from '../test/harness/mots-de-passe.ts';
import { BIN, engineFlags, runIngest, settings } from './lib/program.ts';
import type { Ratio } from './lib/reference.ts';
import { currentLoad, machineFacts, median, publish, spread, table } from './lib/report.ts';
import { serve } from './lib/service.ts';
import { makeTree } from './lib/tree.ts';
import { openWorkplace } from './lib/workplace.ts';

const { values: options } = parseArgs({
  options: {
    mo: { type: 'string', default: '200' },
    repeats: { type: 'string', default: '3' },
    save: { type: 'boolean', default: false },
    comparer: { type: 'boolean', default: false },
  },
});
const [size, repeats] = [options.mo, options.repeats].map(Number) as [number, number];
if (!(size > 0 && repeats >= 1)) {
  throw new Error('usage: bench/voisinage.ts [--mo MEGABYTES] [--repeats N] [--save] [--comparer]');
}

/** What people may notice: half a second, however much is being imported. */
const GOALS = { p99Ms: 500 };
/** Requests a second, as a workshop's dashboards make them: far from what the API can do. */
const RATE = 40;

const load = currentLoad();
await using place = await openWorkplace();
progress(`simulating and importing ${size} MB`);
const tree = await makeTree(join(place.dir, 'logs'), size * 1e6);
const env = settings(place.dir, tree.dir, await place.server.create('voisinage'));
const { wallMs } = await runIngest(env);
await using api = await serve(
  [...engineFlags(), BIN, 'serve', '--port', '0'],
  {
    ...env,
    SECRET_KEY: randomBytes(48).toString('base64url'),
    CLE_CHIFFREMENT: randomBytes(32).toString('hex'),
    NIVEAU_JOURNAL: 'warn',
  },
  (text) => /http:\/\/127\.0\.0\.1:(\d+)/.exec(text)?.[1],
);
const authorization = await signIn(api.url);
/** As long as an import takes, or thereabouts. */
const seconds = Math.max(3, Math.ceil(wallMs / 1000));
await ask(2);
const alone: number[] = [];
const beside: number[] = [];
for (let i = 0; i < repeats; i++) {
  progress(`repeat ${i + 1} of ${repeats}`);
  // In turn the one and the other first.
  const turns = [async () => alone.push(await ask(seconds)), async () => beside.push(await besideImports(i))];
  for (const turn of i % 2 === 0 ? turns : turns.toReversed()) await turn();
}
const ratios = beside.map((p99, i) => p99 / alone[i]!);
const kept: Ratio[] = [{ nom: 'p99 beside an import / alone', valeur: median(ratios), mieux: 'petit' }];
await publish(
  `voisinage, ${size} MB`,
  [
    machineFacts({ postgres: place.server.version, repeats, load }),
    `The first page of sessions, ${RATE} times a second on 4 connections; beside it, on the same PostgreSQL, imports of ${size} MB into another database, one after the other.`,
    table(
      ['goal', 'measured', 'asked for', 'met'],
      [
        [
          'p99 of the API beside an import, ms',
          spread(beside, 0),
          `<= ${GOALS.p99Ms}`,
          median(beside) <= GOALS.p99Ms ? 'yes' : '**no**',
        ],
      ],
    ),
    table(
      ['figure', 'median (range)'],
      [
        ['p99 alone, ms', spread(alone, 0)],
        ['p99 beside an import / alone', spread(ratios, 1)],
      ],
    ),
  ].join('\n\n'),
  options,
  kept,
);

/** p99 of the API in ms, at a rate that is kept whatever it answers. */
async function ask(duration: number): Promise<number> {
  const result = await autocannon({
    url: `${api.url}/sessions/?limit=100`,
    headers: { authorization },
    connections: 4,
    overallRate: RATE,
    duration,
  });
  const bad = result.non2xx + result.errors + result.timeouts;
  if (bad > 0) throw new Error(`${bad} answers that are none`);
  return result.latency.p99;
}

/** The same while the logs are imported again and again from nothing. */
async function besideImports(repeat: number): Promise<number> {
  let over = false;
  const importing = (async () => {
    for (let n = 0; !over; n++) {
      const name = `voisin_${repeat}_${n}`;
      const home = join(place.dir, name);
      await runIngest(settings(home, tree.dir, await place.server.create(name)));
      await place.server.drop(name);
      await rm(home, { recursive: true, force: true });
    }
  })();
  importing.catch(() => undefined);
  const p99 = await ask(seconds);
  over = true;
  await importing;
  return p99;
}

async function signIn(base: string): Promise<string> {
  await fetch(`${base}/users/`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'mesure', email: 'mesure@exemple.test', password: MOT_DE_PASSE }),
  });
  const answer = await fetch(`${base}/token`, {
    method: 'POST',
    body: new URLSearchParams({ username: 'mesure', password: MOT_DE_PASSE }),
  });
  if (answer.status !== 200) throw new Error(await answer.text());
  return `Bearer ${((await answer.json()) as { access_token: string }).access_token}`;
}

function progress(what: string): void {
  console.error(`… ${what}`);
}
