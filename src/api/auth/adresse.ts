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
  return mappee(groups) ?? `${groups.slice(0, 4).join(':')}::/64`;
}

/**
 * The network that somebody is known to sign in from: the /24 of an IPv4 address, the /48 of an IPv6 one. Wider than what
 * is slowed down, as providers give another address of it every other day.
 */
export function reseauLargeDe(ip: string): string {
  const address = ip.split('%')[0]!;
  const groups = isIPv6(address) ? groupesIPv6(address) : undefined;
  const v4 = groups ? mappee(groups) : address;
  return v4 === undefined ? `${groups!.slice(0, 3).join(':')}::/48` : v4.replace(/\.\d+$/, '.0/24');
}

/** The IPv4 address that an IPv6 one stands for. */
function mappee(groups: readonly string[]): string | undefined {
  if (groups.slice(0, 5).some((group) => group !== '0') || groups[5] !== 'ffff') return undefined;
  const bits = Number.parseInt(groups[6]!, 16) * 65_536 + Number.parseInt(groups[7]!, 16);
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 255).join('.');
}
