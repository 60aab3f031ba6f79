import type { Queryable } from '../pool.ts';

/** What the database knows of the keys that accounts are encrypted with. */
export interface TemoinCle {
  readonly id: string;
  readonly temoin: Buffer;
  /** accounts under this key */
  readonly comptes: number;
}

/** Witnesses of keys, oldest first; unlike opening the coffer this writes nothing. */
export async function lireTemoins(db: Queryable): Promise<TemoinCle[]> {
  const { rows } = await db.query<TemoinCle>(
    `SELECT c.id, c.temoin, (SELECT count(*) FROM "user" u WHERE u.cle_id = c.id) AS comptes
       FROM cle_chiffrement c ORDER BY c.date_creation, c.id`,
  );
  return rows;
}
