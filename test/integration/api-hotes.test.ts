// S30: by which name the API is asked. A page of somebody else's whose name leads to this machine (DNS rebinding) reads
// and does nothing here; what an installation is called by goes on without a setting.

import { type AddressInfo, connect } from 'node:net';
import { hostname } from 'node:os';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/base/config.ts';
import { isOurName, normalizeName, parseAuthority } from '../../src/base/hosts.ts';
import { ouvrirSonde } from '../../src/base/sonde.ts';
import { type ApiDEssai, createApi } from '../harness/api.ts';
import { ConnexionBrute, type ReponseBrute } from '../harness/raw-http.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const made = new Map<string, ApiDEssai>();
afterAll(async () => {
  for (const api of made.values()) await api.close();
});
/** An API with these settings, the same for the same ones. */
async function withSettings(env: Record<string, string> = {}): Promise<ApiDEssai> {
  const key = JSON.stringify(env);
  const api = made.get(key) ?? (await createApi({ env, comptes: false }));
  made.set(key, api);
  return api;
}

async function status(api: ApiDEssai, host: string, headers: Record<string, string> = {}): Promise<number> {
  return (await api.app.inject({ url: '/health', headers: { host, ...headers } })).statusCode;
}

const FOREIGN = [
  'attaquant.example',
  'attaquant.example:8000',
  '127.0.0.1.attaquant.example:8000',
  'localhost.attaquant.example',
  'notlocalhost',
  'xlocalhost:8000',
  'api',
  'ATTAQUANT.EXAMPLE.',
];

describe('without a setting', () => {
  it('refuses the name of somebody else’s page with 421, on every route, and says what to do', async () => {
    const api = await withSettings();
    for (const host of FOREIGN) {
      for (const [method, url] of [
        ['GET', '/health'],
        ['GET', '/health/ready'],
        ['GET', '/openapi.json'],
        ['GET', '/docs/'],
        ['GET', '/nulle-part'],
        ['POST', '/token'],
        ['POST', '/users/'],
        ['DELETE', '/sessions/1'],
      ] as const) {
        const answer = await api.app.inject({ method, url, headers: { host } });
        expect([host, method, url, answer.statusCode]).toEqual([host, method, url, 421]);
        expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
        expect(answer.json().detail).toContain('HOTES');
      }
    }
    expect((await api.pool.query('SELECT 1 FROM "user"')).rowCount).toBe(0);
  });

  it('answers to addresses, to localhost, and to the name of this machine, in any case, with a dot at the end', async () => {
    const api = await withSettings();
    const short = hostname().split('.')[0]!;
    for (const host of [
      ...[
        'localhost',
        'localhost:8000',
        'LocalHost.:8000',
        'atelier.localhost',
        '127.0.0.1:9',
        '127.8.7.6',
        '0x7f.1:8000',
      ],
      ...['192.168.1.20:8000', '[::1]:8000', '[2001:DB8::1]', '[fe80::1%eth0]:8000', '[::ffff:127.0.0.1]'],
      ...[hostname(), `${hostname().toUpperCase()}:8000`, `${short}.local:8000`, 'localhost:'],
    ]) {
      expect([host, await status(api, host)]).toEqual([host, 200]);
    }
  });

  it('answers the probe of a container by any name, but not what is no name', async () => {
    const api = await withSettings();
    const ask = async (url: string, host: string): Promise<number> =>
      (await api.app.inject({ url, headers: { host } })).statusCode;
    expect(await ask('/health/live', 'api.atelier.svc')).toBe(200);
    expect(await ask('/health/live?x=1', 'api.atelier.svc')).toBe(200);
    expect(await ask('/health/live', 'a b')).toBe(400);
    expect(await ask('/health/live/x', 'api.atelier.svc')).toBe(421);
  });

  it('what is no host is a 400: user names, paths, blanks, two ports, no name', async () => {
    const api = await withSettings();
    for (const host of [
      ...[
        'a@localhost',
        'localhost/',
        'localhost?x',
        'localhost#x',
        'local host',
        'localhost:8000:1',
        ':8000',
      ],
      ...[
        'localhost:65536',
        'localhost:-1',
        'localhost:x',
        '[::1',
        '::1',
        '[localhost]',
        '[::1]x',
        'http://localhost',
      ],
      ...['localhost, localhost', 'localhost\\@x', '..'],
    ]) {
      expect([host, await status(api, host)]).toEqual([host, 400]);
    }
  });

  it('names each strange name once in the log, and a few of them only', async () => {
    const lines: string[] = [];
    const record = (...args: unknown[]): void => void lines.push(String(args.at(-1)));
    const quiet = (): void => undefined;
    const logger = {
      ...{ info: quiet, warn: record, error: quiet, debug: quiet, trace: quiet, fatal: quiet, silent: quiet },
      ...{ level: 'info', child: () => logger },
    };
    const api = await createApi({ comptes: false, logger: logger as never });
    closers.push(() => api.close());
    for (let i = 0; i < 40; i++) await status(api, `x${i % 30}.example`);
    const told = lines.filter((line) => line.includes('421'));
    expect(told).toHaveLength(10);
    expect(told[0]).toContain('HOTES=x0.example');
  });
});

describe('HOTES', () => {
  it('lists names, endings and names with accents, which browsers send in another form', async () => {
    const api = await withSettings({ HOTES: 'Atelier.Example., .usine.example, été.example' });
    for (const [host, expected] of [
      ...[
        ['atelier.example', 200] as const,
        ['ATELIER.example.:443', 200] as const,
        ['x.atelier.example', 421] as const,
      ],
      ...[
        ['a.usine.example:8443', 200] as const,
        ['usine.example', 421] as const,
        ['xusine.example', 421] as const,
      ],
      ...[['xn--t-9fab.example', 200] as const, ['localhost', 200] as const, ['10.0.0.4', 200] as const],
    ]) {
      expect([host, await status(api, host)]).toEqual([host, expected]);
    }
  });

  it('* lets every name pass, and what is no host still not', async () => {
    const api = await withSettings({ HOTES: '*' });
    expect(await status(api, 'attaquant.example')).toBe(200);
    expect(await status(api, 'a@b')).toBe(400);
  });

  it('that is no name is told at the start', () => {
    for (const HOTES of ['http://atelier.example', 'atelier.example:8000', 'a b', '.', '*.example'])
      expect(() => loadConfig({ HOTES })).toThrow(/HOTES : « /);
    expect(loadConfig({ HOTES: '10.0.0.1, [::1], *' }).api.hotes).toHaveLength(3);
  });
});

describe('behind a proxy', () => {
  const forwarded = { 'x-forwarded-for': '192.0.2.7' };
  it('that is believed, its name without a port goes on with no other setting; with ours in it, it came straight', async () => {
    const api = await withSettings({ PROXYS_DE_CONFIANCE: '127.0.0.1' });
    expect(await status(api, 'atelier.example.fr', forwarded)).toBe(200);
    // Whoever leads a name to our port has that port in the name, whatever else his page sends.
    expect(await status(api, 'attaquant.example:8000', forwarded)).toBe(421);
    expect(
      await status(api, 'attaquant.example:8000', { ...forwarded, 'x-forwarded-host': 'localhost' }),
    ).toBe(421);
    expect(await status(api, 'atelier.example.fr')).toBe(421);
    // Apache keeps the name apart.
    expect(
      await status(api, '127.0.0.1:8000', { ...forwarded, 'x-forwarded-host': 'atelier.example.fr' }),
    ).toBe(200);
    expect(await status(api, '127.0.0.1:8000', { ...forwarded, 'x-forwarded-host': 'a b' })).toBe(400);
  });

  it('that is believed, HOTES counts for the name that it passes on, too', async () => {
    const api = await withSettings({ PROXYS_DE_CONFIANCE: '127.0.0.1', HOTES: 'atelier.example.fr' });
    expect(await status(api, 'atelier.example.fr', forwarded)).toBe(200);
    expect(await status(api, 'autre.example.fr', forwarded)).toBe(421);
    const by = (name: string): Promise<number> =>
      status(api, 'localhost:8000', { ...forwarded, 'x-forwarded-host': name });
    expect(await by('atelier.example.fr')).toBe(200);
    expect(await by('autre.example.fr')).toBe(421);
    expect(await by('atelier.example.fr, autre.example.fr')).toBe(421);
  });

  it('that nobody named, X-Forwarded-Host is what anybody can write', async () => {
    const api = await withSettings();
    for (const name of ['attaquant.example', 'a b'])
      expect(await status(api, 'localhost', { ...forwarded, 'x-forwarded-host': name })).toBe(200);
    expect(await status(api, 'attaquant.example', { ...forwarded, 'x-forwarded-host': 'localhost' })).toBe(
      421,
    );
  });
});

describe('as bytes', () => {
  async function send(bytes: string): Promise<ReponseBrute> {
    const api = await withSettings();
    if (!api.app.server.listening) await api.app.listen({ port: 0, host: '127.0.0.1' });
    const connexion = await ConnexionBrute.ouvrir((api.app.server.address() as AddressInfo).port);
    closers.push(async () => connexion.socket.destroy());
    connexion.ecrire(bytes);
    return (await connexion.reponse())!;
  }
  const get = (target: string, ...lines: string[]): string =>
    [`GET ${target} HTTP/1.1`, ...lines, 'Connection: close', '', ''].join('\r\n');

  it('a whole address is answered when it names the same host, and one of ours', async () => {
    expect((await send(get('http://localhost/health', 'Host: localhost'))).status).toBe(200);
    expect((await send(get('http://LOCALHOST:80/health', 'Host: localhost:80'))).status).toBe(200);
    expect((await send(get('http://attaquant.example/health', 'Host: attaquant.example'))).status).toBe(421);
    for (const [target, host] of [
      ['http://attaquant.example/health', 'localhost'],
      ['http://localhost/health', 'attaquant.example'],
      ['http://localhost:1/health', 'localhost:2'],
      ['http://x@localhost/health', 'localhost'],
      ['http://attaquant.example/health/live', 'localhost'],
    ] as const) {
      expect([target, (await send(get(target, `Host: ${host}`))).status]).toEqual([target, 400]);
    }
  });

  it('no Host, two, an empty one', async () => {
    expect((await send(get('/health'))).status).toBe(400);
    expect((await send(get('/health', 'Host: localhost', 'hOST: localhost'))).status).toBe(400);
    expect((await send(get('/health', 'Host:'))).status).toBe(400);
    expect((await send('GET /health HTTP/1.0\r\n\r\n')).status).toBe(200);
    expect((await send('GET /health HTTP/1.0\r\nHost: attaquant.example\r\n\r\n')).status).toBe(421);
    expect((await send(get('/health', 'Host: \xe9t\xe9.example'))).status).toBe(421);
  });
});

describe('the probe of the worker', () => {
  it('tells its metrics to no page whose name leads here', async () => {
    const registre = { contentType: 'text/plain', metrics: async () => 'mesures 1' };
    const sonde = await ouvrirSonde({
      ...{ host: '127.0.0.1', port: 0, pret: async () => true },
      registre: registre as never,
      hotes: ['worker.example'],
    });
    closers.push(() => sonde.fermer());
    const ask = async (path: string, host: string): Promise<string> => {
      const socket = connect(sonde.port, '127.0.0.1');
      socket.end(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
      return (await text(socket)).split(' ')[1]!;
    };
    for (const [path, host, expected] of [
      ['/metrics', 'attaquant.example:9464', '421'],
      ['/health/ready', 'attaquant.example:9464', '421'],
      ['/health/live', 'attaquant.example:9464', '200'],
      ['/metrics', 'worker.example', '200'],
      ['/metrics', '127.0.0.1:9464', '200'],
      ['/metrics', 'localhost', '200'],
    ] as const) {
      expect([path, host, await ask(path, host)]).toEqual([path, host, expected]);
    }
  });
});

describe('names, whatever they are', () => {
  const none = { listed: [], host: '127.0.0.1' };
  it('a name with something of ours in it is not ours', () => {
    const label = fc.stringMatching(/^[a-z0-9]{1,12}$/);
    fc.assert(
      fc.property(
        fc.constantFrom('localhost', '127.0.0.1', hostname(), '::1'),
        label,
        label,
        (ours, a, b) => {
          for (const name of [`${ours}.${a}.example`, `${a}-${ours}.${b}`, `${ours}${a}.example`])
            expect(isOurName(normalizeName(name) ?? 'x', none)).toBe(false);
        },
      ),
    );
  });

  it('what is read is the same again, and holds nothing that leads elsewhere', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.webAuthority(), fc.ipV6()), (given) => {
        const read = parseAuthority(given);
        if (!read) return;
        expect(read.name).not.toMatch(/[\s@/?#\\[\]]/);
        const again = `${read.name.includes(':') ? `[${read.name}]` : read.name}${read.port ? `:${read.port}` : ''}`;
        expect(parseAuthority(again)).toEqual(read);
      }),
      { numRuns: 2000 },
    );
  });
});
