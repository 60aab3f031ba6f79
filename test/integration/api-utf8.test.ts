// What clients send is UTF-8, strictly: nothing else is read, nothing of it is stored (spec: « What clients may send »).
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ApiDEssai, createApi, MOT_DE_PASSE } from '../harness/api.ts';
import { assertProperty } from '../harness/property.ts';
import { envoyer, type ReponseBrute } from '../harness/raw-http.ts';

const LISTED = 'https://tableau.exemple.test';
let api: ApiDEssai;
let port: number;

beforeAll(async () => {
  api = await createApi({ env: { CORS_ORIGINES: LISTED } });
  await api.app.listen({ port: 0, host: '127.0.0.1' });
  port = (api.app.server.address() as AddressInfo).port;
});
afterAll(() => api?.close());
beforeEach(() => api.pool.query('DELETE FROM centre_usinage'));

interface Demande {
  readonly methode?: string;
  readonly url: string;
  readonly type?: string | undefined;
  /** bytes, as characters of the same number */
  readonly corps?: string;
  readonly entetes?: readonly string[];
}

/** One request as bytes; the answer. */
async function demander({
  methode = 'POST',
  url,
  type,
  corps,
  entetes = [],
}: Demande): Promise<ReponseBrute> {
  const lines = [
    `${methode} ${url} HTTP/1.1`,
    'Host: localhost',
    'Connection: close',
    `Authorization: ${api.comptes.gestionnaire.entete.authorization}`,
    ...(type === undefined ? [] : [`Content-Type: ${type}`]),
    ...(corps === undefined ? [] : [`Content-Length: ${corps.length}`]),
    ...entetes,
  ];
  const [answer] = await envoyer(port, `${lines.join('\r\n')}\r\n\r\n${corps ?? ''}`);
  return answer!;
}

/** Text as the bytes of its UTF-8, each a character. */
const utf8 = (text: string): string => Buffer.from(text).toString('latin1');
const stored = async (): Promise<string[]> =>
  (await api.pool.query<{ nom: string }>('SELECT nom FROM centre_usinage ORDER BY id')).rows.map(
    ({ nom }) => nom,
  );
const detail = ({ body }: ReponseBrute): string => (JSON.parse(body) as { detail: string }).detail;

/** Bytes that look like UTF-8 to whoever is lenient. */
const FAUX: Readonly<Record<string, string>> = {
  'Latin-1': 'A\xe9B',
  'Latin-1 at the end': 'Caf\xe9',
  'a lone continuation': 'a\x80b',
  'a character cut short': 'a\xe2\x82',
  'an overlong slash': 'a\xc0\xafb',
  'an overlong NUL': 'a\xc0\x80b',
  'half a pair': 'a\xed\xa0\x80b',
  'a pair of halves (CESU-8)': 'a\xed\xa0\xbd\xed\xb8\x80b',
  'beyond Unicode': 'a\xf4\x90\x80\x80b',
  'a byte that never is': 'a\xffb',
};
const hex = (bytes: string): string =>
  bytes.replaceAll(/[^ -~]/g, (c) => `%${c.charCodeAt(0).toString(16).padStart(2, '0')}`);

describe.each(Object.keys(FAUX))('%s', (name) => {
  const bytes = FAUX[name]!;
  it('in JSON, in a form, in a query and in a path: 400, and nothing is stored', async () => {
    const form = 'application/x-www-form-urlencoded';
    const requests: Demande[] = [
      { url: '/centres/', type: 'application/json', corps: `{"nom":"${bytes}"}` },
      { url: '/centres/', type: 'application/json; charset=utf-8', corps: `{"nom":"X","${bytes}":1}` },
      { url: '/centres/', type: form, corps: `nom=${bytes}` },
      { url: '/centres/', type: form, corps: `nom=${hex(bytes)}` },
      { methode: 'GET', url: `/centres/?type_cu=${hex(bytes)}` },
      { methode: 'GET', url: `/centres/?type_cu=${bytes}` },
      { methode: 'GET', url: `/centres/?${hex(bytes)}=1` },
      { methode: 'GET', url: `/commandes-volets/by-status/${hex(bytes)}` },
      { methode: 'GET', url: `/commandes-volets/by-status/${bytes}` },
    ];
    for (const request of requests) {
      const answer = await demander(request);
      expect([request, answer.status]).toEqual([request, 400]);
      expect(detail(answer)).toMatch(/UTF-8/);
      expect(answer.body).not.toContain('\ufffd');
    }
    expect(await stored()).toEqual([]);
  });

  it('as a password: 400 in the words of OAuth', async () => {
    for (const value of [bytes, hex(bytes)]) {
      const answer = await demander({
        url: '/token',
        type: 'application/x-www-form-urlencoded',
        corps: `username=lecteur&password=${value}`,
      });
      expect([answer.status, JSON.parse(answer.body)]).toMatchObject([400, { error: 'invalid_request' }]);
    }
  });
});

it('whatever bytes come in a name: it is stored as it was sent, or 400 and nothing is', async () => {
  await assertProperty(
    'octets d’un nom',
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 12 }), async (octets) => {
      await api.pool.query('DELETE FROM centre_usinage');
      const bytes = Buffer.from(octets).toString('latin1');
      const answer = await demander({
        url: '/centres/',
        type: 'application/x-www-form-urlencoded',
        corps: `nom=${hex(bytes).replaceAll('&', '%26').replaceAll('=', '%3D').replaceAll('+', '%2B')}`,
      });
      const sound = Buffer.from(octets).toString();
      if (answer.status === 201) expect(await stored()).toEqual([sound]);
      else expect([400, 422]).toContain(answer.status);
      if (!Buffer.from(sound).equals(Buffer.from(octets))) expect(answer.status).toBe(400);
    }),
    { numRuns: 150 },
  );
});

describe('other codings', () => {
  const AUTRES = ['iso-8859-1', 'ISO-8859-15', 'windows-1252', 'utf-16', '"latin1"', 'utf-7', 'us-ascii', ''];
  it.each(AUTRES)('charset=%s: 415 that says so, also where the bytes would do', async (charset) => {
    const json = await demander({
      url: '/centres/',
      type: `application/json; charset=${charset}`,
      corps: '{"nom":"ABC"}',
    });
    expect(json.status).toBe(415);
    if (charset !== '') expect(detail(json)).toMatch(/charset=utf-8/);
    const form = 'application/x-www-form-urlencoded';
    expect(
      (await demander({ url: '/centres/', type: `${form}; charset=${charset}`, corps: 'nom=ABC' })).status,
    ).toBe(415);
    const token = await demander({
      url: '/token',
      type: `${form};charset=${charset}`,
      corps: `username=lecteur&password=${MOT_DE_PASSE}`,
    });
    expect(token.status).toBe(415);
    if (charset !== '') expect(JSON.parse(token.body)).toMatchObject({ error: 'invalid_request' });
    expect(await stored()).toEqual([]);
  });

  it.each(['utf-8', 'UTF-8', '"utf-8"', 'utf8', 'Utf8'])('charset=%s is UTF-8', async (charset) => {
    const answer = await demander({
      url: '/centres/',
      type: `application/json;charset=${charset}`,
      corps: utf8('{"nom":"Été 🪟"}'),
    });
    expect(answer.status, answer.body).toBe(201);
    expect(await stored()).toEqual(['Été 🪟']);
  });

  it('UTF-16 that says nothing of it: 400', async () => {
    for (const mark of ['\xff\xfe', '']) {
      const corps = mark + Buffer.from('{"nom":"ABC"}', 'utf16le').toString('latin1');
      expect((await demander({ url: '/centres/', type: 'application/json', corps })).status).toBe(400);
    }
    expect(await stored()).toEqual([]);
  });

  it('a compressed body is read; one that is not what it says is refused, and so is a coding that nobody knows', async () => {
    const send = (corps: string, coding: string): Promise<ReponseBrute> =>
      demander({
        ...{ url: '/centres/', type: 'application/json', corps },
        entetes: [`Content-Encoding: ${coding}`],
      });
    const zipped = (text: string): string => gzipSync(Buffer.from(text, 'latin1')).toString('latin1');
    expect((await send(zipped('{"nom":"\xe9"}'), 'gzip')).status).toBe(400);
    expect((await send(zipped(utf8('{"nom":"Été"}')), 'gzip')).status).toBe(201);
    expect((await send('\x1f\x8b\x08', 'gzip')).status).toBe(400);
    const unknown = await send('{}', 'zstd-x');
    expect([unknown.status, detail(unknown)]).toEqual([415, expect.stringContaining('Content-Encoding')]);
    expect(await stored()).toEqual(['Été']);
  });
});

describe('what is UTF-8', () => {
  it('a byte order mark before JSON or a form is left away', async () => {
    const corps = utf8('\ufeff{"nom":"Été"}');
    expect((await demander({ url: '/centres/', type: 'application/json', corps })).status).toBe(201);
    expect(await stored()).toEqual(['Été']);
  });

  it('half a character in JSON is refused by the name of its field', async () => {
    for (const half of ['\\ud800', '\\udc00x', 'a\\ud83d']) {
      const answer = await demander({
        url: '/centres/',
        type: 'application/json',
        corps: `{"nom":"${half}"}`,
      });
      expect([answer.status, detail(answer)]).toEqual([422, expect.stringMatching(/^nom : .*UTF-16/)]);
    }
    const whole = await demander({
      url: '/centres/',
      type: 'application/json',
      corps: '{"nom":"\\ud83e\\ude9f"}',
    });
    expect(whole.status).toBe(201);
    expect(await stored()).toEqual(['🪟']);
  });

  it('letters of an address come escaped, in either case of the digits; bare bytes are told how', async () => {
    await api.pool.query("INSERT INTO centre_usinage (nom, type_cu) VALUES ('A', 'Été')");
    for (const value of ['%C3%89t%C3%A9', '%c3%89t%c3%a9']) {
      const answer = await demander({ methode: 'GET', url: `/centres/?type_cu=${value}` });
      expect([answer.status, answer.headers['x-total-count']]).toEqual([200, '1']);
    }
    const bare = await demander({ methode: 'GET', url: `/centres/?type_cu=${utf8('Été')}` });
    expect([bare.status, detail(bare)]).toEqual([400, expect.stringContaining('%C3%A9')]);
  });

  it('a lone % in a query or form is itself', async () => {
    await api.pool.query("INSERT INTO centre_usinage (nom, type_cu) VALUES ('A', '100% é')");
    const answer = await demander({ methode: 'GET', url: '/centres/?type_cu=100%+%C3%A9' });
    expect([answer.status, answer.headers['x-total-count']]).toEqual([200, '1']);
  });
});

describe('an empty body is none', () => {
  const TYPES = [
    'application/json',
    'application/json; charset=utf-8',
    'application/x-www-form-urlencoded',
    'text/plain',
  ];
  it.each(TYPES)('DELETE and POST without one, of type %s', async (type) => {
    const { rows } = await api.pool.query<{ id: number }>(
      "INSERT INTO centre_usinage (nom) VALUES ('A') RETURNING id",
    );
    const url = `/centres/${rows[0]!.id}`;
    expect((await demander({ methode: 'DELETE', url, type, corps: '' })).status).toBe(204);
    expect((await demander({ methode: 'DELETE', url, type })).status).toBe(type === 'text/plain' ? 415 : 404);
    const out = await demander({
      url: '/token/revoke',
      type,
      corps: '',
      entetes: ['X-Requested-With: atelier'],
    });
    expect(out.status, out.body).toBe(204);
    const { rows: alerte } = await api.pool.query<{ id: number }>(
      `INSERT INTO alerte (regle, objet, gravite, message, debut, ouverte_le, derniere_vue, dernier_avis)
       VALUES ('machine_silencieuse', $1, 'attention', 'x', now(), now(), now(), now()) RETURNING id`,
      [type],
    );
    const seen = await demander({ url: `/alertes/${alerte[0]!.id}/acquittement`, type, corps: '' });
    expect(seen.status, seen.body).toBe(200);
  });

  it.each(TYPES)('where one is wanted, %s: 400 that says what to send', async (type) => {
    const answer = await demander({ url: '/centres/', type, corps: '' });
    expect([answer.status, detail(answer)]).toEqual([400, expect.stringMatching(/manque.*objet JSON/)]);
    const chunked = await envoyer(
      port,
      `POST /centres/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: ${api.comptes.gestionnaire.entete.authorization}\r\n` +
        'Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    );
    expect(chunked[0]!.status).toBe(400);
  });
});

describe('S22: pages of a listed origin may read every answer', () => {
  const EXPOSE = 'access-control-expose-headers';
  const document = (): { components: { headers: object }; paths: object } => api.app.swagger() as never;
  const headersOf = (node: unknown): string[] =>
    typeof node !== 'object' || node === null
      ? []
      : Object.entries(node).flatMap(([key, child]) =>
          key === 'headers' && typeof child === 'object' ? Object.keys(child as object) : headersOf(child),
        );
  const ask = async (bytes: string): Promise<ReponseBrute> => (await envoyer(port, bytes))[0]!;
  const lines = (first: string, ...more: string[]): string =>
    [`${first} HTTP/1.1`, 'Host: localhost', 'Connection: close', `Origin: ${LISTED}`, ...more, '', ''].join(
      '\r\n',
    );
  const auth = (): string => `Authorization: ${api.comptes.admin.entete.authorization}`;

  const CAS: readonly (readonly [what: string, status: number, bytes: () => string])[] = [
    ['a list', 200, () => lines('GET /centres/', auth())],
    ['nobody', 401, () => lines('GET /centres/')],
    ['a bad token', 401, () => lines('GET /centres/', 'Authorization: Bearer x.y.z')],
    [
      'not allowed',
      403,
      () => lines('GET /users/', `Authorization: ${api.comptes.lecteur.entete.authorization}`),
    ],
    ['nowhere', 404, () => lines('GET /rien')],
    ['no such row', 404, () => lines('GET /centres/987654', auth())],
    ['no such method', 405, () => lines('DELETE /health')],
    ['not acceptable', 406, () => lines('GET /centres/', auth(), 'Accept: image/png')],
    [
      'too long a body',
      413,
      () => lines('POST /centres/', auth(), 'Content-Type: application/json', 'Content-Length: 9999999'),
    ],
    ['too long an address', 414, () => lines(`GET /centres/?type_cu=${'a'.repeat(9000)}`)],
    ['too long a part of an address', 414, () => lines(`GET /centres/${'1'.repeat(400)}`)],
    ['a bad address', 400, () => lines('GET /%zz')],
    ['an address in Latin-1', 400, () => lines('GET /commandes-volets/by-status/%E9', auth())],
    ['a query in Latin-1', 400, () => lines('GET /centres/?type_cu=%E9', auth())],
    ['two hosts', 400, () => lines('GET /health', 'Host: y')],
    [
      'another type',
      415,
      () => lines('POST /centres/', auth(), 'Content-Type: text/csv', 'Content-Length: 3') + 'a,b',
    ],
    ['an unknown parameter', 422, () => lines('GET /centres/?x=1', auth())],
    ['broken syntax', 400, () => lines('GET /health', 'X Y: z')],
    ['headers without end', 431, () => lines('GET /health', `X: ${'a'.repeat(20_000)}`)],
    ['an expectation', 417, () => lines('POST /token', 'Expect: 200-maybe', 'Content-Length: 0')],
  ];
  it.each(CAS)('%s: %i', async (_what, status, bytes) => {
    const answer = await ask(bytes());
    expect(answer.status, answer.body).toBe(status);
    expect(answer.headers['access-control-allow-origin']).toBe(LISTED);
    expect(answer.headers['vary']).toMatch(/origin/i);
    const exposed = answer.headers[EXPOSE]!.toLowerCase().split(', ');
    const declared = [...Object.keys(document().components.headers), ...headersOf(document().paths)];
    expect(exposed).toEqual(expect.arrayContaining(declared.map((name) => name.toLowerCase())));
    expect(exposed).toEqual(
      expect.arrayContaining(['retry-after', 'content-range', 'www-authenticate', 'allow']),
    );
  });

  it('503 with Retry-After, while the database is away', async () => {
    const away = await createApi({
      env: { CORS_ORIGINES: LISTED },
      changer: (deps) => ({
        ...deps,
        pool: new Proxy(deps.pool, {
          get: (pool, name) =>
            name === 'query' || name === 'connect'
              ? () => Promise.reject(Object.assign(new Error('away'), { code: 'ECONNREFUSED' }))
              : Reflect.get(pool, name),
        }),
      }),
      comptes: false,
    }).catch((error: unknown) => error as Error);
    if (away instanceof Error) throw away;
    try {
      const answer = await away.app.inject({
        url: '/centres/',
        headers: { origin: LISTED, authorization: api.comptes.lecteur.entete.authorization },
      });
      expect([401, 503]).toContain(answer.statusCode);
      expect(answer.headers['access-control-allow-origin']).toBe(LISTED);
      expect(String(answer.headers[EXPOSE])).toMatch(/Retry-After/);
    } finally {
      await away.close();
    }
  });

  it('of an origin that is not listed: no header, whatever the answer', async () => {
    for (const [, status, bytes] of CAS) {
      const answer = await ask(bytes().replace(LISTED, 'https://ailleurs.exemple.test'));
      expect(answer.status).toBe(status);
      expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
  });
});
