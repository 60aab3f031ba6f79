import type { Role } from '../../base/roles.ts';
import type { Client, Queryable } from '../pool.ts';

/** An API key as people see it: never its secret nor the hash of it. Instants are ISO 8601 in the connection's zone. */
export interface CleApi {
  readonly id: string;
  readonly user_id: string;
  readonly nom: string;
  readonly portees: readonly string[];
  readonly date_fin: string;
  readonly revoquee: string | null;
  readonly derniere_utilisation: string | null;
  readonly date_creation: string;
}

const COLUMNS = ['date_fin', 'revoquee', 'derniere_utilisation', 'date_creation']
  // JSON writes an instant as ISO 8601 with offset; to_char would not know the zone's minutes.
  .reduce((list, name) => `${list}, to_json(${name}) #>> '{}' AS ${name}`, 'id, user_id, nom, portees');

/** A new key. @param cle `empreinte`: SHA-256 of the secret; `dateFin`: ms since the epoch */
export async function creerCle(
  db: Queryable,
  cle: {
    readonly id: string;
    readonly userId: string;
    readonly nom: string;
    readonly empreinte: Buffer;
    readonly portees: readonly string[];
    readonly dateFin: number;
  },
): Promise<CleApi> {
  const { rows } = await db.query<CleApi>(
    `INSERT INTO cle_api (id, user_id, nom, empreinte, portees, date_fin)
     VALUES ($1, $2, $3, $4, $5, $6) RETURNING ${COLUMNS}`,
    [cle.id, cle.userId, cle.nom, cle.empreinte, cle.portees, new Date(cle.dateFin)],
  );
  return rows[0]!;
}

/**
 * Number of keys of an account that can still be used; nobody adds one to it, nor deletes it, before the transaction
 * that `client` is in ends.
 *
 * @param maintenant ms since the epoch
 * @returns undefined when there is no such account
 */
export async function compterClesValables(
  client: Client,
  userId: string,
  maintenant: number,
): Promise<number | undefined> {
  const locked = await client.query('SELECT FROM "user" WHERE id = $1 FOR NO KEY UPDATE', [userId]);
  if (locked.rowCount === 0) return undefined;
  const { rows } = await client.query<{ nombre: number }>(
    'SELECT count(*) AS nombre FROM cle_api WHERE user_id = $1 AND revoquee IS NULL AND date_fin > $2',
    [userId, new Date(maintenant)],
  );
  return rows[0]!.nombre;
}

/** A key; with `userId`, only when it is one of that account. */
export async function lireCle(db: Queryable, id: string, userId?: string): Promise<CleApi | undefined> {
  const { rows } = await db.query<CleApi>(
    `SELECT ${COLUMNS} FROM cle_api WHERE id = $1 AND ($2::uuid IS NULL OR user_id = $2)`,
    [id, userId ?? null],
  );
  return rows[0];
}

/** Keys, latest first, of one account or of all. */
export async function listerCles(
  db: Queryable,
  page: { readonly userId?: string | undefined; readonly skip: number; readonly limit: number },
): Promise<{ cles: CleApi[]; total: number }> {
  const { rows } = await db.query<CleApi>(
    `SELECT ${COLUMNS} FROM cle_api WHERE $1::uuid IS NULL OR user_id = $1
      ORDER BY cle_api.date_creation DESC, id LIMIT $2 OFFSET $3`,
    [page.userId ?? null, page.limit, page.skip],
  );
  const count = await db.query<{ nombre: number }>(
    'SELECT count(*) AS nombre FROM cle_api WHERE $1::uuid IS NULL OR user_id = $1',
    [page.userId ?? null],
  );
  return { cles: rows, total: count.rows[0]!.nombre };
}

/** Ends a key for good. @returns false when it had been ended before */
export async function revoquerCle(db: Queryable, id: string, maintenant: number): Promise<boolean> {
  const { rowCount } = await db.query('UPDATE cle_api SET revoquee = $2 WHERE id = $1 AND revoquee IS NULL', [
    id,
    new Date(maintenant),
  ]);
  return rowCount === 1;
}

/** Keys of an account that still open something, latest first. @param maintenant ms since the epoch */
export async function clesValables(
  db: Queryable,
  userId: string,
  maintenant: number,
): Promise<Pick<CleApi, 'id' | 'nom' | 'portees' | 'date_fin' | 'derniere_utilisation'>[]> {
  const { rows } = await db.query<CleApi>(
    `SELECT ${COLUMNS} FROM cle_api WHERE user_id = $1 AND revoquee IS NULL AND cle_api.date_fin > $2
      ORDER BY cle_api.date_creation DESC, id`,
    [userId, new Date(maintenant)],
  );
  return rows.map(({ id, nom, portees, date_fin, derniere_utilisation }) => ({
    ...{ id, nom, portees, date_fin, derniere_utilisation },
  }));
}

/** Ends all keys of an account that are not ended yet. @returns their ids */
export async function revoquerClesDe(db: Queryable, userId: string, maintenant: number): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    'UPDATE cle_api SET revoquee = $2 WHERE user_id = $1 AND revoquee IS NULL RETURNING id',
    [userId, new Date(maintenant)],
  );
  return rows.map(({ id }) => id);
}

/** What checking a key needs, with the state of its account. Instants are ms since the epoch. */
export interface EtatCle {
  readonly user_id: string;
  readonly empreinte: Buffer;
  readonly portees: readonly string[];
  readonly date_fin: number;
  readonly revoquee: boolean;
  readonly derniere_utilisation: number | null;
  readonly role: Role;
  readonly actif: boolean;
}

/** The hot path of every request that comes with a key: one prepared statement by primary keys. */
export async function etatCle(db: Queryable, id: string): Promise<EtatCle | undefined> {
  const { rows } = await db.query<EtatCle>({
    name: 'etat-cle',
    text: `SELECT c.user_id, c.empreinte, c.portees, extract(epoch FROM c.date_fin)::float8 * 1000 AS date_fin,
                  c.revoquee IS NOT NULL AS revoquee,
                  extract(epoch FROM c.derniere_utilisation)::float8 * 1000 AS derniere_utilisation,
                  u.role, u.actif
             FROM cle_api c JOIN "user" u ON u.id = c.user_id WHERE c.id = $1`,
    values: [id],
  });
  return rows[0];
}

/** Notes that a key was used; whoever comes second within the minute writes nothing. */
export async function noterUtilisation(db: Queryable, id: string, maintenant: number): Promise<void> {
  await db.query(
    `UPDATE cle_api SET derniere_utilisation = $2
      WHERE id = $1 AND (derniere_utilisation IS NULL OR derniere_utilisation <= $2::timestamptz - interval '1 minute')`,
    [id, new Date(maintenant)],
  );
}
