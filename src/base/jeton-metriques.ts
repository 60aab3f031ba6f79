import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * Whether a request may read the metrics (S30: they are not public).
 *
 * @param jeton METRICS_JETON, or undefined when none is set
 * @param authorization the header of the request
 */
export function porteJeton(jeton: string, authorization: string | undefined): boolean {
  const given = /^Bearer +([\x21-\x7e]+) *$/i.exec(authorization ?? '')?.[1] ?? '';
  // Hashes have one length: comparing them tells neither the token nor how long it is.
  return timingSafeEqual(digest(given), digest(jeton));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
