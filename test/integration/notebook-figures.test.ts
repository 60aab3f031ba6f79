// Answers of notebooks/queries.ipynb against figures computed another way: by hand from rows, or from the logs' bytes.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, connectReadOnly } from '../../scripts/notebook/answers.ts';
import { type Notebook, questionsOf } from '../../scripts/notebook/cells.ts';
import { fillWithDemo } from '../../scripts/notebook/demo-data.ts';
import { type Interval, intersect, measure, subtract, union } from '../../src/domain/intervals.ts';
import type { TreeResult } from '../../src/embedded/simulator/tree.ts';
import { ingest } from '../../src/jobs/ingest.ts';
import { makeContext, migrateUrl } from '../harness/context.ts';
import { linesOf } from '../harness/lines.ts';
import { createDatabase, registerTemplate, type TestDatabase } from '../harness/postgres.ts';

registerTemplate(migrateUrl);
const FILE = join(import.meta.dirname, '../../notebooks/queries.ipynb');
const questions = questionsOf(JSON.parse(readFileSync(FILE, 'utf8')) as Notebook);

type Row = Record<string, string | null>;

let dir: string;
let database: TestDatabase;
let client: pg.Client;
let tree: TreeResult;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'atelier-carnet-'));
  database = await createDatabase();
  tree = await fillWithDemo(database.url, { dir });
  client = await connectReadOnly(database.url);
});
afterAll(async () => {
  await client?.end();
  await database?.drop();
  rmSync(dir, { recursive: true, force: true });
});

/** What a question answers, by its title. */
async function answerTo(titre: string, from = client): Promise<Row[]> {
  const question = questions.find((one) => one.titre === titre);
  if (!question) throw new Error(`no such question: ${titre}`);
  const { columns, rows } = await ask(from, question.sql);
  return rows.map((row) => Object.fromEntries(columns.map((name, at) => [name, row[at]!])));
}

/** Rows of a table of details, of sessions from a day on, in the order of their number. */
async function details(table: string, number: string, since: string): Promise<Row[]> {
  const { rows } = await client.query<Row>(
    `SELECT c.nom AS centre, d.* FROM ${table} d JOIN session_production s ON s.id = d.session_id
       JOIN centre_usinage c ON c.id = s.centre_usinage_id
      WHERE s.date_production >= $1 ORDER BY d.session_id, d.${number}`,
    [since],
  );
  return rows;
}

/** Microseconds since the epoch of an instant as PostgreSQL writes it. */
const micros = (text: string | null): number =>
  Date.parse(text!.replace(/(\.\d+)?\+00$/, 'Z')) * 1000 + fraction(text!);
const fraction = (text: string): number => Number((/\.(\d+)/.exec(text)?.[1] ?? '').padEnd(6, '0'));
const periods = (rows: Row[]): Interval[] =>
  rows.map((row) => ({ start: micros(row.timestamp_debut!), end: micros(row.timestamp_fin!) }));
const by = <T>(rows: T[], key: (row: T) => string): Map<string, T[]> => Map.groupBy(rows, key);
const total = (rows: Row[], column: string): number =>
  rows.reduce((sum, row) => sum + Number(row[column]), 0);

/** A figure of the notebook against the exact one; halves may go either way. */
function expectRounded(figure: string | null | undefined, exact: number, decimals: number): void {
  const off = Math.abs(Number(figure) - exact);
  expect(off, `${figure}, exactly ${exact}`).toBeLessThanOrEqual(0.5 * 10 ** -decimals + 1e-9);
}

/** Days of the demonstration: June 2025; its last week, its last thirty days. */
const WEEK = '2025-06-24';
const MONTH = '2025-06-01';

describe('production', () => {
  it('pieces: as many as the simulator made, and as the files of the last day hold', async () => {
    const rates = await answerTo('À quelle cadence chaque centre produit-il ?');
    expect(total(rates, 'pieces')).toBe(tree.pieces);
    const days = await answerTo('Combien de pièces par jour et par centre ?');
    for (const centre of ['DEM12', 'DEMALU', 'SU12']) {
      const log = readFileSync(join(dir, 'logs', centre, '20250630.LOG'), 'latin1');
      const pieces = linesOf(log).filter((line) =>
        /^[\x80-\xff]*20250630 \d\d:\d\d:\d\d\|@StukUitgevoerd:/.test(line),
      ).length;
      expect(days.find((row) => row.jour === '2025-06-30' && row.centre === centre)).toMatchObject({
        pieces: String(pieces),
      });
    }
    const weeks = await answerTo('Combien de pièces par semaine, et par jour en moyenne ?');
    expect(total(weeks, 'pieces')).toBe(tree.pieces);
    expect(total(weeks, 'jours')).toBe(3 * 29);
  });

  it('time between pieces: median and ninth decile of the sorted gaps', async () => {
    const gaps = new Map<string, number[]>();
    for (const pieces of by(
      await details('piece_production', 'numero_piece', WEEK),
      (row) => row.session_id!,
    ).values()) {
      const list = gaps.getOrInsert(pieces[0]!.centre!, []);
      for (let i = 1; i < pieces.length; i++) {
        list.push(
          (micros(pieces[i]!.timestamp_production!) - micros(pieces[i - 1]!.timestamp_production!)) / 1e6,
        );
      }
    }
    for (const row of await answerTo('Combien de temps entre deux pièces ?')) {
      const sorted = gaps.get(row.centre!)!.sort((a, b) => a - b);
      const quantile = (share: number): number => {
        const at = share * (sorted.length - 1);
        const low = sorted[Math.floor(at)]!;
        return low + (sorted[Math.ceil(at)]! - low) * (at % 1);
      };
      expect(Number(row.ecarts)).toBe(sorted.length);
      expectRounded(row.mediane_s, quantile(0.5), 1);
      expectRounded(row.p90_s, quantile(0.9), 1);
      expect(Number(row.plus_grand_s)).toBe(sorted.at(-1));
    }
  });
});

describe('occupation, waits, stops', () => {
  it('occupation of a week: times are summed, then divided; it is not the mean of the rates', async () => {
    const { rows: sessions } = await client.query<Row>(
      `SELECT c.nom AS centre, s.* FROM session_production s JOIN centre_usinage c ON c.id = s.centre_usinage_id`,
    );
    const monday = (day: string): string => {
      const date = Temporal.PlainDate.from(day);
      return date.subtract({ days: date.dayOfWeek - 1 }).toString();
    };
    const weeks = by(sessions, (row) => `${monday(row.date_production!)} ${row.centre}`);
    const answer = await answerTo('Quelle occupation par semaine et par centre ?');
    expect(answer.length).toBe(weeks.size);
    let different = 0;
    for (const row of answer) {
      const week = weeks.get(`${row.semaine_du} ${row.centre}`)!;
      const window = total(week, 'duree_production_totale');
      expectRounded(row.occupation_pct, (100 * total(week, 'temps_production_effectif')) / window, 2);
      expectRounded(row.attente_pct, (100 * total(week, 'temps_attente')) / window, 2);
      const parts = Number(row.occupation_pct) + Number(row.attente_pct) + Number(row.arret_pct);
      expect(Math.abs(parts - 100)).toBeLessThanOrEqual(0.02);
      if (Math.abs(total(week, 'taux_occupation') / week.length - Number(row.occupation_pct)) > 0.05)
        different++;
    }
    expect(different).toBeGreaterThan(0);
  });

  it('waits inside stops and outside the window: by the algebra that sessions are computed with', async () => {
    const waits = by(await details('periode_attente', 'numero', WEEK), (row) => row.session_id!);
    const stops = by(await details('periode_arret', 'numero', WEEK), (row) => row.session_id!);
    const { rows: sessions } = await client.query<Row>(
      `SELECT c.nom AS centre, s.* FROM session_production s JOIN centre_usinage c ON c.id = s.centre_usinage_id
        WHERE s.date_production >= $1`,
      [WEEK],
    );
    for (const row of await answerTo('Quelle part des attentes tombe dans un arrêt ?')) {
      const sums = { attentes_h: 0, dans_un_arret_h: 0, hors_fenetre_h: 0, retenu_h: 0 };
      for (const session of sessions.filter(({ centre }) => centre === row.centre)) {
        const window = [
          { start: micros(session.heure_premiere_piece!), end: micros(session.heure_derniere_piece!) },
        ];
        const waited = union(periods(waits.get(session.id!) ?? []));
        const stopped = union(periods(stops.get(session.id!) ?? []));
        const outside = subtract(waited, stopped);
        sums.attentes_h += measure(waited);
        sums.dans_un_arret_h += measure(intersect(waited, stopped));
        sums.hors_fenetre_h += measure(subtract(outside, window));
        sums.retenu_h += measure(intersect(outside, window));
      }
      for (const [column, sum] of Object.entries(sums)) {
        expectRounded(row[column], sum / 3.6e9, 3);
      }
      expectRounded(row.session_h, sums.retenu_h / 3.6e9, 2);
    }
  });

  it('stops by hour: every second in its hour of the factory', async () => {
    const stops = await details('periode_arret', 'numero', MONTH);
    expect(await answerTo('À quelle heure s’arrête-t-on ?')).toEqual(stopsByHour(periods(stops)));
  });

  it('worst waits, longest stops, last pieces: the named line of the named file says so', async () => {
    const lineOf = (row: Row, line: string): string =>
      linesOf(readFileSync(join(dir, 'logs', row.chemin!), 'latin1'))[Number(row[line]) - 1]!;
    const stamp = (text: string | null): string => text!.replaceAll('-', '');
    const waits = await answerTo('Quelles sont les pires attentes ?');
    for (const row of waits) {
      const line = lineOf(row, 'ligne');
      expect(line.startsWith(`${stamp(row.debut!)}|@MachineWait`)).toBe(true);
      const seconds = Number(/(\d+(?:[.,]\d+)?)\s*(?:sec)?\s*$/.exec(line)![1]!.replace(',', '.'));
      expectRounded(row.minutes, seconds / 60, 1);
    }
    for (const row of await answerTo('Quels sont les plus longs arrêts ?')) {
      expect(lineOf(row, 'ligne').startsWith(`${stamp(row.debut!)}|@MachineStop`)).toBe(true);
      expect(lineOf(row, 'ligne_fin')).toContain(`${row.fin}|@MachineStart`);
    }
    const pieces = await answerTo('De quelle ligne vient cette pièce ?');
    for (const row of pieces) expect(lineOf(row, 'ligne')).toContain(`${stamp(row.finie!)}|@StukUitgevoerd`);
    expect([waits.length, pieces.length]).toEqual([10, 10]);
  });
});

describe('profiles', () => {
  it('metres, bars and pieces by reference', async () => {
    const bars = by(await details('job_profil', 'numero', MONTH), (row) => row.reference!);
    const answer = await answerTo('Combien de mètres par référence ?');
    expect(answer.map((row) => row.reference).sort()).toEqual([...bars.keys()].sort());
    for (const row of answer) {
      const own = bars.get(row.reference!)!;
      expect(Number(row.barres)).toBe(own.length);
      expectRounded(row.metres, total(own, 'longueur') / 1000, 1);
    }
    expect(total(answer, 'pieces')).toBe(tree.pieces);
  });

  it('changes of colour and reference, from bar to bar', async () => {
    const bars = await details('job_profil', 'numero', MONTH);
    for (const row of await answerTo('Combien de changements de couleur et de référence ?')) {
      const own = bars.filter(({ centre }) => centre === row.centre);
      const pairs = own.slice(1).map((bar, at) => [own[at]!, bar] as const);
      const same = pairs.filter(([one, other]) => one.session_id === other.session_id);
      const known = same.filter(([one, other]) => one.couleur !== null && other.couleur !== null);
      const colours = known.filter(([one, other]) => one.couleur !== other.couleur).length;
      expect(row).toMatchObject({
        barres: String(own.length),
        changements_reference: String(
          same.filter(([one, other]) => one.reference !== other.reference).length,
        ),
        changements_couleur: String(colours),
        barres_sans_couleur: String(own.filter(({ couleur }) => couleur === null).length),
        changements_couleur_pct: ((100 * colours) / known.length).toFixed(1),
      });
    }
  });
});

it('in the night when the hour repeats, a stop lasts as long as it lasted, and the check of data sees what is odd', async () => {
  const place = mkdtempSync(join(tmpdir(), 'atelier-carnet-'));
  const night = await createDatabase();
  const ctx = makeContext({ url: night.url, logs: join(place, 'logs'), archives: join(place, 'archives') });
  const reader = await connectReadOnly(night.url, { TimeZone: 'America/New_York' });
  try {
    mkdirSync(join(place, 'logs', 'DEM12'), { recursive: true });
    // 01:50 summer time to 03:10 winter time: 2 h 20 min, of which two hours show 2 on the clock.
    const log = [
      '00:30:00|@StukUitgevoerd: A',
      '01:50:00|@MachineStop',
      '03:10:00|@MachineStart',
      '03:20:00|@StukUitgevoerd: B',
    ];
    writeFileSync(
      join(place, 'logs', 'DEM12', '20251026.LOG'),
      log.map((line) => `20251026 ${line}\n`).join(''),
    );
    await ingest(ctx);
    expect(await answerTo('À quelle heure s’arrête-t-on ?', reader)).toEqual([
      { heure: '1', debuts: '1', minutes: '10' },
      { heure: '2', debuts: '0', minutes: '120' },
      { heure: '3', debuts: '0', minutes: '10' },
    ]);
    const checks = await answerTo('Peut-on se fier aux données ?', reader);
    expect(checks.filter(({ nombre }) => nombre !== '0')).toEqual([
      { controle: 'pièces sans profilé', attendu: 'peu', nombre: '2' },
    ]);
  } finally {
    await reader.end();
    await ctx.pool.end();
    await night.drop();
    rmSync(place, { recursive: true, force: true });
  }
});

/** Minutes of stops in each hour of the day of the factory, and how many begin there. */
function stopsByHour(stops: Interval[]): Row[] {
  const hours = new Map<number, { debuts: number; micros: number }>();
  for (const { start, end } of stops) {
    let at = start;
    while (at < end) {
      const clock = Temporal.Instant.fromEpochMilliseconds(at / 1000).toZonedDateTimeISO('Europe/Paris');
      const next = clock.round({ smallestUnit: 'hour', roundingMode: 'floor' }).add({ hours: 1 });
      const until = Math.min(end, next.epochMilliseconds * 1000);
      const hour = hours.getOrInsert(clock.hour, { debuts: 0, micros: 0 });
      if (at === start) hour.debuts++;
      hour.micros += until - at;
      at = until;
    }
  }
  return [...hours]
    .sort(([a], [b]) => a - b)
    .map(([heure, { debuts, micros: spent }]) => ({
      heure: String(heure),
      debuts: String(debuts),
      minutes: String(Math.round(spent / 6e7)),
    }));
}
