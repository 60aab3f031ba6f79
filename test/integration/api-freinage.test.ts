// S8: whoever guesses passwords is slowed down, per account and per network; nobody is locked out.

import fc from 'fast-check';
import type { LightMyRequestResponse } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reseauDe } from '../../src/api/auth/adresse.ts';
import type { ApiDeps } from '../../src/api/deps.ts';
import { type ApiDEssai, createApi, MOT_DE_PASSE, signIn } from '../harness/api.ts';
import { OTHER_PASSWORD } from '../harness/api-people.ts';

const WRONG = OTHER_PASSWORD;
let api: ApiDEssai;
let place = 0;
/** The clock of all servers here: it stands still unless a test moves it. */
let now = Date.now();
const clock = (deps: ApiDeps): ApiDeps => ({ ...deps, maintenant: () => now });
const wait = (seconds: number): void => {
  now += seconds * 1000;
};

beforeAll(async () => {
  api = await createApi({ changer: clock });
});
afterAll(() => api?.close());

/** A network that nothing came from yet. */
const elsewhere = (): string => {
  place++;
  return `198.51.${place >> 8}.${place & 255}`;
};

interface From {
  readonly ip?: string;
  readonly on?: ApiDEssai;
  readonly headers?: Readonly<Record<string, string>>;
}

function attempt(username: string, password: string, from: From = {}): Promise<LightMyRequestResponse> {
  return (from.on ?? api).app.inject({
    method: 'POST',
    url: '/token',
    remoteAddress: from.ip ?? elsewhere(),
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...from.headers },
    payload: new URLSearchParams({ username, password }).toString(),
  });
}

/** How a sequence of attempts ended. */
async function series(count: number, one: () => Promise<LightMyRequestResponse>): Promise<number[]> {
  const found: number[] = [];
  for (let i = 0; i < count; i++) found.push((await one()).statusCode);
  return found;
}

interface Row {
  readonly genre: string;
  readonly echecs: number;
  readonly refus: number;
}
async function rows(): Promise<Row[]> {
  const { rows } = await api.pool.query<Row>(
    'SELECT genre, echecs, refus FROM tentative_connexion ORDER BY dernier_echec DESC, genre DESC',
  );
  return rows;
}
const clear = (): Promise<unknown> => api.pool.query('TRUNCATE tentative_connexion');

describe('per account', () => {
  it('five failures are free, then each doubles the wait, up to a quarter of an hour', async () => {
    await api.compte('cible', 'lecteur');
    expect(await series(5, () => attempt('cible', WRONG))).toEqual([401, 401, 401, 401, 401]);
    const waits: number[] = [];
    for (let i = 0; i < 13; i++) {
      expect((await attempt('cible', WRONG)).statusCode).toBe(401);
      const slowed = await attempt('cible', WRONG);
      expect(slowed.statusCode).toBe(429);
      const seconds = Number(slowed.headers['retry-after']);
      expect(slowed.json()).toEqual({
        error: 'temporarily_unavailable',
        error_description: `Trop d'essais : attendez ${seconds} s avant le suivant.`,
      });
      expect(slowed.headers['cache-control']).toBe('no-store');
      waits.push(seconds);
      wait(seconds - 1);
      expect((await attempt('cible', MOT_DE_PASSE)).statusCode).toBe(429);
      wait(1);
    }
    // The two attempts during each wait lengthen nothing.
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
    // Never for ever: once the wait is over, the right password opens, and all is forgotten.
    expect((await attempt('cible', MOT_DE_PASSE)).statusCode).toBe(200);
    expect(await series(5, () => attempt('cible', WRONG))).toEqual([401, 401, 401, 401, 401]);
  });

  it('who waits as he is told has each wait doubled', async () => {
    await clear();
    await series(5, () => attempt('docile', WRONG));
    for (const seconds of [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]) {
      expect((await attempt('docile', WRONG)).statusCode).toBe(401);
      const { rows: found } = await api.pool.query(
        "SELECT extract(epoch FROM bloquee_jusqua)::float8 * 1000 AS fin FROM tentative_connexion WHERE genre = 'compte'",
      );
      expect(Math.round(found[0].fin - now)).toBe(seconds * 1000);
      wait(seconds);
    }
  });

  it('the right password during a wait is refused like any other', async () => {
    await clear();
    await api.compte('patient', 'lecteur');
    await series(6, () => attempt('patient', WRONG));
    const right = await attempt('patient', MOT_DE_PASSE);
    const wrong = await attempt('patient', WRONG);
    expect(right.statusCode).toBe(429);
    expect([right.statusCode, right.body]).toEqual([wrong.statusCode, wrong.body]);
    wait(1);
    expect((await attempt('patient', MOT_DE_PASSE)).statusCode).toBe(200);
  });

  it('attempts during a wait do not lengthen it', async () => {
    await clear();
    await api.compte('tranquille', 'lecteur');
    await series(6, () => attempt('tranquille', WRONG));
    for (let i = 0; i < 30; i++) await attempt('tranquille', WRONG);
    wait(1);
    expect((await attempt('tranquille', MOT_DE_PASSE)).statusCode).toBe(200);
  });

  it('any spelling of a name counts together, an account of somebody else does not', async () => {
    await clear();
    const spellings = ['lecteur', 'LECTEUR', ' Lecteur', 'ｌｅｃｔｅｕｒ', 'lecteur ', 'LecTeur'];
    for (const name of spellings) expect((await attempt(name, WRONG)).statusCode).toBe(401);
    expect((await attempt('lecteuR', MOT_DE_PASSE)).statusCode).toBe(429);
    expect((await attempt('gestionnaire', MOT_DE_PASSE)).statusCode).toBe(200);
  });

  it('is forgotten after a day without a failure', async () => {
    await clear();
    await series(5, () => attempt('gestionnaire', WRONG));
    wait(86_401);
    expect(await series(5, () => attempt('gestionnaire', WRONG))).toEqual([401, 401, 401, 401, 401]);
    expect((await attempt('gestionnaire', MOT_DE_PASSE)).statusCode).toBe(200);
  });

  it('a burst of a hundred at once counts a hundred, and six at most are looked at', async () => {
    await clear();
    await api.compte('rafale', 'lecteur');
    const answers = await Promise.all(Array.from({ length: 100 }, () => attempt('rafale', WRONG)));
    const statuses = answers.map(({ statusCode }) => statusCode);
    expect(statuses.filter((status) => status === 401)).toHaveLength(6);
    expect(statuses.filter((status) => status === 429)).toHaveLength(94);
    expect((await rows()).filter(({ genre }) => genre === 'compte')).toEqual([
      { genre: 'compte', echecs: 100, refus: 94 },
    ]);
  });

  it('a right password in the middle of a burst is not a way to more guesses', async () => {
    await clear();
    await api.compte('melange', 'lecteur');
    await series(5, () => attempt('melange', WRONG));
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) => attempt('melange', i === 39 ? MOT_DE_PASSE : WRONG)),
    );
    const looked = answers.filter(({ statusCode }) => statusCode !== 429);
    expect(looked.length).toBeLessThanOrEqual(2);
  });
});

describe('where somebody signed in before', () => {
  const besiege = async (name: string): Promise<void> => {
    for (let i = 0; i < 17; i++) {
      await attempt(name, WRONG);
      wait(900);
    }
    expect((await attempt(name, WRONG)).statusCode).toBe(401);
  };

  it('failures elsewhere do not keep her out, for however long they go on; elsewhere the right password waits', async () => {
    await clear();
    await api.compte('assiegee', 'lecteur');
    expect((await attempt('assiegee', MOT_DE_PASSE, { ip: '203.0.113.7' })).statusCode).toBe(200);
    await besiege('assiegee');
    const slowed = await attempt('assiegee', MOT_DE_PASSE);
    expect([slowed.statusCode, slowed.headers['retry-after']]).toEqual([429, '900']);
    // Another address of her /24, in whatever spelling of her name; and it gives whoever guesses no new start.
    expect((await attempt(' ASSIEGEE', MOT_DE_PASSE, { ip: '::ffff:203.0.113.99' })).statusCode).toBe(200);
    expect((await attempt('assiegee', MOT_DE_PASSE)).statusCode).toBe(429);
    expect((await attempt('assiegee', MOT_DE_PASSE, { ip: '203.0.114.7' })).statusCode).toBe(429);
    // Who is not there answers the same from there.
    await besiege('inconnue');
    const nobody = await attempt('inconnue', MOT_DE_PASSE);
    expect([nobody.statusCode, nobody.body]).toEqual([slowed.statusCode, slowed.body]);
  });

  it('failures there count, whatever the spelling, as everywhere', async () => {
    await clear();
    await api.compte('voisine', 'lecteur');
    const from = { ip: '2001:db8:abc:1::7' };
    expect((await attempt('voisine', MOT_DE_PASSE, from)).statusCode).toBe(200);
    const near = (n: number): From => ({ ip: `2001:db8:abc:${n}::1` });
    const names = ['voisine', 'VOISINE', ' voisine', 'voisine ', 'Voisine', 'ｖｏｉｓｉｎｅ'];
    for (const [i, name] of names.entries())
      expect((await attempt(name, WRONG, near(i))).statusCode).toBe(401);
    expect((await attempt('voisine', MOT_DE_PASSE, near(9))).statusCode).toBe(429);
    // It is another door: elsewhere the first failures are free.
    expect((await attempt('voisine', MOT_DE_PASSE, { ip: '2001:db8:abd::1' })).statusCode).toBe(200);
  });

  it('only the last ten networks are known, and nothing can be read of them', async () => {
    await clear();
    const { id } = await api.compte('voyageuse', 'lecteur');
    for (let i = 0; i < 12; i++) {
      wait(1);
      expect((await attempt('voyageuse', MOT_DE_PASSE, { ip: `203.0.${i}.1` })).statusCode).toBe(200);
    }
    const { rows: found } = await api.pool.query<{ text: string }>(
      'SELECT to_jsonb(r)::text AS text FROM reseau_connu r WHERE user_id = $1',
      [id],
    );
    expect(found).toHaveLength(10);
    expect(found.map(({ text }) => text).join()).not.toMatch(/203\.0/);
    await besiege('voyageuse');
    expect((await attempt('voyageuse', MOT_DE_PASSE, { ip: '203.0.11.9' })).statusCode).toBe(200);
    expect((await attempt('voyageuse', MOT_DE_PASSE, { ip: '203.0.0.9' })).statusCode).toBe(429);
  });

  it('another password ends every delay', async () => {
    await clear();
    const who = await api.compte('changeante', 'lecteur');
    await besiege('changeante');
    const changed = await api.app.inject({
      ...{ method: 'PUT', url: `/users/${who.id}`, headers: await signIn(api.app, 'admin') },
      payload: { password: WRONG },
    });
    expect(changed.statusCode).toBe(200);
    expect((await attempt('changeante', WRONG)).statusCode).toBe(200);
  });
});

describe('per network', () => {
  it('twenty failures are free whatever the names; then the network waits, others do not', async () => {
    await clear();
    const ip = elsewhere();
    let n = 0;
    const one = (): Promise<LightMyRequestResponse> => attempt(`nom-${n++}`, WRONG, { ip });
    expect(new Set(await series(21, one))).toEqual(new Set([401]));
    expect((await one()).statusCode).toBe(429);
    expect((await attempt('lecteur', MOT_DE_PASSE, { ip })).statusCode).toBe(429);
    expect((await attempt('lecteur', MOT_DE_PASSE)).statusCode).toBe(200);
  });

  it('one that waits does not slow the accounts that it hammers', async () => {
    await clear();
    const ip = elsewhere();
    let n = 0;
    await series(21, () => attempt(`autre-${n++}`, WRONG, { ip }));
    await series(50, () => attempt('admin', WRONG, { ip }));
    expect((await attempt('admin', MOT_DE_PASSE)).statusCode).toBe(200);
  });

  it('signing in rightly does not give it new guesses, nor does it cost any', async () => {
    await clear();
    const ip = elsewhere();
    for (let i = 0; i < 30; i++) {
      expect((await attempt('lecteur', MOT_DE_PASSE, { ip })).statusCode).toBe(200);
    }
    let n = 0;
    const statuses: number[] = [];
    for (let i = 0; i < 22; i++) {
      statuses.push((await attempt(`neuf-${n++}`, WRONG, { ip })).statusCode);
      if (i < 20) await attempt('lecteur', MOT_DE_PASSE, { ip });
    }
    expect(statuses.slice(0, 21).every((status) => status === 401)).toBe(true);
    expect(statuses[21]).toBe(429);
  });

  it('a whole /64 of IPv6 is one network, and a mapped address is the IPv4 one', async () => {
    await clear();
    let n = 0;
    const from = (): string => `2001:db8:7:7:${(++n).toString(16)}::${n.toString(16)}`;
    await series(21, () => attempt(`v6-${n}`, WRONG, { ip: from() }));
    expect((await attempt('lecteur', MOT_DE_PASSE, { ip: from() })).statusCode).toBe(429);
    expect((await attempt('lecteur', MOT_DE_PASSE, { ip: '2001:db8:7:8::1' })).statusCode).toBe(200);
  });

  it.each([
    ['1.2.3.4', '1.2.3.4'],
    ['::ffff:1.2.3.4', '1.2.3.4'],
    ['::FFFF:102:304', '1.2.3.4'],
    ['0:0:0:0:0:ffff:1.2.3.4', '1.2.3.4'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::1', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
  ])('the network of %s is %s', (ip, network) => {
    expect(reseauDe(ip)).toBe(network);
  });

  it('all addresses of a /64, however they are written, are one network; its neighbour is another', () => {
    const group = fc.integer({ min: 0, max: 0xffff });
    fc.assert(
      fc.property(
        fc.array(group, { minLength: 4, maxLength: 4 }),
        fc.array(group, { minLength: 4, maxLength: 4 }),
        ([a = 0, b = 0, c = 0, d = 0], host) => {
          const hex = (n: number): string => n.toString(16);
          const network = [0x2000 | (a & 0xfff), b, c, d];
          const long = [...network, ...host].map((n) => hex(n).padStart(4, '0').toUpperCase()).join(':');
          const short = [...network.map(hex), ...host.map(hex)].join(':');
          expect(reseauDe(long)).toBe(reseauDe(short));
          expect(reseauDe(`${network.map(hex).join(':')}::`)).toBe(reseauDe(short));
          const next = [...network.slice(0, 3), (d + 1) & 0xffff].map(hex).join(':');
          expect(reseauDe(`${next}::`)).not.toBe(reseauDe(short));
        },
      ),
    );
  });
});

describe('behind a proxy', () => {
  const from = (on: ApiDEssai, n: number, forwarded: string): Promise<LightMyRequestResponse> =>
    attempt(`proxy-${n}`, WRONG, { on, ip: '10.9.9.9', headers: { 'x-forwarded-for': forwarded } });

  it('X-Forwarded-For of a stranger is not believed: it gives no fresh network', async () => {
    await clear();
    const statuses: number[] = [];
    for (let i = 0; i < 22; i++) statuses.push((await from(api, i, `192.0.2.${i}`)).statusCode);
    expect(statuses.filter((status) => status === 429)).toHaveLength(1);
  });

  it('behind a proxy that is trusted, clients do not share a network, and cannot choose one', async () => {
    const own = await createApi({ changer: clock, env: { PROXYS_DE_CONFIANCE: '10.9.9.0/24' } });
    try {
      let n = 0;
      const statuses: number[] = [];
      for (let i = 0; i < 44; i++) statuses.push((await from(own, n++, `192.0.2.${i % 4}`)).statusCode);
      expect(new Set(statuses)).toEqual(new Set([401]));
      // What a client writes itself stands left of what the proxy adds.
      const lying: number[] = [];
      for (let i = 0; i < 22; i++) {
        lying.push((await from(own, n++, `203.0.113.${i}, 192.0.2.200`)).statusCode);
      }
      expect(lying.filter((status) => status === 429)).toHaveLength(1);
    } finally {
      await own.close();
    }
  });
});

describe('the counts', () => {
  it('are kept under keyed hashes: neither names nor addresses are in the table', async () => {
    await clear();
    await attempt('nom-plante', WRONG, { ip: '203.0.113.99' });
    const { rows: found } = await api.pool.query(
      'SELECT to_jsonb(t)::text AS text FROM tentative_connexion t',
    );
    expect(found).toHaveLength(2);
    const all = found.map(({ text }) => text).join();
    for (const word of ['nom-plante', '203.0.113.99']) {
      expect(all).not.toContain(word);
      expect(all).not.toContain(Buffer.from(word).toString('hex'));
    }
  });

  it('go when they mean nothing any more', async () => {
    await clear();
    await attempt('vieux', WRONG);
    wait(86_400 + 700);
    await attempt('neuf', WRONG);
    expect(await rows()).toHaveLength(2);
  });

  it('hold on another server on the same database', async () => {
    await clear();
    const { secretKey, cleChiffrement } = api.deps.config.api;
    const other = await createApi({
      ...{ url: api.url, comptes: false, changer: clock },
      env: { SECRET_KEY: secretKey!, CLE_CHIFFREMENT: cleChiffrement! },
      changer: clock,
    });
    try {
      await series(3, () => attempt('lecteur', WRONG));
      await series(3, () => attempt('lecteur', WRONG, { on: other }));
      expect((await attempt('lecteur', MOT_DE_PASSE, { on: other })).statusCode).toBe(429);
      expect((await attempt('lecteur', MOT_DE_PASSE)).statusCode).toBe(429);
    } finally {
      await other.close();
    }
  });

  it('go with the account, so that nothing is left of a name', async () => {
    await clear();
    const someone = await api.compte('parti', 'lecteur');
    await attempt('parti', WRONG);
    await api.app.inject({
      ...{ method: 'DELETE', url: '/users/me', headers: someone.entete },
    });
    expect((await rows()).filter(({ genre }) => genre === 'compte')).toEqual([]);
  });

  it('follow an account that is renamed: a new name gives no new guesses, at either door', async () => {
    await clear();
    const who = await api.compte('nomade', 'lecteur');
    await series(6, () => attempt('nomade', WRONG));
    const rename = { username: 'nomade-ailleurs' };
    const renamed = await api.app.inject({
      ...{ method: 'PUT', url: '/users/me', headers: who.entete, payload: rename },
    });
    expect(renamed.statusCode).toBe(200);
    expect((await rows()).filter(({ genre }) => genre === 'compte')).toEqual([
      { genre: 'compte', echecs: 6, refus: 0 },
    ]);
    expect((await attempt('nomade-ailleurs', MOT_DE_PASSE)).statusCode).toBe(429);
    const guess = await api.app.inject({
      ...{ method: 'PUT', url: '/users/me', headers: who.entete, remoteAddress: elsewhere() },
      payload: { password: WRONG, password_actuel: MOT_DE_PASSE },
    });
    expect(guess.statusCode).toBe(429);
    expect(guess.headers['content-type']).toContain('application/problem+json');
    wait(1);
    expect((await attempt('nomade-ailleurs', MOT_DE_PASSE)).statusCode).toBe(200);
  });

  it('an attempt that could not be looked at is not held against anybody', async () => {
    await clear();
    const broken = await createApi({
      ...{ url: api.url, comptes: false, changer: clock },
      env: {
        SECRET_KEY: api.deps.config.api.secretKey!,
        CLE_CHIFFREMENT: api.deps.config.api.cleChiffrement!,
      },
    });
    try {
      await broken.pool.query('ALTER TABLE "user" RENAME TO absente');
      expect((await attempt('lecteur', MOT_DE_PASSE, { on: broken })).statusCode).toBe(500);
    } finally {
      await broken.pool.query('ALTER TABLE absente RENAME TO "user"');
      await broken.close();
    }
    expect((await rows()).filter(({ echecs }) => echecs > 0)).toEqual([]);
  });
});
