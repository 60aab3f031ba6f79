import type { Queryable } from '../pool.ts';

/** When an admin let an account in again, ISO 8601; null: never. */
export async function dateReactivation(db: Queryable, userId: string): Promise<string | null> {
  const { rows } = await db.query<{ le: string | null }>(
    `SELECT to_json(reactive_le) #>> '{}' AS le FROM "user" WHERE id = $1`,
    [userId],
  );
  return rows[0]?.le ?? null;
}

/** An open sign-in of the dashboard. Instants are ISO 8601 with offset, in the connection's zone. */
export interface ConnexionOuverte {
  readonly date_creation: string;
  readonly expire: string;
  readonly renouvellements: number;
}

/** Open sign-ins of an account, oldest first. @param maintenant ms since the epoch */
export async function listerConnexions(
  db: Queryable,
  userId: string,
  maintenant: number,
): Promise<ConnexionOuverte[]> {
  const { rows } = await db.query<ConnexionOuverte>(
    `SELECT to_json(min(date_creation)) #>> '{}' AS date_creation, to_json(max(expire)) #>> '{}' AS expire,
            count(utilise)::integer AS renouvellements
       FROM jeton_rafraichissement WHERE user_id = $1 AND expire > $2 GROUP BY famille ORDER BY min(date_creation)`,
    [userId, new Date(maintenant)],
  );
  return rows;
}

/** Something that an account asked for or took over: a task, an alert. */
export interface GesteDePersonne {
  readonly instant: string;
  readonly objet: string;
}

/** Tasks that an account asked for by the API, oldest first. */
export async function demandesDePersonne(db: Queryable, userId: string): Promise<GesteDePersonne[]> {
  const { rows } = await db.query<GesteDePersonne>(
    `SELECT to_json(debut) #>> '{}' AS instant, tache AS objet FROM execution WHERE demandeur = $1 ORDER BY id`,
    [userId],
  );
  return rows;
}

/** Alerts that an account acknowledged, oldest first. */
export async function acquittementsDePersonne(db: Queryable, userId: string): Promise<GesteDePersonne[]> {
  const { rows } = await db.query<GesteDePersonne>(
    `SELECT to_json(acquittee_le) #>> '{}' AS instant, regle || ' : ' || objet AS objet
       FROM alerte WHERE acquittee_par = $1 AND acquittee_le IS NOT NULL ORDER BY id`,
    [userId],
  );
  return rows;
}

/** A line of the audit log about a person, without what it says of anyone else. */
export interface LigneDePersonne {
  readonly instant: string;
  readonly evenement: string;
  readonly par: 'vous' | 'un autre compte' | 'le serveur';
  readonly cible: string | null;
  readonly adresse: string | null;
  readonly details: Readonly<Record<string, unknown>>;
}

/** What an account did, and what was done to it, oldest first. The address of whoever else did it stays out. */
export async function journalDePersonne(db: Queryable, userId: string): Promise<LigneDePersonne[]> {
  const { rows } = await db.query<LigneDePersonne>(
    `SELECT to_json(instant) #>> '{}' AS instant, evenement,
            CASE WHEN user_id = $1::uuid THEN 'vous' WHEN user_id IS NULL THEN 'le serveur'
                 ELSE 'un autre compte' END AS par,
            cible, CASE WHEN user_id = $1::uuid THEN adresse END AS adresse, details
       FROM (SELECT * FROM journal_audit WHERE user_id = $1::uuid
              UNION
             SELECT * FROM journal_audit WHERE cible = $2 AND cible LIKE 'users/%') lignes
      ORDER BY id`,
    [userId, `users/${userId}`],
  );
  return rows;
}
