// S2, S3, S4: tokens by themselves, to the second. Whole requests with forged ones: integration/api-jwt.test.ts.
import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { decouperCle, ecrireCle, empreinteDe, memeSecret, nouveauSecret } from '../../src/api/auth/cle.ts';
import { Jetons } from '../../src/api/auth/jetons.ts';

const KEY = Buffer.alloc(32, 7);
const DUREE = 900;
/** What is forgiven between two clocks, seconds. */
const TOLERANCE = 5;
const START = Date.parse('2027-05-29T08:00:00.900Z');
const compte = { id: randomUUID(), version_jetons: 3 };

/** Tokens whose clock the test moves. */
function place(cles: readonly Buffer[] = [KEY], duree = DUREE) {
  const clock = { now: START };
  return { clock, jetons: new Jetons(cles, { duree, maintenant: () => clock.now }) };
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const read = (token: string, part: 0 | 1): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[part]!, 'base64url').toString()) as Record<string, unknown>;

/** The token with other claims and header, signed rightly. */
function change(
  token: string,
  claims: Readonly<Record<string, unknown>>,
  header: Readonly<Record<string, unknown>> = {},
): string {
  const input = `${encode({ ...read(token, 0), ...header })}.${encode({ ...read(token, 1), ...claims })}`;
  return `${input}.${createHmac('sha256', KEY).update(input).digest('base64url')}`;
}

describe('S3: the time of a token', () => {
  it('is from the second it was made to the end of its life, and what clocks may differ', async () => {
    const { clock, jetons } = place();
    const token = await jetons.signer(compte);
    const made = Math.floor(START / 1000);
    const said = { userId: compte.id, version: 3, iat: made, exp: made + DUREE, jti: expect.any(String) };
    expect(await jetons.verifier(token)).toEqual(said);
    const end = (made + DUREE + TOLERANCE) * 1000;
    for (const [now, expected] of [
      [end - 1, said],
      [end, 'expire'],
      // What was refused is not remembered as good.
      [end + 1, 'expire'],
    ] as const) {
      clock.now = now;
      expect(await jetons.verifier(token)).toEqual(expected);
      // One that has never seen it says the same.
      const other = new Jetons([KEY], { duree: DUREE, maintenant: () => now });
      expect(await other.verifier(token)).toEqual(expected);
    }
  });

  it('ends with a life that was made shorter since', async () => {
    const { clock, jetons } = place();
    const token = await jetons.signer(compte);
    const shorter = new Jetons([KEY], { duree: 60, maintenant: () => clock.now });
    expect(shorter.duree).toBe(60);
    const end = (Math.floor(START / 1000) + 60 + TOLERANCE) * 1000;
    clock.now = end - 1;
    expect(await shorter.verifier(token)).toMatchObject({ userId: compte.id });
    clock.now = end;
    expect(await shorter.verifier(token)).toBe('expire');
    // One that has not seen it while it was good says the same.
    const other = new Jetons([KEY], { duree: 60, maintenant: () => clock.now });
    expect(await other.verifier(token)).toBe('expire');
    // Longer lives are not given afterwards.
    const longer = new Jetons([KEY], { duree: 9_000, maintenant: () => clock.now + DUREE * 1000 });
    expect(await longer.verifier(token)).toBe('expire');
  });

  it('one that was made later than now, or ends before it begins, is none', async () => {
    const { clock, jetons } = place();
    const token = await jetons.signer(compte);
    const iat = Math.floor(START / 1000);
    clock.now = iat * 1000;
    const claims = (from: number, to: number): string => change(token, { iat: from, exp: to });
    expect(await jetons.verifier(claims(iat + TOLERANCE, iat + DUREE))).toMatchObject({ userId: compte.id });
    expect(await jetons.verifier(claims(iat + TOLERANCE + 1, iat + DUREE))).toBe('invalide');
    expect(await jetons.verifier(claims(iat + 2, iat + 2))).toBe('invalide');
    expect(await jetons.verifier(claims(iat + 2, iat + 1))).toBe('invalide');
    expect(await jetons.verifier(claims(iat + 1, iat + 2))).toMatchObject({ userId: compte.id });
  });
});

describe('S2: what is no token of ours', () => {
  it.each<[string, Readonly<Record<string, unknown>>, Readonly<Record<string, unknown>>?]>([
    ['an account that is no UUID', { sub: `${compte.id}0` }],
    ['nor with something before it', { sub: `0${compte.id}` }],
    ['an account that is a number', { sub: 7 }],
    ['no account', { sub: undefined }],
    ['a number that is no UUID', { jti: 'x' }],
    ['a number that is a number', { jti: 7 }],
    ['no number', { jti: undefined }],
    ['a version that is no whole number', { ver: 3.5 }],
    ['a version that is a text', { ver: '3' }],
    ['no version', { ver: undefined }],
    ['a beginning with a fraction', { iat: Math.floor(START / 1000) + 0.5 }],
    ['no beginning', { iat: undefined }],
    ['an end with a fraction', { exp: Math.floor(START / 1000) + 900.5 }],
    ['no end', { exp: undefined }],
    ['another audience', { aud: 'autre' }],
    ['several audiences, ours among them', { aud: ['atelier-api', 'autre'] }],
    ['another issuer', { iss: 'autre' }],
    ['another type', {}, { typ: 'JWT' }],
    ['a type that means the same', {}, { typ: 'application/at+jwt' }],
    ['a parameter that is not ours', {}, { jku: 'https://ailleurs.example' }],
    ['a key that is not ours', {}, { kid: 'autre' }],
    ['no key', {}, { kid: undefined }],
    ['another algorithm', {}, { alg: 'HS512' }],
    ['no algorithm', {}, { alg: 'none' }],
  ])('%s', async (_what, claims, header) => {
    const { jetons } = place();
    const token = await jetons.signer(compte);
    expect(await jetons.verifier(change(token, {}))).toMatchObject({ userId: compte.id });
    expect(await jetons.verifier(change(token, claims, header))).toBe('invalide');
  });

  it('any text', async () => {
    const { jetons } = place();
    for (const text of ['', '.', '..', 'a.b.c', 'é'.repeat(5_000)])
      expect(await jetons.verifier(text)).toBe('invalide');
  });

  it('says what it is in its head: type, algorithm, name of the key, nothing else', async () => {
    const token = await place().jetons.signer(compte);
    const kid = createHmac('sha256', KEY).update('atelier kid').digest('base64url').slice(0, 11);
    expect(read(token, 0)).toEqual({ alg: 'HS256', typ: 'at+jwt', kid });
    expect(read(token, 1)).toMatchObject({ iss: 'atelier', aud: 'atelier-api', sub: compte.id, ver: 3 });
  });
});

describe('keys', () => {
  it('the first signs, any verifies; one that was taken away no more', async () => {
    const old = randomBytes(32);
    const before = await place([old]).jetons.signer(compte);
    const both = place([KEY, old]).jetons;
    expect(await both.verifier(before)).toMatchObject({ userId: compte.id });
    expect(await place().jetons.verifier(await both.signer(compte))).toMatchObject({ userId: compte.id });
    expect(await place().jetons.verifier(before)).toBe('invalide');
  });

  it('are asked for, 32 bytes at least each', () => {
    expect(() => place([])).toThrow(RangeError);
    expect(() => place([randomBytes(31)])).toThrow('32 bytes');
    expect(() => place([KEY, randomBytes(31)])).toThrow(RangeError);
    expect(() => place([randomBytes(32), randomBytes(64)])).not.toThrow();
  });
});

describe('API keys as they are written', () => {
  const id = '01234567-89ab-cdef-0123-456789abcdef';

  it('are read back as id and secret', () => {
    const secret = nouveauSecret();
    expect(secret).toMatch(/^[\w-]{43}$/);
    expect(nouveauSecret()).not.toBe(secret);
    const text = ecrireCle(id, secret);
    expect(text).toBe(`atl_0123456789abcdef0123456789abcdef_${secret}`);
    expect(decouperCle(text)).toEqual({ id, secret });
  });

  it.each([
    ['something before it', (text: string) => ` ${text}`],
    ['something behind it', (text: string) => `${text}A`],
    ['a secret that is too short', (text: string) => text.slice(0, -1)],
    ['another prefix', (text: string) => text.replace('atl_', 'atk_')],
    ['a number that is none', (text: string) => text.replace('0123', '01g3')],
    ['nothing', () => ''],
  ])('not with %s', (_what, spoil) => {
    expect(decouperCle(spoil(ecrireCle(id, nouveauSecret())))).toBeUndefined();
  });

  it('a secret is that of its own hash alone, and of no piece of it', () => {
    const secret = nouveauSecret();
    expect(memeSecret(secret, empreinteDe(secret))).toBe(true);
    expect(memeSecret(nouveauSecret(), empreinteDe(secret))).toBe(false);
    expect(memeSecret(secret, empreinteDe(secret).subarray(0, 31))).toBe(false);
    expect(memeSecret(secret, Buffer.alloc(0))).toBe(false);
    expect(empreinteDe('abc').toString('hex')).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
  });
});
