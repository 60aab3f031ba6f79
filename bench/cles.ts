// What each way of refusing orphans costs in load: the figures of docs/decisions/0005-orphelins.md.
import { parseArgs } from 'node:util';
import pg from 'pg';
import { silentLogger } from '../src/base/logger.ts';
import { type Column, copyRows } from '../src/postgres/copy.ts';
import type { Value } from '../src/postgres/copy-encoder.ts';
import { type Client, createPool, transaction, withClient } from '../src/postgres/pool.ts';
import { currentLoad, machineFacts, median, publish, spread, table } from './lib/report.ts';
import { openWorkplace } from './lib/workplace.ts';

const { values: options } = parseArgs({
  options: {
    sessions: { type: 'string', default: '195' },
    repeats: { type: 'string', default: '5' },
    save: { type: 'boolean', default: false },
    comparer: { type: 'boolean', default: false },
  },
});
const sessions = Number(options.sessions);
const repeats = Number(options.repeats);
if (!(sessions >= 1) || !(repeats >= 1)) {
  throw new Error('usage: bench/cles.ts [--sessions N] [--repeats N] [--save] [--comparer]');
}

/** A production day, as machines make it. */
const PIECES = 872;
const PROFILES = 40;
/** Rows of one COPY, a transaction of its own. */
const BATCH = 20_000;

const SESSION_KEY = `ALTER TABLE essai ADD FOREIGN KEY (session_id, centre_usinage_id)
  REFERENCES session_production (id, centre_usinage_id) ON DELETE CASCADE`;
const PROFILE_KEY = `ALTER TABLE essai ADD FOREIGN KEY (job_profil_id, centre_usinage_id)
  REFERENCES job_profil (id, centre_usinage_id)`;

interface Way {
  readonly name: string;
  /** statements that give the new table its guard */
  before(client: Client): Promise<string[]>;
  /** statements at the end of the load, whose time counts */
  readonly after: readonly string[];
}

const none = async (): Promise<string[]> => [];
const WAYS: readonly Way[] = [
  { name: 'nothing', before: none, after: [] },
  { name: 'row-level key on the session', before: async () => [SESSION_KEY], after: [] },
  {
    name: 'row-level keys on session and profile',
    before: async () => [SESSION_KEY, PROFILE_KEY],
    after: [],
  },
  { name: 'our statement-level triggers', before: triggers, after: [] },
  { name: 'both keys, added after the load', before: none, after: [SESSION_KEY, PROFILE_KEY] },
];

const COLUMNS: readonly Column[] = [
  { name: 'centre_usinage_id', kind: 'int4' },
  { name: 'session_id', kind: 'int8' },
  { name: 'numero_piece', kind: 'int4' },
  { name: 'timestamp_production', kind: 'seconds' },
  { name: 'details', kind: 'text' },
  { name: 'job_profil_id', kind: 'int8' },
  { name: 'fichier_log_version_id', kind: 'int4' },
  { name: 'ligne', kind: 'int8' },
];
const START = Date.UTC(2025, 0, 1, 6) / 1000;

const load = currentLoad();
await using place = await openWorkplace();
const pool = createPool(await place.server.create('cles'), { logger: silentLogger(), max: 1 });
const rows = sessions * PIECES;
const speeds = new Map<Way, number[]>(WAYS.map((way) => [way, []]));
const refuses = new Map<Way, boolean>();
await withClient(pool, async (client) => {
  await makeParents(client);
  for (let i = 0; i < repeats; i++) {
    // Each repeat begins elsewhere in the list, so that no way always follows the same other.
    for (let w = 0; w < WAYS.length; w++) {
      const way = WAYS[(w + i) % WAYS.length]!;
      process.stderr.write(`repeat ${i + 1} of ${repeats}: ${way.name}\n`);
      speeds.get(way)!.push(rows / (await loadBy(way, client)));
      refuses.set(way, await refusesOrphans(client));
    }
  }
});
await pool.end();
const free = speeds.get(WAYS[0]!)!;
const gain = speeds.get(WAYS[3]!)!.map((speed, i) => speed / speeds.get(WAYS[2]!)![i]!);
await publish(
  `cles, ${rows} pieces`,
  [
    machineFacts({ postgres: place.server.version, repeats, load }),
    `${rows} rows of ${sessions} sessions and ${sessions * PROFILES} profiles into a copy of piece_production (same columns, ` +
      `checks and indexes), by binary COPY in transactions of ${BATCH}. Times over nothing are taken within each repeat; ` +
      `the column after them compares the fastest repeat of each, which neighbours on the machine disturb least.`,
    table(
      ['guard', 'rows/s', 'time / nothing', 'of the fastest', 'refuses an orphan'],
      WAYS.map((way) => [
        way.name,
        spread(speeds.get(way)!, 0),
        spread(
          speeds.get(way)!.map((speed, i) => free[i]! / speed),
          2,
        ),
        (Math.max(...free) / Math.max(...speeds.get(way)!)).toFixed(2),
        refuses.get(way) ? 'yes' : 'no',
      ]),
    ),
    `Triggers against row-level keys on both, within each repeat: ${spread(gain, 1)} times as fast.`,
  ].join('\n\n'),
  options,
  [{ nom: 'triggers against row-level keys, speed', valeur: median(gain), mieux: 'grand' }],
);

async function makeParents(client: Client): Promise<void> {
  await client.query(
    `INSERT INTO centre_usinage (id, nom) SELECT i, 'CENTRE ' || i FROM generate_series(1, 3) i`,
  );
  await client.query(
    `INSERT INTO session_production (id, centre_usinage_id, date_production, origine)
     SELECT i, 1 + i % 3, date '2025-01-01' + i, 'log' FROM generate_series(1, $1::int) i`,
    [sessions],
  );
  await client.query(
    `INSERT INTO job_profil (id, centre_usinage_id, session_id, numero, reference, longueur, timestamp_debut)
     SELECT (s.id - 1) * ${PROFILES} + n, s.centre_usinage_id, s.id, n, 'R' || n, 6500, now()
       FROM session_production s, generate_series(1, ${PROFILES}) n`,
  );
  await client.query('VACUUM ANALYZE');
}

/** Seconds that the load took, what the guard asks for at its end included. */
async function loadBy(way: Way, client: Client): Promise<number> {
  await client.query('DROP TABLE IF EXISTS essai');
  await client.query('CREATE TABLE essai (LIKE piece_production INCLUDING ALL)');
  for (const statement of await way.before(client)) await client.query(statement);
  await place.server.settle();
  const start = performance.now();
  for (let from = 0; from < rows; from += BATCH) {
    const to = Math.min(from + BATCH, rows);
    await transaction(client, () =>
      copyRows(client, 'essai', COLUMNS, async (write) => {
        for (const piece of pieces(from, to)) {
          const full = write(piece);
          if (full) await full;
        }
      }),
    );
  }
  for (const statement of way.after) await client.query(statement);
  const seconds = (performance.now() - start) / 1000;
  const { rows: counted } = await client.query<{ n: number }>('SELECT count(*) AS n FROM essai');
  if (counted[0]!.n !== rows) throw new Error(`${way.name}: ${counted[0]!.n} rows of ${rows}`);
  return seconds;
}

function* pieces(from: number, to: number): Generator<Value[]> {
  for (let i = from; i < to; i++) {
    const session = 1 + Math.floor(i / PIECES);
    const numero = 1 + (i % PIECES);
    const profil = (session - 1) * PROFILES + 1 + Math.floor(((numero - 1) * PROFILES) / PIECES);
    const details = `S${i} Order=25${session}-${numero} Pos=${numero % 50} Kozijn L=${1000 + (i % 2000)}.4`;
    const instant = START + session * 86_400 + numero * 40;
    yield [1 + (session % 3), session, numero, instant, details, profil, session, numero * 7];
  }
}

/** The triggers that piece_production has, on the new table. */
async function triggers(client: Client): Promise<string[]> {
  const { rows: found } = await client.query<{ definition: string }>(
    `SELECT pg_get_triggerdef(oid) AS definition FROM pg_trigger
      WHERE tgrelid = 'piece_production'::regclass AND NOT tgisinternal ORDER BY tgname`,
  );
  if (found.length === 0) throw new Error('piece_production has no trigger');
  return found.map(({ definition }) => definition.replace(/ ON (public\.)?piece_production /, ' ON essai '));
}

/** Whether a piece of a session that does not exist is turned away. */
async function refusesOrphans(client: Client): Promise<boolean> {
  try {
    await client.query(
      `INSERT INTO essai (centre_usinage_id, session_id, numero_piece, timestamp_production) VALUES (1, 0, 1, now())`,
    );
    return false;
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === '23503') return true;
    throw error;
  }
}
