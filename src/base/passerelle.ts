import { readFileSync } from 'node:fs';

/** Name, in PROXYS_DE_CONFIANCE, of the address that a container sees its host by. */
export const PASSERELLE = 'passerelle';

/**
 * Addresses (IPv4) of the default gateways of this machine. In a container that is the host: whoever reaches a published
 * port from there, a proxy too, has this address.
 *
 * @param table a routing table as Linux shows it; where there is none, no gateway
 */
export function passerelles(table = read('/proc/net/route')): string[] {
  const found = table
    .split('\n')
    .map((line) => line.split('\t'))
    .filter(([, destination, gateway]) => destination === '00000000' && gateway !== '00000000')
    // Little-endian: 0102A8C0 is 192.168.2.1.
    .map(([, , gateway]) => Buffer.from(gateway!, 'hex').reverse().join('.'));
  return [...new Set(found)];
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
