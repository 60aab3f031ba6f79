// Forged, stolen and outlived tokens (S2, S3, S4, S5, S28), made here by hand: no library may be wrong on both sides.

import { createHmac, generateKeyPairSync, randomBytes, randomUUID, sign } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiDEssai, createApi, MOT_DE_PASSE, signIn } from '../harness/api.ts';
import { OTHER_PASSWORD } from '../harness/api-people.ts';

let api: ApiDEssai;
let good: string;

beforeAll(async () => {
  api = await createApi();
  good = api.comptes.lecteur.entete.authorization.slice('Bearer '.length);
});
afterAll(() => api?.close());

const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const parts = (token: string): Record<string, unknown>[] =>
  token
    .split('.')
    .slice(0, 2)
    .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()));

/** A token with any header and claims, signed rightly: what is refused is refused for what it says. */
function forge(
  change: {
    header?: Record<string, unknown>;
    claims?: Record<string, unknown>;
    key?: Buffer;
    hash?: string;
  } = {},
): string {
  const [header, claims] = parts(good);
  const input = `${encode({ ...header, ...change.header })}.${encode({ ...claims, ...change.claims })}`;
  const key = change.key ?? api.deps.cles.signature[0]!;
  return `${input}.${createHmac(change.hash ?? 'sha256', key)
    .update(input)
    .digest('base64url')}`;
}

async function me(token: string, url = '/users/me'): Promise<{ status: number; www: unknown; body: string }> {
  const answer = await api.app.inject({ url, headers: { authorization: `Bearer ${token}` } });
  return { status: answer.statusCode, www: answer.headers['www-authenticate'], body: answer.body };
}

describe('what a token says', () => {
  it('has the form that is documented, and nothing of the person', () => {
    const [header, claims] = parts(good);
    expect(header).toEqual({ alg: 'HS256', typ: 'at+jwt', kid: expect.stringMatching(/^[\w-]{11}$/) });
    expect(claims).toEqual({
      iss: 'atelier',
      aud: 'atelier-api',
      sub: api.comptes.lecteur.id,
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
      iat: expect.any(Number),
      exp: expect.any(Number),
      ver: 1,
    });
    expect(Number(claims!['exp']) - Number(claims!['iat'])).toBe(900);
  });

  it('the forger of this test makes good ones too', async () => {
    expect((await me(forge())).status).toBe(200);
  });
});

describe('S2: forged tokens', () => {
  const now = (): number => Math.floor(Date.now() / 1000);
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const rs256 = (): string => {
    const input = `${encode({ ...parts(good)[0], alg: 'RS256' })}.${encode(parts(good)[1])}`;
    return `${input}.${sign('sha256', Buffer.from(input), rsa.privateKey).toString('base64url')}`;
  };
  const forgeries: Readonly<Record<string, () => string>> = {
    'alg none': () => `${encode({ ...parts(good)[0], alg: 'none' })}.${encode(parts(good)[1])}.`,
    'alg None, with our signature': () => forge({ header: { alg: 'None' } }),
    'alg NONE, with our signature': () => forge({ header: { alg: 'NONE' } }),
    'alg HS512, rightly signed with our key': () => forge({ header: { alg: 'HS512' }, hash: 'sha512' }),
    'alg hs256': () => forge({ header: { alg: 'hs256' } }),
    'no alg': () => forge({ header: { alg: undefined } }),
    'signed by RSA': rs256,
    'HMAC with a public RSA key': () =>
      forge({ key: Buffer.from(rsa.publicKey.export({ type: 'spki', format: 'pem' })) }),
    'another key': () => forge({ key: randomBytes(48) }),
    'an empty key': () => forge({ key: Buffer.alloc(0) }),
    'no signature': () => `${good.split('.').slice(0, 2).join('.')}.`,
    'no third part': () => good.split('.').slice(0, 2).join('.'),
    'a signature cut short': () => good.slice(0, -6),
    'a signature of another token': () =>
      `${good.split('.').slice(0, 2).join('.')}.${forge({ claims: { jti: randomUUID() } }).split('.')[2]}`,
    'kid as a path': () => forge({ header: { kid: '../../../../dev/null' }, key: Buffer.alloc(0) }),
    'kid as SQL': () => forge({ header: { kid: "x' UNION SELECT 'secret' --" }, key: Buffer.from('secret') }),
    'kid of nobody': () => forge({ header: { kid: 'AAAAAAAAAAA' } }),
    'kid a list': () => forge({ header: { kid: [parts(good)[0]!['kid']] } }),
    'no kid': () => forge({ header: { kid: undefined } }),
    jku: () => forge({ header: { jku: 'https://exemple.test/jwks.json' } }),
    x5u: () => forge({ header: { x5u: 'https://exemple.test/cert.pem' } }),
    jwk: () => forge({ header: { jwk: { kty: 'oct', k: encode('secret') } } }),
    'crit of something': () => forge({ header: { crit: ['x'], x: 1 } }),
    'b64 false': () => forge({ header: { b64: false, crit: ['b64'] } }),
    'typ JWT': () => forge({ header: { typ: 'JWT' } }),
    'typ application/at+jwt, which is not what we write': () =>
      forge({ header: { typ: 'application/at+jwt' } }),
    'no typ': () => forge({ header: { typ: undefined } }),
    'a payload that was changed': () =>
      `${good.split('.')[0]}.${encode({ ...parts(good)[1], sub: api.comptes.admin.id })}.${good.split('.')[2]}`,
    expired: () => forge({ claims: { iat: now() - 1000, exp: now() - 100 } }),
    'issued in the future': () => forge({ claims: { iat: now() + 600, exp: now() + 900 } }),
    'nbf in the future': () => forge({ claims: { nbf: now() + 600 } }),
    'longer than a token lives': () => forge({ claims: { iat: now() - 3600, exp: now() + 3600 } }),
    'another issuer': () => forge({ claims: { iss: 'atelier2' } }),
    'no issuer': () => forge({ claims: { iss: undefined } }),
    'another audience': () => forge({ claims: { aud: 'atelier' } }),
    'a list of audiences': () => forge({ claims: { aud: ['atelier-api', 'autre'] } }),
    'no audience': () => forge({ claims: { aud: undefined } }),
    'no exp': () => forge({ claims: { exp: undefined } }),
    'exp a text': () => forge({ claims: { exp: String(now() + 600) } }),
    'exp beyond all numbers': () => forge({ claims: { exp: 1e300 } }),
    'no iat': () => forge({ claims: { iat: undefined } }),
    'no sub': () => forge({ claims: { sub: undefined } }),
    'sub no UUID': () => forge({ claims: { sub: 'admin' } }),
    'sub of nobody': () => forge({ claims: { sub: randomUUID() } }),
    'no jti': () => forge({ claims: { jti: undefined } }),
    'no ver': () => forge({ claims: { ver: undefined } }),
    'another ver': () => forge({ claims: { ver: 2 } }),
    'ver a text': () => forge({ claims: { ver: '1' } }),
    'a payload that is no object': () => {
      const input = `${good.split('.')[0]}.${encode('[]')}`;
      return `${input}.${createHmac('sha256', api.deps.cles.signature[0]!).update(input).digest('base64url')}`;
    },
    'a payload that is no JSON': () => {
      const input = `${good.split('.')[0]}.${encode('{')}`;
      return `${input}.${createHmac('sha256', api.deps.cles.signature[0]!).update(input).digest('base64url')}`;
    },
    'five parts': () => `${good}.a.b`,
    'not a token at all': () => 'x',
    dots: () => '..',
  };

  it.each(Object.keys(forgeries))('%s', async (name) => {
    const { status, www, body } = await me(forgeries[name]!());
    expect(status).toBe(401);
    expect(www).toBe('Bearer realm="atelier", error="invalid_token"');
    expect(JSON.parse(body)).toMatchObject({ status: 401, title: 'Authentification nécessaire' });
  });

  it('a change of any single character of header or payload is noticed', async () => {
    const body = good.lastIndexOf('.');
    for (let i = 0; i < body; i += 7) {
      if (good[i] === '.') continue;
      const other = good[i] === 'A' ? 'B' : 'A';
      expect((await me(good.slice(0, i) + other + good.slice(i + 1))).status, `character ${i}`).toBe(401);
    }
  });

  it('keys that are missing, short or dull do not start (S28)', async () => {
    for (const SECRET_KEY of ['', 'court', 'a'.repeat(64)]) {
      await expect(createApi({ url: api.url, comptes: false, env: { SECRET_KEY } })).rejects.toMatchObject({
        code: 'ATL_C102',
      });
    }
  });
});

describe('the header', () => {
  const send = async (authorization: string): Promise<number> =>
    (await api.app.inject({ url: '/users/me', headers: { authorization } })).statusCode;

  it('without one: 401 that says how, and not that a token was wrong', async () => {
    const answer = await api.app.inject({ url: '/users/me' });
    expect(answer.statusCode).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="atelier"');
    expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
  });

  it('the scheme is Bearer, in any case; nothing else is', async () => {
    expect(await send(`bearer ${good}`)).toBe(200);
    expect(await send(`BEARER  ${good} `)).toBe(200);
    for (const other of [
      good,
      `Basic ${good}`,
      `Bearer${good}`,
      `Bearer ${good}, Bearer ${good}`,
      'Bearer',
      'Bearer ',
    ]) {
      expect(await send(other), other.slice(0, 20)).toBe(401);
    }
  });

  it('S5: a token in the address is not looked at, and the parameter is refused by name', async () => {
    const alone = await api.app.inject({ url: `/users/me?access_token=${good}` });
    expect(alone.statusCode).toBe(401);
    const { status, body } = await me(good, `/users/me?access_token=${good}`);
    expect(status).toBe(422);
    expect(JSON.parse(body).errors).toEqual([
      { pointer: '/query/access_token', detail: 'Paramètre inconnu : access_token.' },
    ]);
    expect(body).not.toContain(good);
  });
});

describe('time and revocation', () => {
  it('S3: a token lives as long as it says, and 5 s more for clocks that differ', async () => {
    const own = await createApi();
    try {
      const { lecteur } = own.comptes;
      const status = async (): Promise<number> =>
        (await own.app.inject({ url: '/users/me', headers: lecteur.entete })).statusCode;
      own.avancer(899_000);
      expect(await status()).toBe(200);
      own.avancer(10_000);
      expect(await status()).toBe(401);
      const answer = await own.app.inject({ url: '/users/me', headers: lecteur.entete });
      expect(answer.json().detail).toContain('a expiré');
    } finally {
      await own.close();
    }
  });

  it('S3: a shorter DUREE_JETON counts at once, for tokens that were promised more too', async () => {
    const again = await sameKeys({ DUREE_JETON: '1' });
    try {
      const status = async (): Promise<number> =>
        (await again.app.inject({ url: '/users/me', headers: api.comptes.lecteur.entete })).statusCode;
      expect(await status()).toBe(200);
      again.avancer(70_000);
      expect(await status()).toBe(401);
    } finally {
      await again.close();
    }
  });

  it.each([
    ['disabled', { actif: false }],
    ['another role', { role: 'gestionnaire' }],
    ['another password', { password: OTHER_PASSWORD }],
  ])('S4: %s: the token of before is refused at the next request', async (name, change) => {
    const someone = await api.compte(`revoque-${name.replaceAll(' ', '-')}`, 'lecteur');
    const token = someone.entete.authorization.slice(7);
    expect((await me(token)).status).toBe(200);
    const changed = await api.app.inject({
      ...{ method: 'PUT', url: `/users/${someone.id}`, headers: api.comptes.admin.entete, payload: change },
    });
    expect(changed.statusCode).toBe(200);
    expect((await me(token)).status).toBe(401);
    if (!('actif' in change)) {
      const entete = await signIn(
        api.app,
        someone.username,
        'password' in change ? change.password : MOT_DE_PASSE,
      );
      expect((await me(entete.authorization.slice(7))).status).toBe(200);
    }
  });

  it('S4: deleted: the token is refused at the next request', async () => {
    const someone = await api.compte('efface', 'lecteur');
    const gone = await api.app.inject({
      ...{ method: 'DELETE', url: `/users/${someone.id}`, headers: api.comptes.admin.entete },
    });
    expect(gone.statusCode).toBe(204);
    expect((await me(someone.entete.authorization.slice(7))).status).toBe(401);
  });

  it('S4: a name or address that changes leaves the token good', async () => {
    const someone = await api.compte('renomme', 'lecteur');
    const payload = { username: 'renomme.autrement' };
    const answer = await api.app.inject({
      ...{ method: 'PUT', url: '/users/me', headers: someone.entete, payload },
    });
    expect(answer.statusCode).toBe(200);
    expect((await me(someone.entete.authorization.slice(7))).status).toBe(200);
  });
});

describe('S28: two signing keys', () => {
  it('the new one signs, the old one still verifies until it is taken away', async () => {
    const old = api.deps.config.api.secretKey!;
    const fresh = randomBytes(48).toString('base64url');
    const during = await sameKeys({ SECRET_KEY: fresh, SECRET_KEY_PRECEDENTE: old });
    const status = async (on: ApiDEssai, entete: { authorization: string }): Promise<number> =>
      (await on.app.inject({ url: '/users/me', headers: entete })).statusCode;
    const before = api.comptes.lecteur.entete;
    const signed = await signIn(during.app, 'lecteur');
    expect(await status(during, before)).toBe(200);
    expect(await status(during, signed)).toBe(200);
    expect(await status(api, signed)).toBe(401);
    await during.close();

    const after = await sameKeys({ SECRET_KEY: fresh });
    expect(await status(after, before)).toBe(401);
    expect(await status(after, signed)).toBe(200);
    await after.close();
  });

  it('a token signed with one key under the name of the other is refused', async () => {
    const other = randomBytes(48);
    expect((await me(forge({ key: other }))).status).toBe(401);
  });
});

/** Another server on the same database, with the keys of the first but for what is given. */
function sameKeys(env: Readonly<Record<string, string>>): Promise<ApiDEssai> {
  const { secretKey, cleChiffrement } = api.deps.config.api;
  return createApi({
    ...{ url: api.url, comptes: false },
    env: { SECRET_KEY: secretKey!, CLE_CHIFFREMENT: cleChiffrement!, ...env },
  });
}
