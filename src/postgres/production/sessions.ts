import { formatDay, parseDay } from '../../base/time.ts';
import type { Client } from '../pool.ts';

/** Computed columns of `session_production` and the SQL types of their parameters. A new figure goes here. */
const TYPES = {
  heure_premiere_piece: 'float8',
  heure_derniere_piece: 'float8',
  heure_premier_machine_start: 'float8',
  heure_dernier_machine_stop: 'float8',
  total_pieces: 'int',
  duree_production_totale: 'numeric',
  temps_attente: 'numeric',
  temps_arret_volontaire: 'numeric',
  temps_production_effectif: 'numeric',
  taux_occupation: 'numeric',
  taux_attente: 'numeric',
  taux_arret_volontaire: 'numeric',
  fichier_log_source: 'text',
} as const;
type Name = keyof typeof TYPES;
const COLUMNS = Object.keys(TYPES) as Name[];
const NAMES = COLUMNS.join(', ');
const ARRAYS = COLUMNS.map((name, i) => `$${i + 2}::${TYPES[name]}[]`).join(', ');
const isInstant = (name: Name): boolean => TYPES[name] === 'float8';
const VALUES = COLUMNS.map((name) => (isInstant(name) ? `to_timestamp(u.${name})` : `u.${name}`)).join(', ');
const STORED = COLUMNS.map((name) =>
  isInstant(name) ? `extract(epoch FROM ${name})::float8 AS ${name}` : name,
).join(', ');

/** Mark of a row: who wrote it, and where it lies. No two states of a row have the same. */
const JETON = "xmin::text || ' ' || ctid::text";

/** Figures of a session: instants in seconds since the epoch or null, decimals as text with all their places. */
export type SessionValeurs = {
  readonly [N in Name]: (typeof TYPES)[N] extends 'float8'
    ? number | null
    : (typeof TYPES)[N] extends 'int'
      ? number
      : string;
};

/** A computed session on its way into the database. */
export interface SessionEcrite {
  /** production day, as a day number */
  readonly jour: number;
  readonly valeurs: SessionValeurs;
}

export interface SessionStockee {
  readonly id: number;
  readonly jour: number;
  /** another one after each change of the row */
  readonly jeton: string;
  /** computed columns, in the order of the table above */
  readonly values: readonly unknown[];
}

/** Sessions computed from logs that are stored for the given days. */
export async function loadSessions(
  client: Client,
  centreId: number,
  jours: readonly number[],
): Promise<SessionStockee[]> {
  const { rows } = await client.query<Record<string, unknown>>({
    name: 'sessions_load',
    text: `SELECT id, date_production, ${JETON} AS jeton, ${STORED} FROM session_production
            WHERE centre_usinage_id = $1 AND date_production = ANY($2::date[]) AND origine = 'log'`,
    values: [centreId, jours.map(formatDay)],
  });
  return rows.map((row) => ({
    id: row['id'] as number,
    jour: parseDay(row['date_production'] as string),
    jeton: row['jeton'] as string,
    values: COLUMNS.map((name) => row[name] ?? null),
  }));
}

/** Writes new sessions; returns their ids in the same order. */
export async function insertSessions(
  client: Client,
  centreId: number,
  sessions: readonly SessionEcrite[],
): Promise<number[]> {
  if (sessions.length === 0) return [];
  const { rows } = await client.query<{ id: number; date_production: string }>(
    `INSERT INTO session_production (centre_usinage_id, origine, date_production, ${NAMES})
     SELECT $1, 'log', u.date_production, ${VALUES}
       FROM unnest(${ARRAYS}, $${COLUMNS.length + 2}::date[]) u (${NAMES}, date_production)
     RETURNING id, date_production`,
    [
      centreId,
      ...COLUMNS.map((name) => sessions.map((session) => session.valeurs[name])),
      sessions.map((s) => formatDay(s.jour)),
    ],
  );
  const ids = new Map(rows.map((row) => [parseDay(row.date_production), row.id]));
  return sessions.map((session) => ids.get(session.jour)!);
}

/**
 * Writes the figures of a stored session when they differ.
 *
 * @returns the row's new mark, or undefined when they do not
 */
export async function updateSession(
  client: Client,
  centreId: number,
  stored: SessionStockee,
  session: SessionEcrite,
): Promise<string | undefined> {
  const values = COLUMNS.map((name) => session.valeurs[name]);
  if (values.every((value, i) => value === stored.values[i])) return undefined;
  const parametres: unknown[] = [];
  const text = updateSql(parametres, centreId, stored.id, session);
  const { rows } = await client.query<{ jeton: string }>({
    name: 'session_update',
    text,
    values: parametres,
  });
  return rows[0]?.jeton;
}

/**
 * The statement that writes the figures of a session and returns its new mark.
 *
 * @param parametres its parameters are added here
 * @param jeton mark without which nothing is written, when given
 */
export function updateSql(
  parametres: unknown[],
  centreId: number,
  id: number,
  session: SessionEcrite,
  jeton?: string,
): string {
  const add = (value: unknown): string => `$${parametres.push(value)}`;
  const set = COLUMNS.map((name) => {
    const value = `${add(session.valeurs[name])}::${TYPES[name]}`;
    return `${name} = ${isInstant(name) ? `to_timestamp(${value})` : value}`;
  });
  const guard = jeton === undefined ? '' : ` AND ${JETON} = ${add(jeton)}`;
  return `UPDATE session_production SET ${set.join(', ')}
           WHERE centre_usinage_id = ${add(centreId)} AND id = ${add(id)}${guard} RETURNING ${JETON} AS jeton`;
}

/**
 * Gives the row of a session another mark, for its details changed and its figures did not. To be called after they are
 * written: an announcement is made by whoever changes details of a session that its own transaction has not written.
 */
export async function touchSession(
  client: Client,
  centreId: number,
  id: number,
): Promise<string | undefined> {
  const { rows } = await client.query<{ jeton: string }>(
    `UPDATE session_production SET total_pieces = total_pieces WHERE centre_usinage_id = $1 AND id = $2
     RETURNING ${JETON} AS jeton`,
    [centreId, id],
  );
  return rows[0]?.jeton;
}

/** Deletes sessions with all that hangs on them. */
export async function deleteSessions(
  client: Client,
  centreId: number,
  ids: readonly number[],
): Promise<void> {
  if (ids.length === 0) return;
  await client.query(
    'DELETE FROM session_production WHERE centre_usinage_id = $1 AND id = ANY($2::bigint[])',
    [centreId, ids],
  );
}
