import type { Queryable } from '../pool.ts';
import { quoted } from './copie.ts';

/** What stood in the way of a restoration (`restore --forcer`), and lies in a schema of its own since. */
export interface MiseDeCote {
  readonly schema: string;
  /** when it was put there, ms since 1970; the name tells */
  readonly depuis: number;
  /** whether this connection may drop it */
  readonly supprimable: boolean;
}

/** Schemas that restorations put aside, oldest first. */
export async function misesDeCote(db: Queryable): Promise<MiseDeCote[]> {
  const { rows } = await db.query<{ schema: string; supprimable: boolean }>(
    `SELECT nspname AS schema, pg_has_role(nspowner, 'USAGE') AS supprimable FROM pg_namespace
      WHERE nspname ~ '^avant_restauration_[0-9]{14}$' ORDER BY nspname`,
  );
  return rows.map((row) => ({ ...row, depuis: instant(row.schema) }));
}

/**
 * Drops those that have had their time: they hold accounts and names that were erased elsewhere since, so they may stay as
 * long as a backup, not longer.
 *
 * @param avant ms since 1970
 * @returns names of those that are gone, and of those that belong to another role and stay
 */
export async function supprimerMisesDeCote(
  db: Queryable,
  avant: number,
): Promise<{ supprimees: string[]; restent: string[] }> {
  const old = (await misesDeCote(db)).filter(({ depuis }) => depuis < avant);
  const supprimees: string[] = [];
  for (const { schema, supprimable } of old) {
    if (!supprimable) continue;
    await db.query(`DROP SCHEMA ${quoted(schema)} CASCADE`);
    supprimees.push(schema);
  }
  return { supprimees, restent: old.filter((one) => !one.supprimable).map(({ schema }) => schema) };
}

function instant(schema: string): number {
  const [y, m, d, h, min, s] = /(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(schema)!.slice(1).map(Number);
  return Date.UTC(y!, m! - 1, d, h, min, s);
}
