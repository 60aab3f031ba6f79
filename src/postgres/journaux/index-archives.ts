import type { Client, Queryable } from '../pool.ts';

/** Bytes seen at a path, by what they count for there. */
export interface EtatsDUnChemin {
  readonly chemin: string;
  readonly actives: readonly string[];
  readonly remplacees: readonly string[];
}

const STATES = `
  SELECT f.chemin,
         coalesce(array_agg(encode(v.sha256, 'hex') ORDER BY v.sha256) FILTER (WHERE c.etat = 'active'), '{}') AS actives,
         coalesce(array_agg(encode(v.sha256, 'hex') ORDER BY v.sha256) FILTER (WHERE c.etat = 'remplacee'), '{}') AS remplacees
    FROM fichier_log f JOIN fichier_log_contenu c ON c.fichier_log_id = f.id JOIN fichier_log_version v ON v.id = c.version_id`;

/** What the bytes seen at some paths of a centre count for. */
export async function etatsDesChemins(
  db: Queryable,
  centreId: number,
  chemins: readonly string[],
): Promise<EtatsDUnChemin[]> {
  if (chemins.length === 0) return [];
  const { rows } = await db.query<EtatsDUnChemin>(
    `${STATES} WHERE f.centre_usinage_id = $1 AND f.chemin = ANY($2::text[]) GROUP BY f.id`,
    [centreId, chemins],
  );
  return rows;
}

/** Every path of every centre that holds more than its archive can say: second paths, bytes put aside. */
export async function cheminsParticuliers(db: Queryable): Promise<(EtatsDUnChemin & { centre: string })[]> {
  const { rows } = await db.query<EtatsDUnChemin & { centre: string }>(
    `SELECT z.nom AS centre, e.* FROM (
       ${STATES.replace('SELECT f.chemin', 'SELECT f.centre_usinage_id, f.chemin')}
        WHERE f.id IN (SELECT c.fichier_log_id FROM fichier_log_contenu c
                        WHERE c.etat = 'remplacee'
                           OR c.version_id IN (SELECT version_id FROM fichier_log_contenu GROUP BY version_id HAVING count(*) > 1))
        GROUP BY f.id) e JOIN centre_usinage z ON z.id = e.centre_usinage_id`,
  );
  return rows;
}

/** Rows of centres with the ids that they had, so that archives lie where they are looked for. */
export async function creerCentre(client: Client, id: number, nom: string): Promise<void> {
  await client.query(
    `INSERT INTO centre_usinage (id, nom) SELECT $1, $2 WHERE NOT EXISTS (SELECT FROM centre_usinage WHERE nom = $2 OR id = $1)`,
    [id, nom],
  );
  await client.query(
    `SELECT setval(pg_get_serial_sequence('centre_usinage', 'id'), greatest(max(id), nextval(pg_get_serial_sequence('centre_usinage', 'id')) - 1))
       FROM centre_usinage`,
  );
}

/** Bytes that were put aside at a path, and the path under which they were read for the occasion. */
export interface Adoption {
  readonly chemin: string;
  readonly provisoire: string;
  readonly sha256: string;
}

/**
 * Lets bytes count as put aside at a path (`remplacee`), and forgets the one under which they were read. With the centre
 * locked.
 *
 * @returns the versions concerned, to be settled
 */
export async function adopterRemplacees(
  client: Client,
  centreId: number,
  adoptions: readonly Adoption[],
): Promise<number[]> {
  const chemins = adoptions.map((a) => a.chemin);
  const shas = adoptions.map((a) => Buffer.from(a.sha256, 'hex'));
  await client.query(
    `INSERT INTO fichier_log (centre_usinage_id, chemin, etat, taille)
     SELECT DISTINCT $1::int, chemin, 'lu', 0 FROM unnest($2::text[]) chemin ON CONFLICT DO NOTHING`,
    [centreId, chemins],
  );
  const { rows } = await client.query<{ version_id: number }>(
    `INSERT INTO fichier_log_contenu (fichier_log_id, version_id, etat)
     SELECT f.id, v.id, 'remplacee' FROM unnest($2::text[], $3::bytea[]) a (chemin, sha)
       JOIN fichier_log f ON f.centre_usinage_id = $1 AND f.chemin = a.chemin
       JOIN fichier_log_version v ON v.centre_usinage_id = $1 AND v.sha256 = a.sha
     ON CONFLICT (fichier_log_id, version_id) DO UPDATE SET etat = 'remplacee'
     RETURNING version_id`,
    [centreId, chemins, shas],
  );
  const provisoires = adoptions.map((a) => a.provisoire);
  const drafts = `SELECT id FROM fichier_log WHERE centre_usinage_id = $1 AND chemin = ANY($2::text[])`;
  for (const table of ['fichier_log_contenu', 'fichier_log_prefixe'])
    await client.query(`DELETE FROM ${table} WHERE fichier_log_id IN (${drafts})`, [centreId, provisoires]);
  await client.query(`DELETE FROM fichier_log WHERE id IN (${drafts})`, [centreId, provisoires]);
  return rows.map((row) => row.version_id);
}

/** Number of sessions that are made of logs. */
export async function compterSessions(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ n: number }>(
    `SELECT count(*) AS n FROM session_production WHERE origine = 'log'`,
  );
  return rows[0]!.n;
}
