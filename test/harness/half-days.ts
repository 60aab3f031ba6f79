import type { Pool } from '../../src/postgres/pool.ts';

/** Sessions that disagree with their rows, in one snapshot; what a reader must never see. */
const HALF = `
  WITH d AS (
    SELECT s.id, s.total_pieces, s.heure_premiere_piece, s.heure_derniere_piece,
      (SELECT count(*) FROM piece_production p WHERE p.session_id = s.id) AS pieces,
      (SELECT max(numero_piece) FROM piece_production p WHERE p.session_id = s.id) AS last_number,
      (SELECT min(timestamp_production) FROM piece_production p WHERE p.session_id = s.id) AS first_piece,
      (SELECT max(timestamp_production) FROM piece_production p WHERE p.session_id = s.id) AS last_piece,
      (SELECT count(*) FROM periode_attente a WHERE a.session_id = s.id) AS waits,
      (SELECT max(numero) FROM periode_attente a WHERE a.session_id = s.id) AS last_wait
    FROM session_production s)
  SELECT * FROM d WHERE total_pieces <> pieces OR coalesce(last_number, 0) <> pieces
    OR heure_premiere_piece IS DISTINCT FROM first_piece OR heure_derniere_piece IS DISTINCT FROM last_piece
    OR coalesce(last_wait, 0) <> waits`;

export interface Observation {
  /** half days met */
  readonly half: unknown[];
  /** `CENTRE/day` → every number of pieces that was seen */
  readonly totals: Map<string, Set<number>>;
  snapshots: number;
}

/** Polls the tables in REPEATABLE READ snapshots until `stop` is called, which gives what was seen. */
export function observe(pool: Pool): { stop: () => Promise<Observation> } {
  const seen: Observation = { half: [], totals: new Map(), snapshots: 0 };
  let stopped = false;
  const loop = async (): Promise<void> => {
    const client = await pool.connect();
    try {
      while (!stopped) {
        await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
        seen.half.push(...(await client.query(HALF)).rows);
        const { rows } = await client.query<{ key: string; total: number }>(
          `SELECT c.nom || '/' || s.date_production AS key, s.total_pieces AS total
             FROM session_production s JOIN centre_usinage c ON c.id = s.centre_usinage_id`,
        );
        await client.query('COMMIT');
        for (const { key, total } of rows) {
          seen.totals.set(key, (seen.totals.get(key) ?? new Set()).add(total));
        }
        seen.snapshots++;
      }
    } finally {
      client.release();
    }
  };
  const running = loop();
  return {
    stop: async () => {
      stopped = true;
      await running;
      return seen;
    },
  };
}
