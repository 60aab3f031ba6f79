import { randomUUID } from 'node:crypto';
import type { Client, Queryable } from '../pool.ts';

/** Sessions of the dashboard that one account may have open; the oldest goes when one more is opened. */
const FAMILLES_MAX = 20;

/** A refresh token that was made or used up. Instants are ms since the epoch. */
export interface Rafraichissement {
  readonly user_id: string;
  readonly famille: string;
  readonly version_jetons: number;
  /** end of the whole family; refreshing does not move it */
  readonly expire: number;
}

const COLUMNS = `user_id, famille, version_jetons, extract(epoch FROM expire)::float8 * 1000 AS expire`;

/**
 * Opens a family with its first token, and closes those that have ended and what the account has beyond
 * {@link FAMILLES_MAX}; in the transaction that `client` is in.
 *
 * @param jeton `expire` and `maintenant` in ms since the epoch
 * @returns false when the account is gone, inactive, or has another `version_jetons` by now
 */
export async function ouvrirFamille(
  client: Client,
  jeton: {
    readonly userId: string;
    readonly empreinte: Buffer;
    readonly versionJetons: number;
    readonly expire: number;
    readonly maintenant: number;
  },
): Promise<boolean> {
  const famille = randomUUID();
  const now = new Date(jeton.maintenant);
  const { rowCount } = await client.query(
    `INSERT INTO jeton_rafraichissement (id, user_id, famille, empreinte, version_jetons, expire, date_creation)
     SELECT $1, id, $3, $4, version_jetons, $6, $7 FROM "user"
      WHERE id = $2 AND actif AND version_jetons = $5 FOR KEY SHARE`,
    [
      ...[randomUUID(), jeton.userId, famille, jeton.empreinte],
      ...[jeton.versionJetons, new Date(jeton.expire), now],
    ],
  );
  if (rowCount === 0) return false;
  await client.query(
    `DELETE FROM jeton_rafraichissement WHERE user_id = $1 AND (expire <= $2 OR famille IN
       (SELECT famille FROM jeton_rafraichissement WHERE user_id = $1
         GROUP BY famille ORDER BY famille = $3 DESC, min(date_creation) DESC OFFSET $4))`,
    [jeton.userId, now, famille, FAMILLES_MAX],
  );
  return true;
}

/** What became of a refresh token that was handed in. */
export type Usage =
  | { readonly etat: 'bon'; readonly jeton: Rafraichissement }
  /** it had been used before: somebody has a copy, so the whole family is gone now */
  | { readonly etat: 'reutilise'; readonly jeton: Rafraichissement }
  | { readonly etat: 'inconnu' };

/**
 * Uses up a refresh token: of any number that come with it at once, one gets it; to all others it has been used
 * before, which ends its family.
 */
export async function utiliserRafraichissement(
  db: Queryable,
  empreinte: Buffer,
  maintenant: number,
): Promise<Usage> {
  const now = new Date(maintenant);
  const used = await db.query<Rafraichissement>(
    `UPDATE jeton_rafraichissement SET utilise = $2
      WHERE empreinte = $1 AND utilise IS NULL AND expire > $2 RETURNING ${COLUMNS}`,
    [empreinte, now],
  );
  if (used.rows[0]) return { etat: 'bon', jeton: used.rows[0] };
  const again = await db.query<Rafraichissement>(
    `SELECT ${COLUMNS} FROM jeton_rafraichissement WHERE empreinte = $1 AND utilise IS NOT NULL`,
    [empreinte],
  );
  const jeton = again.rows[0];
  if (!jeton) return { etat: 'inconnu' };
  await fermerFamille(db, jeton.famille);
  return { etat: 'reutilise', jeton };
}

/**
 * The next token of a family; in the transaction that `client` is in.
 *
 * @returns false when the family was closed, or its account deleted, meanwhile
 */
export async function continuerFamille(
  client: Client,
  precedent: Rafraichissement,
  empreinte: Buffer,
  maintenant: number,
): Promise<boolean> {
  // The account first, as whoever deletes it does: the other way round, each would wait for the other.
  await client.query('SELECT FROM "user" WHERE id = $1 FOR KEY SHARE', [precedent.user_id]);
  // Locks a row of the family: whoever closes it waits and then sees this token, or has taken the row before.
  const { rowCount } = await client.query(
    `INSERT INTO jeton_rafraichissement (id, user_id, famille, empreinte, version_jetons, expire, date_creation)
     SELECT $1, user_id, famille, $2, version_jetons, expire, $3::timestamptz
       FROM (SELECT * FROM jeton_rafraichissement WHERE famille = $4 LIMIT 1 FOR UPDATE) vivante`,
    [randomUUID(), empreinte, new Date(maintenant), precedent.famille],
  );
  return rowCount === 1;
}

/** Closes the family of a token. @returns the account it was of, undefined when there is no such token */
export async function fermerFamilleDe(db: Queryable, empreinte: Buffer): Promise<string | undefined> {
  const { rows } = await db.query<{ famille: string; user_id: string }>(
    'SELECT famille, user_id FROM jeton_rafraichissement WHERE empreinte = $1',
    [empreinte],
  );
  if (!rows[0]) return undefined;
  await fermerFamille(db, rows[0].famille);
  return rows[0].user_id;
}

/** Closes a family, also what is added to it at this very moment. */
export async function fermerFamille(db: Queryable, famille: string): Promise<void> {
  // A deletion that waited for an insertion does not see what was inserted: the next one does.
  for (;;) {
    const { rowCount } = await db.query('DELETE FROM jeton_rafraichissement WHERE famille = $1', [famille]);
    if (rowCount === 0) return;
  }
}

/** Closes every family of an account (its tokens are worth nothing any more). */
export async function fermerFamilles(db: Queryable, userId: string): Promise<void> {
  await db.query('DELETE FROM jeton_rafraichissement WHERE user_id = $1', [userId]);
}

/** Deletes families whose time is over. @returns number of tokens, at most 10,000 a call */
export async function balayerRafraichissements(db: Queryable, maintenant: number): Promise<number> {
  const { rowCount } = await db.query(
    `DELETE FROM jeton_rafraichissement
      WHERE id IN (SELECT id FROM jeton_rafraichissement WHERE expire <= $1 ORDER BY expire LIMIT 10000)`,
    [new Date(maintenant)],
  );
  return rowCount ?? 0;
}
