// Whatever fails at the ERP or on the way to it, the stored orders are untouched and the run says so: F36, F40, F42.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ErpConfig } from '../../src/base/config/erp.ts';
import { AtelierError } from '../../src/base/errors.ts';
import { sync } from '../../src/jobs/sync.ts';
import { SANS_MARIADB } from '../harness/mariadb.ts';
import { OrderRoad, plainOrders } from '../harness/order-road.ts';
import { ProxyDePanne } from '../harness/proxy.ts';
import { makeSyncContext } from '../harness/sync-context.ts';

describe.skipIf(SANS_MARIADB)('pannes de l’ERP', () => {
  let road: OrderRoad;
  let proxy: ProxyDePanne;
  beforeAll(async () => {
    road = await OrderRoad.open();
    proxy = await ProxyDePanne.devant(road.maria.server.port);
    await road.load(plainOrders(30));
    await road.done();
    // From now on there always is something to write, were a failed read to be believed.
    await road.load(plainOrders(30, 1010));
    await road.enter('M1');
  });
  afterAll(async () => {
    await proxy?.fermer();
    await road?.close();
  });
  beforeEach(() => proxy.remettreAZero());

  /** The synchronisation fails with that code; every byte of the stored orders is where it was. */
  async function fails(
    code: RegExp,
    over: Partial<ErpConfig> = {},
    during?: () => Promise<unknown>,
  ): Promise<string> {
    const before = await road.physical();
    const previous = (await road.lastRun()).id;
    const running = road.sync({}, { port: proxy.port, ...over }).catch((thrown: unknown) => thrown);
    await during?.();
    const error = await running;
    expect(error).toBeInstanceOf(AtelierError);
    const { code: got, message } = error as AtelierError;
    expect(got).toMatch(code);
    expect(message).not.toMatch(/demonstration/);
    expect(await road.physical()).toEqual(before);
    const run = await road.lastRun();
    expect(run).toMatchObject({ etat: 'echouee', fini: true });
    expect(run.id).toBeGreaterThan(previous);
    expect(run.erreur).toBe(message.replaceAll(/\s*\n\s*/g, ' '));
    return message;
  }

  test('F36 coupée après chaque k-ième octet : rien n’est remplacé', async () => {
    await road.done({ aBlanc: true }, { port: proxy.port });
    const total = proxy.versClient;
    // The farewell may be cut: by then the result is whole, and it would be stored.
    const end = total - 100;
    // A small set of bytes in the greeting and the authentication, then a step prime to what packets are made of.
    const cuts = [...Array(12).keys()].map((i) => i * 9);
    for (let k = 120; k < end; k += 53) cuts.push(k);
    const before = await road.physical();
    const ctx = makeSyncContext(road.url, road.config({ port: proxy.port }));
    for (const couperApres of cuts) {
      proxy.remettreAZero({ couperApres });
      await expect(sync(ctx), `coupure à ${couperApres}`).rejects.toMatchObject({
        code: expect.stringMatching(/^ATL_E40[14]$/),
      });
    }
    await ctx.pool.end();
    expect(await road.physical()).toEqual(before);
    const { rows } = await road.pool.query<{ n: number }>(
      "SELECT count(*) AS n FROM execution WHERE etat = 'echouee' AND erreur LIKE 'ERP 127.0.0.1:%' AND fin IS NOT NULL",
    );
    expect(rows[0]?.n).toBe(cuts.length);
    expect(cuts.length).toBeGreaterThan(100);
  }, 120_000);

  test.each([0, 3000, 6000])('F36 serveur muet après %i octets : abandonné au délai', async (octets) => {
    proxy.remettreAZero({ trouNoirApres: octets });
    const start = performance.now();
    await fails(/^ATL_E405$/, { delaiMax: 1 });
    expect(performance.now() - start).toBeLessThan(4000);
  });

  test('F36 rien n’écoute, connexion refusée', async () => {
    await fails(/^ATL_E401$/, { port: 1 });
    proxy.remettreAZero({ arrete: true });
    await fails(/^ATL_E40[14]$/);
  });

  test('F36 mauvais mot de passe, mauvaise base : refus nommé, sans le mot de passe', async () => {
    expect(await fails(/^ATL_E402$/, { password: 'Sésame-faux' })).not.toMatch(/Sésame/);
    await fails(/^ATL_E402$/, { database: 'mysql' });
  });

  test.each([
    ['table absente', 'RENAME TABLE A_Vorgang TO Autre', 'RENAME TABLE Autre TO A_Vorgang', /A_Vorgang/],
    [
      'colonne absente',
      'ALTER TABLE P_Zubeh CHANGE ZCode Code varchar(20)',
      'ALTER TABLE P_Zubeh CHANGE Code ZCode varchar(20)',
      /P_Zubeh\.ZCode/,
    ],
    [
      'droit retiré sur une colonne',
      "REVOKE SELECT (Notiz) ON essai.A_Logbuch FROM 'atelier_lecture'@'%'",
      "GRANT SELECT (Notiz) ON essai.A_Logbuch TO 'atelier_lecture'@'%'",
      /A_Logbuch\.Notiz.*GRANT SELECT \(Notiz\)/,
    ],
  ])('F40 %s : nommée, rien n’est remplacé', async (_, harm, heal, message) => {
    const { admin } = road.maria;
    await admin.query(harm);
    try {
      expect(await fails(/^ATL_E403$/)).toMatch(message);
    } finally {
      await admin.query(heal);
    }
  });

  test('F42 serveur qui change le jeu de caractères à la connexion : remis, les textes sont les mêmes', async () => {
    const { admin } = road.maria;
    const attendu = { ajoutees: 10, retirees: 10, inchangees: 20 };
    for (const change of ['SET NAMES latin1', 'SET character_set_results = NULL']) {
      await admin.query('SET GLOBAL init_connect = ?', [change]);
      try {
        expect(await road.done({ aBlanc: true }, { port: proxy.port })).toMatchObject(attendu);
      } finally {
        await admin.query("SET GLOBAL init_connect = ''");
      }
    }
  });

  test('F45 clé en double dans une source sans clé : refusé', async () => {
    const { admin } = road.maria;
    await admin.query(
      `ALTER TABLE A_Kopf DROP PRIMARY KEY, DROP INDEX ux_kopf_nummer;
       INSERT INTO A_Kopf (ID, AuftragsTyp, AuNummer, AufStatus) VALUES ('k1011', 9, 9, 'Planifiée')`,
    );
    try {
      expect(await fails(/^ATL_E40/)).toMatch(/apparaît deux fois/);
    } finally {
      await admin.query(
        `DELETE FROM A_Kopf WHERE AuNummer = 9; ALTER TABLE A_Kopf ADD PRIMARY KEY (ID),
         ADD UNIQUE KEY ux_kopf_nummer (AuftragsTyp, AuNummer, AuAlpha)`,
      );
    }
  });

  test('arrêt demandé pendant la lecture : tout de suite, rien n’est remplacé', async () => {
    proxy.remettreAZero({ latence: 30, tranche: 256 });
    const before = await road.physical();
    const ctx = makeSyncContext(road.url, road.config({ port: proxy.port }));
    setTimeout(() => ctx.shutdown.request('SIGTERM'), 300);
    const start = performance.now();
    await expect(sync(ctx)).rejects.toThrow('SIGTERM');
    expect(performance.now() - start).toBeLessThan(1500);
    await ctx.pool.end();
    expect(await road.physical()).toEqual(before);
    expect(await road.lastRun()).toMatchObject({ etat: 'echouee', erreur: 'SIGTERM' });
  });

  test('F36 serveur tué en pleine lecture : erreur claire ; relancé, tout marche', async () => {
    proxy.remettreAZero({ latence: 20, tranche: 256 });
    await fails(/^ATL_E404$/, {}, async () => {
      await sleep(500);
      await road.maria.tuer();
    });
    await fails(/^ATL_E40[14]$/);
    proxy.remettreAZero();
    await road.maria.relancer();
    expect(await road.done({}, { port: proxy.port })).toMatchObject({
      ajoutees: 10,
      retirees: 10,
      inchangees: 20,
    });
    expect((await road.stored()).filter((row) => row.origine === 'manuel')).toHaveLength(1);
  }, 60_000);
});
