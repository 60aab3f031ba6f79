import { createHash, randomUUID } from 'node:crypto';
import { type ConstructorOptions, type Db, type JobWithMetadata, PgBoss } from 'pg-boss';
import { NOMS_TACHES, type NomTache, type PlanificationConfig } from '../../base/config/planification.ts';
import { AtelierError, messageOf } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { Queryable } from '../pool.ts';
import { ABANDONS, SCHEMA_FILE } from './file-schema.ts';

/** What a job of the queue carries. */
export interface DonneesTravail {
  readonly tache: NomTache;
  readonly declencheur: 'planifie' | 'demande';
  /** the tick, ISO 8601 UTC; null when it was asked for */
  readonly echeance: string | null;
  /** what was asked for besides the task itself */
  readonly options?: Readonly<Record<string, unknown>>;
}

export type Travail = JobWithMetadata<DonneesTravail>;

/** How long finished jobs are kept (s); `execution` is the record that lasts. */
const GARDE = 7 * 86_400;

/** Seconds. */
export interface Cadences {
  /** between two looks for jobs of workers that are gone */
  readonly surveillance: number;
  /** between two looks for a new job */
  readonly interrogation: number;
  /** without a sign of life after which a worker has lost its job; pg-boss takes no less than 10 */
  readonly silence: number;
}
export const CADENCES: Cadences = { surveillance: 10, interrogation: 2, silence: 30 };

/**
 * The queue as workers use it: pg-boss on a small pool of its own. Nothing in it may end the process: what goes wrong
 * inside is logged, once for each message in a row.
 */
export function creerFile(options: {
  readonly url: string;
  readonly logger: Logger;
  readonly cadences?: Cadences | undefined;
}): PgBoss {
  const { url, logger, cadences = CADENCES } = options;
  const boss = new PgBoss({
    connectionString: url,
    application_name: 'atelier-file',
    max: 3,
    ...COMMUN,
    supervise: true,
    superviseIntervalSeconds: cadences.surveillance,
    monitorIntervalSeconds: cadences.surveillance,
    registerInstance: false,
  });
  let last = '';
  boss.on('error', (error) => {
    const message = messageOf(error);
    if (message !== last)
      logger.warn({ erreur: message }, 'file de tâches : PostgreSQL ne répond pas comme attendu');
    last = message;
  });
  boss.on('warning', ({ message }) => logger.debug({ avertissement: message }, 'file de tâches'));
  return boss;
}

/** Migrations come by `atelier migrate`, ticks from our own planner (docs/decisions/0010-planification.md). */
const COMMUN: ConstructorOptions = {
  schema: SCHEMA_FILE,
  migrate: false,
  createSchema: false,
  schedule: false,
  openTelemetry: { enabled: false },
};

/** Runs `work` with the queue on a connection or pool of ours: for whoever only puts something in. */
export async function avecFile<T>(db: Queryable, work: (boss: PgBoss) => Promise<T>): Promise<T> {
  const boss = new PgBoss({ db: executeur(db), ...COMMUN, supervise: false, registerInstance: false });
  boss.on('error', () => undefined);
  try {
    await boss.start();
  } catch (cause) {
    throw new AtelierError('ATL_T701', `File de tâches : ${messageOf(cause)}`, { cause });
  }
  try {
    return await work(boss);
  } finally {
    await boss.stop({ graceful: false, close: false });
  }
}

/** pg-boss on a connection that may be in a transaction: what it writes is part of it. */
export function executeur(db: Queryable): Db {
  return {
    async executeSql(text, values) {
      const result = await db.query(text, values as unknown[]);
      return { rows: (Array.isArray(result) ? result.flatMap((one) => one.rows) : result.rows) as unknown[] };
    },
  };
}

/**
 * Puts a job in the queue of its task, in the transaction that `db` is in.
 *
 * @param options `travail`: its id, that of a tick is always the same; `silence`: see {@link Cadences}
 * @returns its id; null when it is there already
 */
export async function envoyer(
  boss: PgBoss,
  db: Queryable,
  donnees: DonneesTravail,
  regles: PlanificationConfig,
  { travail, silence = CADENCES.silence }: { travail?: string; silence?: number | undefined } = {},
): Promise<string | null> {
  const { tache, echeance } = donnees;
  return await boss.send(tache, donnees, {
    db: executeur(db),
    id: travail ?? (echeance === null ? randomUUID() : idDEcheance(tache, echeance)),
    retryLimit: regles.essais - 1,
    retryDelay: regles.pause,
    retryBackoff: true,
    retryDelayMax: regles.pauseMax,
    expireInSeconds: regles.delaiMax,
    heartbeatSeconds: silence,
    deleteAfterSeconds: GARDE,
    deadLetter: ABANDONS,
  });
}

/** The job of a tick has one id, whoever makes it (RFC 9562, version 8: our own hash). */
export function idDEcheance(tache: NomTache, echeance: string): string {
  const hash = createHash('sha256').update(`atelier|${tache}|${echeance}`).digest('hex');
  const variant = ((Number.parseInt(hash[16]!, 16) & 3) | 8).toString(16);
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-8${hash.slice(13, 16)}-${variant}${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
}

/**
 * Locks a job against being taken away for the rest of the transaction.
 *
 * @returns false when this attempt does not hold it (any more)
 */
export async function tenirTravail(
  db: Queryable,
  travail: Pick<Travail, 'id' | 'name' | 'retryCount'>,
): Promise<boolean> {
  const { rowCount } = await db.query(
    `SELECT FROM ${SCHEMA_FILE}.job WHERE name = $1 AND id = $2 AND state = 'active' AND retry_count = $3 FOR SHARE`,
    [travail.name, travail.id, travail.retryCount],
  );
  return rowCount === 1;
}

/**
 * Gives a job back that could not be finished through no fault of its own (the worker was stopped): it is ready at
 * once, and this attempt does not count.
 *
 * @param options `essaiPerdu`: the attempt counts, since the task may be what killed its worker (F33); after the last
 *   one the job is left for pg-boss to give up
 */
export async function rendreTravail(
  db: Queryable,
  travail: Pick<Travail, 'id' | 'name' | 'retryCount'>,
  { essaiPerdu = false } = {},
): Promise<boolean> {
  const { rowCount } = await db.query(
    `UPDATE ${SCHEMA_FILE}.job
        SET state = 'retry', heartbeat_on = NULL, retry_limit = retry_limit + CASE WHEN $4 THEN 0 ELSE 1 END,
            start_after = now() + CASE WHEN $4 THEN retry_delay ELSE 0 END * interval '1 s'
      WHERE name = $1 AND id = $2 AND state = 'active' AND retry_count = $3 AND (NOT $4 OR retry_count < retry_limit)`,
    [travail.name, travail.id, travail.retryCount, essaiPerdu],
  );
  return rowCount === 1;
}

/** Whether a job waits, runs, is done or was given up; undefined when the queue does not know it (any more). */
export async function etatTravail(
  db: Queryable,
  id: string,
): Promise<'attend' | 'court' | 'fait' | 'abandonne' | undefined> {
  const { rows } = await db.query<{ state: string }>(
    `SELECT state FROM ${SCHEMA_FILE}.job WHERE id = $1 AND name = ANY ($2)`,
    [id, NOMS_TACHES],
  );
  if (rows.length === 0) return undefined;
  const states = { created: 'attend', retry: 'attend', active: 'court', completed: 'fait' } as const;
  return states[rows[0]!.state as keyof typeof states] ?? 'abandonne';
}
