/** Seconds: the first wait, the longest, and how long a notice is tried in all. */
const PREMIERE = 30;
const PLUS_LONGUE = 3600;
export const ABANDON = 86_400;

/**
 * Seconds to wait after a failed attempt: twice as long each time, up to an hour, less up to half of it at random, so
 * that receivers that come back are not met by all at once.
 *
 * @param tentatives attempts so far, at least 1
 * @param hasard 0 to 1
 */
export function attenteApres(tentatives: number, hasard: number): number {
  return Math.min(PLUS_LONGUE, PREMIERE * 2 ** Math.min(tentatives - 1, 20)) * (0.5 + hasard / 2);
}
