/** Byte ranges of a download (RFC 9110, 14). */

/** `[debut, fin)` in bytes. */
export interface Plage {
  readonly debut: number;
  readonly fin: number;
}

/**
 * The one range that a `Range` header asks for.
 *
 * @param taille size of the whole, bytes
 * @returns undefined: send the whole (no header, other units, several ranges, bad syntax); `'impossible'`: 416
 */
export function plageDemandee(header: string | undefined, taille: number): Plage | 'impossible' | undefined {
  const match = /^bytes=[ \t]*(\d{0,16})-(\d{0,16})[ \t]*$/i.exec(header ?? '');
  if (!match) return undefined;
  const [, first = '', last = ''] = match;
  if (first === '') {
    if (last === '') return undefined;
    const length = Math.min(Number(last), taille);
    return length === 0 ? 'impossible' : { debut: taille - length, fin: taille };
  }
  const debut = Number(first);
  if (last !== '' && Number(last) < debut) return undefined;
  if (debut >= taille) return 'impossible';
  return { debut, fin: last === '' ? taille : Math.min(Number(last) + 1, taille) };
}
