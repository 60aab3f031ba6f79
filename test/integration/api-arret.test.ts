// Stopping: what was asked before is answered, what comes after is refused, and it ends.

import { randomBytes } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Arret } from '../../src/api/arret.ts';
import { loadConfig } from '../../src/base/config.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { Shutdown } from '../../src/base/shutdown.ts';
import type { Cli } from '../../src/cli/cli.ts';
import { servirApi } from '../../src/cli/open-api.ts';
import { suivre } from '../harness/flux.ts';
import { ConnexionBrute } from '../harness/raw-http.ts';
import { creerCompteHttp, installerApi, type Serveur, servir } from '../harness/serve.ts';

let installation: Awaited<ReturnType<typeof installerApi>>;
const servers: Serveur[] = [];

beforeAll(async () => {
  installation = await installerApi();
  const first = await demarrer();
  expect((await creerCompteHttp(first.url, 'chef')).status).toBe(201);
  await first.arreter();
});
afterAll(async () => {
  for (const { running } of servers) running.process.kill('SIGKILL');
  await installation?.close();
});

async function demarrer(): Promise<Serveur> {
  const server = await servir(installation);
  servers.push(server);
  return server;
}

/** A request that never becomes whole. */
const HALF =
  'POST /token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nusername';

/** From when it returns, the server takes no connection any more. */
async function refuse(port: number): Promise<void> {
  await expect
    .poll(async () => {
      const connexion = await ConnexionBrute.ouvrir(port).catch(() => undefined);
      connexion?.fermer();
      return connexion === undefined;
    })
    .toBe(true);
}

describe('O2: a stop under load', () => {
  it('answers every request that was sent on an open connection, one by one or in hundreds, then ends well', async () => {
    const server = await demarrer();
    const { authorization } = await server.entete('chef');
    const request = `GET /centres/?limit=5 HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${authorization}\r\n\r\n`;
    const open = (count: number): Promise<ConnexionBrute[]> =>
      Promise.all(Array.from({ length: count }, () => ConnexionBrute.ouvrir(server.port)));

    let answered = 0;
    /** Asks until it is told that the connection ends; gives how often, and how often it was answered. */
    const askOn = async (
      connexion: ConnexionBrute,
    ): Promise<{ sent: number; statuses: number[]; told: boolean }> => {
      const statuses: number[] = [];
      for (let sent = 1; ; sent++) {
        connexion.ecrire(request);
        const answer = await connexion.reponse();
        if (!answer) return { sent, statuses, told: false };
        statuses.push(answer.status);
        answered++;
        if (answer.headers['connection'] === 'close') return { sent, statuses, told: true };
      }
    };
    const loops = (await open(12)).map(askOn);
    const pipelines = await open(12);
    await expect.poll(() => answered, { timeout: 30_000 }).toBeGreaterThan(100);
    for (const connexion of pipelines) connexion.ecrire(request.repeat(30));
    server.running.process.kill('SIGTERM');

    for (const connexion of pipelines) {
      const answers = await connexion.toutes();
      expect(answers.map(({ status }) => status)).toEqual(Array(30).fill(200));
      // Whoever closed said so on the last answer, and on no other.
      expect(answers.map(({ headers }) => headers['connection'] === 'close')).toEqual([
        ...Array(29).fill(false),
        true,
      ]);
      expect(connexion.erreur).toBeUndefined();
    }
    for (const { sent, statuses, told } of await Promise.all(loops)) {
      expect(statuses).toEqual(Array(sent).fill(200));
      expect(told).toBe(true);
    }
    const finished = await server.running.ended;
    expect(finished.code).toBe(0);
    expect(finished.stderr).not.toMatch(/forcé/);
    expect(finished.stdout.trimEnd().split('\n').at(-1)).toMatch(/"msg":"arrêté"/);
    await expect(ConnexionBrute.ouvrir(server.port)).rejects.toThrow('ECONNREFUSED');
  });

  it('waits for a body that is on its way, answers on a connection that was quiet, and for no one who says nothing', async () => {
    const server = await demarrer();
    const [writing, quiet, silent] = await Promise.all(
      [1, 2, 3].map(() => ConnexionBrute.ouvrir(server.port)),
    );
    const body = 'username=chef&password=faux';
    writing!.ecrire(
      `POST /token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 9)}`,
    );
    const health = 'GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n';
    quiet!.ecrire(health);
    expect(await quiet!.reponse()).toMatchObject({ status: 200, headers: { connection: 'keep-alive' } });
    server.running.process.kill('SIGTERM');
    await refuse(server.port);
    quiet!.ecrire(health);
    expect(await quiet!.reponse()).toMatchObject({ status: 200, headers: { connection: 'close' } });
    writing!.ecrire(body.slice(9));
    expect(await writing!.reponse()).toMatchObject({ status: 401, headers: { connection: 'close' } });
    expect((await server.running.ended).code).toBe(0);
    expect([writing!.erreur, quiet!.erreur, silent!.erreur]).toEqual([undefined, undefined, undefined]);
  });

  it('ends live streams first, and says so', async () => {
    const server = await demarrer();
    const flux = await suivre(server.url, await server.entete('chef'));
    expect(await flux.suivant()).toMatchObject({ event: 'resynchroniser' });
    server.running.process.kill('SIGINT');
    expect(await flux.suivant()).toMatchObject({ event: 'fin', data: { raison: 'arret' } });
    expect(await flux.suivant()).toBeUndefined();
    expect((await server.running.ended).code).toBe(0);
  });

  it('a second signal ends it at once, whatever is under way', async () => {
    const server = await demarrer();
    const stuck = await ConnexionBrute.ouvrir(server.port);
    stuck.ecrire(HALF);
    server.running.process.kill('SIGTERM');
    await refuse(server.port);
    const again = setInterval(() => server.running.process.kill('SIGTERM'), 250);
    expect((await server.running.ended).code).toBe(130);
    clearInterval(again);
    expect(await stuck.reponse()).toBeUndefined();
  });

  it('one Ctrl-C that several processes pass on is one', async () => {
    const server = await demarrer();
    const quiet = await ConnexionBrute.ouvrir(server.port);
    server.running.process.kill('SIGINT');
    server.running.process.kill('SIGTERM');
    expect((await server.running.ended).code).toBe(0);
    expect(quiet.erreur).toBeUndefined();
  });

  it('does not wait for ever: what is not done in time is cut, and counted', async () => {
    const err: string[] = [];
    const cli: Cli = {
      config: loadConfig({
        ...installation.env,
        ...installation.apiEnv,
      }),
      shutdown: new Shutdown(),
      out: () => undefined,
      err: (line) => err.push(line),
      isTerminal: false,
      columns: 80,
    };
    const logger = silentLogger();
    const api = await servirApi({ cli, logger, delaiArret: 300 });
    const stuck = await ConnexionBrute.ouvrir(Number(new URL(api.url).port));
    stuck.ecrire(HALF);
    await expect.poll(() => api.connexions()).toBe(1);
    expect(await api.arreter()).toBe(1);
    expect(await stuck.reponse()).toBeUndefined();
    await cli.shutdown.close();
  });

  it('refuses to be reached from elsewhere where that was excluded', async () => {
    const config = loadConfig({ ...installation.env, ...installation.apiEnv, HOST: '0.0.0.0' });
    const cli = { config, shutdown: new Shutdown() } as unknown as Cli;
    await expect(servirApi({ cli, logger: silentLogger(), cetteMachineSeule: true })).rejects.toMatchObject({
      code: 'ATL_C101',
    });
  });
});

describe('pipelined requests, whatever order their answers are ready in', () => {
  it.each([[[0, 1, 2]], [[2, 1, 0]], [[1, 0, 2]], [[2, 0, 1]]])('%j', async (order) => {
    const waiting: ServerResponse[] = [];
    const server = createServer((request, response) => {
      waiting[Number(request.url!.slice(1))] = response;
    });
    const arret = new Arret(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const connexion = await ConnexionBrute.ouvrir(port);
    const ask = (n: number): void => connexion.ecrire(`GET /${n} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    ask(0);
    ask(1);
    await expect.poll(() => waiting.length).toBe(2);
    const emptied = arret.vider(10_000);
    // The third comes while the server stops already.
    ask(2);
    await expect.poll(() => waiting.length).toBe(3);
    for (const n of order) waiting[n]!.end(`${n}${randomBytes(2).toString('hex')}`);
    const answers = await connexion.toutes();
    expect(answers.map(({ body }) => body[0])).toEqual(['0', '1', '2']);
    expect(await emptied).toBe(0);
    server.close();
  });
});
