import type { Queryable } from '../pool.ts';
import { nom } from './page.ts';
import { parColonnes } from './par-colonnes.ts';
import { colonnesSql, type TableLue } from './table-lue.ts';
import { JOB_PROFILS, PERIODES_ARRET, PERIODES_ATTENTE, PIECES, SESSIONS } from './tables.ts';

/** What is read of a part: its rows in order of their number, which the unique index (session, number) gives. */
const partie = (table: TableLue, rang: string) =>
  parColonnes(
    table,
    `FROM ${table.from} WHERE t.session_id = $1::bigint ORDER BY t.${rang}`,
    ['session_id'],
    // Rows of one transaction: most have the instant of their session.
    { date_creation: 'p.date_creation' },
  );

/** What a session can bring with it, in the order of the answer. */
const PARTIES = {
  job_profils: partie(JOB_PROFILS, 'numero'),
  periodes_attente: partie(PERIODES_ATTENTE, 'numero'),
  periodes_arret: partie(PERIODES_ARRET, 'numero'),
  pieces_production: partie(PIECES, 'numero_piece'),
};

export type Partie = keyof typeof PARTIES;
export const PARTIES_DE_SESSION = Object.keys(PARTIES) as readonly Partie[];

/**
 * A session and the details asked for as one JSON text, or undefined: its own columns, then an array for each part,
 * whose elements are those of the part's own list, in order of their number. One statement.
 */
export async function lireSessionComplete(
  db: Queryable,
  id: number,
  parties: readonly Partie[],
): Promise<string | undefined> {
  const wanted = PARTIES_DE_SESSION.filter((partie) => parties.includes(partie));
  const sql = `SELECT row_to_json(p)::text, to_json(p.date_creation)::text${wanted.map((partie) => `, ${partie}.*`).join('')}
    FROM (SELECT ${colonnesSql(SESSIONS)} FROM ${SESSIONS.from} WHERE t.id = $1::bigint) p
    ${wanted.map((partie) => `CROSS JOIN LATERAL (${PARTIES[partie].sql}) ${partie}`).join(' ')}`;
  const { rows } = await db.query<(string | null)[]>({
    name: nom(sql),
    text: sql,
    values: [id],
    rowMode: 'array',
  });
  const row = rows[0];
  if (!row) return undefined;
  const [session, date_creation] = row as [string, string];
  let lus = 2;
  let json = session.slice(0, -1);
  for (const partie of wanted) {
    const { nombre, json: lignes } = PARTIES[partie];
    json += `,"${partie}":[${lignes(row.slice(lus, lus + nombre), { session_id: String(id) }, { date_creation })}]`;
    lus += nombre;
  }
  return `${json}}`;
}
