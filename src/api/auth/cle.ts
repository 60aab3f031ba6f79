import { hash, randomBytes, timingSafeEqual } from 'node:crypto';

/** What every API key begins with: scanners for leaked secrets know it by that. */
export const PREFIXE_CLE = 'atl_';
const FORM = /^atl_([0-9a-f]{32})_([A-Za-z0-9_-]{43})$/;

/** A secret of 256 random bits, 43 characters of base64url. */
export function nouveauSecret(): string {
  return randomBytes(32).toString('base64url');
}

/**
 * SHA-256 of a secret. No slow hash is needed: 256 random bits cannot be guessed, however fast one tries.
 */
export function empreinteDe(secret: string): Buffer {
  return hash('sha256', secret, 'buffer');
}

/** Whether a secret is the one of a hash; takes the same time whatever differs. */
export function memeSecret(secret: string, empreinte: Buffer): boolean {
  const own = empreinteDe(secret);
  return own.length === empreinte.length && timingSafeEqual(own, empreinte);
}

/** An API key as its program sends it. @param id a UUID */
export function ecrireCle(id: string, secret: string): string {
  return `${PREFIXE_CLE}${id.replaceAll('-', '')}_${secret}`;
}

/** Id (a UUID) and secret of an API key, or undefined when it does not have the form of one. */
export function decouperCle(cle: string): { id: string; secret: string } | undefined {
  const [, hex, secret] = FORM.exec(cle) ?? [];
  if (hex === undefined || secret === undefined) return undefined;
  const id = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  return { id, secret };
}
