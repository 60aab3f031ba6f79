import type { Pool } from '../../src/postgres/pool.ts';

/** Tables whose instants are not those of what happened: the schedule looks ahead. */
const SANS_AGE = ['migration', 'planification'];

/**
 * Makes a database live in another time: everything that it noted since an instant is noted at another one. Days pass
 * as fast as a test calls this; triggers do not see it.
 */
export class Vieillisseur {
  readonly #pool: Pool;
  readonly #depuis: Date;
  readonly #updates: readonly string[];

  private constructor(pool: Pool, depuis: Date, updates: readonly string[]) {
    this.#pool = pool;
    this.#depuis = depuis;
    this.#updates = updates;
  }

  /** From now on; the simulated time lies before it. */
  static async depuisMaintenant(pool: Pool): Promise<Vieillisseur> {
    const { rows } = await pool.query<{ table: string; colonnes: string[]; maintenant: Date }>(
      `SELECT c.relname AS "table", array_agg(quote_ident(a.attname)::text) AS colonnes, clock_timestamp() AS maintenant
         FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname <> ALL ($1)
          AND a.atttypid = 'timestamptz'::regtype
        GROUP BY 1 ORDER BY 1`,
      [SANS_AGE],
    );
    const updates = rows.map(({ table, colonnes }) => {
      const set = colonnes.map((c) => `${c} = CASE WHEN ${c} >= $1 THEN $2::timestamptz ELSE ${c} END`);
      const where = colonnes.map((c) => `${c} >= $1`);
      return `UPDATE "${table}" SET ${set.join(', ')} WHERE ${where.join(' OR ')}`;
    });
    return new Vieillisseur(pool, rows[0]?.maintenant ?? new Date(), updates);
  }

  /** What was noted since the last call was noted at `instant`. Nothing may be under way. */
  async noterA(instant: Date): Promise<void> {
    const client = await this.#pool.connect();
    try {
      await client.query('BEGIN');
      await client.query('SET LOCAL session_replication_role = replica');
      for (const update of this.#updates) await client.query(update, [this.#depuis, instant]);
      await client.query('COMMIT');
    } finally {
      client.release();
    }
  }
}
