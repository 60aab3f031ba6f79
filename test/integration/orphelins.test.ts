// A detail without its session is impossible, without a row-level foreign key: every way to make one is refused.

import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createWorkshop, type Workshop } from '../harness/ingest.ts';

const DETAILS = {
  job_profil:
    "(centre_usinage_id, session_id, numero, reference, longueur, timestamp_debut) VALUES ($1, $2, 1, 'R', 1, now())",
  periode_attente:
    '(centre_usinage_id, session_id, numero, timestamp_debut, timestamp_fin, duree_secondes) VALUES ($1, $2, 1, now(), now(), 0)',
  periode_arret:
    '(centre_usinage_id, session_id, numero, timestamp_debut, timestamp_fin, duree_secondes) VALUES ($1, $2, 1, now(), now(), 0)',
  piece_production:
    '(centre_usinage_id, session_id, numero_piece, timestamp_production) VALUES ($1, $2, 1, now())',
} as const;
type Table = keyof typeof DETAILS;
const TABLES = Object.keys(DETAILS) as Table[];
const FOREIGN_KEY_VIOLATION = { code: '23503' };

let workshop: Workshop;
let one: pg.PoolClient;
let two: pg.PoolClient;
let centre: number;
let session: number;

beforeAll(async () => {
  workshop = await createWorkshop();
  one = await workshop.reader.connect();
  two = await workshop.reader.connect();
});
afterAll(async () => {
  one.release();
  two.release();
  await workshop.close();
});
beforeEach(async () => {
  for (const client of [one, two]) await client.query('ROLLBACK');
  await one.query('DELETE FROM session_production; DELETE FROM centre_usinage');
  centre = (await one.query("INSERT INTO centre_usinage (nom) VALUES ('DEM12') RETURNING id")).rows[0].id;
  session = await newSession('2025-05-28');
});

async function newSession(day: string): Promise<number> {
  const { rows } = await one.query(
    "INSERT INTO session_production (centre_usinage_id, date_production, origine) VALUES ($1, $2, 'log') RETURNING id",
    [centre, day],
  );
  return rows[0].id;
}

async function add(client: pg.PoolClient, table: Table, to = session, centreId = centre): Promise<number> {
  const { rows } = await client.query(`INSERT INTO ${table} ${DETAILS[table]} RETURNING id`, [centreId, to]);
  return rows[0].id;
}

async function count(table: Table): Promise<number> {
  return (await one.query(`SELECT count(*) AS n FROM ${table}`)).rows[0].n;
}

/** Resolves once somebody waits for a lock. */
async function someoneWaits(): Promise<void> {
  for (;;) {
    const { rowCount } = await workshop.context.pool.query(
      "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
    );
    if ((rowCount ?? 0) > 0) return;
  }
}

describe.each(TABLES)('%s', (table) => {
  it('a row without its session is refused, also one of the right session and another centre', async () => {
    await expect(add(one, table, session + 1_000)).rejects.toMatchObject(FOREIGN_KEY_VIOLATION);
    await expect(add(one, table, session, centre + 1)).rejects.toMatchObject(FOREIGN_KEY_VIOLATION);
    expect(await count(table)).toBe(0);
  });

  it('one row too many in a statement of many refuses them all', async () => {
    const [columns, values] = DETAILS[table].split(' VALUES ') as [string, string];
    const other = values.replace('$2', '$2 + 1000');
    const statement = `INSERT INTO ${table} ${columns} VALUES ${values}, ${other}`.replaceAll(
      '$2',
      '$2::bigint',
    );
    await expect(one.query(statement, [centre, session])).rejects.toMatchObject(FOREIGN_KEY_VIOLATION);
    expect(await count(table)).toBe(0);
  });

  it('goes with its session', async () => {
    await add(one, table);
    const other = await newSession('2025-05-29');
    await add(one, table, other);
    await one.query('DELETE FROM session_production WHERE id = $1', [session]);
    expect((await one.query(`SELECT session_id FROM ${table}`)).rows).toEqual([{ session_id: other }]);
  });

  it('changes neither session nor centre', async () => {
    const id = await add(one, table);
    const other = await newSession('2025-05-29');
    for (const change of [`session_id = ${other}`, `centre_usinage_id = ${centre + 1}`, 'id = id + 1']) {
      const update = one.query(`UPDATE ${table} SET ${change} WHERE id = $1`, [id]);
      await expect(update).rejects.toMatchObject(FOREIGN_KEY_VIOLATION);
    }
  });

  it('F32: added while its session is being deleted: the addition waits, then fails', async () => {
    await one.query('BEGIN');
    await one.query('DELETE FROM session_production WHERE id = $1', [session]);
    const added = add(two, table).then(
      () => 'added',
      (error: { code: string }) => error.code,
    );
    await someoneWaits();
    await one.query('COMMIT');
    expect(await added).toBe('23503');
    expect(await count(table)).toBe(0);
  });

  it('F32: its session is deleted while it is being added: the deletion waits, then takes it along', async () => {
    await two.query('BEGIN');
    await add(two, table);
    const deleted = one.query('DELETE FROM session_production WHERE id = $1', [session]);
    await someoneWaits();
    await two.query('COMMIT');
    await deleted;
    expect(await count(table)).toBe(0);
  });

  it('F32: a deletion that would look at an older snapshot cannot leave it behind', async () => {
    await one.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    await one.query('SELECT count(*) FROM session_production');
    await add(two, table);
    await one.query('DELETE FROM session_production WHERE id = $1', [session]).catch(() => undefined);
    await one.query('COMMIT').catch(() => undefined);
    const { rows } = await one.query(
      `SELECT d.id FROM ${table} d LEFT JOIN session_production s ON s.id = d.session_id WHERE s.id IS NULL`,
    );
    expect(rows).toEqual([]);
  });
});

describe('sessions and profiles', () => {
  it('a session keeps its id and its centre', async () => {
    await add(one, 'piece_production');
    for (const change of ['id = id + 1000', `centre_usinage_id = ${centre + 1}`]) {
      const update = one.query(`UPDATE session_production SET ${change} WHERE id = $1`, [session]);
      await expect(update).rejects.toMatchObject(FOREIGN_KEY_VIOLATION);
    }
  });

  it('TRUNCATE of sessions or profiles is refused, also in cascade', async () => {
    for (const table of ['session_production', 'job_profil', 'centre_usinage']) {
      await expect(one.query(`TRUNCATE ${table} CASCADE`)).rejects.toMatchObject(FOREIGN_KEY_VIOLATION);
    }
  });

  it('a centre with sessions cannot be deleted', async () => {
    await expect(one.query('DELETE FROM centre_usinage')).rejects.toMatchObject(FOREIGN_KEY_VIOLATION);
  });

  it('a piece points to a profile of its own session, or to none', async () => {
    const profile = await add(one, 'job_profil');
    const other = await newSession('2025-05-29');
    const foreign = await add(one, 'job_profil', other);
    const piece = await add(one, 'piece_production');
    const point = (to: number): Promise<unknown> =>
      one.query('UPDATE piece_production SET job_profil_id = $2 WHERE id = $1', [piece, to]);
    await expect(point(foreign)).rejects.toMatchObject(FOREIGN_KEY_VIOLATION);
    await expect(point(foreign + 1_000)).rejects.toMatchObject(FOREIGN_KEY_VIOLATION);
    await point(profile);
    await one.query('DELETE FROM job_profil WHERE id = $1', [profile]);
    expect((await one.query('SELECT job_profil_id FROM piece_production')).rows).toEqual([
      { job_profil_id: null },
    ]);
  });

  it('F32: a profile deleted behind an older snapshot leaves no piece that points to it', async () => {
    const profile = await add(one, 'job_profil');
    await one.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    await one.query('SELECT count(*) FROM job_profil');
    await two.query(
      `INSERT INTO piece_production (centre_usinage_id, session_id, numero_piece, timestamp_production, job_profil_id)
       VALUES ($1, $2, 1, now(), $3)`,
      [centre, session, profile],
    );
    await one.query('DELETE FROM job_profil WHERE id = $1', [profile]).catch(() => undefined);
    await one.query('COMMIT').catch(() => undefined);
    const { rows } = await one.query(
      `SELECT p.id FROM piece_production p LEFT JOIN job_profil j ON j.id = p.job_profil_id
        WHERE p.job_profil_id IS NOT NULL AND j.id IS NULL`,
    );
    expect(rows).toEqual([]);
  });
});
