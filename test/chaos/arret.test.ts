// A graceful stop under load (O2): requests, slow ones too, an import, machines that write. Nothing fails, nothing is lost.

import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Running } from '../harness/cli.ts';
import { SEED } from '../harness/property.ts';
import { ConnexionBrute } from '../harness/raw-http.ts';
import { creerCompteHttp, installerApi, type Serveur, servir } from '../harness/serve.ts';
import { randomFrom } from '../harness/tree.ts';
import { CENTRES, Machines } from './machines.ts';
import { attendreEgalite, rienNeTraine, unJsonParLigne } from './tour.ts';

/** Seconds between the announcement of a stop and the closed door. */
const PREAVIS = 6;

let place: Awaited<ReturnType<typeof installerApi>>;
const running: Running[] = [];
beforeEach(async () => {
  place = await installerApi();
});
afterEach(async () => {
  for (const { process: child, ended } of running.splice(0)) {
    child.kill('SIGKILL');
    await ended;
  }
  await place.close();
});

async function demarrer(): Promise<{ api: Serveur; worker: Running }> {
  const api = await servir(place, { ARRET_PREAVIS: String(PREAVIS), METRICS_PORT: '0' });
  const worker = place.start(['worker'], { METRICS_PORT: '0' });
  running.push(api.running, worker);
  await vi.waitFor(() => expect(worker.text()).toContain('suivi commencé'), { timeout: 60_000 });
  return { api, worker };
}

/** Asks on one connection until it is told that this was the last answer; gives every status. */
async function demander(port: number, request: string): Promise<{ statuts: number[]; fin: string }> {
  const connexion = await ConnexionBrute.ouvrir(port);
  const statuts: number[] = [];
  for (;;) {
    connexion.ecrire(request);
    const answer = await connexion.reponse();
    if (!answer) return { statuts, fin: `coupée : ${connexion.erreur?.message ?? 'sans réponse'}` };
    statuts.push(answer.status);
    if (answer.headers['connection'] === 'close') return { statuts, fin: 'dite' };
  }
}

it('O2: SIGTERM to API and worker at work: every request answered, ready says no first, every line there after the restart', async () => {
  process.stdout.write(`arrêt : ATELIER_GRAINE=${SEED}\n`);
  const machines = new Machines(place.logs, randomFrom(SEED));
  const stop = new AbortController();
  const { api, worker } = await demarrer();
  expect((await creerCompteHttp(api.url, 'chef')).status).toBe(201);
  const { authorization } = await api.entete('chef');
  const writing = machines.work(stop.signal);
  writing.catch(() => undefined);
  const get = (path: string): string =>
    `GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${authorization}\r\n\r\n`;
  const loads = [
    ...Array.from({ length: 6 }, () => get('/centres/')),
    ...Array.from({ length: 2 }, () => get('/sessions/?limit=200')),
  ].map((request) => demander(api.port, request));
  await vi.waitFor(
    async () => {
      const { rowCount } = await place.pool.query('SELECT DISTINCT centre_usinage_id FROM piece_production');
      expect(rowCount).toBe(CENTRES.length);
    },
    { timeout: 60_000, interval: 50 },
  );

  // A request whose body takes its time: it is whole only after the stop was asked for.
  const lente = await ConnexionBrute.ouvrir(api.port);
  const body = 'username=chef&password=faux';
  lente.ecrire(
    `POST /token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 9)}`,
  );

  for (const { process: child } of [api.running, worker]) child.kill('SIGTERM');
  // Nobody who asks whether to send requests here is told yes any more, while the door is still open.
  const sante = async (path: string): Promise<number> =>
    (await fetch(`${api.url}${path}`, { headers: { connection: 'close' } })).status;
  await vi.waitFor(async () => expect(await sante('/health/ready')).toBe(503), {
    timeout: PREAVIS * 1_000,
    interval: 20,
  });
  expect(await sante('/health/live')).toBe(200);
  lente.ecrire(body.slice(9));
  expect((await lente.reponse())?.status).toBe(401);
  let answered = 0;
  for (const { statuts, fin } of await Promise.all(loads)) {
    expect([fin, statuts.filter((statut) => statut !== 200)]).toEqual(['dite', []]);
    answered += statuts.length;
  }
  expect(answered).toBeGreaterThan(20);
  for (const { ended } of [api.running, worker]) {
    const { code, stdout, stderr } = await ended;
    expect([code, stderr]).toEqual([0, expect.not.stringContaining('forcé')]);
    unJsonParLigne(stdout.replace(/^(?!\{).*$/gm, ''));
  }

  // Machines went on writing all the time.
  await sleep(500);
  const again = await demarrer();
  stop.abort();
  await writing;
  await attendreEgalite(place, machines);
  for (const { process: child } of [again.api.running, again.worker]) child.kill('SIGTERM');
  expect((await again.worker.ended).code).toBe(0);
  expect((await again.api.running.ended).code).toBe(0);
  await rienNeTraine(place);
}, 240_000);
