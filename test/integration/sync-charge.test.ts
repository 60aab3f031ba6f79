// What a synchronisation costs others: another one (F51), PostgreSQL going away, the ERP itself (F47), our memory.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createConnection } from 'mysql2/promise';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { sync } from '../../src/jobs/sync.ts';
import { migrateUrl } from '../harness/context.ts';
import { generateErp } from '../harness/erp-generator.ts';
import { loadErp } from '../harness/erp-load.ts';
import { SANS_MARIADB } from '../harness/mariadb.ts';
import { OrderRoad, plainOrders } from '../harness/order-road.ts';
import { startPrivatePostgres } from '../harness/postgres.ts';
import { ProxyDePanne } from '../harness/proxy.ts';
import { makeSyncContext } from '../harness/sync-context.ts';

const CHILD = fileURLToPath(new URL('../crash/sync-child.ts', import.meta.url));

describe.skipIf(SANS_MARIADB)('charge et voisins', () => {
  let road: OrderRoad;
  let proxy: ProxyDePanne;
  beforeAll(async () => {
    road = await OrderRoad.open();
    proxy = await ProxyDePanne.devant(road.maria.server.port);
  });
  afterAll(async () => {
    await proxy?.fermer();
    await road?.close();
  });
  beforeEach(async () => {
    proxy.remettreAZero();
    await road.empty();
  });

  test('F51 deux à la fois : l’une travaille, l’autre le dit et s’en va', async () => {
    await road.load(plainOrders(40));
    proxy.panne = { latence: 10, tranche: 256 };
    const first = road.sync({}, { port: proxy.port });
    while (proxy.versClient < 1000) await sleep(10);
    expect(await road.sync()).toEqual({ etat: 'ignoree' });
    expect(await road.lastRun()).toMatchObject({ etat: 'ignoree', fini: true, erreur: null });
    expect(await road.sync({ aBlanc: true })).toEqual({ etat: 'ignoree' });
    expect(await first).toMatchObject({ etat: 'reussie', ajoutees: 40 });
    const { rows } = await road.pool.query('SELECT etat FROM execution ORDER BY id');
    expect(rows.map((row) => row.etat)).toEqual(['reussie', 'ignoree']);
    // The lock went with the first, also when it fails.
    await expect(road.sync({}, { port: 1 })).rejects.toMatchObject({ code: 'ATL_E401' });
    expect(await road.done()).toMatchObject({ inchangees: 40 });
  });

  test('F51 dix d’un coup, dans un même processus et un même groupe de connexions', async () => {
    await road.load(plainOrders(40));
    const ctx = makeSyncContext(road.url, road.config());
    const results = await Promise.all(Array.from({ length: 10 }, () => sync(ctx)));
    await ctx.pool.end();
    const done = results.filter((result) => result.etat === 'reussie');
    expect(done.length).toBeGreaterThanOrEqual(1);
    expect(done.filter((result) => result.ajoutees === 40)).toHaveLength(1);
    expect(await road.stored()).toHaveLength(40);
  });

  test('PostgreSQL arrêté pendant la lecture : erreur claire ; revenu, tout marche avec le même groupe', async () => {
    const server = await startPrivatePostgres();
    try {
      await migrateUrl(server.url);
      await road.load(plainOrders(40));
      const ctx = makeSyncContext(server.url, road.config({ port: proxy.port }));
      const count = async (): Promise<number> => {
        const { rows } = await ctx.pool.query('SELECT count(*) AS n FROM commandes_volets_roulants');
        return rows[0].n;
      };
      try {
        await sync(ctx);
        await road.load(plainOrders(50));
        for (const mode of ['fast', 'immediate'] as const) {
          proxy.remettreAZero({ latence: 10, tranche: 256 });
          const running = sync(ctx).catch((error: unknown) => error);
          while (proxy.versClient < 3000) await sleep(10);
          await server.stop(mode);
          expect(await running).toMatchObject({
            code: 'ATL_D301',
            message: expect.stringMatching(/^Synchronisation, écriture dans PostgreSQL/),
          });
          await expect(sync(ctx)).rejects.toMatchObject({ code: 'ATL_D301' });
          await server.start();
          expect(await count()).toBe(40);
        }
        proxy.remettreAZero();
        expect(await sync(ctx)).toMatchObject({ etat: 'reussie', ajoutees: 10, inchangees: 40 });
        expect(await count()).toBe(50);
      } finally {
        await ctx.pool.end();
      }
    } finally {
      await server.remove();
    }
  }, 120_000);

  test('F47 un écrivain de l’ERP n’attend jamais ; la transaction ne dure que la lecture, une seconde au plus en sus', async () => {
    await loadErp(road.maria.admin, () => generateErp(3, { orders: 5000, traps: 0.05 }));
    const { host, port, user, password } = road.maria.server;
    const writer = await createConnection({ host, port, user, password, database: 'essai' });
    await writer.query('SET SESSION innodb_lock_wait_timeout = 1, lock_wait_timeout = 1');
    const ctx = makeSyncContext(road.url, road.config({ port: proxy.port }));
    // Slow enough that hundreds of writes fall into the read.
    proxy.panne = { latence: 4, tranche: 4096 };
    let reading = true;
    let slowest = 0;
    let writes = 0;
    let seenMs = 0;
    let locked = 0;
    let firstSeen: number | undefined;
    const writing = (async () => {
      while (reading) {
        const start = performance.now();
        await writer.query("UPDATE A_Kopf SET AufStatus = 'Livrée' ORDER BY RAND() LIMIT 20");
        await writer.query("INSERT INTO P_Zubeh (ID_A_Kopf, ZCode) VALUES ('X', 'SOP 1')");
        await writer.query('DELETE FROM A_Logbuch ORDER BY ID DESC LIMIT 5');
        slowest = Math.max(slowest, performance.now() - start);
        writes++;
      }
    })();
    const watching = (async () => {
      while (reading) {
        // The server makes this view anew only when nobody asked for it in the last tenth of a second.
        await sleep(130);
        const [rows] = await road.maria.admin.query<never[]>(
          `SELECT trx_rows_locked AS locked FROM information_schema.INNODB_TRX t
             JOIN information_schema.PROCESSLIST p ON p.ID = t.trx_mysql_thread_id AND p.USER = 'atelier_lecture'`,
        );
        locked += rows.reduce((sum, row) => sum + Number((row as { locked: number }).locked), 0);
        if (rows.length === 0) continue;
        const now = performance.now();
        firstSeen ??= now;
        seenMs = now - firstSeen;
      }
    })();
    const start = performance.now();
    const result = await sync(ctx, { force: true });
    const took = performance.now() - start;
    reading = false;
    await Promise.all([writing, watching]);
    await ctx.pool.end();
    await writer.end();
    expect(result.etat).toBe('reussie');
    expect(writes).toBeGreaterThan(20);
    expect(slowest).toBeLessThan(1000);
    expect(seenMs).toBeGreaterThan(100);
    expect(seenMs).toBeLessThan(took + 1000);
    expect(locked).toBe(0);
    await sleep(150);
    const [left] = await road.maria.admin.query<never[]>('SELECT trx_id FROM information_schema.INNODB_TRX');
    expect(left).toEqual([]);
  }, 60_000);

  test('20 000 commandes dans un processus neuf : au plus 200 Mo', async () => {
    await road.maria.creerErp('essai');
    await loadErp(road.maria.admin, () => generateErp(4, { orders: 20_000, traps: 0.02 }));
    const child = spawn(
      process.execPath,
      [CHILD, JSON.stringify({ url: road.url, erp: road.config(), force: true })],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    const [code] = await once(child, 'close');
    expect(code).toBe(0);
    const { result, peakBytes } = JSON.parse(out);
    expect(result.ajoutees).toBeGreaterThan(2000);
    expect(peakBytes).toBeLessThan(200e6);
  }, 120_000);
});
