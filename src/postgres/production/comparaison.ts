import type { Queryable } from '../pool.ts';

/** Two databases of which one was made again: how their sessions differ, as `CENTRE/YYYY-MM-DD`. */
export interface Comparaison {
  /** the same figures and details */
  readonly identiques: number;
  /** in the other database only */
  readonly manquantes: readonly string[];
  /** in this one only */
  readonly enTrop: readonly string[];
  /** in both, but other figures, pieces, waits, stops or profiles */
  readonly differentes: readonly string[];
}

/** Figures and details of each session, without ids: they differ from database to database. */
const SESSIONS = `
  SELECT c.nom || '/' || s.date_production AS cle,
         md5(row(s.heure_premiere_piece, s.heure_derniere_piece, s.heure_premier_machine_start, s.heure_dernier_machine_stop,
                 s.total_pieces, s.duree_production_totale, s.temps_attente, s.temps_arret_volontaire, s.temps_production_effectif,
                 s.taux_occupation, s.taux_attente, s.taux_arret_volontaire,
                 (SELECT md5(string_agg(row(p.numero_piece, p.timestamp_production, p.details, j.numero)::text, '' ORDER BY p.numero_piece))
                    FROM piece_production p LEFT JOIN job_profil j ON j.id = p.job_profil_id WHERE p.session_id = s.id),
                 (SELECT md5(string_agg(row(j.numero, j.timestamp_debut, j.reference, j.longueur, j.couleur)::text, '' ORDER BY j.numero))
                    FROM job_profil j WHERE j.session_id = s.id),
                 (SELECT md5(string_agg(row(a.numero, a.timestamp_debut, a.timestamp_fin)::text, '' ORDER BY a.numero))
                    FROM periode_attente a WHERE a.session_id = s.id),
                 (SELECT md5(string_agg(row(a.numero, a.timestamp_debut, a.timestamp_fin)::text, '' ORDER BY a.numero))
                    FROM periode_arret a WHERE a.session_id = s.id))::text) AS empreinte
    FROM session_production s JOIN centre_usinage c ON c.id = s.centre_usinage_id
   WHERE s.origine = 'log' ORDER BY 1`;

/** Compares the sessions that are made of logs. Both databases must have the schema of this program. */
export async function comparerSessions(ici: Queryable, ailleurs: Queryable): Promise<Comparaison> {
  const [own, other] = await Promise.all([empreintes(ici), empreintes(ailleurs)]);
  const manquantes: string[] = [];
  const differentes: string[] = [];
  let identiques = 0;
  for (const [key, empreinte] of other) {
    const found = own.get(key);
    if (found === undefined) manquantes.push(key);
    else if (found !== empreinte) differentes.push(key);
    else identiques++;
  }
  return { identiques, manquantes, enTrop: [...own.keys()].filter((key) => !other.has(key)), differentes };
}

async function empreintes(db: Queryable): Promise<Map<string, string>> {
  const { rows } = await db.query<{ cle: string; empreinte: string }>(SESSIONS);
  return new Map(rows.map((row) => [row.cle, row.empreinte]));
}
