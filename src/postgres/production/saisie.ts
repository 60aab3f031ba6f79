/** Rows that people write through the API. Everything here runs inside a transaction of the caller, READ COMMITTED. */

import { colonnesSql, Parametres, type TableLue } from '../lecture/table-lue.ts';
import {
  CENTRES,
  COMMANDES,
  JOB_PROFILS,
  PERIODES_ARRET,
  PERIODES_ATTENTE,
  PIECES,
  SESSIONS,
} from '../lecture/tables.ts';
import type { Client, Queryable } from '../pool.ts';

/** A table as it is written by hand: nothing but these columns ever comes from a request. */
export interface TableSaisie {
  readonly lue: TableLue;
  /** column → SQL type of its value */
  readonly colonnes: Readonly<Record<string, string>>;
}

/** Values by column; `undefined` is left as it is, or takes the column's default. */
export type Valeurs = Readonly<Record<string, unknown>>;

export const CENTRES_SAISIS: TableSaisie = {
  lue: CENTRES,
  colonnes: { nom: 'text', type_cu: 'text', type_origine: 'text', description: 'text', actif: 'boolean' },
};

export const SESSIONS_SAISIES: TableSaisie = {
  lue: SESSIONS,
  colonnes: {
    centre_usinage_id: 'bigint',
    date_production: 'date',
    heure_premiere_piece: 'timestamptz',
    heure_derniere_piece: 'timestamptz',
    heure_premier_machine_start: 'timestamptz',
    heure_dernier_machine_stop: 'timestamptz',
    total_pieces: 'integer',
    duree_production_totale: 'numeric',
    temps_attente: 'numeric',
    temps_arret_volontaire: 'numeric',
    temps_production_effectif: 'numeric',
    taux_occupation: 'numeric',
    taux_attente: 'numeric',
    taux_arret_volontaire: 'numeric',
    fichier_log_source: 'text',
    origine: 'text',
  },
};

const HANGING = { centre_usinage_id: 'bigint', session_id: 'bigint' } as const;
const PERIODE = {
  ...HANGING,
  numero: 'integer',
  timestamp_debut: 'timestamptz',
  timestamp_fin: 'timestamptz',
  duree_secondes: 'numeric',
} as const;

/** A table of rows that hang on a session, numbered in it. */
export interface TableDeDetails extends TableSaisie {
  readonly numero: 'numero' | 'numero_piece';
}

export const JOB_PROFILS_SAISIS: TableDeDetails = {
  lue: JOB_PROFILS,
  numero: 'numero',
  colonnes: {
    ...HANGING,
    numero: 'integer',
    reference: 'text',
    longueur: 'numeric',
    couleur: 'text',
    timestamp_debut: 'timestamptz',
  },
};
export const PERIODES_ATTENTE_SAISIES: TableDeDetails = {
  lue: PERIODES_ATTENTE,
  numero: 'numero',
  colonnes: PERIODE,
};
export const PERIODES_ARRET_SAISIES: TableDeDetails = {
  lue: PERIODES_ARRET,
  numero: 'numero',
  colonnes: PERIODE,
};
export const PIECES_SAISIES: TableDeDetails = {
  lue: PIECES,
  numero: 'numero_piece',
  colonnes: {
    ...HANGING,
    numero_piece: 'integer',
    timestamp_production: 'timestamptz',
    details: 'text',
    job_profil_id: 'bigint',
  },
};

export const COMMANDES_SAISIES: TableSaisie = {
  lue: COMMANDES,
  colonnes: {
    numero_commande: 'text',
    extension: 'text',
    status: 'text',
    date_modification: 'date',
    coffre: 'text',
    coffres: 'text[]',
    gestion_en_stock: 'smallint',
    origine: 'text',
  },
};

/** The columns that have a value, and their values as parameters with a type. */
function affectations(
  table: TableSaisie,
  valeurs: Valeurs,
  parametres: Parametres,
): (readonly [nom: string, place: string])[] {
  return Object.entries(valeurs)
    .filter(([, valeur]) => valeur !== undefined)
    .map(([nom, valeur]) => {
      const type = Object.hasOwn(table.colonnes, nom) ? table.colonnes[nom] : undefined;
      if (type === undefined) throw new TypeError(`${table.lue.nom} : colonne non saisie ${nom}`);
      return [nom, `${parametres.add(valeur)}::${type}`] as const;
    });
}

/** Adds a row; returns its id. */
export async function insererLigne(client: Client, table: TableSaisie, valeurs: Valeurs): Promise<number> {
  const parametres = new Parametres();
  const values = affectations(table, valeurs, parametres);
  const { rows } = await client.query<{ id: number }>(
    `INSERT INTO ${table.lue.nom} (${values.map(([nom]) => nom).join(', ')})
     VALUES (${values.map(([, place]) => place).join(', ')}) RETURNING id`,
    parametres.valeurs,
  );
  return rows[0]!.id;
}

/** Writes the values that are given; those that are not stay. */
export async function changerLigne(
  client: Client,
  table: TableSaisie,
  id: number,
  valeurs: Valeurs,
): Promise<void> {
  const parametres = new Parametres();
  const values = affectations(table, valeurs, parametres);
  if (values.length === 0) return;
  await client.query(
    `UPDATE ${table.lue.nom} SET ${values.map(([nom, place]) => `${nom} = ${place}`).join(', ')}
      WHERE id = ${parametres.add(id)}::bigint`,
    parametres.valeurs,
  );
}

export async function supprimerLigne(client: Client, table: TableSaisie, id: number): Promise<void> {
  await client.query(`DELETE FROM ${table.lue.nom} WHERE id = $1::bigint`, [id]);
}

/**
 * Locks a row until the end of the transaction; returns its JSON as of then, as a GET gives it, or undefined.
 *
 * @param pour a change lets others go on referring to the row; a deletion does not
 */
export async function verrouillerLigne(
  client: Client,
  table: TableSaisie,
  id: number,
  pour: 'changer' | 'supprimer',
): Promise<string | undefined> {
  const force = pour === 'changer' ? 'NO KEY UPDATE' : 'UPDATE';
  const { rows } = await client.query<{ json: string }>(
    `SELECT row_to_json(p)::text AS json FROM (
       SELECT ${colonnesSql(table.lue)} FROM ${table.lue.from} WHERE t.id = $1::bigint FOR ${force} OF t) p`,
    [id],
  );
  return rows[0]?.json;
}

/**
 * Takes the lock of a writer on a whole table before any row of it. A synchronisation locks the table against
 * writers, then rows: whoever takes rows first and the table afterwards would make it a victim of a deadlock.
 */
export async function verrouillerTable(client: Client, table: TableSaisie): Promise<void> {
  await client.query(`LOCK TABLE ${table.lue.nom} IN ROW EXCLUSIVE MODE`);
}

/** The id of the row with these values, none of them NULL. */
export async function trouverLigne(
  db: Queryable,
  table: TableSaisie,
  valeurs: Valeurs,
): Promise<number | undefined> {
  const parametres = new Parametres();
  const conditions = affectations(table, valeurs, parametres).map(([nom, place]) => `${nom} = ${place}`);
  const { rows } = await db.query<{ id: number }>(
    `SELECT id FROM ${table.lue.nom} WHERE ${conditions.join(' AND ')} LIMIT 1`,
    parametres.valeurs,
  );
  return rows[0]?.id;
}

/** What details need to know of their session. */
export interface SessionDeDetails {
  readonly id: number;
  readonly centre_usinage_id: number;
  readonly origine: 'log' | 'manuel';
  /** `YYYY-MM-DD` */
  readonly date_production: string;
  /** its first start of the machine, else its first piece; null when neither is known */
  readonly debut: string | null;
}

/** The session, or undefined. `verrou`: locked, so that it stays and details are written one after the other. */
export async function sessionDeDetails(
  client: Client,
  id: number,
  options: { readonly verrou: boolean },
): Promise<SessionDeDetails | undefined> {
  const { rows } = await client.query<SessionDeDetails>(
    `SELECT id, centre_usinage_id, origine, date_production::text,
            coalesce(heure_premier_machine_start, heure_premiere_piece)::text AS debut
       FROM session_production WHERE id = $1::bigint${options.verrou ? ' FOR NO KEY UPDATE' : ''}`,
    [id],
  );
  return rows[0];
}

/** The number of the next row of a session, whose lock the caller holds. */
export async function numeroSuivant(
  client: Client,
  table: TableDeDetails,
  sessionId: number,
): Promise<number> {
  const { rows } = await client.query<{ suivant: number }>(
    `SELECT coalesce(max(${table.numero}), 0) + 1 AS suivant FROM ${table.lue.nom} WHERE session_id = $1::bigint`,
    [sessionId],
  );
  return rows[0]!.suivant;
}

/** Whether there is such a centre. */
export async function existeCentre(client: Client, id: number): Promise<boolean> {
  const { rowCount } = await client.query('SELECT 1 FROM centre_usinage WHERE id = $1::bigint', [id]);
  return rowCount === 1;
}

/** Whether a session, whose lock the caller holds, has such a profile. */
export async function existeProfil(client: Client, id: number, sessionId: number): Promise<boolean> {
  const { rowCount } = await client.query(
    'SELECT 1 FROM job_profil WHERE id = $1::bigint AND session_id = $2::bigint',
    [id, sessionId],
  );
  return rowCount === 1;
}

/** Rows that a centre cannot be deleted from under. */
export interface Dependances {
  readonly sessions: number;
  readonly fichiers: number;
  readonly evenements: number;
}

export async function dependancesDeCentre(client: Client, id: number): Promise<Dependances> {
  const { rows } = await client.query<Dependances>(
    `SELECT (SELECT count(*) FROM session_production WHERE centre_usinage_id = $1::integer) AS sessions,
            (SELECT count(*) FROM fichier_log WHERE centre_usinage_id = $1::integer) AS fichiers,
            (SELECT count(*) FROM type_evenement WHERE centre_usinage_id = $1::integer) AS evenements`,
    [id],
  );
  return rows[0]!;
}
