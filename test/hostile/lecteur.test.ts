// A hostile reader: a client that asks for much and takes nothing. What is asserted is what everyone else sees
// meanwhile, and what it costs, against what honest clients cost in the same run.

import { readFile } from 'node:fs/promises';
import { get } from 'node:http';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLogger } from '../../src/base/logger.ts';
import { createApi } from '../harness/api.ts';
import { ecouterApp } from '../harness/flux.ts';
import { ConnexionBrute } from '../harness/raw-http.ts';
import { creerCompteHttp, installerApi, type Serveur, servir } from '../harness/serve.ts';

let installation: Awaited<ReturnType<typeof installerApi>>;
let server: Serveur;
beforeAll(async () => {
  installation = await installerApi({ migrated: true });
  server = await servir(installation);
}, 60_000);
afterAll(async () => {
  await server?.arreter();
  await installation?.close();
});

/** Of the server's process: memory in bytes (now, and the most it ever had), processor time in ticks. */
async function mesures(): Promise<{ memoire: number; pointe: number; ticks: number }> {
  const pid = server.running.process.pid;
  const [status, stat] = await Promise.all([
    readFile(`/proc/${pid}/status`, 'utf8'),
    readFile(`/proc/${pid}/stat`, 'utf8'),
  ]);
  const kib = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) * 1024;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { memoire: kib('VmRSS'), pointe: kib('VmHWM'), ticks: Number(fields[11]) + Number(fields[12]) };
}

/** Asks, and takes the answer. */
async function demander(path: string, headers: Record<string, string> = {}): Promise<number> {
  const answer = await fetch(server.url + path, { headers });
  await answer.arrayBuffer();
  return answer.status;
}

/** As many answers, one after the other; how long they took together (ms). */
async function suite(n: number, path: string): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < n; i++) expect(await demander(path)).toBe(200);
  return performance.now() - start;
}

/** The first account; by then there is something to read, too. */
async function lecteur(): Promise<{ headers: { authorization: string } }> {
  await creerCompteHttp(server.url, 'lecteur');
  await installation.pool.query(
    `INSERT INTO centre_usinage (nom, description) SELECT 'C' || i, repeat(md5(i::text), 12) FROM generate_series(1, 1000) i`,
  );
  return { headers: await server.entete('lecteur') };
}

const requete = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`;
const MIB = 1024 * 1024;

/** Opens connections that ask and do not read, for as long as `work` takes. */
async function pendant(sockets: number, bytes: string, work: () => Promise<void>): Promise<void> {
  const hostile = await Promise.all(
    Array.from({ length: sockets }, () => ConnexionBrute.ouvrir(server.port)),
  );
  try {
    for (const { socket } of hostile) socket.pause();
    for (const one of hostile) one.ecrire(bytes);
    await work();
  } finally {
    for (const one of hostile) one.fermer();
  }
}

/** As long as when it is quiet, times this: without a bound on what is under way it is hundreds of times. */
const LIMIT = 40;

describe('thousands of requests on connections that are not read', () => {
  it.each([
    ['/openapi.json', 1],
    ['/docs/static/swagger-ui-bundle.js', 1],
    ['/docs/json', 1],
    ['/docs/yaml', 1],
    ['/rien', 1],
    ['/openapi.json', 20],
  ])(
    'GET %s on %i: everybody else is answered as before, and memory does not grow with them',
    async (path, sockets) => {
      await suite(20, '/health/live');
      const before = await mesures();
      // Quiet and attacked by turns, so that both see the same machine; what the attack does it does each time, what
      // something else on this machine does it does not.
      const ratios: number[] = [];
      while (ratios.length < 3 && !(ratios.at(-1)! < LIMIT)) {
        const idle = await suite(100, '/health/live');
        await pendant(sockets, requete(path, 'Accept-Encoding: gzip\r\n').repeat(3000), async () => {
          const meanwhile = await suite(100, '/health/live');
          expect(await demander('/openapi.json', { 'accept-encoding': 'gzip' })).toBe(200);
          ratios.push(meanwhile / idle);
          expect(((await mesures()).pointe - before.memoire) / MIB).toBeLessThan(250);
        });
      }
      expect(Math.min(...ratios), ratios.join(', ')).toBeLessThan(LIMIT);
    },
    120_000,
  );

  it('the same of a list that is long and asked for by whoever is signed in', async () => {
    const { headers } = await lecteur();
    const path = '/centres/?limit=1000';
    const before = await mesures();
    const more = `Authorization: ${headers.authorization}\r\n`;
    await pendant(5, requete(path, more).repeat(300), async () => {
      await suite(40, '/health/live');
      await suite(5, '/health');
      expect(await demander(path, headers)).toBe(200);
      expect(((await mesures()).pointe - before.memoire) / MIB).toBeLessThan(250);
    });
  }, 120_000);

  it('a client that reads them after all has every answer, in order', async () => {
    const connexion = await ConnexionBrute.ouvrir(server.port);
    connexion.socket.pause();
    const n = 3000;
    connexion.ecrire(
      Array.from({ length: n }, (_, i) => requete(i % 2 ? '/health/live' : `/rien/${i}`)).join(''),
    );
    await suite(5, '/health/live');
    connexion.socket.resume();
    for (let i = 0; i < n; i++) {
      const answer = await connexion.reponse();
      expect(answer?.status, `answer ${i}`).toBe(i % 2 ? 200 : 404);
    }
    expect(connexion.finie).toBe(false);
    connexion.fermer();
  }, 60_000);

  it('whoever leaves what it asked for takes nothing along', async () => {
    for (let i = 0; i < 20; i++)
      await pendant(1, requete('/openapi.json').repeat(1000), async () => {
        await demander('/health/live');
      });
    const connexion = await ConnexionBrute.ouvrir(server.port);
    connexion.ecrire(requete('/health/live').repeat(100));
    for (let i = 0; i < 100; i++) expect((await connexion.reponse())?.status).toBe(200);
    connexion.fermer();
  }, 60_000);
});

describe('all connections together', () => {
  it('that have more waiting than there is room for: whoever comes on top is cut off, nobody else', async () => {
    const said: string[] = [];
    const logger = createLogger({
      console: (line) => said.push(line),
      level: 'warn',
      fuseau: 'Europe/Paris',
    });
    const api = await createApi({ logger, limites: { enVol: 2, enAttente: 70 } });
    try {
      const base = await ecouterApp(api.app);
      const port = Number(new URL(base).port);
      const big = '/docs/static/swagger-ui-bundle.js';
      const many = requete(big).repeat(50);
      // Read once, so that it is sent from memory from here on.
      expect((await fetch(base + big)).status).toBe(200);
      const patient = await ConnexionBrute.ouvrir(port);
      patient.socket.pause();
      patient.ecrire(many);
      await fetch(`${base}/health/live`);
      const greedy = await ConnexionBrute.ouvrir(port);
      greedy.ecrire(many);
      await expect.poll(() => greedy.finie, { timeout: 20_000 }).toBe(true);
      expect(said.filter((line) => line.includes('trop de requêtes d’avance'))).toHaveLength(1);
      for (const path of ['/health/live', '/openapi.json'])
        expect([path, (await fetch(base + path)).status]).toEqual([path, 200]);
      // What the one that was cut off held is given back, and the one that waits loses nothing.
      const after = await ConnexionBrute.ouvrir(port);
      after.ecrire(requete('/health/live').repeat(20));
      for (let i = 0; i < 20; i++) expect((await after.reponse())?.status).toBe(200);
      after.fermer();
      patient.socket.resume();
      for (let i = 0; i < 50; i++) expect((await patient.reponse())?.status, `answer ${i}`).toBe(200);
      patient.fermer();
    } finally {
      await api.close();
    }
  }, 60_000);
});

describe('what is the same for everyone', () => {
  it('is told apart by its tag, and not sent again to whoever has it', async () => {
    const headers = { 'accept-encoding': 'gzip' };
    const paths = ['/docs/static/swagger-ui-bundle.js', '/openapi.json', '/docs/json', '/docs/yaml'];
    for (const path of paths) expect(await demander(path, headers)).toBe(200);
    for (const path of paths) {
      const answer = await fetch(server.url + path, { headers: { 'accept-encoding': 'br' } });
      expect(answer.headers.get('content-encoding')).toBe('br');
      expect(answer.headers.get('vary')).toMatch(/accept-encoding/i);
      const etag = answer.headers.get('etag')!;
      expect(await demander(path, { 'if-none-match': etag })).toBe(304);
    }
  });

  it('a page or file that there is not is a 404, whatever the address looks like', async () => {
    for (const path of [
      '/docs/static/rien.js',
      '/docs/static/',

      '/docs/static/%2e%2e/x',
    ])
      expect([path, (await lire(path, 'gzip')).status]).toEqual([path, 404]);
    const answer = await lire('/docs/static/rien.js', 'identity');
    expect(JSON.parse(answer.corps.toString())).toMatchObject({ status: 404, detail: expect.any(String) });
  });

  it('comes whole in every form, whatever form is asked for', async () => {
    for (const path of ['/openapi.json', '/docs/static/swagger-ui.css', '/docs/static/favicon-32x32.png']) {
      const forme = async (coding: string): Promise<{ codage: string | undefined; corps: Buffer }> => {
        const app = await lire(path, coding);
        return { codage: app.headers['content-encoding'], corps: app.corps };
      };
      const plain = await forme('identity');
      expect(plain.codage).toBeUndefined();
      const [br, gz, deflate] = [
        await forme('br, gzip'),
        await forme('br;q=0, gzip'),
        await forme('deflate'),
      ];
      const open = ({ codage, corps }: typeof plain): Buffer =>
        codage === 'br' ? brotliDecompressSync(corps) : codage === 'gzip' ? gunzipSync(corps) : corps;
      for (const one of [br, gz, deflate]) expect(open(one).equals(plain.corps)).toBe(true);
      if (!path.endsWith('.png')) expect([br.codage, gz.codage]).toEqual(['br', 'gzip']);
    }
  });
});

/** The bytes of an answer as they came. */
async function lire(
  path: string,
  coding: string,
): Promise<{ status: number | undefined; headers: Readonly<Record<string, string>>; corps: Buffer }> {
  return await new Promise((resolve, reject) => {
    get(server.url + path, { headers: { 'accept-encoding': coding } }, (answer) => {
      const pieces: Buffer[] = [];
      answer.on('data', (piece: Buffer) => pieces.push(piece));
      answer.on('end', () =>
        resolve({
          status: answer.statusCode,
          headers: answer.headers as Record<string, string>,
          corps: Buffer.concat(pieces),
        }),
      );
    }).on('error', reject);
  });
}
