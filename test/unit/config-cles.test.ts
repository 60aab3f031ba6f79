// S28: a signing key that was never drawn is refused, whatever its length.

import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { exigerCles } from '../../src/base/config/api.ts';
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

it('takes keys that were drawn, however they are written', () => {
  for (let i = 0; i < 200; i++)
    for (const form of ['hex', 'base64', 'base64url'] as const)
      expect(() => check({ SECRET_KEY: randomBytes(48).toString(form) })).not.toThrow();
});
