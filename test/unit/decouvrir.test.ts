// The search for planted texts finds them, in each form and packing in which a program may leave them.

import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Chercheur, decoder } from '../harness/decouvrir.ts';

const NOM = 'Zoé "Canari" d’Été & fils';
const chercheur = new Chercheur({ nom: NOM });
const utf8 = Buffer.from(NOM);
const around = (bytes: Buffer): Buffer =>
  Buffer.concat([Buffer.from('avant;'), bytes, Buffer.from(';après')]);

describe('R22: what the scan of canaries sees', () => {
  it.each<[string, Buffer]>([
    ['UTF-8', utf8],
    ['UTF-16LE', Buffer.from(NOM, 'utf16le')],
    ['UTF-16BE', Buffer.from(NOM, 'utf16le').swap16()],
    ['hexadecimal', Buffer.from(utf8.toString('hex'))],
    ['bytea', Buffer.from(`\\x${utf8.toString('hex')}`)],
    ['percent', Buffer.from(encodeURIComponent(NOM))],
    ['form', Buffer.from(new URLSearchParams({ a: NOM }).toString().replaceAll('%27', "'"))],
    ['JSON', Buffer.from(JSON.stringify({ a: NOM }))],
    ['gzip', gzipSync(around(utf8))],
    ['zstd', zstdCompressSync(around(utf8))],
    ['zlib', deflateSync(around(utf8))],
    ['zstd in gzip', gzipSync(zstdCompressSync(around(utf8)))],
  ])('%s', (_, bytes) => {
    const whole = bytes[0] === 0x78 ? bytes : around(bytes);
    expect(chercheur.dans(whole, 'ici')).not.toEqual([]);
  });

  it('base64, wherever it begins in groups of three', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 8 }), fc.uint8Array({ maxLength: 8 }), (before, after) => {
        const bytes = Buffer.concat([Buffer.from(before), utf8, Buffer.from(after)]);
        for (const alphabet of ['base64', 'base64url'] as const)
          expect(chercheur.dans(Buffer.from(bytes.toString(alphabet)), 'ici')).not.toEqual([]);
      }),
    );
  });

  it('answers as HTTP packs them', () => {
    for (const [encoding, bytes] of [
      ['br', brotliCompressSync(utf8)],
      ['gzip', gzipSync(utf8)],
      [null, utf8],
    ] as const)
      expect(chercheur.dans(decoder(bytes, encoding), 'ici')).not.toEqual([]);
  });

  it('what is not there is not found', () => {
    expect(chercheur.dans(around(Buffer.from('Zoé Canarie')), 'ici')).toEqual([]);
    expect(chercheur.dans(gzipSync(Buffer.from('rien')), 'ici')).toEqual([]);
  });
});
