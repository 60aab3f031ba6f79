import type { Queryable } from './pool.ts';

export interface CentreRow {
  readonly id: number;
  readonly nom: string;
  readonly type_cu: string;
}

/** The centre of that name, if there is one. */
export async function findCentre(db: Queryable, nom: string): Promise<CentreRow | undefined> {
  const { rows } = await db.query<CentreRow>('SELECT id, nom, type_cu FROM centre_usinage WHERE nom = $1', [
    nom,
  ]);
  return rows[0];
}

/**
 * The centre of that name, made when it is new. Its type follows folder and configuration until somebody
 * corrects it by hand; a guess (`INCONNU`) never replaces a known type.
 */
export async function ensureCentre(
  db: Queryable,
  nom: string,
  type: string,
): Promise<CentreRow & { nouveau: boolean }> {
  const { rows } = await db.query<CentreRow & { type_origine: string }>(
    'SELECT id, nom, type_cu, type_origine FROM centre_usinage WHERE nom = $1',
    [nom],
  );
  const known = rows[0];
  if (known && (known.type_cu === type || type === 'INCONNU' || known.type_origine === 'manuel')) {
    return { ...known, nouveau: false };
  }
  const written = await db.query<CentreRow>(
    `INSERT INTO centre_usinage (nom, type_cu) VALUES ($1, $2)
     ON CONFLICT (nom) DO UPDATE SET type_cu = CASE centre_usinage.type_origine
       WHEN 'manuel' THEN centre_usinage.type_cu ELSE excluded.type_cu END
     RETURNING id, nom, type_cu`,
    [nom, type],
  );
  return { ...written.rows[0]!, nouveau: !known };
}

/** Names of the centres that settings or the database know, in alphabetical order. */
export async function nomsConnus(
  db: Queryable,
  regles: readonly { readonly nom: string }[],
): Promise<readonly string[]> {
  const { rows } = await db.query<{ nom: string }>('SELECT nom FROM centre_usinage');
  return [...new Set([...regles, ...rows].map(({ nom }) => nom))].sort();
}
