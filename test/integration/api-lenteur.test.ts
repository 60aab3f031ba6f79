// S17: clients that are slow on purpose. The bounds are those of the server but for their length.

import { afterAll, beforeAll, expect, it } from 'vitest';
import { LIMITES } from '../../src/api/app.ts';
import { type ApiDEssai, createApi } from '../harness/api.ts';
import { ecouterApp } from '../harness/flux.ts';
import { ConnexionBrute } from '../harness/raw-http.ts';

let api: ApiDEssai;
let port: number;

beforeAll(async () => {
  api = await createApi({
    limites: { delaiEntetes: 300, requete: 600, controle: 50, silence: 1500 },
    comptes: false,
  });
  port = Number(new URL(await ecouterApp(api.app)).port);
});
afterAll(() => api?.close());

/** Writes a byte now and then until the server closes; gives what it answered. */
async function goutte(
  connexion: ConnexionBrute,
  bytes: string,
): Promise<{ status: number | undefined; body: string }> {
  const timer = setInterval(() => connexion.ecrire(bytes), 20);
  const [answer, ...more] = await connexion.toutes();
  clearInterval(timer);
  expect(more).toEqual([]);
  return { status: answer?.status, body: answer?.body ?? '' };
}

it('headers that trickle in are cut off, with a problem', async () => {
  const connexion = await ConnexionBrute.ouvrir(port);
  connexion.ecrire('GET /health HTTP/1.1\r\nHost: localhost\r\nX-Lent: ');
  const { status, body } = await goutte(connexion, 'a');
  expect(status).toBe(408);
  expect(JSON.parse(body)).toMatchObject({ status: 408, title: expect.any(String) });
});

it('a body that trickles in is cut off, with one answer', async () => {
  const connexion = await ConnexionBrute.ouvrir(port);
  connexion.ecrire(
    'POST /token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 10000\r\n\r\nusername=',
  );
  expect((await goutte(connexion, 'a')).status).toBe(408);
});

it('chunks that trickle in are cut off all the same', async () => {
  const connexion = await ConnexionBrute.ouvrir(port);
  connexion.ecrire(
    'POST /token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n',
  );
  expect((await goutte(connexion, '1\r\na\r\n')).status).toBe(408);
});

it('a connection on which nothing is ever said is closed', async () => {
  const connexion = await ConnexionBrute.ouvrir(port);
  const answers = await connexion.toutes();
  expect(answers.every(({ status }) => status === 408)).toBe(true);
  expect(connexion.finie).toBe(true);
});

it('hundreds of slow clients do not keep a quick one waiting for them', async () => {
  const slow = await Promise.all(Array.from({ length: 200 }, () => ConnexionBrute.ouvrir(port)));
  for (const connexion of slow) connexion.ecrire('GET /health HTTP/1.1\r\nHost: localhost\r\nX-Lent: ');
  const quick = await ConnexionBrute.ouvrir(port);
  quick.ecrire('GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  expect((await quick.reponse())?.status).toBe(200);
  const answers = await Promise.all(slow.map((connexion) => connexion.toutes()));
  expect(answers.flat().map(({ status }) => status)).toEqual(Array(200).fill(408));
});

it('what is broken behind a request that is being answered does not get into its answer', async () => {
  const { entete } = await api.compte('lent', 'lecteur');
  const connexion = await ConnexionBrute.ouvrir(port);
  connexion.ecrire(
    `GET /evenements HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${entete.authorization}\r\n\r\n`,
  );
  await expect.poll(() => connexion.reste).toContain('event: resynchroniser');
  connexion.ecrire('n’importe quoi\r\n\r\n');
  await expect.poll(() => connexion.finie).toBe(true);
  expect(connexion.reste.match(/HTTP\/1\.1/g)).toHaveLength(1);
});

it('the server’s own bounds are set, and in order', () => {
  const { delaiEntetes, requete, silence, controle } = LIMITES;
  expect(controle).toBeLessThan(delaiEntetes);
  expect(delaiEntetes).toBeLessThanOrEqual(requete);
  expect(requete).toBeLessThan(silence);
  expect(api.app.server.requestTimeout).toBe(600);
  expect(api.app.server.headersTimeout).toBe(300);
  expect(api.app.server.timeout).toBe(1500);
  expect(api.app.server.maxRequestsPerSocket ?? 0).toBe(0);
});
