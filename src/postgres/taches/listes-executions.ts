import type { Queryable } from '../pool.ts';

export const ETATS = ['en_attente', 'en_cours', 'reussie', 'partielle', 'echouee', 'ignoree'] as const;

/** A run. Instants are seconds since the epoch, null when there is none. */
export interface ExecutionListee {
  readonly id: number;
  readonly tache: string;
  readonly etat: string;
  readonly declencheur: string;
  readonly debut: number;
  readonly duree_secondes: number | null;
  readonly echeance: number | null;
  readonly travail: string | null;
  readonly tentative: number;
  readonly tentatives_max: number | null;
  readonly compteurs: object;
  readonly erreur: string | null;
  readonly hote: string;
}

/** Runs, the last one first. */
export async function listerExecutions(
  db: Queryable,
  filtre: {
    readonly tache?: string | undefined;
    readonly etat?: string | undefined;
    readonly limite: number;
  },
): Promise<ExecutionListee[]> {
  const { rows } = await db.query<ExecutionListee>(
    `SELECT id, tache, etat, declencheur, extract(epoch FROM debut)::bigint AS debut,
            extract(epoch FROM fin - debut)::float8 AS duree_secondes, extract(epoch FROM echeance)::bigint AS echeance,
            travail, tentative, tentatives_max, compteurs, erreur, hote
       FROM execution
      WHERE ($1::text IS NULL OR tache = $1) AND ($2::text IS NULL OR etat = $2)
      ORDER BY id DESC LIMIT $3`,
    [filtre.tache ?? null, filtre.etat ?? null, filtre.limite],
  );
  return rows;
}
