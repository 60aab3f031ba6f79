import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Coffre, normaliser } from '../../src/base/chiffrement.ts';
import { CleDeCompte } from '../../src/base/cle-de-compte.ts';
import { AtelierError } from '../../src/base/errors.ts';
import { tronquerAdresse } from '../../src/postgres/audit.ts';
import { assertProperty } from '../harness/property.ts';

const KEY = randomBytes(32);
const OLD = randomBytes(32);
const ID = '0b1f6f5e-6a8e-4d4c-9c1e-0f7a5b3d2c11';
const OTHER = '0b1f6f5e-6a8e-4d4c-9c1e-0f7a5b3d2c12';
const coffre = new Coffre([KEY]);
const refused = expect.objectContaining({ code: 'ATL_C103' });

function errorOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

/** An envelope with each of its bytes changed, cut at each of them, and with one more. */
function spoilt(sealed: Buffer): Buffer[] {
  return [
    ...Array.from(sealed, (byte, i) => Buffer.from(sealed.with(i, byte ^ 1))),
    ...Array.from(sealed, (byte, i) => Buffer.from(sealed.with(i, byte ^ 0x80))),
    ...Array.from(sealed, (_, i) => sealed.subarray(0, i)),
    Buffer.concat([sealed, Buffer.of(0)]),
  ];
}

describe('R3 encryption bound to column and row', () => {
  const cle = CleDeCompte.tirer(ID);

  test('what goes in comes out, whatever it is', async () => {
    await assertProperty(
      'R3 there and back',
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.uuid(), (text, id) => {
        const own = CleDeCompte.tirer(id);
        expect(own.dechiffrer('email', own.chiffrer('email', text))).toBe(text.toWellFormed());
      }),
      { numRuns: 200 },
    );
  });

  test('the same text never looks the same twice', () => {
    const seen = Array.from({ length: 500 }, () => cle.chiffrer('username', 'bob').toString('hex'));
    expect(new Set(seen).size).toBe(500);
    // Nonces of 96 bits: 24 digits behind format (2) and key id (16).
    expect(new Set(seen.map((hex) => hex.slice(18, 42))).size).toBe(500);
  });

  test('moved to another row or column, or read by another key, it does not decrypt', () => {
    const sealed = cle.chiffrer('username', 'bob');
    const elsewhere = cle.emballer((secret) => Buffer.from(secret));
    expect(errorOf(() => new CleDeCompte(OTHER, elsewhere).dechiffrer('username', sealed))).toEqual(refused);
    expect(errorOf(() => cle.dechiffrer('email', sealed))).toEqual(refused);
    expect(errorOf(() => CleDeCompte.tirer(ID).dechiffrer('username', sealed))).toEqual(refused);
    expect(errorOf(() => coffre.dechiffrer('username', ID, sealed))).toEqual(refused);
    expect(new CleDeCompte(ID.toUpperCase(), elsewhere).dechiffrer('username', sealed)).toBe('bob');
  });

  test('R6 any byte changed, cut off or added is an error that tells nothing', () => {
    const sealed = cle.chiffrer('email', 'planté@exemple.test');
    for (const envelope of spoilt(sealed)) {
      const error = errorOf(() => cle.dechiffrer('email', envelope));
      expect(error).toEqual(refused);
      expect(String(error)).not.toContain('planté');
    }
    // The whole one does decrypt: the loop above did not fail for another reason.
    expect(cle.dechiffrer('email', sealed)).toBe('planté@exemple.test');
  });
});

describe('R17 the key of an account', () => {
  test('R6 comes back from its envelope, by the same master key, for the same account, and not if any byte is another', () => {
    const cle = CleDeCompte.tirer(ID);
    const wrapped = coffre.emballer(cle);
    expect(coffre.deballer(ID, wrapped).dechiffrer('username', cle.chiffrer('username', 'bob'))).toBe('bob');
    expect(errorOf(() => coffre.deballer(OTHER, wrapped))).toEqual(refused);
    expect(errorOf(() => new Coffre([OLD]).deballer(ID, wrapped))).toEqual(refused);
    expect(new Coffre([OLD, KEY]).deballer(ID, wrapped).id).toBe(cle.id);
    for (const envelope of spoilt(wrapped))
      expect(errorOf(() => coffre.deballer(ID, envelope))).toEqual(refused);
  });

  test('is one of its own each time, and shows neither itself nor the master key', () => {
    const cles = Array.from({ length: 200 }, () => CleDeCompte.tirer(ID));
    expect(new Set(cles.map(({ id }) => id)).size).toBe(200);
    const [cle] = cles as [CleDeCompte];
    const secret = cle.emballer((bytes) => Buffer.from(bytes));
    const shown = inspect(cle, { depth: 9, showHidden: true }) + JSON.stringify(cle) + String(cle);
    for (const form of ['hex', 'base64', 'latin1'] as const)
      expect(shown).not.toContain(secret.toString(form));
    expect(coffre.emballer(cle).includes(secret)).toBe(false);
    expect(() => new CleDeCompte(ID, randomBytes(31))).toThrow(RangeError);
  });

  test('S10 hashes: with the pepper of this account as they are, without pepper sealed, others never', async () => {
    await assertProperty(
      'R17 hashes of an account',
      fc.property(fc.string({ maxLength: 200 }), (phc) => {
        const [own, other] = [CleDeCompte.tirer(ID), CleDeCompte.tirer(OTHER)];
        const kept = own.rangerHash(phc);
        expect(own.lireHash(kept)).toBe(phc.toWellFormed());
        expect(other.lireHash(kept)).toBeUndefined();
        // Written there by somebody who does not have the key.
        expect(own.lireHash(phc)).toBeUndefined();
        const peppered = `$argon2id$v=19$m=1,t=1,p=1,keyid=${own.id}$a$b`;
        expect([own.rangerHash(peppered), own.lireHash(peppered)]).toEqual([peppered, peppered]);
        expect(other.lireHash(peppered)).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });
});

describe('R4 blind index', () => {
  test.each([
    ['Email@X', 'email@x'],
    ['  bob ', 'BOB'],
    ['ｂｏｂ', 'bob'],
    ['Andre\u0301', 'ANDRÉ'],
    ['\u00a0bob\u2003', 'bob'],
  ])('%j is the same as %j', (a, b) => {
    expect(coffre.index('email', a)).toEqual(coffre.index('email', b));
  });

  test('differs by value, column, key and from the fingerprint of the same text', () => {
    const all = [
      coffre.index('username', 'bob')[0]!,
      coffre.index('username', 'bob2')[0]!,
      coffre.index('email', 'bob')[0]!,
      new Coffre([OLD]).index('username', 'bob')[0]!,
      coffre.empreinte('compte', 'bob'),
      coffre.empreinte('adresse', 'bob'),
    ].map((bytes) => bytes.toString('hex'));
    expect(new Set(all).size).toBe(all.length);
    for (const hex of all) expect(hex).toHaveLength(64);
  });

  test('normalising twice is normalising once', async () => {
    await assertProperty(
      'R4 idempotent',
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(normaliser(normaliser(text))).toBe(normaliser(text));
      }),
      { numRuns: 2000 },
    );
    expect(normaliser('İ ')).toBe(normaliser(normaliser('İ ')));
  });
});

describe('R7 two keys', () => {
  const both = new Coffre([KEY, OLD]);

  test('the first encrypts, both decrypt, both find', () => {
    const [old, cle] = [new Coffre([OLD]), CleDeCompte.tirer(ID)];
    expect(both.deballer(ID, old.emballer(cle)).id).toBe(cle.id);
    expect(coffre.deballer(ID, both.emballer(cle)).id).toBe(cle.id);
    expect(both.index('username', 'Bob')).toEqual([
      coffre.index('username', 'bob')[0],
      old.index('username', 'bob')[0],
    ]);
    expect([both.cleId, both.cleIds]).toEqual([coffre.cleId, [coffre.cleId, old.cleId]]);
  });

  test('the same key twice is one key', () => {
    expect(new Coffre([KEY, Buffer.from(KEY)]).cleIds).toEqual([coffre.cleId]);
  });

  test('R6 a witness knows its key', () => {
    expect(coffre.reconnait(coffre.cleId, coffre.temoin())).toBe(true);
    expect(both.reconnait(coffre.cleId, coffre.temoin())).toBe(true);
    expect(coffre.reconnait(both.cleIds[1]!, coffre.temoin())).toBeUndefined();
    const bent = coffre.temoin();
    bent[bent.length - 1]! ^= 1;
    expect(coffre.reconnait(coffre.cleId, bent)).toBe(false);
  });
});

test('R6 no key shows up when a coffer is printed', () => {
  const shown = inspect(coffre, { depth: 9, showHidden: true }) + JSON.stringify(coffre) + String(coffre);
  for (const form of ['hex', 'base64', 'latin1'] as const) expect(shown).not.toContain(KEY.toString(form));
  expect(shown).not.toMatch(/[0-9a-f]{2}( [0-9a-f]{2}){8}/);
});

test('keys of a wrong size are refused', () => {
  expect(() => new Coffre([])).toThrow(RangeError);
  expect(() => new Coffre([randomBytes(31)])).toThrow(RangeError);
  expect(errorOf(() => coffre.dechiffrer('email', ID, Buffer.alloc(0)))).toBeInstanceOf(AtelierError);
});

test.each([
  ['192.168.12.34', '192.168.12.0'],
  ['::ffff:192.168.12.34', '192.168.12.0'],
  ['2001:db8:aaaa:bbbb:1:2:3:4', '2001:db8:aaaa::'],
  ['2001:0DB8::1', '2001:db8::'],
  ['fe80::1%eth0', 'fe80::'],
  ['::1', '::'],
  ['::2:3:4:5:6:7', '0:0:2::'],
  ['pas une adresse', null],
  ['1.2.3.4, 5.6.7.8', null],
])('R22 of the address %s the audit log keeps %s', (address, kept) => {
  expect(tronquerAdresse(address)).toBe(kept);
});
