import { hostname } from 'node:os';
import { ESPACE } from '../../base/espace.ts';
import { noterExecution } from '../../base/fil.ts';
import type { Queryable } from '../pool.ts';

export type EtatExecution = 'reussie' | 'partielle' | 'echouee' | 'ignoree';

/**
 * Runs that this process opened. An open run that bears our number and is none of them was another's, before we were
 * started; no clock could tell as surely, since they are set, and the server has its own.
 */
const OUVERTES_ICI = new Set<number>();

/** To be called before others can see the run as open. */
export function noterOuverte(id: number): void {
  OUVERTES_ICI.add(id);
}

/** Nobody is at work on the run any more, whether or not its end could be noted. */
export function oublierOuverte(id: number): void {
  OUVERTES_ICI.delete(id);
}

export function ouverteIci(id: number): boolean {
  return OUVERTES_ICI.has(id);
}

/** Notes that a task starts that no queue knows of (a command); returns the id of its run. */
export async function startExecution(db: Queryable, tache: string): Promise<number> {
  const { rows } = await db.query<{ id: number }>(
    `INSERT INTO execution (tache, etat, declencheur, hote, processus, espace)
     VALUES ($1, 'en_cours', 'cli', $2, $3, $4) RETURNING id`,
    [tache, hostname(), process.pid, ESPACE],
  );
  const { id } = rows[0]!;
  noterOuverte(id);
  noterExecution(id);
  return id;
}

/**
 * Notes how a run ended, with its counts; what was noted first stays.
 *
 * @returns false when it had ended before: if this process did not end it, another one has taken the work over, and
 *   what the caller's transaction wrote must not be kept
 */
export async function endExecution(
  db: Queryable,
  id: number,
  etat: EtatExecution,
  compteurs: object,
  erreur?: string,
): Promise<boolean> {
  const { rowCount } = await db.query(
    `UPDATE execution SET etat = $2, fin = now(), compteurs = $3, erreur = $4 WHERE id = $1 AND etat = 'en_cours'`,
    [id, etat, JSON.stringify(compteurs), erreur ?? null],
  );
  return rowCount === 1;
}

/** A session of `pg_stat_activity a`: numbers come back, with their beginning they do not. */
export const SESSION = `a.pid || ' ' || extract(epoch FROM a.backend_start)`;

/**
 * Notes that the session of `client` works for a run and holds its locks: whoever takes the run over ends it.
 *
 * @returns false when the run is not ours any more
 */
export async function tenirExecution(client: Queryable, id: number): Promise<boolean> {
  const { rowCount } = await client.query(
    `UPDATE execution SET session_pg = ${SESSION}
       FROM pg_stat_activity a WHERE a.pid = pg_backend_pid() AND id = $1 AND etat = 'en_cours'`,
    [id],
  );
  return rowCount === 1;
}

/** A sign of life. @returns false when the run is not ours any more */
export async function battre(db: Queryable, id: number): Promise<boolean> {
  const { rowCount } = await db.query(
    `UPDATE execution SET battement = now() WHERE id = $1 AND etat = 'en_cours'`,
    [id],
  );
  return rowCount === 1;
}

/** How a run ended, or that it has not; undefined when there is no such run. */
export async function etatExecution(db: Queryable, id: number): Promise<string | undefined> {
  const { rows } = await db.query<{ etat: string }>('SELECT etat FROM execution WHERE id = $1', [id]);
  return rows[0]?.etat;
}
