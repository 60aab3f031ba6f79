// A session with its details, read by columns against row_to_json: processor time of both, in turn. See README.md.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { silentLogger } from '../src/base/logger.ts';
import { lireSessionComplete, PARTIES_DE_SESSION } from '../src/postgres/lecture/session-complete.ts';
import { createApiPool } from '../src/postgres/pool.ts';
import type { Ratio } from './lib/reference.ts';
import { currentLoad, machineFacts, median, publish, spread, table } from './lib/report.ts';
import { openWorkplace } from './lib/workplace.ts';

const { values: options } = parseArgs({
  options: {
    pieces: { type: 'string', default: '800' },
    repeats: { type: 'string', default: '30' },
    save: { type: 'boolean', default: false },
    comparer: { type: 'boolean', default: false },
  },
});
const [pieces, repeats] = [options.pieces, options.repeats].map(Number) as [number, number];
if (!(pieces >= 1 && repeats >= 1)) {
  throw new Error('usage: bench/session.ts [--pieces N] [--repeats N] [--save] [--comparer]');
}

const SESSIONS = 50;
/** requests in a turn: what a turn takes is far above the resolution of the clocks */
const TURN = 20;

const load = currentLoad();
await using place = await openWorkplace();
const url = await place.server.create('session');
await fill(url);
const pool = createApiPool(url, { logger: silentLogger(), max: 1, fuseau: 'Europe/Paris' });
const { rows: backend } = await pool.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');

const ways = {
  columns: async (id: number) => (await lireSessionComplete(pool, id, PARTIES_DE_SESSION))!,
  rows: byRows,
};
for (let id = 1; id <= SESSIONS; id++) {
  if ((await ways.columns(id)) !== (await ways.rows(id))) throw new Error(`session ${id}: not the same text`);
}
const measured = {
  columns: { postgres: [] as number[], node: [] as number[] },
  rows: { postgres: [] as number[], node: [] as number[] },
};
let bytes = 0;
for (let i = -2; i < repeats; i++) {
  const names = ['columns', 'rows'] as const;
  for (const name of i % 2 === 0 ? names : names.toReversed()) {
    const [server, own] = [serverCpu(), process.cpuUsage()];
    for (let n = 0; n < TURN; n++) bytes = Buffer.from(await ways[name](1 + (n % SESSIONS))).length;
    const { user, system } = process.cpuUsage(own);
    if (i < 0) continue;
    measured[name].postgres.push((serverCpu() - server) / TURN);
    measured[name].node.push((user + system) / 1000 / TURN);
  }
}
await pool.end();

const whole = (name: keyof typeof measured): number[] =>
  measured[name].postgres.map((ms, i) => ms + measured[name].node[i]!);
const ratio = (ours: readonly number[], theirs: readonly number[]): number[] =>
  ours.map((ms, i) => ms / theirs[i]!);
const ratios = {
  PostgreSQL: ratio(measured.columns.postgres, measured.rows.postgres),
  Node: ratio(measured.columns.node, measured.rows.node),
  both: ratio(whole('columns'), whole('rows')),
};
const kept: Ratio[] = [
  { nom: 'processor time by columns / by rows, both', valeur: median(ratios.both), mieux: 'petit' },
];
await publish(
  `session, ${pieces} pieces`,
  [
    machineFacts({ postgres: place.server.version, repeats, load }),
    `A session of ${(bytes / 1000).toFixed(0)} kB, ${TURN} times in a row by each way, in turn. The same text, byte for byte.`,
    table(
      ['processor time, ms a session', 'by columns', 'row_to_json', 'ratio'],
      [
        [
          'PostgreSQL',
          spread(measured.columns.postgres, 2),
          spread(measured.rows.postgres, 2),
          spread(ratios.PostgreSQL, 2),
        ],
        ['Node', spread(measured.columns.node, 2), spread(measured.rows.node, 2), spread(ratios.Node, 2)],
        ['both', spread(whole('columns'), 2), spread(whole('rows'), 2), spread(ratios.both, 2)],
      ],
    ),
  ].join('\n\n'),
  options,
  kept,
);

/** Processor time of the connection's process so far, ms (Linux). */
function serverCpu(): number {
  return Number(readFileSync(`/proc/${backend[0]!.pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
}

/** The statement that made this text before. */
async function byRows(id: number): Promise<string> {
  const part = (name: string, from: string, columns: string, order: string): string =>
    ` || ',"${name}":[' || coalesce((SELECT string_agg(row_to_json(d)::text, ',') FROM (
      SELECT ${columns} FROM ${from} t WHERE t.session_id = $1::bigint ORDER BY t.${order}) d), '') || ']'`;
  const period =
    'id, session_id, timestamp_debut, timestamp_fin, trim_scale(duree_secondes) AS duree_secondes, date_creation';
  const numbers = [
    'duree_production_totale',
    'temps_attente',
    'temps_arret_volontaire',
    'temps_production_effectif',
    'taux_occupation',
    'taux_attente',
    'taux_arret_volontaire',
  ].map((name) => `trim_scale(${name}) AS ${name}`);
  const parts = [
    part(
      'job_profils',
      'job_profil',
      'id, session_id, reference, trim_scale(longueur) AS longueur, couleur, timestamp_debut, date_creation',
      'numero',
    ),
    part('periodes_attente', 'periode_attente', period, 'numero'),
    part('periodes_arret', 'periode_arret', period, 'numero'),
    part(
      'pieces_production',
      'piece_production',
      'id, session_id, numero_piece, timestamp_production, details, job_profil_id, date_creation',
      'numero_piece',
    ),
  ];
  const text = `SELECT left(row_to_json(p)::text, -1)${parts.join('')} || '}' AS json FROM (
    SELECT id, centre_usinage_id, date_production, heure_premiere_piece, heure_derniere_piece, heure_premier_machine_start,
           heure_dernier_machine_stop, total_pieces, ${numbers.join(', ')}, fichier_log_source, origine, date_creation
      FROM session_production WHERE id = $1::bigint) p`;
  const { rows } = await pool.query<{ json: string }>({ name: 'rows', text, values: [id] });
  return rows[0]!.json;
}

/** Sessions whose details are in the proportions of simulated logs. */
async function fill(address: string): Promise<void> {
  const db = new pg.Client({ connectionString: address });
  await db.connect();
  const at = (seconds: number): string => `s.date_production + n * interval '${seconds} second'`;
  const periods = (name: string, count: number): string =>
    `INSERT INTO ${name} (centre_usinage_id, session_id, numero, timestamp_debut, timestamp_fin, duree_secondes)
     SELECT 1, s.id, n, ${at(513)}, ${at(513)} + interval '30.25 second', 30.25
       FROM session_production s, generate_series(1, ${count}) n`;
  await db.query('BEGIN');
  await db.query(`INSERT INTO centre_usinage (nom, type_cu) VALUES ('CENTRE', 'PVC')`);
  await db.query(
    `INSERT INTO session_production (centre_usinage_id, date_production)
     SELECT 1, date '2025-03-01' + n FROM generate_series(1, ${SESSIONS}) n`,
  );
  await db.query(
    `INSERT INTO job_profil (centre_usinage_id, session_id, numero, reference, longueur, couleur, timestamp_debut)
     SELECT 1, s.id, n, 'PN22-' || n, 3359.5 + n, 'BLANC', ${at(613)}
       FROM session_production s, generate_series(1, ${Math.ceil(pieces * 0.045)}) n`,
  );
  await db.query(periods('periode_attente', Math.ceil(pieces * 0.086)));
  await db.query(periods('periode_arret', Math.ceil(pieces * 0.006)));
  await db.query(
    `INSERT INTO piece_production (centre_usinage_id, session_id, numero_piece, timestamp_production, details, job_profil_id)
     SELECT 1, s.id, n, ${at(37)}, 'L:' || n || '.0 A:45', (SELECT min(id) FROM job_profil j WHERE j.session_id = s.id)
       FROM session_production s, generate_series(1, ${pieces}) n ORDER BY s.id, n`,
  );
  await db.query('COMMIT');
  await db.query('VACUUM ANALYZE');
  await db.end();
}
