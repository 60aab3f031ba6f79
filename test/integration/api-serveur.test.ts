// `atelier serve` as a process, by sockets: what no injected request reaches.

import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MOT_DE_PASSE } from '../harness/api.ts';
import { ConnexionBrute, envoyer, type ReponseBrute } from '../harness/raw-http.ts';
import { creerCompteHttp, installerApi, type Serveur, servir } from '../harness/serve.ts';

/** What every answer tells browsers. */
const PROTECTIVE: readonly (readonly [string, string])[] = [
  ['content-security-policy', "default-src 'none';frame-ancestors 'none'"],
  ['cross-origin-opener-policy', 'same-origin'],
  ['cross-origin-resource-policy', 'same-origin'],
  ['origin-agent-cluster', '?1'],
  ['referrer-policy', 'no-referrer'],
  ['strict-transport-security', 'max-age=31536000'],
  ['x-content-type-options', 'nosniff'],
  ['x-dns-prefetch-control', 'off'],
  ['x-download-options', 'noopen'],
  ['x-frame-options', 'SAMEORIGIN'],
  ['x-permitted-cross-domain-policies', 'none'],
  ['x-xss-protection', '0'],
];
const LISTED = 'https://bi.exemple.test';
let installation: Awaited<ReturnType<typeof installerApi>>;
let serveur: Serveur;
let entete: { authorization: string };

beforeAll(async () => {
  installation = await installerApi();
  serveur = await servir(installation, { CORS_ORIGINES: LISTED });
  const first = await creerCompteHttp(serveur.url, 'premiere-canari');
  expect(first.status).toBe(201);
  entete = await serveur.entete('premiere-canari');
});
afterAll(async () => {
  serveur?.running.process.kill('SIGKILL');
  await serveur?.running.ended;
  await installation?.close();
});

/** Checks that an answer is a problem of the given status, and says nothing of the inside. */
function attendreProbleme(answer: ReponseBrute | undefined, status: number): void {
  expect(answer?.status, answer?.body).toBe(status);
  expect(answer!.headers['content-type']).toBe('application/problem+json; charset=utf-8');
  const problem = JSON.parse(answer!.body) as Record<string, unknown>;
  expect(Object.keys(problem).slice(0, 5)).toEqual(['type', 'title', 'status', 'detail', 'instance']);
  expect(problem['status']).toBe(status);
  expect(answer!.body).not.toMatch(/node_modules|\.ts\b|SELECT|fastify|at \w+ \(|\/work|HPE_|FST_/);
  expect(answer!.headers['server']).toBeUndefined();
  expect(answer!.headers['x-powered-by']).toBeUndefined();
}

describe('S19: a request that two readers could cut differently is refused, and the connection closed', () => {
  const BEHIND = 'GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n';
  const head = (...lines: string[]): string =>
    ['POST /token HTTP/1.1', 'Host: localhost', ...lines, '', ''].join('\r\n');
  it.each([
    [
      'Content-Length and Transfer-Encoding',
      `${head('Content-Length: 3', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
    ],
    [
      'Transfer-Encoding and Content-Length',
      `${head('Transfer-Encoding: chunked', 'Content-Length: 3')}0\r\n\r\n`,
    ],
    ['two lengths', `${head('Content-Length: 3', 'Content-Length: 4')}abcd`],
    ['the same length twice', `${head('Content-Length: 3', 'Content-Length: 3')}abc`],
    ['a list of lengths', `${head('Content-Length: 3, 3')}abc`],
    ['a length with a sign', `${head('Content-Length: +3')}abc`],
    ['a space before the colon', `${head('Content-Length : 3')}abc`],
    ['another coding than chunked', `${head('Transfer-Encoding: xchunked')}0\r\n\r\n`],
    ['chunked not last', `${head('Transfer-Encoding: chunked, identity')}0\r\n\r\n`],
    ['a bare LF in a chunk extension', `${head('Transfer-Encoding: chunked')}1;a\nb\r\nx\r\n0\r\n\r\n`],
    ['a folded header', 'GET /health HTTP/1.1\r\nHost: localhost\r\nX-A: b\r\n c\r\n\r\n'],
    ['a folded coding', head('Transfer-Encoding:', ' chunked', 'Content-Length: 0')],
    ['bare LF everywhere', 'GET /health HTTP/1.1\nHost: localhost\n\n'],
    ['a bare LF between headers', 'GET /health HTTP/1.1\r\nHost: localhost\nX-Y: z\r\n\r\n'],
    ['a bare CR between headers', 'GET /health HTTP/1.1\r\nHost: localhost\rX-Y: z\r\n\r\n'],
    ['NUL in a header', 'GET /health HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n'],
    ['no host', 'GET /health HTTP/1.1\r\n\r\n'],
    ['two hosts', 'GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
    ['the beginning of TLS', '\x16\x03\x01\x02\x00\x01\x00\r\n\r\n'],
    ['the beginning of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ])('%s', async (_name, bytes) => {
    // What stands behind is never taken for a request.
    const answers = await envoyer(serveur.port, bytes + BEHIND);
    expect(answers).toHaveLength(1);
    attendreProbleme(answers[0], 400);
    expect(answers[0]!.headers['connection']).toBe('close');
  });

  it('a sound request of the same form is answered', async () => {
    const body = 'grant_type=password';
    const form = 'Content-Type: application/x-www-form-urlencoded';
    const [one, two] = await envoyer(
      serveur.port,
      `${head(form, 'Transfer-Encoding: chunked')}${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n` +
        'GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
    );
    expect(one!.status).toBe(400);
    expect(JSON.parse(one!.body)).toMatchObject({ error: 'invalid_request' });
    expect(two!.status).toBe(200);
  });
});

describe('S17: bounds', () => {
  const get = (path: string, ...lines: string[]): string =>
    [`GET ${path} HTTP/1.1`, 'Host: localhost', 'Connection: close', ...lines, '', ''].join('\r\n');
  const post = (body: string | Uint8Array<ArrayBuffer>, type = 'application/json'): Promise<Response> =>
    fetch(`${serveur.url}/users/`, { method: 'POST', headers: { ...entete, 'content-type': type }, body });

  it('414 for a long address, 431 for long or many headers', async () => {
    attendreProbleme((await envoyer(serveur.port, get(`/health?${'a'.repeat(9000)}`)))[0], 414);
    attendreProbleme((await envoyer(serveur.port, get(`/${'a'.repeat(9000)}`)))[0], 414);
    attendreProbleme((await envoyer(serveur.port, get('/health', `X: ${'a'.repeat(20_000)}`)))[0], 431);
    const many = Array.from({ length: 3000 }, (_, i) => `X${i}: 1`);
    attendreProbleme((await envoyer(serveur.port, get('/health', ...many)))[0], 431);
  });

  it('413 for a long body: by its announced length before it comes, else when it is too much', async () => {
    const head = ['POST /users/ HTTP/1.1', 'Host: localhost', 'Content-Type: application/json'];
    head.push(`Authorization: ${entete.authorization}`);
    const announced = await envoyer(serveur.port, [...head, 'Content-Length: 2000000', '', '{'].join('\r\n'));
    attendreProbleme(announced[0], 413);
    const size = 0x200000;
    const chunk = `${size.toString(16)}\r\n"${'a'.repeat(size - 1)}\r\n0\r\n\r\n`;
    const streamed = await envoyer(
      serveur.port,
      [...head, 'Transfer-Encoding: chunked', '', chunk].join('\r\n'),
    );
    attendreProbleme(streamed[0], 413);
  });

  it('deep and wide JSON is refused like any other that does not fit, and the server stays well', async () => {
    const deep = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`;
    const wide = JSON.stringify({ username: Array(100_000).fill(1) });
    for (const body of [
      '['.repeat(1000) + ']'.repeat(1000),
      deep,
      JSON.stringify(Array(100_000).fill(1)),
      wide,
    ]) {
      const answer = await post(body);
      expect(answer.status).toBe(422);
      // Nor is everything that is wrong told back.
      expect((await answer.text()).length).toBeLessThan(20_000);
    }
    expect((await post('{"a":'.repeat(1000))).status).toBe(400);
    expect((await fetch(`${serveur.url}/health`)).status).toBe(200);
  });

  it('S14, S18: poisoned JSON 400, other types 415', async () => {
    for (const body of [
      '{"__proto__":{"role":"admin"}}',
      '{"constructor":{"prototype":{"role":"admin"}}}',
      '{',
      '',
    ]) {
      expect((await post(body)).status, body).toBe(400);
    }
    for (const type of [
      'text/plain',
      'application/xml',
      'multipart/form-data; boundary=x',
      'image/png',
      'x',
    ]) {
      const answer = await post('{}', type);
      expect(answer.status, type).toBe(415);
      expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    }
  });
});

describe('S18: methods', () => {
  const ask = async (method: string, path = '/health'): Promise<ReponseBrute | undefined> => {
    const connexion = await ConnexionBrute.ouvrir(serveur.port);
    connexion.ecrire(`${method} ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    const answer = await connexion.reponse();
    connexion.fermer();
    return answer;
  };
  it.each(['POST', 'PUT', 'DELETE', 'PATCH', 'TRACE', 'OPTIONS', 'PROPFIND', 'CONNECT'])(
    '%s where it is not offered: 405 with Allow',
    async (method) => {
      const answer = await ask(method, method === 'CONNECT' ? 'x:80' : '/health');
      attendreProbleme(answer, 405);
      expect(answer!.headers['allow']).toMatch(/GET, HEAD/);
    },
  );

  it('a word that is no method is no request; HEAD is GET without its body', async () => {
    attendreProbleme(await ask('FOO'), 400);
    const connexion = await ConnexionBrute.ouvrir(serveur.port);
    connexion.ecrire(
      'HEAD /health HTTP/1.1\r\nHost: localhost\r\n\r\nHEAD /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
    );
    await once(connexion.socket, 'close');
    const [one, two, ...more] = connexion.reste.split('\r\n\r\n');
    expect([one, two]).toEqual(Array(2).fill(expect.stringMatching(/^HTTP\/1\.1 200 OK\r\n/)));
    expect(more).toEqual(['']);
  });

  it('Expect other than 100-continue: 417', async () => {
    const [answer] = await envoyer(
      serveur.port,
      'POST /token HTTP/1.1\r\nHost: localhost\r\nExpect: 200-maybe\r\nContent-Length: 0\r\n\r\n',
    );
    attendreProbleme(answer, 417);
  });
});

describe('S20, S21: errors and headers', () => {
  it('every error, of whatever layer, is a problem that can be found in the log by its number', async () => {
    const lines = (path: string, extra = ''): string =>
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${extra}\r\n`;
    const cases: [string, number][] = [
      [lines('/rien'), 404],
      [lines('/%zz'), 400],
      [lines('/sessions/'), 401],
      [lines('/sessions/', 'Authorization: Bearer x.y.z\r\n'), 401],
      [lines('/sessions/?nul=1', `Authorization: ${entete.authorization}\r\n`), 422],
      [`GET /${'%'} HTTP/1.1\nHost`, 400],
    ];
    for (const [bytes, status] of cases) {
      const [answer] = await envoyer(serveur.port, bytes + (bytes.endsWith('\n') ? '' : '\r\n\r\n'));
      attendreProbleme(answer, status);
      if (status === 401) expect(answer!.headers['www-authenticate']).toMatch(/^Bearer/);
      const { instance } = JSON.parse(answer!.body) as { instance: string };
      const id = instance.replace('urn:requete:', '');
      expect(answer!.headers['x-request-id']).toBe(id);
      await expect.poll(() => serveur.running.text()).toContain(id);
    }
  });

  it('answers carry the headers that protect, and none that tells what we are', async () => {
    const open = await fetch(`${serveur.url}/health`);
    expect(open.headers.get('x-content-type-options')).toBe('nosniff');
    expect(open.headers.get('content-security-policy')).toMatch(/frame-ancestors 'none'/);
    expect(open.headers.get('content-security-policy')).toMatch(/default-src 'none'/);
    expect(open.headers.get('strict-transport-security')).toMatch(/max-age=31536000/);
    expect(open.headers.get('referrer-policy')).toBe('no-referrer');
    expect(open.headers.get('cross-origin-resource-policy')).toBe('same-origin');
    expect(open.headers.get('server')).toBeNull();
    expect(open.headers.get('x-powered-by')).toBeNull();
    // Refusals and lists have the same ones, each once.
    for (const path of ['/n-existe-pas', '/centres/', '/sessions/?limit=1']) {
      const { headers } = await fetch(serveur.url + path, { headers: path === '/centres/' ? {} : entete });
      expect(Object.fromEntries(PROTECTIVE.map(([name]) => [name, headers.get(name)]))).toEqual(
        Object.fromEntries(PROTECTIVE),
      );
    }
    // Figures may be kept by the browser that asked, but are asked for anew; accounts and tokens are never kept.
    const data = await fetch(`${serveur.url}/centres/`, { headers: entete });
    expect(data.headers.get('cache-control')).toMatch(/private|no-store/);
    for (const path of ['/users/me', '/users/me/export', '/users/', '/cles/']) {
      const account = await fetch(serveur.url + path, { headers: entete });
      await account.arrayBuffer();
      expect([path, account.headers.get('cache-control')]).toEqual([path, 'no-store']);
    }
    const docs = await fetch(`${serveur.url}/docs/`);
    expect(docs.headers.get('content-security-policy')).not.toMatch(/script-src[^;]*unsafe-inline/);
  });

  it('compresses long answers for who asks', async () => {
    const answer = await fetch(`${serveur.url}/openapi.json`, { headers: { 'accept-encoding': 'gzip' } });
    expect(answer.headers.get('content-encoding')).toBe('gzip');
    expect(answer.headers.get('vary')).toMatch(/accept-encoding/i);
    expect(await answer.json()).toMatchObject({ openapi: '3.1.0' });
  });
});

describe('S22: CORS', () => {
  const cors = (headers: Headers): string[] =>
    [...headers.keys()].filter((name) => name.startsWith('access-control-'));

  it('a listed origin may read, and ask before it writes', async () => {
    const read = await fetch(`${serveur.url}/health`, { headers: { origin: LISTED } });
    expect(read.headers.get('access-control-allow-origin')).toBe(LISTED);
    expect(read.headers.get('vary')).toMatch(/origin/i);
    const ask = await fetch(`${serveur.url}/centres/`, {
      method: 'OPTIONS',
      headers: { origin: LISTED, 'access-control-request-method': 'POST' },
    });
    expect(ask.status).toBe(204);
    expect(ask.headers.get('access-control-allow-methods')).toMatch(/POST/);
  });

  it.each([
    'null',
    'https://bi.exemple.test.mechant.test',
    'https://mechant-bi.exemple.test',
    'https://bi.exemple.test:444',
    'http://bi.exemple.test',
    'https://BI.exemple.test',
    'https://bi.exemple.test/',
    'https://autre.test',
    '*',
  ])('%s gets no header at all, nor a preflight', async (origin) => {
    for (const [method, path] of [
      ['GET', '/health'],
      ['GET', '/centres/'],
      ['OPTIONS', '/centres/'],
      ['POST', '/token'],
    ] as const) {
      const headers = {
        origin,
        'access-control-request-method': 'POST',
        ...(path === '/centres/' ? entete : {}),
      };
      const answer = await fetch(`${serveur.url}${path}`, { method, headers });
      expect(cors(answer.headers), `${method} ${path}`).toEqual([]);
      if (method === 'OPTIONS') expect(answer.status).toBe(405);
      await answer.body?.cancel();
    }
  });
});

describe('S5, S26, R22: logs', () => {
  it('every line is one JSON object; no token, password, name, address nor key is in any', async () => {
    const { authorization } = entete;
    const wrong = 'mot-de-passe-essaye-canari';
    const made = await fetch(`${serveur.url}/cles/`, {
      method: 'POST',
      headers: { ...entete, 'content-type': 'application/json' },
      body: JSON.stringify({
        nom: 'canari-cle',
        portees: ['*:lire'],
        date_fin: new Date(Date.now() + 86_400_000 * 30).toISOString(),
      }),
    });
    expect(made.status).toBe(201);
    const { cle } = (await made.json()) as { cle: string };
    await fetch(`${serveur.url}/centres/`, { headers: { authorization: `Bearer ${cle}` } });
    await fetch(`${serveur.url}/centres/?nom=${wrong}&access_token=${authorization.slice(7)}`, {
      headers: entete,
    });
    await fetch(`${serveur.url}/token`, {
      method: 'POST',
      body: new URLSearchParams({ username: 'premiere-canari', password: wrong }),
    });
    await fetch(`${serveur.url}/token`, { method: 'POST', body: `{"password":"${wrong}"` });
    await envoyer(
      serveur.port,
      `GET /health HTTP/1.1\r\nHost: localhost\r\nUser-Agent: {"a":1}\x1b[31m\r\nConnection: close\r\n\r\n`,
    );
    const [last] = await envoyer(
      serveur.port,
      `GET /%0a%7B%22level%22:1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
    );
    await expect.poll(() => serveur.running.text()).toContain(last!.headers['x-request-id']);
    const text = serveur.running.text();
    // Addresses are told by the route that they lead to, never as they were written.
    expect(text).not.toContain('%0a%7B');
    const lines = text.split('\n').filter((line) => line.startsWith('{'));
    expect(lines.length).toBeGreaterThan(20);
    for (const line of lines) {
      const entry = JSON.parse(line) as Record<string, unknown>;
      expect(entry['time']).toMatch(/Z$/);
      expect(entry['level']).toMatch(/^(debug|info|warn|error)$/);
    }
    for (const secret of [
      ...['eyJ', MOT_DE_PASSE, wrong, 'premiere-canari', 'exemple.test/', '@exemple.test', 'canari-cle'],
      ...[cle, cle.slice(-20), installation.apiEnv['SECRET_KEY']!, installation.apiEnv['CLE_CHIFFREMENT']!],
      '\x1b',
    ]) {
      expect(text.includes(secret), secret).toBe(false);
    }
  });
});
