import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Coffre, normaliser } from '../../src/base/chiffrement.ts';
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

describe('R3 encryption bound to column and row', () => {
  test('what goes in comes out, whatever it is', async () => {
    await assertProperty(
      'R3 there and back',
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.uuid(), (text, id) => {
        expect(coffre.dechiffrer('email', id, coffre.chiffrer('email', id, text))).toBe(text.toWellFormed());
      }),
      { numRuns: 200 },
    );
  });

  test('the same text never looks the same twice', () => {
    const seen = Array.from({ length: 500 }, () => coffre.chiffrer('username', ID, 'bob').toString('hex'));
    expect(new Set(seen).size).toBe(500);
    // Nonces of 96 bits: 24 digits behind format (2) and key id (16).
    expect(new Set(seen.map((hex) => hex.slice(18, 42))).size).toBe(500);
  });

  test('moved to another row or column, or read by another key, it does not decrypt', () => {
    const sealed = coffre.chiffrer('username', ID, 'bob');
    expect(errorOf(() => coffre.dechiffrer('username', OTHER, sealed))).toEqual(refused);
    expect(errorOf(() => coffre.dechiffrer('email', ID, sealed))).toEqual(refused);
    expect(errorOf(() => new Coffre([OLD]).dechiffrer('username', ID, sealed))).toEqual(refused);
    expect(coffre.dechiffrer('username', ID.toUpperCase(), sealed)).toBe('bob');
  });

  test('R6 any byte changed, cut off or added is an error that tells nothing', () => {
    const sealed = coffre.chiffrer('email', ID, 'planté@exemple.test');
    const broken = [
      ...Array.from(sealed, (byte, i) => Buffer.from(sealed.with(i, byte ^ 1))),
      ...Array.from(sealed, (byte, i) => Buffer.from(sealed.with(i, byte ^ 0x80))),
      ...Array.from(sealed, (_, i) => sealed.subarray(0, i)),
      Buffer.concat([sealed, Buffer.of(0)]),
    ];
    for (const envelope of broken) {
      const error = errorOf(() => coffre.dechiffrer('email', ID, envelope));
      expect(error).toEqual(refused);
      expect(String(error)).not.toContain('planté');
    }
    // The whole one does decrypt: the loop above did not fail for another reason.
    expect(coffre.dechiffrer('email', ID, sealed)).toBe('planté@exemple.test');
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
    const old = new Coffre([OLD]);
    expect(both.dechiffrer('username', ID, old.chiffrer('username', ID, 'bob'))).toBe('bob');
    expect(coffre.dechiffrer('username', ID, both.chiffrer('username', ID, 'bob'))).toBe('bob');
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
