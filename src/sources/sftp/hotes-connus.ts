import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** What a known_hosts file says of a server's key. */
export type Verdict = 'connue' | 'inconnue' | 'changee' | 'revoquee';

interface Ligne {
  readonly marque: string | undefined;
  readonly hotes: string;
  readonly type: string;
  /** the key as on the wire */
  readonly cle: Buffer;
}

/**
 * The keys of servers that are trusted, as OpenSSH writes them: names, wildcards, `!` exceptions, `[host]:port`, hashed
 * names, several types a host, `@revoked`. `@cert-authority` lines are passed over.
 */
export class HotesConnus {
  readonly #lignes: readonly Ligne[];

  constructor(text: string) {
    this.#lignes = text.split(/\r?\n/).flatMap((line) => parse(line) ?? []);
  }

  /** Whether `cle` is the key of this server. A key of another type than those known is a changed one. */
  verdict(host: string, port: number, cle: Buffer): Verdict {
    if (this.#lignes.some((ligne) => ligne.marque === '@revoked' && ligne.cle.equals(cle))) return 'revoquee';
    const own = this.#of(nameOf(host, port));
    if (own.some((ligne) => ligne.cle.equals(cle))) return 'connue';
    // As OpenSSH does: the key that a host has under its plain name is good on any of its ports.
    if (port !== 22 && this.#of(host).some((ligne) => ligne.cle.equals(cle))) return 'connue';
    return own.length > 0 ? 'changee' : 'inconnue';
  }

  /** Types of the keys known of a server: it must be asked for one of these, or it would show one that nobody knows. */
  types(host: string, port: number): string[] {
    const found = [...this.#of(nameOf(host, port)), ...(port === 22 ? [] : this.#of(host))];
    return [...new Set(found.map(({ type }) => type))];
  }

  #of(name: string): Ligne[] {
    return this.#lignes.filter((ligne) => ligne.marque === undefined && matches(ligne.hotes, name));
  }
}

/** `SHA256:…` as ssh-keygen shows it. */
export function empreinte(cle: Buffer): string {
  return `SHA256:${createHash('sha256').update(cle).digest('base64').replace(/=+$/, '')}`;
}

/** Type of a key as on the wire. */
export function typeDe(cle: Buffer): string {
  const length = cle.length >= 4 ? cle.readUInt32BE(0) : 0;
  return cle.toString('latin1', 4, 4 + Math.min(length, 64));
}

/** The line that makes a key known. */
export function ligneDe(host: string, port: number, cle: Buffer): string {
  return `${nameOf(host, port)} ${typeDe(cle)} ${cle.toString('base64')}`;
}

function nameOf(host: string, port: number): string {
  return port === 22 ? host : `[${host}]:${port}`;
}

function parse(line: string): Ligne | undefined {
  const words = line.trim().split(/\s+/);
  if (words[0] === '' || words[0]!.startsWith('#')) return undefined;
  const marque = words[0]!.startsWith('@') ? words.shift() : undefined;
  const [hotes, type, base64] = words;
  if (hotes === undefined || type === undefined || base64 === undefined) return undefined;
  const cle = Buffer.from(base64, 'base64');
  return typeDe(cle) === type ? { marque, hotes, type, cle } : undefined;
}

function matches(hotes: string, name: string): boolean {
  if (hotes.startsWith('|1|')) return matchesHash(hotes, name);
  let found = false;
  for (const pattern of hotes.toLowerCase().split(',')) {
    const negated = pattern.startsWith('!');
    if (!wildcard(negated ? pattern.slice(1) : pattern).test(name.toLowerCase())) continue;
    if (negated) return false;
    found = true;
  }
  return found;
}

function wildcard(pattern: string): RegExp {
  const source = pattern.replaceAll(/[.*+?^${}()|[\]\\]/g, (sign) =>
    sign === '*' ? '.*' : sign === '?' ? '.' : `\\${sign}`,
  );
  return new RegExp(`^${source}$`);
}

function matchesHash(hotes: string, name: string): boolean {
  const [, , salt = '', hash = ''] = hotes.split('|');
  const expected = Buffer.from(hash, 'base64');
  const found = createHmac('sha1', Buffer.from(salt, 'base64')).update(name.toLowerCase()).digest();
  return expected.length === found.length && timingSafeEqual(expected, found);
}
