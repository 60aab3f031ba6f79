// Readers of the orders while they are replaced, and others that hold the table.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { silentLogger } from '../../src/base/logger.ts';
import { sync } from '../../src/jobs/sync.ts';
import { connect, createPool } from '../../src/postgres/pool.ts';
import { generateErp } from '../harness/erp-generator.ts';
import { loadErp } from '../harness/erp-load.ts';
import { SANS_MARIADB } from '../harness/mariadb.ts';
import { OrderRoad, plainOrders } from '../harness/order-road.ts';
import { makeSyncContext } from '../harness/sync-context.ts';

const READERS = 50;
const SWAPS = 100;
const LOOK = `SELECT count(*) AS n, coalesce(md5(string_agg(concat_ws('|', numero_commande, extension, status,
  date_modification, coffres, gestion_en_stock), E'\\n' ORDER BY numero_commande, extension)), '') AS sum
  FROM commandes_volets_roulants`;

describe.skipIf(SANS_MARIADB)('lecteurs et écrivains', () => {
  let road: OrderRoad;
  beforeAll(async () => {
    road = await OrderRoad.open();
  });
  afterAll(() => road?.close());
  beforeEach(() => road.empty());

  async function look(pool = road.pool): Promise<string> {
    const { rows } = await pool.query<{ n: number; sum: string }>(LOOK);
    return `${rows[0]?.n} ${rows[0]?.sum}`;
  }

  test(`F35 ${READERS} lecteurs pendant ${SWAPS} remplacements : l’un ou l’autre des deux jeux, rien d’autre`, async () => {
    for (const [base, seed] of [
      ['jeu_a', 1],
      ['jeu_b', 2],
    ] as const) {
      await road.maria.creerErp(base);
      await loadErp(road.maria.admin, () => generateErp(seed, { orders: 300, traps: 0.1 }));
    }
    const seen = new Map<string, number>();
    const sets: string[] = [];
    for (const database of ['jeu_a', 'jeu_b']) {
      await road.done({ force: true }, { database });
      sets.push(await look());
    }
    expect(new Set(sets).size).toBe(2);
    expect(sets.every((set) => Number(set.split(' ')[0]) > 30)).toBe(true);

    const readers = createPool(road.url, { logger: silentLogger(), max: READERS });
    let stop = false;
    let slowest = 0;
    const polling = Array.from({ length: READERS }, async () => {
      while (!stop) {
        const start = performance.now();
        const state = await look(readers);
        slowest = Math.max(slowest, performance.now() - start);
        seen.set(state, (seen.get(state) ?? 0) + 1);
        await sleep(20);
      }
    });
    try {
      for (let swap = 0; swap < SWAPS; swap++) {
        const database = swap % 2 === 0 ? 'jeu_a' : 'jeu_b';
        expect(await road.done({ force: true }, { database })).toMatchObject({ etat: 'reussie' });
      }
    } finally {
      stop = true;
      await Promise.all(polling);
      await readers.end();
    }
    expect([...seen.keys()].sort()).toEqual(sets.sort());
    for (const count of seen.values()) expect(count).toBeGreaterThan(SWAPS);
    // Fifty of them share two cores with two servers; whoever waited for a lock would wait for longer than this.
    expect(slowest).toBeLessThan(4000);
    await road.maria.creerErp('essai');
  }, 300_000);

  test('F49 un lecteur dont la transaction dure ne fait pas attendre, et revoit le même jeu', async () => {
    await road.load(plainOrders(20));
    await road.done();
    const reader = await connect(road.pool);
    try {
      await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
      const before = (await reader.query(LOOK)).rows;
      await road.load(plainOrders(20, 1010));
      const start = performance.now();
      expect(await road.done()).toMatchObject({ ajoutees: 10, retirees: 10 });
      expect(performance.now() - start).toBeLessThan(4000);
      expect((await reader.query(LOOK)).rows).toEqual(before);
      await reader.query('COMMIT');
      expect((await reader.query(LOOK)).rows).not.toEqual(before);
    } finally {
      reader.release();
    }
  });

  /** Holds the table as a writer does, for so long (ms), or until told; readers are timed meanwhile. */
  async function whileWriterHolds(ms: number, work: () => Promise<unknown>) {
    const writer = await connect(road.pool);
    await writer.query('BEGIN');
    await writer.query(
      "UPDATE commandes_volets_roulants SET status = 'Écriture' WHERE numero_commande = '1000'",
    );
    let working = true;
    let slowest = 0;
    const reading = (async () => {
      while (working) {
        const start = performance.now();
        await look();
        slowest = Math.max(slowest, performance.now() - start);
        await sleep(50);
      }
    })();
    const letGo = sleep(ms, undefined, { ref: false }).then(() => writer.query('ROLLBACK'));
    const start = performance.now();
    const outcome = await work().catch((error: unknown) => error);
    const took = performance.now() - start;
    working = false;
    await reading;
    await letGo;
    writer.release();
    return { outcome, took, slowest };
  }

  test('F48 F49 un écrivain tient la table six secondes : nouvel essai, puis fait ; aucun lecteur n’attend', async () => {
    await road.load(plainOrders(20));
    await road.done();
    await road.load(plainOrders(20, 1001));
    const warnings: string[] = [];
    const logger = silentLogger();
    const ctx = makeSyncContext(
      road.url,
      road.config(),
      Object.assign(Object.create(logger), { warn: (_: object, text: string) => warnings.push(text) }),
    );
    const { outcome, took, slowest } = await whileWriterHolds(6000, () => sync(ctx));
    await ctx.pool.end();
    expect(outcome).toMatchObject({ etat: 'reussie', ajoutees: 1, retirees: 1 });
    expect(warnings.join()).toMatch(/tenue par un autre, nouvel essai/);
    expect(took).toBeGreaterThan(5000);
    expect(slowest).toBeLessThan(1000);
    // The ERP was let go long before: what waits is on our side only.
    const [open] = await road.maria.admin.query<never[]>(
      "SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'atelier_lecture'",
    );
    expect(open).toEqual([]);
  }, 60_000);

  test('F49 un écrivain qui ne lâche pas : erreur claire après trois essais, commandes intactes, puis tout marche', async () => {
    await road.load(plainOrders(20));
    await road.done();
    const before = await road.contents();
    await road.load(plainOrders(20, 1001));
    const { outcome, took, slowest } = await whileWriterHolds(18_000, () => road.sync());
    expect(outcome).toMatchObject({
      code: 'ATL_D304',
      message: expect.stringMatching(/un autre programme écrit dans commandes_volets_roulants/),
    });
    expect(took).toBeGreaterThan(14_000);
    expect(slowest).toBeLessThan(1000);
    expect(await road.contents()).toEqual(before);
    expect(await road.lastRun()).toMatchObject({ etat: 'echouee', fini: true });
    expect(await road.done()).toMatchObject({ ajoutees: 1, retirees: 1 });
  }, 60_000);
});
