// The bare server that the API is compared with: Fastify and pg, the same JSON built in PostgreSQL by one query, and
// nothing else: no account, no check of input, no limit, no headers. Arguments: address of the database, connections.
import Fastify from 'fastify';
import pg from 'pg';
import { lirePage } from '../../src/postgres/lecture/page.ts';
import { SESSIONS } from '../../src/postgres/lecture/tables.ts';
import type { Queryable } from '../../src/postgres/pool.ts';

const [url, connections] = process.argv.slice(2);
const pool = new pg.Pool({
  connectionString: url!,
  max: Number(connections),
  options: '-c TimeZone=Europe/Paris -c jit=off',
});

/**
 * The statement of a page, to the letter, with its name and values: taken from the program while it asks nobody. With one
 * of its own the bare server would be compared by another plan than ours.
 */
async function statementOfPage(limit: number): Promise<pg.QueryArrayConfig> {
  const asked: pg.QueryArrayConfig[] = [];
  const nobody = {
    query: (config: pg.QueryArrayConfig) => {
      asked.push(config);
      return Promise.resolve({ rows: [] });
    },
  } as unknown as Queryable;
  await lirePage(nobody, SESSIONS, {
    ...{ filtres: {}, tri: [{ colonne: 'id', sens: 'asc' }], skip: 0, limit },
    total: 'auto',
  });
  if (asked.length !== 1) throw new Error(`a page takes ${asked.length} statements`);
  return asked[0]!;
}
const LIMIT = 100;
const LISTE = await statementOfPage(LIMIT);
const details = (table: string, columns: string, order: string): string =>
  `(SELECT coalesce(json_agg(d), '[]') FROM (SELECT ${columns} FROM ${table} WHERE session_id = $1 ORDER BY ${order}) d)`;
const SESSION = {
  name: 'session',
  text: `SELECT row_to_json(s)::text AS json FROM (
    SELECT id, centre_usinage_id, date_production, heure_premiere_piece, heure_derniere_piece,
           heure_premier_machine_start, heure_dernier_machine_stop, total_pieces, duree_production_totale,
           temps_attente, temps_arret_volontaire, temps_production_effectif, taux_occupation, taux_attente,
           taux_arret_volontaire, fichier_log_source, origine, date_creation,
           ${details('job_profil', 'id, session_id, reference, longueur, couleur, timestamp_debut, date_creation', 'numero')} AS job_profils,
           ${details('periode_attente', 'id, session_id, timestamp_debut, timestamp_fin, duree_secondes, date_creation', 'numero')} AS periodes_attente,
           ${details('periode_arret', 'id, session_id, timestamp_debut, timestamp_fin, duree_secondes, date_creation', 'numero')} AS periodes_arret,
           ${details('piece_production', 'id, session_id, numero_piece, timestamp_production, details, job_profil_id, date_creation', 'numero_piece')} AS pieces_production
      FROM session_production WHERE id = $1) s`,
};

const app = Fastify();
app.get('/sessions/', async (_request, reply) => {
  // One row more than the page has comes, as to the API.
  const { rows } = await pool.query<[json: string]>(LISTE);
  const page = rows.slice(0, LIMIT).map(([json]) => json);
  return reply.type('application/json; charset=utf-8').send(`[${page.join(',')}]`);
});
app.get('/sessions/:id', async (request, reply) => {
  const { id } = request.params as { id: string };
  const { rows } = await pool.query<{ json: string }>({ ...SESSION, values: [id] });
  return reply.type('application/json; charset=utf-8').send(rows[0]!.json);
});
await app.listen({ host: '127.0.0.1', port: 0 });
console.log(`port ${(app.server.address() as { port: number }).port}`);
