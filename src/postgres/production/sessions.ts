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
  /** computed columns, in the order of the table above */
  readonly values: readonly unknown[];
}

/** Sessions computed from logs that are stored for the given days. */
export async function loadSessions(
  client: Client,
  centreId: number,
  jours: readonly number[],
): Promise<SessionStockee[]> {
  const { rows } = await client.query<Record<string, unknown>>(
    `SELECT id, date_production, ${STORED} FROM session_production
      WHERE centre_usinage_id = $1 AND date_production = ANY($2::date[]) AND origine = 'log'`,
    [centreId, jours.map(formatDay)],
  );
  return rows.map((row) => ({
    id: row['id'] as number,
    jour: parseDay(row['date_production'] as string),
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

/** Writes the figures of a stored session when they differ; returns whether they did. */
export async function updateSession(
  client: Client,
  centreId: number,
  stored: SessionStockee,
  session: SessionEcrite,
): Promise<boolean> {
  const values = COLUMNS.map((name) => session.valeurs[name]);
  if (values.every((value, i) => value === stored.values[i])) return false;
  const id = `$${COLUMNS.length + 2}`;
  await client.query(
    `UPDATE session_production s SET (${NAMES}) = (SELECT ${VALUES} FROM unnest(${ARRAYS}) u (${NAMES}))
      WHERE s.centre_usinage_id = $1 AND s.id = ${id}`,
    [centreId, ...values.map((value) => [value]), stored.id],
  );
  return true;
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
