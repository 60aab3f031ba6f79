import { isIPv6 } from 'node:net';
import { groupesIPv6 } from '../../base/ipv6.ts';

/**
 * Where a request comes from, as far as slowing down goes: an IPv4 address, or the /64 of an IPv6 one, since whoever
 * has one address of a /64 has them all. An IPv4 address mapped into IPv6 is that IPv4 address.
 */
export function reseauDe(ip: string): string {
  const address = ip.split('%')[0]!;
  if (!isIPv6(address)) return address;
  const groups = groupesIPv6(address);
  if (groups.slice(0, 5).some((group) => group !== '0') || groups[5] !== 'ffff') {
    return `${groups.slice(0, 4).join(':')}::/64`;
  }
  const bits = Number.parseInt(groups[6]!, 16) * 65_536 + Number.parseInt(groups[7]!, 16);
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 255).join('.');
}
