import { NOMS_TACHES, type NomTache } from '../../base/config/planification.ts';
import type { Queryable } from '../pool.ts';
import { SCHEMA_FILE } from '../taches/file-schema.ts';

/** Where a task stands. Instants are seconds since the epoch, null when there is none. */
export interface EtatTache {
  readonly tache: NomTache;
  /** null: only on demand (or no worker has run yet) */
  readonly horaire: string | null;
  readonly fuseau: string | null;
  readonly prochaine_echeance: number | null;
  /** up to which ticks were queued or left */
  readonly derniere_echeance: number | null;
  /** ticks that passed while everything was stopped and were not caught up */
  readonly echeances_manquees: number;
  /** jobs of the queue */
  readonly en_attente: number;
  readonly en_cours: number;
  /** the last run that began, whoever started it */
  readonly dernier_passage: {
    readonly id: number;
    readonly etat: string;
    readonly debut: number;
    readonly fin: number | null;
    readonly erreur: string | null;
  } | null;
  readonly derniere_reussite: number | null;
}

/** All tasks, in the order of the program. */
export async function lireEtatTaches(db: Queryable): Promise<EtatTache[]> {
  const { rows } = await db.query<EtatTache>(
    `SELECT t.tache, p.horaire, p.fuseau,
            extract(epoch FROM p.prochaine_echeance)::bigint AS prochaine_echeance,
            extract(epoch FROM p.derniere_echeance)::bigint AS derniere_echeance,
            coalesce(p.echeances_manquees, 0) AS echeances_manquees,
            f.en_attente, f.en_cours, d.dernier_passage, r.derniere_reussite
       FROM unnest($1::text[]) WITH ORDINALITY AS t (tache, rang)
       LEFT JOIN planification p USING (tache)
       CROSS JOIN LATERAL (
         SELECT count(*) FILTER (WHERE j.state IN ('created', 'retry')) AS en_attente,
                count(*) FILTER (WHERE j.state = 'active') AS en_cours
           FROM ${SCHEMA_FILE}.job j WHERE j.name = t.tache AND j.state IN ('created', 'retry', 'active')) f
       LEFT JOIN LATERAL (
         SELECT json_build_object('id', e.id, 'etat', e.etat, 'debut', extract(epoch FROM e.debut)::bigint,
                                  'fin', extract(epoch FROM e.fin)::bigint, 'erreur', e.erreur) AS dernier_passage
           FROM execution e WHERE e.tache = t.tache AND e.etat <> 'en_attente' ORDER BY e.id DESC LIMIT 1) d ON true
       LEFT JOIN LATERAL (
         SELECT extract(epoch FROM e.fin)::bigint AS derniere_reussite FROM execution e
          WHERE e.tache = t.tache AND e.etat IN ('reussie', 'partielle') ORDER BY e.id DESC LIMIT 1) r ON true
      ORDER BY t.rang`,
    [NOMS_TACHES],
  );
  return rows;
}
