import type { Queryable } from '../pool.ts';
import { nom } from './page.ts';
import { colonnesSql, type TableLue } from './table-lue.ts';
import { JOB_PROFILS, PERIODES_ARRET, PERIODES_ATTENTE, PIECES, SESSIONS } from './tables.ts';

/** What a session can bring with it, in the order of the answer: key, table, and the column that numbers its rows. */
const PARTIES = {
  job_profils: [JOB_PROFILS, 'numero'],
  periodes_attente: [PERIODES_ATTENTE, 'numero'],
  periodes_arret: [PERIODES_ARRET, 'numero'],
  pieces_production: [PIECES, 'numero_piece'],
} as const satisfies Readonly<Record<string, readonly [TableLue, string]>>;

export type Partie = keyof typeof PARTIES;
export const PARTIES_DE_SESSION = Object.keys(PARTIES) as readonly Partie[];

/**
 * A session and the details asked for as one JSON text, or undefined: its own columns, then an array for each part,
 * whose elements are those of the part's own list, in order of their number. One statement; the unique index of each
 * table (session, number) gives its rows in order.
 */
export async function lireSessionComplete(
  db: Queryable,
  id: number,
  parties: readonly Partie[],
): Promise<string | undefined> {
  const wanted = PARTIES_DE_SESSION.filter((partie) => parties.includes(partie));
  const arrays = wanted.map((partie) => {
    const [table, rang] = PARTIES[partie];
    // Texts are joined, not JSON values: nothing is parsed a second time.
    return ` || ',"${partie}":[' || coalesce((SELECT string_agg(row_to_json(d)::text, ',') FROM (
      SELECT ${colonnesSql(table)} FROM ${table.from} WHERE t.session_id = $1::bigint ORDER BY t.${rang}) d), '') || ']'`;
  });
  const sql = `SELECT left(row_to_json(p)::text, -1)${arrays.join('')} || '}' AS json
    FROM (SELECT ${colonnesSql(SESSIONS)} FROM ${SESSIONS.from} WHERE t.id = $1::bigint) p`;
  const { rows } = await db.query<{ json: string }>({ name: nom(sql), text: sql, values: [id] });
  return rows[0]?.json;
}
