/**
 * The eight groups of an IPv6 address, hexadecimal, lower case, without leading zeros.
 *
 * @param adresse an IPv6 address in any spelling, without a zone (`%eth0`)
 */
export function groupesIPv6(adresse: string): string[] {
  // The URL parser knows every spelling of an address, also those that end in dots; it leaves at most one `::`.
  const [head = '', tail = ''] = new URL(`http://[${adresse}]`).hostname.slice(1, -1).split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === '' ? [] : tail.split(':');
  return [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after];
}
