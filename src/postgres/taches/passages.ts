import { hostname } from 'node:os';
import { ESPACE } from '../../base/espace.ts';
import { type Client, type Queryable, transaction } from '../pool.ts';
import { noterOuverte } from './executions.ts';
import { type Travail, tenirTravail } from './file-taches.ts';
import { ecarter } from './interruptions.ts';

/** What became of an attempt to start a job's run. */
export type Prise =
  | { readonly etat: 'pris'; readonly execution: number }
  /** an earlier attempt has done it: the job is finished */
  | { readonly etat: 'fait' }
  /** the job is not this worker's any more */
  | { readonly etat: 'perdu' };

/** Bounds of our transactions: a worker that is stopped in the middle must not keep the others waiting for long. */
const BORNES = `SET LOCAL lock_timeout = '10s'; SET LOCAL idle_in_transaction_session_timeout = '10s'`;

/**
 * Opens the run of a job's attempt. Whatever an earlier attempt left open is closed first and its database session
 * ended: a worker that was only stopped, and comes back, finds that it may not write any more (O7).
 */
export async function prendrePassage(client: Client, travail: Travail): Promise<Prise> {
  return await transaction(client, async (): Promise<Prise> => {
    await client.query(BORNES);
    if (!(await tenirTravail(client, travail))) return { etat: 'perdu' };
    // One job of a task at a time holds the queue: whatever run of it is still open was a lost worker's.
    await ecarter(client, 'e.tache = $1 AND e.travail IS NOT NULL', [travail.name]);
    const { tache, declencheur, echeance } = travail.data;
    const { rowCount: done } = await client.query(
      `SELECT FROM execution WHERE etat IN ('reussie', 'partielle')
          AND (travail = $1 OR tache = $2 AND echeance = $3::timestamptz) LIMIT 1`,
      [travail.id, tache, echeance],
    );
    if (done !== 0) return { etat: 'fait' };
    const values = [
      travail.id,
      travail.retryCount + 1,
      travail.retryLimit + 1,
      hostname(),
      process.pid,
      ESPACE,
    ];
    const { rows: asked } = await client.query<{ id: number }>(
      `UPDATE execution SET etat = 'en_cours', debut = now(), battement = now(), tentative = $2, tentatives_max = $3,
              hote = $4, processus = $5, espace = $6
        WHERE travail = $1 AND etat = 'en_attente' RETURNING id`,
      values,
    );
    if (asked[0]) return pris(asked[0].id);
    const { rows } = await client.query<{ id: number }>(
      `INSERT INTO execution (travail, tentative, tentatives_max, hote, processus, espace, tache, declencheur, echeance, demandeur, etat, battement)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9,
               (SELECT demandeur FROM execution WHERE travail = $1 ORDER BY id LIMIT 1), 'en_cours', now()) RETURNING id`,
      [...values, tache, declencheur, echeance],
    );
    return pris(rows[0]!.id);
  });
}

function pris(execution: number): Prise {
  noterOuverte(execution);
  return { etat: 'pris', execution };
}

/** Notes that a job was given up whose attempts could not even note their failure. */
export async function noterAbandon(db: Queryable, travail: string, erreur: string): Promise<void> {
  await db.query(
    `UPDATE execution SET etat = 'echouee', fin = now(), erreur = $2 WHERE travail = $1 AND etat IN ('en_attente', 'en_cours')`,
    [travail, erreur],
  );
}
