import { hostname } from 'node:os';
import type { Queryable } from './pool.ts';

export type EtatExecution = 'reussie' | 'partielle' | 'echouee' | 'ignoree';

/** Notes that a task starts; returns the id of its run. */
export async function startExecution(db: Queryable, tache: string): Promise<number> {
  const { rows } = await db.query<{ id: number }>(
    `INSERT INTO execution (tache, etat, hote, processus) VALUES ($1, 'en_cours', $2, $3) RETURNING id`,
    [tache, hostname(), process.pid],
  );
  return rows[0]!.id;
}

/** Notes how a run ended, with its counts; what was noted first stays. */
export async function endExecution(
  db: Queryable,
  id: number,
  etat: EtatExecution,
  compteurs: object,
  erreur?: string,
): Promise<void> {
  await db.query(
    `UPDATE execution SET etat = $2, fin = now(), compteurs = $3, erreur = $4 WHERE id = $1 AND etat = 'en_cours'`,
    [id, etat, JSON.stringify(compteurs), erreur ?? null],
  );
}
