/** Order of (number, extension) by code points: the same on every machine, whatever its locale. */
export function comparerCommandes(
  a: { readonly numero_commande: string; readonly extension: string },
  b: { readonly numero_commande: string; readonly extension: string },
): number {
  return parPointsDeCode(a.numero_commande, b.numero_commande) || parPointsDeCode(a.extension, b.extension);
}

/** Order by code points; JavaScript's own compares UTF-16 units, which puts an emoji before U+FFFD. */
export function parPointsDeCode(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const [x, y] = [a.charCodeAt(index), b.charCodeAt(index)];
    if (x === y) continue;
    const highX = x >= 0xd800 && x < 0xe000;
    const highY = y >= 0xd800 && y < 0xe000;
    return highX === highY ? x - y : highX ? 1 : -1;
  }
  return a.length - b.length;
}
