import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ErpConfig } from '../../src/base/config/erp.ts';
import { AtelierError } from '../../src/base/errors.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { type Extraction, extraireCommandes } from '../../src/jobs/extraction-commandes.ts';
import { MariadbDeTest, SANS_MARIADB } from '../harness/mariadb.ts';
import { ProxyDePanne } from '../harness/proxy.ts';

const log = silentLogger();

describe.skipIf(SANS_MARIADB)('pannes entre l’ERP et nous', () => {
  let maria: MariadbDeTest;
  let proxy: ProxyDePanne;
  let reference: Extraction;
  let total: number;
  const config = (over: Partial<ErpConfig> = {}): ErpConfig => maria.config({ port: proxy.port, ...over });
  const lire = (over: Partial<ErpConfig> = {}, silenceMax?: number): Promise<Extraction> =>
    extraireCommandes(config(over), { log, ...(silenceMax ? { silenceMax } : {}) });

  beforeAll(async () => {
    maria = await MariadbDeTest.demarrer();
    proxy = await ProxyDePanne.devant(maria.server.port);
    reference = await lire();
    total = proxy.versClient;
  });
  afterAll(async () => {
    await proxy?.fermer();
    await maria?.arreter();
  });
  beforeEach(() => proxy.remettreAZero());

  test('coupée après chaque k-ième octet : une erreur claire, jamais une partie', async () => {
    // Every byte of the greeting and the authentication, then every 37th: 37 is prime to the packet headers.
    const cuts = [
      ...Array(120).keys(),
      ...Array.from({ length: Math.floor(total / 37) }, (_, i) => 120 + i * 37),
    ];
    let cut = 0;
    for (const couperApres of cuts.filter((k) => k < total)) {
      proxy.remettreAZero({ couperApres });
      const outcome = await lire().then(
        (extraction) => extraction.commandes,
        (error: unknown) => error,
      );
      if (Array.isArray(outcome)) {
        // Only the farewell was cut: the result was whole by then.
        expect(outcome).toEqual(reference.commandes);
        expect(couperApres).toBeGreaterThan(total - 100);
        continue;
      }
      cut++;
      expect(outcome, `coupure à ${couperApres}`).toBeInstanceOf(AtelierError);
      expect((outcome as AtelierError).code).toMatch(/^ATL_E40[14]$/);
    }
    expect(cut).toBeGreaterThan(300);
  }, 120_000);

  test('réponse découpée octet par octet : même résultat', async () => {
    proxy.remettreAZero({ tranche: 1 });
    expect((await lire()).commandes).toEqual(reference.commandes);
  }, 60_000);

  test('réseau lent : même résultat', async () => {
    proxy.remettreAZero({ latence: 5 });
    expect((await lire()).commandes).toEqual(reference.commandes);
  });

  test.each([0, 100, 2000, 9000])(
    'serveur muet après %i octets : abandonné au délai',
    async (trouNoirApres) => {
      proxy.remettreAZero({ trouNoirApres });
      const start = performance.now();
      await expect(lire({ delaiMax: 1 })).rejects.toMatchObject({
        code: 'ATL_E405',
        message: expect.stringMatching(/aucun octet reçu depuis 1 s|pas fini en 1 s/),
      });
      expect(performance.now() - start).toBeLessThan(2500);
    },
  );

  test('silence plus court que le délai total', async () => {
    proxy.remettreAZero({ trouNoirApres: 5000 });
    await expect(lire({ delaiMax: 60 }, 0.5)).rejects.toThrow(/aucun octet reçu depuis 0.5 s/);
  });

  test('un serveur qui goutte sans fin est abandonné au délai total', async () => {
    proxy.remettreAZero({ tranche: 1, latence: 20 });
    await expect(lire({ delaiMax: 1.5 }, 1)).rejects.toMatchObject({ code: 'ATL_E405' });
  });

  test('la transaction abandonnée ne reste pas ouverte sur l’ERP', async () => {
    proxy.remettreAZero({ trouNoirApres: 9000 });
    await expect(lire({ delaiMax: 1 })).rejects.toThrow();
    await sleep(300);
    const [rows] = await maria.admin.query<never[]>(
      "SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'atelier_lecture'",
    );
    expect(rows).toEqual([]);
  });

  test('connexion refusée, remise à zéro, rien qui écoute, nom inconnu', async () => {
    proxy.remettreAZero({ arrete: true });
    await expect(lire()).rejects.toMatchObject({ code: expect.stringMatching(/^ATL_E40[14]$/) });
    await expect(lire({ port: 1 })).rejects.toMatchObject({ code: 'ATL_E401' });
    await expect(lire({ host: 'erp.invalid' })).rejects.toMatchObject({ code: 'ATL_E401' });
  });

  test('mauvais mot de passe, mauvaise base, mauvais utilisateur : refus nommé, sans le mot de passe', async () => {
    const attempts: Partial<ErpConfig>[] = [
      { password: 'Sésame-faux' },
      { database: 'mysql' },
      { user: 'inconnu' },
    ];
    for (const over of attempts) {
      const error = await lire(over).catch((thrown: unknown) => thrown as AtelierError);
      expect(error).toMatchObject({ code: 'ATL_E402' });
      expect((error as AtelierError).message).not.toMatch(/Sésame|demonstration/);
    }
  });

  test('TLS demandé à un serveur qui n’en a pas : refusé, jamais en clair', async () => {
    await expect(lire({ tls: { mode: 'oui', ca: undefined } })).rejects.toMatchObject({ code: 'ATL_E401' });
    await expect(lire({ tls: { mode: 'oui', ca: '/nulle/part.pem' } })).rejects.toMatchObject({
      code: 'ATL_E401',
    });
  });

  test('serveur qui ne parle pas MySQL', async () => {
    const server = createServer((socket) =>
      socket.on('error', () => undefined).end('HTTP/1.1 400 Bad Request\r\n\r\n'),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await expect(lire({ port, delaiMax: 2 })).rejects.toMatchObject({
      code: expect.stringMatching(/^ATL_E40/),
    });
    server.close();
  });

  test('session tuée par l’administrateur pendant la lecture', async () => {
    proxy.remettreAZero({ latence: 20, tranche: 512 });
    const reading = lire().catch((error: unknown) => error as AtelierError);
    await sleep(250);
    const [rows] = await maria.admin.query<never[]>(
      "SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'atelier_lecture'",
    );
    expect(rows).toHaveLength(1);
    await maria.admin.query(`KILL CONNECTION ${Object.values(rows[0]!)[0]}`);
    expect(await reading).toMatchObject({ code: 'ATL_E404' });
  });

  test('interruption demandée : la raison du signal, tout de suite', async () => {
    proxy.remettreAZero({ trouNoirApres: 3000 });
    const reason = new Error('arrêt demandé');
    const stop = new AbortController();
    setTimeout(() => stop.abort(reason), 200);
    const start = performance.now();
    await expect(extraireCommandes(config(), { log, signal: stop.signal })).rejects.toBe(reason);
    expect(performance.now() - start).toBeLessThan(1000);
  });

  test('rien ne reste ouvert après tout cela', async () => {
    await sleep(200);
    const [rows] = await maria.admin.query<never[]>(
      "SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'atelier_lecture'",
    );
    expect(rows).toEqual([]);
  });
});
