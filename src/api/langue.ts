/**
 * Whether whoever asks prefers French: the language that `Accept-Language` (RFC 9110, 12.5.4) values most, the first
 * among equals, is a French one.
 */
export function prefereLeFrancais(acceptLanguage: string | undefined): boolean {
  let best = '';
  let quality = 0;
  for (const part of (acceptLanguage ?? '').split(',')) {
    const [language = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
    const asked = parameters.find((text) => text.startsWith('q='))?.slice(2);
    const q = asked === undefined ? 1 : Number(asked);
    if (q > quality) [best, quality] = [language, q];
  }
  return /^fr(-|$)/.test(best);
}
