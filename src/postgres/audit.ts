import { isIP, isIPv4 } from 'node:net';
import { groupesIPv6 } from '../base/ipv6.ts';
import { sansSecrets } from '../base/log-redaction.ts';
import type { Queryable } from './pool.ts';

/** A line of `journal_audit`: who did what. Neither names, nor addresses of persons, nor secrets go in. */
export interface LigneAudit {
  /** for example `connexion_reussie`, `compte_cree`, `role_change` */
  readonly evenement: string;
  /** account that acted, absent when it is not known or was a command on the server */
  readonly userId?: string | undefined;
  /** API key that it used */
  readonly cleId?: string | undefined;
  /** on what: resource and id, for example `users/0198…` */
  readonly cible?: string | undefined;
  /** network address as it came; it is truncated here ({@link tronquerAdresse}) */
  readonly adresse?: string | undefined;
  /** number of the request */
  readonly requete?: string | undefined;
  /** the rest, for example roles before and after */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

/** Characters of a text at most: lines are made by strangers too, who must not fill the disk. */
const LONGEST = 200;

/**
 * Adds a line, in the transaction of what it tells about when `db` is in one: as its last statement, since until its end
 * nobody else can add one. The server says when it was, and adds a link to the chain (`audit-chain.ts`).
 */
export async function noter(db: Queryable, ligne: LigneAudit): Promise<void> {
  await db.query('SELECT noter_audit($1, $2, $3, $4, $5, $6, $7)', [
    clean(ligne.evenement),
    ligne.userId ?? null,
    ligne.cleId ?? null,
    cleanOrNull(ligne.cible),
    ligne.adresse === undefined ? null : tronquerAdresse(ligne.adresse),
    cleanOrNull(ligne.requete),
    JSON.stringify(ligne.details ?? {}, (_, value) => (typeof value === 'string' ? clean(value) : value)),
  ]);
}

/**
 * A network address with so much of it gone that it is a neighbourhood, not a person: /24, or /48 for IPv6.
 *
 * @returns null when it is not an address
 */
export function tronquerAdresse(adresse: string): string | null {
  const bare = adresse.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '');
  if (isIPv4(bare)) return bare.replace(/\d+$/, '0');
  if (isIP(bare) !== 6) return null;
  // URL writes the shortest form, as PostgreSQL would.
  return new URL(`http://[${groupesIPv6(bare).slice(0, 3).join(':')}::]`).hostname.slice(1, -1);
}

/** Text that PostgreSQL takes: no NUL, no half characters; nor secrets, which callers should not have put in. */
function clean(text: string): string {
  return sansSecrets(text.slice(0, LONGEST)).toWellFormed().replaceAll('\0', '\ufffd');
}

function cleanOrNull(text: string | undefined): string | null {
  return text === undefined ? null : clean(text);
}
