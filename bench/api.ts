// The API against a bare handler that sends the same JSON, and its CSV export against PostgreSQL's own: see README.md.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import autocannon from 'autocannon';
import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { MOT_DE_PASSE } from '../test/harness/mots-de-passe.ts';
import { type Charge, charger } from './lib/charge.ts';
import { BIN, engineFlags, runIngest, settings } from './lib/program.ts';
import type { Ratio } from './lib/reference.ts';
import { currentLoad, machineFacts, median, publish, spread, table } from './lib/report.ts';
import { type Service, serve } from './lib/service.ts';
import { makeTree } from './lib/tree.ts';
import { openWorkplace } from './lib/workplace.ts';

const { values: options } = parseArgs({
  options: {
    mo: { type: 'string', default: '200' },
    repeats: { type: 'string', default: '3' },
    secondes: { type: 'string', default: '8' },
    lignes: { type: 'string', default: '1000000' },
    connexions: { type: 'string', default: '100' },
    save: { type: 'boolean', default: false },
    comparer: { type: 'boolean', default: false },
  },
});
const [size, repeats, seconds, wanted, signIns] = [
  ...[options.mo, options.repeats, options.secondes, options.lignes, options.connexions],
].map(Number) as [number, number, number, number, number];
if (!(size > 0 && repeats >= 1 && seconds > 0 && wanted > 0 && signIns > 0)) {
  throw new Error(
    'usage: bench/api.ts [--mo MEGABYTES] [--repeats N] [--secondes N] [--lignes N] [--connexions N] [--save] [--comparer]',
  );
}

/** Goals of the issue. */
const GOALS = { rate: 0.8, copy: 0.5, peakMb: 200, signIn: 3 };
/** Clients that fetch the documentation while somebody signs in. */
const READERS = 40;
const CONNECTIONS = 10;
const BARE = fileURLToPath(new URL('./children/nu.ts', import.meta.url));
const HEAP = '--max-semi-space-size=';
const INCLURE = 'job_profils,periodes_attente,periodes_arret,pieces_production';

const load = currentLoad();
await using place = await openWorkplace();
progress(`simulating and importing ${size} MB`);
const tree = await makeTree(join(place.dir, 'logs'), size * 1e6);
const url = await place.server.create('api');
const env = settings(place.dir, tree.dir, url);
await runIngest(env);
const db = new pg.Client({ connectionString: url });
await db.connect();
const session = await nearest(800);
const pieces = await fill(wanted);
await db.query('VACUUM ANALYZE');

// The bare server has the heap that `atelier serve` gives itself.
const bare = await serve(
  [...engineFlags().filter((flag) => !flag.startsWith(HEAP)), `${HEAP}8`, BARE, url, String(CONNECTIONS)],
  env,
  (t) => /port (\d+)/.exec(t)?.[1],
);
const keys = {
  SECRET_KEY: randomBytes(48).toString('base64url'),
  CLE_CHIFFREMENT: randomBytes(32).toString('hex'),
};
const startApi = (): Promise<Service> =>
  serve(
    [...engineFlags(), BIN, 'serve', '--port', '0'],
    {
      ...env,
      ...keys,
      API_CONNEXIONS: String(CONNECTIONS),
      NIVEAU_JOURNAL: 'warn',
    },
    (t) => /http:\/\/127\.0\.0\.1:(\d+)/.exec(t)?.[1],
  );
const api = await startApi();
try {
  const authorization = await signIn(api.url);
  const routes = {
    'list, limit=100': '/sessions/?limit=100',
    [`session of ${session.pieces} pieces`]: `/sessions/${session.id}?inclure=${INCLURE}`,
  };
  const rates: Record<string, { ours: Load[]; bare: Load[]; bytes: number }> = {};
  for (const [name, path] of Object.entries(routes)) {
    const ours = await text(api.url + path, { authorization });
    const without = await text(bare.url + path, {});
    // A page comes of the very statement, so it is the same to the byte.
    const same = path.includes('?limit=')
      ? ours === without
      : isDeepStrictEqual(JSON.parse(ours), JSON.parse(without));
    if (!same) throw new Error(`${path}: not the same JSON`);
    rates[name] = { ours: [], bare: [], bytes: Buffer.byteLength(ours) };
    await charger(api.url + path, { authorization }, 2);
    await charger(bare.url + path, {}, 2);
    for (let i = 0; i < repeats; i++) {
      progress(`${name}: repeat ${i + 1} of ${repeats}`);
      const turns: (() => Promise<unknown>)[] = [
        async () => rates[name]!.ours.push(await loaded(api, path, { authorization })),
        async () => rates[name]!.bare.push(await loaded(bare, path, {})),
      ];
      for (const turn of i % 2 === 0 ? turns : turns.toReversed()) await turn();
    }
  }
  const signedIn: { idle: number; busy: number }[] = [];
  for (let i = 0; i < repeats; i++) {
    progress(`sign-in: repeat ${i + 1} of ${repeats}`);
    let [idle, busy] = [0, 0];
    const turns = [
      async () => {
        idle = await signInP99();
      },
      async () => {
        busy = await whileRead(signInP99);
      },
    ];
    for (const turn of i % 2 === 0 ? turns : turns.toReversed()) await turn();
    signedIn.push({ idle, busy });
  }
  const exports: { ours: number; copy: number; bytes: number }[] = [];
  // A server of its own: its peak is that of exports, not of the load before.
  await using exporter = await startApi();
  const header = { authorization: await signIn(exporter.url, false) };
  for (let i = 0; i < repeats; i++) {
    progress(`export: repeat ${i + 1} of ${repeats}`);
    let copy = 0;
    let ours = { ms: 0, bytes: 0 };
    const turns = [
      async () => {
        copy = await copyOut();
      },
      async () => {
        ours = await drain(`${exporter.url}/pieces-production/?format=csv`, header);
      },
    ];
    for (const turn of i % 2 === 0 ? turns : turns.toReversed()) await turn();
    exports.push({ ours: ours.ms, copy, bytes: ours.bytes });
  }
  const peak = await exporter.peak();

  const goals: string[][] = [];
  const kept: Ratio[] = [];
  const shown: string[][] = [];
  for (const [name, { ours, bare: without, bytes }] of Object.entries(rates)) {
    const ratios = ours.map((one, i) => one.parSeconde / without[i]!.parSeconde);
    kept.push({ nom: `requests per second / bare, ${name}`, valeur: median(ratios), mieux: 'grand' });
    goals.push([
      `requests per second / bare, ${name}`,
      spread(ratios, 2),
      `>= ${GOALS.rate}`,
      met(median(ratios) >= GOALS.rate),
    ]);
    shown.push([
      `${name} (${(bytes / 1000).toFixed(0)} kB)`,
      spread(
        ours.map((one) => one.parSeconde),
        0,
      ),
      spread(
        without.map((one) => one.parSeconde),
        0,
      ),
      spread(
        ours.map((one) => one.cpuMs),
        2,
      ),
      spread(
        without.map((one) => one.cpuMs),
        2,
      ),
      spread(
        ours.map((one) => one.p99),
        0,
      ),
      spread(
        without.map((one) => one.p99),
        0,
      ),
    ]);
  }
  const waits = signedIn.map(({ idle, busy }) => busy / idle);
  kept.push({
    nom: 'sign-in p99 while documentation is fetched / idle',
    valeur: median(waits),
    mieux: 'petit',
  });
  goals.push([
    `sign-in p99 while ${READERS} clients fetch documentation / idle`,
    spread(waits, 2),
    `<= ${GOALS.signIn}`,
    met(median(waits) <= GOALS.signIn),
  ]);
  const ratios = exports.map(({ ours, copy }) => copy / ours);
  kept.push(
    { nom: 'speed of COPY TO STDOUT / of the CSV export', valeur: median(ratios), mieux: 'grand' },
    { nom: 'peak memory of a server that exports in MB', valeur: peak / 1e6, mieux: 'petit' },
  );
  goals.push(
    [
      'speed of COPY TO STDOUT / of the CSV export',
      spread(ratios, 2),
      `>= ${GOALS.copy}`,
      met(median(ratios) >= GOALS.copy),
    ],
    [
      'peak memory of a server that exports, MB',
      (peak / 1e6).toFixed(0),
      `< ${GOALS.peakMb}`,
      met(peak / 1e6 < GOALS.peakMb),
    ],
  );
  await publish(
    `api, ${size} MB of logs, ${pieces} pieces`,
    [
      machineFacts({ postgres: place.server.version, repeats, load }),
      table(['goal', 'measured', 'asked for', 'met'], goals),
      table(
        [
          'route',
          'ours, req/s',
          'bare, req/s',
          'ours, CPU ms',
          'bare, CPU ms',
          'ours, p99 ms',
          'bare, p99 ms',
        ],
        shown,
      ),
      `Sign-in, p99 of ${signIns}: ${spread(
        signedIn.map((one) => one.idle),
        0,
      )} ms idle, ${spread(
        signedIn.map((one) => one.busy),
        0,
      )} ms while ${READERS} clients fetch the documentation.`,
      `Export of ${pieces} rows: ${spread(
        exports.map((one) => one.ours / 1000),
        1,
      )} s for ${(exports[0]!.bytes / 1e6).toFixed(0)} MB; COPY of the table ${spread(
        exports.map((one) => one.copy / 1000),
        1,
      )} s.`,
    ].join('\n\n'),
    options,
    kept,
  );
} finally {
  await api[Symbol.asyncDispose]();
  await bare[Symbol.asyncDispose]();
  await db.end();
}

interface Load extends Charge {
  /** processor time of the server an answer, ms */
  readonly cpuMs: number;
}

async function loaded(service: Service, path: string, headers: Record<string, string>): Promise<Load> {
  const before = await service.cpu();
  const charge = await charger(service.url + path, headers, seconds);
  return { ...charge, cpuMs: ((await service.cpu()) - before) * (1000 / charge.reponses) };
}

/** One sign-in after the other; the slowest but one in a hundred, ms. */
async function signInP99(): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < signIns; i++) {
    const start = performance.now();
    await signIn(api.url, false);
    times.push(performance.now() - start);
  }
  return times.toSorted((a, b) => a - b)[Math.ceil(times.length * 0.99) - 1]!;
}

/** Runs `work` while others fetch the documentation, each as quickly as it gets it. */
async function whileRead<T>(work: () => Promise<T>): Promise<T> {
  const ended = Promise.withResolvers<void>();
  const readers = autocannon(
    {
      url: `${api.url}/openapi.json`,
      headers: { 'accept-encoding': 'gzip' },
      ...{ connections: READERS, duration: 3600 },
    },
    () => ended.resolve(),
  );
  try {
    await sleep(1000);
    return await work();
  } finally {
    readers.stop();
    await ended.promise;
  }
}

function progress(what: string): void {
  console.error(`… ${what}`);
}

function met(yes: boolean): string {
  return yes ? 'yes' : 'NO';
}

/** The session whose number of pieces is nearest. */
async function nearest(count: number): Promise<{ id: number; pieces: number }> {
  const { rows } = await db.query<{ id: string; pieces: number }>(
    'SELECT id, total_pieces AS pieces FROM session_production ORDER BY abs(total_pieces - $1), id LIMIT 1',
    [count],
  );
  return { id: Number(rows[0]!.id), pieces: rows[0]!.pieces };
}

/** Adds pieces to a session entered by hand until there are enough; returns how many there are. */
async function fill(count: number): Promise<number> {
  const { rows } = await db.query<{ n: string }>('SELECT count(*) AS n FROM piece_production');
  const missing = count - Number(rows[0]!.n);
  if (missing <= 0) return Number(rows[0]!.n);
  await db.query(
    `WITH s AS (INSERT INTO session_production (centre_usinage_id, date_production)
                SELECT min(id), '2000-01-01' FROM centre_usinage RETURNING id, centre_usinage_id)
     SELECT id FROM s`,
  );
  await db.query(
    `INSERT INTO piece_production (centre_usinage_id, session_id, numero_piece, timestamp_production, details)
     SELECT s.centre_usinage_id, s.id, n, s.date_production + n * interval '1 second', 'L:' || n || '.0 A:45'
       FROM session_production s, generate_series(1, $1::int) n WHERE s.origine = 'manuel'`,
    [missing],
  );
  return count;
}

/** First account by the open door, then a token. */
async function signIn(base: string, first = true): Promise<string> {
  if (first) {
    const made = await fetch(`${base}/users/`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        username: 'mesure',
        email: 'mesure@exemple.test',
        password: MOT_DE_PASSE,
        role: 'admin',
      }),
    });
    if (made.status !== 201) throw new Error(`POST /users/: ${made.status} ${await made.text()}`);
  }
  const answer = await fetch(`${base}/token`, {
    method: 'POST',
    body: new URLSearchParams({ username: 'mesure', password: MOT_DE_PASSE }),
  });
  const { access_token: token } = (await answer.json()) as { access_token: string };
  return `Bearer ${token}`;
}

async function text(address: string, headers: Record<string, string>): Promise<string> {
  const answer = await fetch(address, { headers: { ...headers, 'accept-encoding': 'identity' } });
  if (answer.status !== 200) throw new Error(`${address}: ${answer.status} ${await answer.text()}`);
  return await answer.text();
}

/** Reads an answer to its end and throws it away. */
async function drain(
  address: string,
  headers: Record<string, string>,
): Promise<{ ms: number; bytes: number }> {
  await settle();
  const start = performance.now();
  const answer = await fetch(address, { headers: { ...headers, 'accept-encoding': 'identity' } });
  if (answer.status !== 200) throw new Error(`${address}: ${answer.status}`);
  let bytes = 0;
  for await (const piece of answer.body!) bytes += piece.length;
  return { ms: performance.now() - start, bytes };
}

/** The same columns by PostgreSQL's COPY, through the same driver, thrown away. */
async function copyOut(): Promise<number> {
  await settle();
  const start = performance.now();
  const stream = db.query(
    copyTo(
      'COPY piece_production (id, session_id, numero_piece, timestamp_production, details, job_profil_id, date_creation) TO STDOUT (FORMAT csv, HEADER)',
    ),
  );
  for await (const _ of stream);
  return performance.now() - start;
}

async function settle(): Promise<void> {
  await place.server.settle();
  await sleep(200);
}
