// S28: a signing key that was never drawn is refused, whatever its length.

import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { exigerCles } from '../../src/base/config/api.ts';
import { lireCle } from '../../src/base/config/cles.ts';
import { SETTINGS } from '../../src/base/config/settings.ts';
import { loadConfig } from '../../src/base/config.ts';

const CLE_CHIFFREMENT = randomBytes(32).toString('hex');
const check = (env: Record<string, string>): unknown =>
  exigerCles(loadConfig({ CLE_CHIFFREMENT, DATABASE_URL: 'postgresql://a@localhost/b', ...env }).api);

it.each([
  'changeme-changeme-in-production-0123456789',
  'CHANGE_ME_please_this_is_32_bytes_long!!',
  'Changez-moi : une clé de trente-deux octets',
  'your-secret-key-goes-here-at-least-32-bytes',
  'votre-clé-à-remplacer-par-32-octets-au-hasard',
  'super-insecure-key-for-development-only-1',
  '0123456789abcdef0123456789abcdef0123456789',
  'abcdefghijklmnopabcdefghijklmnop',
])('S28: %s', (key) => {
  expect(() => check({ SECRET_KEY: key })).toThrow(/SECRET_KEY est un texte d’exemple ou un motif/);
  const drawn = randomBytes(48).toString('base64url');
  expect(() => check({ SECRET_KEY: drawn, SECRET_KEY_PRECEDENTE: key })).toThrow(/SECRET_KEY_PRECEDENTE/);
});

/** Keys that were thought up: text, pieces again and again, counted. */
const IMAGINEES = [
  '0123456789abcdef'.repeat(4),
  '00112233445566778899aabbccddeeff'.repeat(2),
  Array.from({ length: 32 }, (_, i) => i.toString(16).padStart(2, '0')).join(''),
  Buffer.from(Array.from({ length: 32 }, (_, i) => 255 - i)).toString('base64'),
  Buffer.from(Array.from({ length: 32 }, (_, i) => (7 * i) & 0xff)).toString('hex'),
  Buffer.from('changeme-changeme-changeme-12345').toString('base64'),
  Buffer.from('a sentence that nobody has drawn').toString('hex'),
  Buffer.from('0123456789abcdef0123456789abcdef').toString('base64'),
  Buffer.from('ab'.repeat(16)).toString('base64'),
  'ChangeMeChangeMeChangeMeChangeMeChangeMe1234',
];

it.each(IMAGINEES)(
  'S28: a key of 32 bytes that was never drawn, for each setting that takes one: %s',
  (key) => {
    const drawn = randomBytes(48).toString('base64url');
    for (const name of ['CLE_CHIFFREMENT', 'CLE_CHIFFREMENT_PRECEDENTE'])
      expect(() => check({ SECRET_KEY: drawn, [name]: key })).toThrow(
        new RegExp(`${name} : [^\n]*tirés au hasard[^\\n]*Pour en faire une : node`),
      );
    for (const name of CLES)
      expect(() => loadConfig({ [name]: key })).toThrow(
        new RegExp(`${name} : [^\n]*tirés au hasard[^\\n]*Pour en faire une : node`),
      );
  },
);

/** Other settings that are a key of 32 bytes, from their explanation: a new one has to be as strict. */
const CLES = SETTINGS.filter(
  ({ name, secret }) => secret && name.startsWith('CLE_') && !name.startsWith('CLE_CHIFFREMENT'),
).map(({ name }) => name);

it('knows the settings that are keys', () => {
  expect(CLES).toEqual(expect.arrayContaining(['CLE_SAUVEGARDE', 'CLE_SAUVEGARDE_PRECEDENTE']));
});

it('S28: no key that is drawn is refused', () => {
  for (let i = 0; i < 5000; i++) {
    const key = randomBytes(32);
    for (const form of ['hex', 'base64', 'base64url'] as const)
      expect(lireCle(key.toString(form))).toEqual(key);
  }
});

it('takes keys that were drawn, however they are written', () => {
  for (let i = 0; i < 200; i++)
    for (const form of ['hex', 'base64', 'base64url'] as const)
      expect(() => check({ SECRET_KEY: randomBytes(48).toString(form) })).not.toThrow();
});
