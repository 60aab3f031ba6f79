import { formatDay, parseDay } from '../../base/time.ts';
import type { Client, Queryable } from '../pool.ts';
import { DERNIERE_LECTURE, date, type JoursEchus, VERSION_ECHUE, values } from './jours.ts';

/** SQL: rejected line `r` of version `v` is past: by its day, or with its version when it belongs to none. */
const REJET_ECHU = `CASE WHEN r.jour IS NULL THEN v.echue
  ELSE (v.compte OR v.recue < $4::timestamptz) AND ${date('r.jour')} AND r.jour NOT IN (SELECT jour FROM recents) END`;
/** SQL: versions of the centre that have lines in quarantine, with what is the same for all of those; their days that are recent. */
const versions = (parmi = ''): string => `versions AS MATERIALIZED (
  SELECT v.id, v.derniere_reception AS recue, v.ecartee IS NULL AS compte, (${VERSION_ECHUE}) AS echue FROM fichier_log_version v ${DERNIERE_LECTURE}
   WHERE v.centre_usinage_id = $1 AND v.lignes_rejetees > v.rejets_purges ${parmi}),
 recents AS MATERIALIZED (
  SELECT DISTINCT oj.jour FROM versions v JOIN fichier_log_jour oj ON oj.version_id = v.id
    JOIN fichier_log_jour rj ON rj.centre_usinage_id = $1 AND rj.jour = oj.jour AND rj.recu_le >= $4::timestamptz)`;

/** What of the quarantine of a centre is past. */
export interface RejetsEchus {
  /** day numbers */
  readonly jours: readonly number[];
  /** how many lines of each version */
  readonly versions: ReadonlyMap<number, number>;
}

/** Rejected lines that are to go: their days (some belong to none), and their versions. */
export async function rejetsEchus(
  db: Queryable,
  echeance: JoursEchus,
  maintenant: number,
): Promise<RejetsEchus> {
  const { rows } = await db.query<{ version_id: number; jour: string | null; nombre: number }>(
    `WITH ${versions()}
     SELECT r.version_id, r.jour, count(*) AS nombre FROM versions v JOIN ligne_rejetee r ON r.version_id = v.id
      WHERE r.centre_usinage_id = $1 AND ${REJET_ECHU} GROUP BY 1, 2 ORDER BY 1`,
    [...values(echeance), new Date(maintenant)],
  );
  const jours = new Set(rows.flatMap(({ jour }) => (jour === null ? [] : [parseDay(jour)])));
  const nombres = new Map<number, number>();
  for (const { version_id, nombre } of rows) nombres.set(version_id, (nombres.get(version_id) ?? 0) + nombre);
  return { jours: [...jours].sort((a, b) => a - b), versions: nombres };
}

const COMPTER = `
  UPDATE fichier_log_version v
     SET rejets_purges = v.rejets_purges + p.nombre, octets_rejets_purges = v.octets_rejets_purges + p.octets
    FROM (SELECT version_id, count(*) AS nombre, sum(longueur) AS octets FROM parties GROUP BY version_id) p
   WHERE v.id = p.version_id`;

/**
 * Deletes rejected lines of versions that are past the period, and counts them in their versions.
 *
 * @param parmi ids of the versions
 * @returns number, at most `limite`
 */
export async function supprimerRejetsEchus(
  client: Client,
  echeance: JoursEchus,
  maintenant: number,
  parmi: readonly number[],
  limite: number,
): Promise<number> {
  const { rows } = await client.query<{ nombre: number }>(
    `WITH ${versions('AND v.id = ANY ($6::int[])')},
          echues AS (SELECT r.version_id, r.ligne FROM versions v JOIN ligne_rejetee r ON r.version_id = v.id
                      WHERE ${REJET_ECHU} LIMIT $7),
          parties AS (DELETE FROM ligne_rejetee q USING echues e
                       WHERE q.version_id = e.version_id AND q.ligne = e.ligne RETURNING q.version_id, q.longueur),
          compte AS (${COMPTER})
     SELECT count(*) AS nombre FROM parties`,
    [...values(echeance), new Date(maintenant), parmi, limite],
  );
  return rows[0]!.nombre;
}

/** Deletes the rejected lines of days, and counts them in their versions. @returns number of lines */
export async function supprimerRejetsDe(
  client: Client,
  centreId: number,
  jours: readonly number[],
): Promise<number> {
  const { rows } = await client.query<{ nombre: number }>(
    `WITH parties AS (DELETE FROM ligne_rejetee q WHERE q.centre_usinage_id = $1 AND q.jour = ANY ($2::date[])
                      RETURNING q.version_id, q.longueur),
          compte AS (${COMPTER})
     SELECT count(*) AS nombre FROM parties`,
    [centreId, jours.map(formatDay)],
  );
  return rows[0]!.nombre;
}
