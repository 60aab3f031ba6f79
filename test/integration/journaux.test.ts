// O17, R22, S26: everything that a whole installation logs in one run: imports, worker, orders, API. One JSON object a
// line, what it belongs to, and nothing of what people wrote.

import { once } from 'node:events';
import { appendFile, readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { MOT_DE_PASSE } from '../harness/api.ts';
import { DAY } from '../harness/cli.ts';
import { creerCompteHttp, installerApi, servir } from '../harness/serve.ts';

const JETON = 'CANARI-jeton-de-prometheus';
const CANARI = 'CANARI';
const LONG = { timeout: 40_000, interval: 100 };

interface Ligne extends Record<string, unknown> {
  readonly msg: string;
}

let place: Awaited<ReturnType<typeof installerApi>>;
beforeAll(async () => {
  place = await installerApi();
});
afterAll(() => place?.close());

/** A port that nobody has now. */
async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return String(port);
}

/** Every line, checked for its shape. */
function parse(text: string, where: string): Ligne[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      expect(line, where).toMatch(/^\{.*\}$/);
      expect(line, where).not.toMatch(/[\u0000-\u001f\u007f]/);
      const entry = JSON.parse(line) as Ligne;
      expect(entry['level'], line).toMatch(/^(debug|info|warn|error)$/);
      expect(entry['time'], line).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      expect(entry['pid'], line).toEqual(expect.any(Number));
      expect(entry.msg, line).toMatch(/\S/);
      return entry;
    });
}

it('is one JSON object a line, tells what it belongs to, and no secret', async () => {
  const port = await freePort();
  const env = { ...place.apiEnv, METRICS_JETON: JETON, METRICS_PORT: port, NIVEAU_JOURNAL: 'debug' };
  await place.write('DEM12/20250528.LOG', DAY);
  await place.write('DEM12/\u001b[31m{"a":1}.LOG', DAY);
  const one = await place.run(['ingest'], { env });
  expect(one.code).toBe(0);
  const orders = await place.run(['sync'], { env });
  expect(orders.code).toBe(1);

  const worker = place.start(['worker'], env);
  await vi.waitUntil(() => worker.text().includes('suivi commencé'), LONG);
  // A second one on the same machine works all the same, without a probe.
  const second = place.start(['worker'], env);
  await vi.waitUntil(() => second.text().includes('worker prêt'), LONG);
  expect(second.text()).toContain('ATL_O851');
  await appendFile(join(place.logs, 'DEM12/20250528.LOG'), '20250528 09:00:00|@StukUitgevoerd: C\r\n');
  await vi.waitUntil(() => (worker.text() + second.text()).includes('fichier lu'), LONG);

  const probe = `http://127.0.0.1:${port}`;
  await vi.waitUntil(async () => (await fetch(`${probe}/health/ready`)).status === 200, LONG);
  expect((await fetch(`${probe}/metrics`)).status).toBe(401);
  const metrics = await fetch(`${probe}/metrics`, { headers: { authorization: `Bearer ${JETON}` } });
  const told = await metrics.text();
  expect(told).toContain('atelier_centre_last_line_timestamp_seconds{centre="DEM12"}');
  expect(told).toMatch(/atelier_disk_free_bytes\{folder="ARCHIVES_DIR"\} [1-9]/);
  expect((await place.run(['sante', '--worker'], { env })).code).toBe(0);

  const server = await servir(place, env);
  expect((await creerCompteHttp(server.url, `${CANARI}-nom`)).status).toBe(201);
  const entete = await server.entete(`${CANARI}-nom`);
  const { authorization } = entete;
  const made = await fetch(`${server.url}/cles/`, {
    method: 'POST',
    headers: { ...entete, 'content-type': 'application/json' },
    body: JSON.stringify({ nom: `${CANARI}-cle`, portees: ['centres:lire'] }),
  });
  expect(made.status).toBe(201);
  const { cle } = (await made.json()) as { cle: string };
  const ask = async (path: string, init: RequestInit = {}): Promise<number> =>
    (await fetch(`${server.url}${path}`, init)).status;
  expect(await ask('/centres/', { headers: { authorization: `Bearer ${cle}` } })).toBe(200);
  expect(await ask(`/centres/?tri=${CANARI}`, { headers: { authorization } })).toBe(422);
  expect(await ask('/centres/', { headers: { authorization: `Bearer ${CANARI}.faux.jeton` } })).toBe(401);
  expect(await ask('/centres/', { headers: { 'user-agent': `{"${CANARI}":1}` } })).toBe(401);
  const wrong = new URLSearchParams({ username: `${CANARI}-nom`, password: `${CANARI}-mot` });
  expect(await ask('/token', { method: 'POST', body: wrong })).toBe(401);
  expect(await ask('/metrics', { headers: { authorization: `Bearer ${JETON}` } })).toBe(200);

  worker.process.kill('SIGTERM');
  second.process.kill('SIGTERM');
  const [a, b, served] = await Promise.all([worker.ended, second.ended, server.arreter()]);
  expect([a.code, b.code, served.code]).toEqual([0, 0, 0]);

  const files = await Promise.all(
    ['ftp_log_service.log', 'mysql_sync.log'].map((name) => readFile(join(place.syncLogs, name), 'utf8')),
  );
  const [imports, sync] = files.map((text, i) => parse(text, ['imports', 'commandes'][i]!)) as [
    Ligne[],
    Ligne[],
  ];
  const api = parse(served.stdout, 'api');
  const workers = [...parse(a.stdout, 'worker'), ...parse(b.stdout, 'second worker')];

  // Each file has its own: what the seed promises whoever looks for it there.
  expect(imports.some(({ msg }) => msg === 'fichier lu')).toBe(true);
  expect(sync.some(({ msg }) => msg === 'synchronisation impossible')).toBe(true);
  expect(sync.some(({ msg }) => msg === 'fichier lu')).toBe(false);
  // A line of a task says which, and which run.
  expect(imports.find(({ msg }) => msg === 'import terminé')).toMatchObject({
    tache: 'ingest',
    execution: expect.any(Number),
  });
  expect(workers.length).toBeGreaterThan(4);
  // A request has a number, the one that the client was given, and its address is cut.
  const requests = api.filter(({ msg }) => msg === 'requête');
  expect(requests.length).toBeGreaterThan(8);
  for (const line of requests) {
    expect(line['requete']).toMatch(/^[0-9a-f-]{36}$/);
    expect(line['adresse']).not.toBe('127.0.0.1');
  }

  const everything = [
    ...files,
    a.stdout,
    b.stdout,
    served.stdout,
    one.stdout,
    orders.stdout,
    a.stderr,
    served.stderr,
  ];
  const secrets = [CANARI, MOT_DE_PASSE, '@exemple.test', cle, authorization.slice(7), JETON];
  const keys = [place.apiEnv['SECRET_KEY']!, place.apiEnv['CLE_CHIFFREMENT']!];
  for (const text of everything)
    for (const secret of [...secrets, ...keys]) expect(text).not.toContain(secret);
});
