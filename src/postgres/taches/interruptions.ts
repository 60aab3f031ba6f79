import { ESPACE, vit } from '../../base/espace.ts';
import { type Client, transaction } from '../pool.ts';
import { ouverteIci, SESSION } from './executions.ts';
import { SCHEMA_FILE } from './file-schema.ts';
import { rendreTravail } from './file-taches.ts';

/** A run that was open, and whose process is gone. */
export interface Interrompue {
  readonly id: number;
  readonly tache: string;
}

/** Runs of the queue whose attempt does not hold its job any more. */
const SANS_TRAVAIL = `e.travail IS NOT NULL AND NOT EXISTS (
  SELECT FROM ${SCHEMA_FILE}.job j
   WHERE j.name = e.tache AND j.id = e.travail AND j.state = 'active' AND j.retry_count + 1 = e.tentative)`;

/**
 * Closes open runs (`execution e`) that were taken from their worker, and ends the database sessions that work for them:
 * a worker that was only stopped keeps no lock that way, and finds when it comes back that it may not write any more.
 */
export async function ecarter(
  client: Client,
  condition: string,
  values: readonly unknown[] = [],
): Promise<Interrompue[]> {
  const session = `e.session_pg = ${SESSION} AND a.pid <> pg_backend_pid()`;
  // Sessions first: one that was stopped in the middle of its last transaction holds the row.
  await client.query(
    `SELECT pg_terminate_backend(a.pid) FROM execution e JOIN pg_stat_activity a ON ${session}
      WHERE e.etat = 'en_cours' AND ${condition}`,
    [...values],
  );
  // And again those of the runs that are closed: a job may have been taken from its worker since.
  const { rows } = await client.query<Interrompue>(
    `WITH e AS (
       UPDATE execution e SET etat = 'echouee', fin = now(), erreur = 'interrompue : le worker a disparu, un autre reprend la tâche'
        WHERE e.etat = 'en_cours' AND ${condition} RETURNING e.id, e.tache, e.session_pg)
     SELECT e.id, e.tache, (SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a WHERE ${session}) AS session FROM e`,
    [...values],
  );
  return rows.map(({ id, tache }) => ({ id, tache }));
}

/**
 * Closes the runs whose process is gone, and puts the jobs of those that were of this machine back in the queue: a worker
 * that was killed and started again goes on at once. Of other machines, pg-boss finds out when they are silent; runs
 * that no queue knows of are closed after a day.
 */
export async function fermerInterrompues(client: Client): Promise<Interrompue[]> {
  const closed = await ecarter(client, SANS_TRAVAIL);
  const { rows: jamais } = await client.query<Interrompue>(
    `UPDATE execution e SET etat = 'echouee', fin = now(), erreur = 'jamais commencée : le travail n’est plus dans la file'
      WHERE e.etat = 'en_attente' AND NOT EXISTS (
        SELECT FROM ${SCHEMA_FILE}.job j
         WHERE j.name = e.tache AND j.id = e.travail AND j.state IN ('created', 'retry', 'active'))
      RETURNING e.id, e.tache`,
  );
  closed.push(...jamais);
  for (const ouverte of await ouvertes(client)) {
    if (ouverte.ici ? estLa(ouverte) : !ouverte.vieille) continue;
    if (await transaction(client, () => fermer(client, ouverte))) closed.push(ouverte);
  }
  return closed;
}

/** Whether the process of a run of this machine may still be at it. */
function estLa({ id, processus }: Ouverte): boolean {
  return processus === process.pid ? ouverteIci(id) : vit(processus);
}

interface Ouverte extends Interrompue {
  readonly travail: string | null;
  readonly tentative: number;
  readonly processus: number;
  /** whether its process number means something here */
  readonly ici: boolean;
  readonly vieille: boolean;
}

/** Open runs of which this machine can tell, or nobody else will. */
async function ouvertes(client: Client): Promise<Ouverte[]> {
  const { rows } = await client.query<Ouverte>(
    `SELECT id, tache, travail, tentative, processus, espace IS NOT DISTINCT FROM $1 AS ici,
            debut < now() - interval '1 day' AS vieille
       FROM execution WHERE etat = 'en_cours' AND (travail IS NULL OR espace = $1) ORDER BY id`,
    [ESPACE],
  );
  return rows;
}

async function fermer(client: Client, { id, tache, travail, tentative }: Ouverte): Promise<boolean> {
  const { rowCount } = await client.query(
    `UPDATE execution SET etat = 'echouee', fin = now(), erreur = 'interrompue : le processus a disparu'
      WHERE id = $1 AND etat = 'en_cours'`,
    [id],
  );
  if (rowCount === 1 && travail !== null) {
    await rendreTravail(
      client,
      { name: tache, id: travail, retryCount: tentative - 1 },
      { essaiPerdu: true },
    );
  }
  return rowCount === 1;
}
