import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { NomTache, PlanificationConfig } from '../../base/config/planification.ts';
import { type Client, transaction } from '../pool.ts';
import { SCHEMA_FILE } from './file-schema.ts';
import { avecFile, envoyer } from './file-taches.ts';

/** Advisory lock of whoever asks for a task. */
const LOCK = 4_711_000_006;

/** What somebody asks the queue to run. */
export interface Demande {
  readonly tache: NomTache;
  readonly options: Readonly<Record<string, unknown>>;
  /** account that asks, undefined for a command on the server */
  readonly demandeur?: string | undefined;
}

/** What became of it. */
export interface DemandeRecue {
  /** its row in `execution`, `en_attente` until a worker takes it */
  readonly execution: number;
  readonly travail: string;
  /** false: the same task was waiting already, and this is it */
  readonly nouvelle: boolean;
  /** whether what was waiting is asked for with the same options */
  readonly memesOptions: boolean;
}

/**
 * Puts a task in the queue, in a transaction with its run. While the same task waits, a second demand is the first one.
 *
 * @param avant what else belongs to the transaction, for example a line of the audit log; only for a new demand
 * @throws AtelierError ATL_T701
 */
export async function demander(
  client: Client,
  demande: Demande,
  regles: PlanificationConfig,
  avant?: (recue: DemandeRecue) => Promise<void>,
): Promise<DemandeRecue> {
  const { tache, options, demandeur } = demande;
  return await avecFile(client, (boss) =>
    transaction(client, async () => {
      await client.query(
        `SET LOCAL lock_timeout = '10s'; SET LOCAL idle_in_transaction_session_timeout = '10s'`,
      );
      await client.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
      const { rows: waiting } = await client.query<{ id: number; travail: string; options: object | null }>(
        `SELECT e.id, e.travail, j.data -> 'options' AS options
           FROM execution e JOIN ${SCHEMA_FILE}.job j ON j.name = e.tache AND j.id = e.travail
          WHERE e.tache = $1 AND e.etat = 'en_attente' AND j.state IN ('created', 'retry') ORDER BY e.id LIMIT 1`,
        [tache],
      );
      if (waiting[0]) {
        const { id: execution, travail } = waiting[0];
        const memesOptions = isDeepStrictEqual({ ...waiting[0].options }, { ...options });
        return { execution, travail, nouvelle: false, memesOptions };
      }
      const travail = randomUUID();
      const { rows } = await client.query<{ id: number }>(
        `INSERT INTO execution (tache, etat, declencheur, travail, demandeur, hote, processus, tentatives_max)
         VALUES ($1, 'en_attente', 'demande', $2, $3, '', 0, $4) RETURNING id`,
        [tache, travail, demandeur ?? null, regles.essais],
      );
      const recue = { execution: rows[0]!.id, travail, nouvelle: true, memesOptions: true };
      await envoyer(boss, client, { tache, declencheur: 'demande', echeance: null, options }, regles, {
        travail,
      });
      await avant?.(recue);
      return recue;
    }),
  );
}

/** One attempt of a job as `execution` has it. */
export interface EssaiListe {
  readonly id: number;
  readonly tentative: number;
  readonly etat: string;
  readonly erreur: string | null;
  readonly compteurs: Record<string, unknown>;
}

/** The attempts of a job, the last one first. */
export async function listerEssais(db: Pick<Client, 'query'>, travail: string): Promise<EssaiListe[]> {
  const { rows } = await db.query<EssaiListe>(
    'SELECT id, tentative, etat, erreur, compteurs FROM execution WHERE travail = $1 ORDER BY id DESC',
    [travail],
  );
  return rows;
}
