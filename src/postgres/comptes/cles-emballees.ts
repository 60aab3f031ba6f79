import type { Client, Pool, Queryable } from '../pool.ts';
import { transaction, withClient } from '../pool.ts';
import { lirePorte } from './installation.ts';
import { ANCIENNE } from './lignes.ts';

/** Advisory lock of the file of keys beside the backups: any constant that nobody else uses. */
const LOCK = 4_711_000_017;

/** The key of an account as it lies in the database. */
export interface CleEmballee {
  readonly compte: string;
  readonly cle: string;
  /** base64 */
  readonly enveloppe: string;
}

/** What the database knows of a master key. */
export interface TemoinEmballe {
  readonly id: string;
  /** base64 */
  readonly temoin: string;
  /** ISO 8601, UTC */
  readonly date_creation: string;
}

/** Keys of accounts and witnesses, as they lie; nothing is decrypted. */
export interface ClesEmballees {
  readonly temoins: readonly TemoinEmballe[];
  readonly cles: readonly CleEmballee[];
}

/**
 * Runs `work` while nobody else of this database writes the file of keys beside the backups.
 *
 * @param work gets the connection and what the database is recognised by, through restorations too
 */
export async function sousVerrouDesCles<T>(
  pool: Pool,
  work: (client: Client, graine: Buffer) => Promise<T>,
): Promise<T> {
  return await withClient(pool, (client) =>
    transaction(client, async () => {
      await client.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
      return await work(client, (await lirePorte(client)).graine);
    }),
  );
}

/** The keys of all accounts of a schema (as SQL names it). */
export async function clesEmballees(db: Queryable, schema = 'public'): Promise<ClesEmballees> {
  const cles = await db.query<CleEmballee>(
    `SELECT user_id AS compte, cle, encode(enveloppe, 'base64') AS enveloppe FROM ${schema}.compte_cle ORDER BY 1`,
  );
  const temoins = await db.query<TemoinEmballe>(
    `SELECT id, encode(temoin, 'base64') AS temoin,
            to_char(date_creation AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS date_creation
       FROM ${schema}.cle_chiffrement ORDER BY cle_chiffrement.date_creation, id`,
  );
  const flat = (text: string): string => text.replaceAll('\n', '');
  return {
    cles: cles.rows.map((row) => ({ ...row, enveloppe: flat(row.enveloppe) })),
    temoins: temoins.rows.map((row) => ({ ...row, temoin: flat(row.temoin) })),
  };
}

/** Keys of what restorations put aside, the newest first: they lie in no file. @param schemas as SQL names them */
export async function clesMisesDeCote(db: Queryable, schemas: readonly string[]): Promise<ClesEmballees[]> {
  const found: ClesEmballees[] = [];
  for (const schema of schemas.toReversed()) {
    const { rows } = await db.query<{ la: boolean }>(
      'SELECT to_regclass($1) IS NOT NULL AND to_regclass($2) IS NOT NULL AS la',
      [`${schema}.compte_cle`, `${schema}.cle_chiffrement`],
    );
    if (rows[0]!.la) found.push(await clesEmballees(db, schema));
  }
  return found;
}

/** Accounts of a snapshot that are unreadable without a key of their own. */
export async function comptesAvecCle(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ nombre: number }>(
    `SELECT count(*) AS nombre FROM "user" WHERE substring(username_chiffre for 1) = '\\x02'`,
  );
  return rows[0]!.nombre;
}

/**
 * Statements that give accounts out of a backup their keys: of several of one account that which its row was encrypted
 * with; of rows of before there were keys the first, so that other backups stay readable, too. What is there already
 * stays; of a master key that was taken up again after another one the later instant counts, or the other would pass for
 * the newest.
 *
 * @param cles checked: they become part of the text
 * @param schema as SQL names it
 */
export function sqlDesCles({ temoins, cles }: ClesEmballees, schema = 'public'): string[] {
  const bytea = (base64: string): string => `'\\x${Buffer.from(base64, 'base64').toString('hex')}'::bytea`;
  const text = (value: string): string => `'${value.replaceAll("'", "''")}'`;
  const statements: string[] = [];
  if (temoins.length > 0)
    statements.push(
      `INSERT INTO ${schema}.cle_chiffrement (id, temoin, date_creation) VALUES ${temoins
        .map((t) => `(${text(t.id)}, ${bytea(t.temoin)}, ${text(t.date_creation)}::timestamptz)`)
        .join(', ')}
       ON CONFLICT (id) DO UPDATE SET date_creation = greatest(cle_chiffrement.date_creation, excluded.date_creation)`,
    );
  if (cles.length > 0)
    statements.push(
      `INSERT INTO ${schema}.compte_cle (user_id, cle, enveloppe)
       SELECT DISTINCT ON (u.id) u.id, v.cle, v.enveloppe
         FROM (VALUES ${cles
           .map((c, i) => `(${text(c.compte)}::uuid, ${text(c.cle)}, ${bytea(c.enveloppe)}, ${i})`)
           .join(', ')}) v (compte, cle, enveloppe, rang)
         JOIN ${schema}."user" u ON u.id = v.compte
        WHERE substring(u.username_chiffre for 1) = '\\x01'
           OR v.cle IN (encode(substring(u.username_chiffre from 2 for 8), 'hex'),
                        encode(substring(u.email_chiffre from 2 for 8), 'hex'))
        ORDER BY u.id, v.rang ON CONFLICT DO NOTHING`,
    );
  // The master key that wraps an account's key may be a newer one than when the backup was made.
  statements.push(
    `UPDATE ${schema}."user" u SET cle_id = c.id
       FROM ${schema}.compte_cle k, ${schema}.cle_chiffrement c
      WHERE k.user_id = u.id AND c.id = encode(substring(k.enveloppe from 2 for 8), 'hex') AND u.cle_id <> c.id
        AND substring(u.username_chiffre for 1) = '\\x02'`,
  );
  return statements;
}

/** Accounts whose key is nowhere: nobody can read them any more. */
export async function comptesSansCle(db: Queryable): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    `SELECT id FROM "user" WHERE substring(username_chiffre for 1) = '\\x02'
        AND NOT EXISTS (SELECT FROM compte_cle k WHERE k.user_id = "user".id) ORDER BY id`,
  );
  return rows.map(({ id }) => id);
}

/** Accounts, and those of before there were keys, which still have none. */
export async function compterComptes(db: Queryable): Promise<{ tous: number; anciens: number }> {
  const { rows } = await db.query<{ tous: number; anciens: number }>(
    `SELECT count(*) AS tous, count(*) FILTER (WHERE ${ANCIENNE}) AS anciens FROM "user"`,
  );
  return rows[0]!;
}
