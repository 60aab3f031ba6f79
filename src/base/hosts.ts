import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { domainToASCII } from 'node:url';

/** What stands in `Host`, or before the path of an absolute address. */
export interface Authority {
  /** lower case, ASCII (IDNA), without brackets and without the dot at its end */
  readonly name: string;
  /** as it was given, undefined when it was not */
  readonly port: string | undefined;
}

/** Entry of HOTES that lets every name pass. */
export const ANY_HOST = '*';

/** @returns undefined for what is no host with or without a port (RFC 9110, 7.2): names of users, blanks, paths */
export function parseAuthority(text: string): Authority | undefined {
  const found = /^(?:\[([0-9a-f:.]+(?:%[\w.-]+)?)\]|([^\s[\]@:/?#\\]+))(?::(\d{0,5}))?$/i.exec(text);
  if (!found) return undefined;
  const [, v6, plain = '', digits] = found;
  const port = digits === '' ? undefined : digits;
  if (port !== undefined && Number(port) > 65_535) return undefined;
  if (v6 !== undefined) return isIP(v6) === 6 ? { name: v6.toLowerCase(), port } : undefined;
  const name = normalizeName(plain);
  return name === undefined ? undefined : { name, port };
}

/** A name of a host as it is compared; undefined when it is none. */
export function normalizeName(text: string): string | undefined {
  const name = domainToASCII(text.replace(/\.$/, '')).toLowerCase();
  return /^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/.test(name) && !name.includes('..') ? name : undefined;
}

/**
 * Whether this program answers to a name. A page of somebody else's whose name leads to this machine (DNS rebinding)
 * comes by that name: addresses cannot be led anywhere, and names are those that are ours.
 *
 * @param listed entries of HOTES: names, name endings (`.usine.lan`), `*`
 * @param host where we listen, when that is a name
 */
export function isOurName(
  name: string,
  { listed, host }: { listed: readonly string[]; host: string },
): boolean {
  if (isIP(name.split('%')[0]!) !== 0 || name === 'localhost' || name.endsWith('.localhost')) return true;
  if (listed.includes(ANY_HOST) || name === normalizeName(host) || ownNames().includes(name)) return true;
  return listed.some((entry) => (entry.startsWith('.') ? name.endsWith(entry) : name === entry));
}

/** By which names this machine's network knows it, as far as the machine itself knows. */
export function ownNames(): string[] {
  const whole = normalizeName(hostname());
  if (whole === undefined) return [];
  const [short = whole] = whole.split('.');
  return [...new Set([whole, short, `${short}.local`])];
}
