// A synchronisation that dies by SIGKILL leaves nothing behind, and the next one is right: F50.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../../src/postgres/pool.ts';
import type { SyncOrder } from '../crash/sync-child.ts';
import { SANS_MARIADB } from '../harness/mariadb.ts';
import { OrderRoad, plainOrder, plainOrders } from '../harness/order-road.ts';
import { setting } from '../harness/property.ts';

const CHILD = fileURLToPath(new URL('../crash/sync-child.ts', import.meta.url));
const KILLS = setting('ATELIER_MORTS', 20);
const ORDERS = 60;

describe.skipIf(SANS_MARIADB)('morts', () => {
  let road: OrderRoad;
  beforeAll(async () => {
    road = await OrderRoad.open();
  });
  afterAll(() => road?.close());

  function start(): { child: ChildProcess; ended: Promise<unknown> } {
    const order: SyncOrder = { url: road.url, erp: road.config() };
    const child = spawn(process.execPath, [CHILD, JSON.stringify(order)], {
      stdio: 'ignore',
    });
    return { child, ended: once(child, 'close') };
  }

  /** Sessions of PostgreSQL besides the one that asks. */
  async function others(condition: string): Promise<number> {
    const { rows } = await road.pool.query<{ n: number }>(
      `SELECT count(*) AS n FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND ${condition}`,
    );
    return rows[0]!.n;
  }

  async function until(condition: string, wanted: boolean): Promise<void> {
    for (let i = 0; i < 2000; i++) {
      if ((await others(condition)) > 0 === wanted) return;
      await sleep(10);
    }
    throw new Error(`jamais ${wanted ? 'vrai' : 'faux'} : ${condition}`);
  }

  async function historyRows(): Promise<unknown[]> {
    return (await road.pool.query('SELECT * FROM commande_historique ORDER BY id')).rows;
  }

  const STAGED = "wait_event_type = 'Lock' AND query LIKE 'LOCK TABLE%'";
  const MERGED = "wait_event = 'PgSleep'";

  /** Where the child is when it dies; each of the first two waits at its place until it is killed. */
  const PLACES = ['apres-attente', 'avant-validation', 'au-hasard'] as const;

  test(`F50 ${KILLS} fois tuée entre l’attente et la validation, ou n’importe quand : rien ne reste, la suivante est juste`, async () => {
    await road.load(plainOrders(ORDERS));
    await road.done();
    let killed = 0;
    for (let round = 0; round < KILLS; round++) {
      const place = PLACES[round % PLACES.length]!;
      // Each round has one order more to change than the last one stored.
      const status = `Planifiée ${round}`;
      await road.load([...plainOrders(ORDERS - 1), plainOrder(5000, { status })]);
      const before = [await road.stored(), await historyRows()];
      const holder = await connect(road.pool);
      if (place === 'apres-attente') {
        await holder.query('BEGIN; LOCK TABLE commandes_volets_roulants IN ROW EXCLUSIVE MODE');
      } else if (place === 'avant-validation') {
        await holder.query(
          `CREATE FUNCTION lenteur() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(1); RETURN NULL; END';
           CREATE TRIGGER lenteur AFTER INSERT ON commande_historique EXECUTE FUNCTION lenteur()`,
        );
      }
      const { child, ended } = start();
      if (place === 'apres-attente') await until(STAGED, true);
      else if (place === 'avant-validation') await until(MERGED, true);
      else await sleep(250 + 97 * (round % 11));
      child.kill('SIGKILL');
      await ended;
      if (child.signalCode === 'SIGKILL') killed++;
      if (place === 'apres-attente') await holder.query('ROLLBACK');
      // PostgreSQL notices a dead client when it next turns to it.
      await until("application_name = 'atelier' AND state <> 'idle'", false);
      if (place === 'avant-validation') await holder.query('DROP FUNCTION lenteur CASCADE');
      holder.release();

      const left = await road.pool.query(
        "SELECT relname FROM pg_class WHERE relname LIKE 'commande\\_arrivee%' OR relname LIKE 'commande\\_changement%'",
      );
      expect(left.rows, place).toEqual([]);
      if (place !== 'au-hasard') {
        expect([await road.stored(), await historyRows()], place).toEqual(before);
        expect(await road.lastRun(), place).toMatchObject({ etat: 'en_cours', fini: false });
      }
      await road.done();
      const after = await road.stored();
      expect(after).toHaveLength(ORDERS);
      expect(after.at(-1)).toMatchObject({ numero_commande: '5000', status });
    }
    expect(killed).toBeGreaterThanOrEqual(Math.floor((KILLS * 2) / 3));
    // Each change was noted once, whatever was tried in vain.
    const { rows } = await road.pool.query(
      "SELECT nouveau_status AS s, count(*) AS n FROM commande_historique WHERE numero_commande = '5000' GROUP BY 1",
    );
    expect(rows).toHaveLength(KILLS);
    expect(rows.every((row) => row.n === 1)).toBe(true);
  }, 300_000);
});
