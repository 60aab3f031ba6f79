import type { Queryable } from '../pool.ts';

/** Whether the first account may still be made by whoever stands at the door. */
export interface Porte {
  /** this database has never had an account */
  readonly ouverte: boolean;
  /** 16 random bytes of this database */
  readonly graine: Buffer;
}

export async function lirePorte(db: Queryable): Promise<Porte> {
  const { rows } = await db.query<Porte>(
    'SELECT amorcee_le IS NULL AND NOT EXISTS (SELECT FROM "user") AS ouverte, graine FROM installation',
  );
  return rows[0]!;
}

/** From here on no first account is made over the network, even when no account is left. */
export async function fermerPorte(db: Queryable): Promise<void> {
  await db.query('UPDATE installation SET amorcee_le = now() WHERE amorcee_le IS NULL');
}
