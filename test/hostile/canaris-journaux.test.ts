// What people and programs paste into the wrong place: keys, tokens, addresses in paths, queries, headers, bodies and
// broken requests are nowhere in logs, traces, metrics and the audit log (M9).

import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { MOT_DE_PASSE } from '../harness/api.ts';
import type { Finished } from '../harness/cli.ts';
import { type Collecteur, collecter } from '../harness/otlp.ts';
import { creerCompteHttp, installerApi, type Serveur, servir } from '../harness/serve.ts';

const JETON = 'jeton-de-prometheus-0123';
let place: Awaited<ReturnType<typeof installerApi>>;
let collecteur: Collecteur;
let server: Serveur;
let finished: Finished;
/** by where they come from */
let plantes: Record<string, string>;
let requests: Record<string, unknown>[];
let metrics: string;

beforeAll(async () => {
  [place, collecteur] = await Promise.all([installerApi(), collecter()]);
  server = await servir(place, {
    ...{ OTEL_EXPORTER_OTLP_ENDPOINT: collecteur.url, METRICS_JETON: JETON, LOG_LEVEL: 'debug' },
  });
  expect((await creerCompteHttp(server.url, 'chef')).status).toBe(201);
  const entete = await server.entete('chef');
  const made = await fetch(`${server.url}/cles/`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...entete },
    body: JSON.stringify({ nom: 'Clé', portees: ['centres:lire'] }),
  });
  const { cle } = (await made.json()) as { cle: string };
  const token = entete.authorization.slice('Bearer '.length);
  plantes = {
    cle,
    // Key and token cut in the middle: half of one says as much as the whole of it to whoever looks for the other half.
    demiCle: cle.slice(0, 44),
    jeton: token,
    demiJeton: token.slice(0, 30),
    courriel: 'camille.canari@plage.example',
    courrielEchappe: 'camille.canari%40plage.example',
    nom: 'Canari-Nom-De-Personne',
  };
  await send(entete);
  metrics = await (
    await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${JETON}` } })
  ).text();
  await vi.waitUntil(() => collecteur.spans.some(({ name }) => name === 'GET /metrics'), { timeout: 20_000 });
  finished = await server.arreter();
  requests = finished.stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));
}, 120_000);
afterAll(async () => {
  server?.running.process.kill('SIGKILL');
  await place?.close();
  await collecteur?.close();
});

/** Each of them in each place where one can put a text. */
async function send(entete: { authorization: string }): Promise<void> {
  const get = async (path: string, headers: Record<string, string> = entete, init = {}): Promise<void> => {
    await (await fetch(`${server.url}${path}`, { headers, ...init })).text();
  };
  for (const text of Object.values(plantes)) {
    const word = encodeURIComponent(text).replaceAll('%2540', '%40');
    for (const path of ['/', '/users/', '/centres/', '/commandes-volets/by-numero/', '/cles/', '/docs/'])
      await get(`${path}${word}`);
    for (const query of ['nom=', 'tri=', 'inconnu=', 'cursor=', 'limit=', `${word}=`])
      await get(`/centres/?${query}${word}`);
    await get(`/job-profils/?reference=${word}&couleur=${word}&format=csv`);
    await get(`/centres/%${word}`);
    await get(`/centres/${word.repeat(Math.ceil(301 / word.length))}`);
    await get(`/centres/?nom=${word.repeat(Math.ceil(9000 / word.length))}`);
    for (const header of [
      ...['x-request-id', 'user-agent', 'referer', 'origin', 'cookie', 'traceparent', 'tracestate', 'accept'],
      ...['accept-language', 'x-forwarded-for', 'forwarded', 'if-match', 'if-none-match', 'range', 'baggage'],
    ])
      await get('/centres/', { ...entete, [header]: text });
    await get('/centres/', { authorization: `Bearer ${text}x` });
    await get('/centres/', { authorization: `Basic ${text}` });
    await get('/centres/', { ...entete, 'x-long': text.repeat(Math.ceil(17_000 / text.length)) });
    const post = async (path: string, type: string, body: string): Promise<void> =>
      get(path, { ...entete, 'content-type': type }, { method: 'POST', body });
    for (const type of ['application/json', 'text/plain', `application/${encodeURIComponent(text)}`]) {
      for (const body of [JSON.stringify({ nom: text, [text]: 1 }), `{"nom": ${text}`, text])
        await post('/centres/', type, body);
    }
    await post(
      '/users/',
      'application/json',
      JSON.stringify({ username: text, email: text, password: text }),
    );
    const form = { username: text, password: text, [text]: text, grant_type: 'password' };
    const signIn = { username: text, password: text };
    for (const fields of [form, signIn])
      await post('/token', 'application/x-www-form-urlencoded', new URLSearchParams(fields).toString());
    const asked = JSON.stringify({ tache: 'ingest', options: { centre: text } });
    await post('/executions/', 'application/json', asked);
    for (const raw of [
      `GET /${text} HTTP/9.9\r\n\r\n`,
      `${text} / HTTP/1.1\r\nHost: localhost\r\n\r\n`,
      `GET / HTTP/1.1\r\nHost: localhost\r\n${text}\r\n\r\n`,
      `GET /${text}\u0001 HTTP/1.1\r\nHost: localhost\r\n\r\n`,
      `GET /${text} HTTP/1.1\r\nHost: localhost\r\nHost: ${text}\r\n\r\n`,
      `CONNECT ${text}:443 HTTP/1.1\r\nHost: ${text}\r\n\r\n`,
      `GET /${text} HTTP/1.1\r\nHost: localhost\r\nExpect: ${text}\r\n\r\n`,
      `POST /centres/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: ${text}\r\n\r\nabcde`,
      `POST /centres/?${text} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n${text}\r\n`,
    ])
      await speak(raw);
  }
  // A success with a number in its address: that one is known.
  await get('/centres/?limit=1');
}

/** Sends bytes as they are, and waits for the end of the answer. */
async function speak(raw: string): Promise<void> {
  const socket = connect(server.port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.resume();
  socket.end(raw);
  if (!socket.destroyed) await once(socket, 'close');
}

/** Texts in which one may not be found, also as they are escaped in JSON and addresses. */
function foundIn(text: string): string[] {
  return Object.entries(plantes)
    .filter(([, planted]) => text.includes(planted) || text.includes(encodeURIComponent(planted)))
    .map(([name]) => name);
}

test('M9: no key, token or address in what the server says', () => {
  expect(finished.code).toBe(0);
  expect(requests.length).toBeGreaterThan(300);
  const statuses = new Set(requests.map(({ statut }) => statut));
  for (const status of [200, 400, 401, 404, 405, 414, 415, 417, 422, 431]) expect(statuses).toContain(status);
  expect(foundIn(finished.stdout)).toEqual([]);
  expect(foundIn(finished.stderr)).toEqual([]);
  expect(finished.stdout + finished.stderr).not.toContain(MOT_DE_PASSE);
});

test('M9: a request is known by its route as it is declared', () => {
  const routes = new Set(requests.filter(({ msg }) => msg === 'requête').map(({ route }) => route));
  expect(routes).toContain('/centres/:id');
  expect(routes).toContain('/commandes-volets/by-numero/:numero');
  for (const line of requests) expect(line).not.toHaveProperty('chemin');
});

test('M9: nor in files of logs, traces and metrics', async () => {
  for (const name of await readdir(place.syncLogs).catch(() => []))
    expect(foundIn(await readFile(join(place.syncLogs, name), 'utf8')), name).toEqual([]);
  expect(foundIn(collecteur.texte())).toEqual([]);
  expect(metrics).toContain('http_server_request_duration_seconds');
  expect(foundIn(metrics)).toEqual([]);
});

test('M9: the audit log holds no value of a filter, of an option, of an attempt', async () => {
  const { rows } = await place.pool.query(
    'SELECT evenement, to_jsonb(j)::text AS text FROM journal_audit j ORDER BY id',
  );
  const events = rows.map(({ evenement }) => evenement);
  for (const event of ['export', 'acces_refuse', 'connexion_refusee']) expect(events).toContain(event);
  expect(foundIn(rows.map(({ text }) => text).join('\n'))).toEqual([]);
});
