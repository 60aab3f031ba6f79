// O1, S30: the probe of processes without an API.

import { once } from 'node:events';
import { connect } from 'node:net';
import { Gauge, Registry } from 'prom-client';
import { afterEach, describe, expect, it } from 'vitest';
import { AtelierError } from '../../src/base/errors.ts';
import { type OptionsSonde, ouvrirSonde, type Sonde } from '../../src/base/sonde.ts';

const open: Sonde[] = [];
afterEach(async () => {
  for (const sonde of open.splice(0)) await sonde.fermer();
});

async function sonder(options: Partial<OptionsSonde> = {}): Promise<{ url: string; sonde: Sonde }> {
  const registre = new Registry();
  new Gauge({ name: 'essai', help: 'essai', registers: [registre] }).set(7);
  const sonde = await ouvrirSonde({
    host: '127.0.0.1',
    port: 0,
    registre,
    pret: async () => true,
    ...options,
  });
  open.push(sonde);
  return { url: `http://127.0.0.1:${sonde.port}`, sonde };
}

describe('O1: health of a worker', () => {
  it('lives, whatever its dependencies do; is ready when it says so, and not otherwise', async () => {
    let pret: () => Promise<boolean> = async () => true;
    const { url } = await sonder({ pret: () => pret() });
    const ask = async (path: string): Promise<[number, unknown, string | null]> => {
      const answer = await fetch(url + path);
      return [answer.status, await answer.json(), answer.headers.get('retry-after')];
    };
    expect(await ask('/health/ready')).toEqual([200, { status: 'ok' }, null]);
    pret = async () => false;
    expect(await ask('/health/ready')).toEqual([503, { status: 'indisponible' }, '5']);
    pret = async () => {
      throw new Error('base absente, mot de passe 1234');
    };
    expect(await ask('/health/ready')).toEqual([503, { status: 'indisponible' }, '5']);
    pret = () => new Promise(() => undefined);
    expect(await ask('/health/ready')).toEqual([503, { status: 'indisponible' }, '5']);
    expect(await ask('/health/live')).toEqual([200, { status: 'ok' }, null]);
    pret = async () => true;
    expect(await ask('/health/ready?x=1')).toEqual([200, { status: 'ok' }, null]);
  });

  it('S7: whoever holds connections and asks nothing keeps nobody out', async () => {
    const { url, sonde } = await sonder();
    const held = Array.from({ length: 120 }, () => connect(sonde.port, '127.0.0.1'));
    try {
      await Promise.all(
        held.map(async (socket) => {
          socket.on('error', () => undefined);
          await once(socket, 'connect');
          socket.write('GET /health/live HTTP/1.1\r\nX: ');
        }),
      );
      for (let i = 0; i < 5; i++) expect((await fetch(`${url}/health/live`)).status).toBe(200);
    } finally {
      for (const socket of held) socket.destroy();
    }
  });

  it('answers nothing else, tells no version, and outlives what is no HTTP', async () => {
    const { url, sonde } = await sonder();
    for (const path of ['/', '/health', '/metrics/', '/health/../metrics2']) {
      expect((await fetch(url + path)).status).toBe(404);
    }
    const post = await fetch(`${url}/health/live`, { method: 'POST', body: 'x' });
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect(JSON.stringify([...post.headers])).not.toMatch(/node|atelier|server/i);
    await new Promise<void>((resolve) => {
      const socket = connect(sonde.port, '127.0.0.1', () => socket.end('\0\0\0 pas du HTTP\r\n\r\n'));
      socket.on('error', () => undefined).on('close', () => resolve());
      socket.resume();
    });
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
  });
});

describe('S30: its metrics', () => {
  it('on the loopback, without a token set, are there for this machine', async () => {
    const { url } = await sonder();
    const answer = await fetch(`${url}/metrics`);
    expect(answer.headers.get('content-type')).toContain('text/plain; version=0.0.4');
    expect(await answer.text()).toContain('essai 7');
  });

  it('with a token are there for whoever has it', async () => {
    const jeton = 'jeton-de-prometheus-0123';
    const { url } = await sonder({ jeton });
    const status = async (authorization?: string): Promise<number> =>
      (await fetch(`${url}/metrics`, { headers: authorization === undefined ? {} : { authorization } }))
        .status;
    expect(await status()).toBe(401);
    expect(await status('Bearer autre')).toBe(401);
    expect(await status(`Basic ${jeton}`)).toBe(401);
    expect(await status(`Bearer ${jeton}x`)).toBe(401);
    expect(await status(`Bearer ${jeton}`)).toBe(200);
  });

  it('reachable from other machines and without a token are not there; its health is', async () => {
    const { url } = await sonder({ host: '0.0.0.0' });
    expect((await fetch(`${url}/metrics`)).status).toBe(404);
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
  });
});

it('a port that is taken is an error with a number', async () => {
  const { sonde } = await sonder();
  const error = await sonder({ port: sonde.port }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(AtelierError);
  expect((error as AtelierError).code).toBe('ATL_O851');
});
