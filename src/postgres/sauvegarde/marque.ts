import { AtelierError } from '../../base/errors.ts';
import type { Client, Queryable } from '../pool.ts';
import { quoted, schemaCourant, TABLE_DE_MARQUE } from './copie.ts';

/** What was begun on a database and is not done: no other command may use it until then. */
export interface Marque {
  readonly genre: 'restauration' | 'reconstruction';
  /** name of the backup; empty for a rebuild */
  readonly sauvegarde: string;
  /** ISO 8601 */
  readonly debut: string;
}

/** The mark of a database, undefined when there is none. */
export async function lireMarque(db: Queryable): Promise<Marque | undefined> {
  const { rows } = await db.query<{ la: boolean }>('SELECT to_regclass($1) IS NOT NULL AS la', [
    TABLE_DE_MARQUE,
  ]);
  if (!rows[0]!.la) return undefined;
  const found = await db.query<{ genre: Marque['genre']; sauvegarde: string; debut: Date }>(
    `SELECT genre, sauvegarde, debut FROM ${TABLE_DE_MARQUE}`,
  );
  const row = found.rows[0];
  return row && { genre: row.genre, sauvegarde: row.sauvegarde, debut: row.debut.toISOString() };
}

/** Marks a database (`schema`: where, when it is not the current one); in the transaction of what is begun, so that one is never there without the other. */
export async function poserMarque(
  client: Client,
  marque: Omit<Marque, 'debut'>,
  schema?: string,
): Promise<void> {
  const table = `${quoted(schema ?? (await schemaCourant(client)))}.${TABLE_DE_MARQUE}`;
  await client.query(
    `CREATE TABLE ${table} (genre text NOT NULL, sauvegarde text NOT NULL, debut timestamptz NOT NULL)`,
  );
  await client.query(
    `COMMENT ON TABLE ${table} IS 'Restauration ou reconstruction inachevée : tant que cette table existe, atelier refuse la base'`,
  );
  await client.query(`INSERT INTO ${table} VALUES ($1, $2, clock_timestamp())`, [
    marque.genre,
    marque.sauvegarde,
  ]);
}

export async function oterMarque(client: Client): Promise<void> {
  await client.query(`DROP TABLE IF EXISTS ${TABLE_DE_MARQUE}`);
}

/** Refuses a database on which something was begun and not ended. @throws AtelierError ATL_B906 */
export async function exigerSansMarque(db: Queryable): Promise<void> {
  const marque = await lireMarque(db);
  if (!marque) return;
  const what =
    marque.genre === 'restauration'
      ? `restauration de ${marque.sauvegarde}`
      : 'reconstruction depuis les archives';
  throw new AtelierError('ATL_B906', `Cette base est au milieu d’une ${what}, commencée le ${marque.debut}.`);
}
