import { setTimeout as sleep } from 'node:timers/promises';
import { AtelierError, messageOf } from '../base/errors.ts';
import { dansFil } from '../base/fil.ts';
import type { Logger } from '../base/logger.ts';
import { Shutdown } from '../base/shutdown.ts';
import { transaction, withClient } from '../postgres/pool.ts';
import { battre, endExecution, etatExecution, oublierOuverte } from '../postgres/taches/executions.ts';
import { rendreTravail, type Travail } from '../postgres/taches/file-taches.ts';
import { prendrePassage } from '../postgres/taches/passages.ts';
import type { OptionsTache, ResultatTache, Tache, TacheContext } from './taches/tache.ts';

/** What a worker gives to each run. */
export type PassageContext = Omit<TacheContext, 'shutdown' | 'signal' | 'execution' | 'options'> & {
  /** the log of a task: each has its file */
  readonly journalDe: (tache: Tache) => Logger;
};

/** Between two signs of life of a run (ms). */
const BATTEMENT = 10_000;
/** How long a task that was told to stop may take over its step (ms); then it is left to itself, fenced off. */
const PATIENCE = 20_000;

/**
 * One attempt of a job: opens its run, executes the task, notes the end. Whatever is thrown makes the queue try again
 * later, until it gives up.
 *
 * @param rendre aborted when the worker has no more time: the job is handed back
 */
export async function executerTravail(
  ctx: PassageContext,
  tache: Tache,
  travail: Travail,
  rendre: AbortSignal,
): Promise<void> {
  const { echeance, declencheur, options } = travail.data;
  const logger = ctx.journalDe(tache);
  const prise = await withClient(ctx.pool, (client) => prendrePassage(client, travail));
  if (prise.etat === 'fait') {
    logger.info({ tache: tache.nom, echeance }, 'déjà faite par un essai précédent');
    return;
  }
  if (prise.etat === 'perdu') throw reprise(tache);
  const { execution } = prise;
  const essai = travail.retryCount + 1;
  logger.info({ tache: tache.nom, execution, declencheur, echeance, essai }, 'tâche commencée');
  const shutdown = new Shutdown();
  const stop = watch(ctx, travail, execution, shutdown, rendre);
  try {
    const work = dansFil({ tache: tache.nom, execution }, () =>
      tache.executer({
        ...ctx,
        ...{ logger, shutdown, execution },
        signal: shutdown.signal,
        options: (options ?? {}) as OptionsTache,
      }),
    );
    await noter(ctx, tache, execution, await patient(work, shutdown.signal));
    logger.info({ tache: tache.nom, execution }, 'tâche terminée');
  } catch (thrown) {
    const error = shutdown.signal.aborted ? interruption(tache, shutdown.signal) : thrown;
    const erreur = messageOf(error);
    if (rendre.aborted && (await rendreLeTravail(ctx, travail, execution, erreur))) {
      logger.warn({ tache: tache.nom, execution, echeance }, 'tâche rendue à la file');
    } else {
      // The database may be what failed: then the run is closed by whoever takes the job next.
      await endExecution(ctx.pool, execution, 'echouee', {}, erreur).catch(() => undefined);
      logger.error(
        { tache: tache.nom, execution, echeance, essai, essais: travail.retryLimit + 1, erreur },
        'essai échoué',
      );
    }
    throw error;
  } finally {
    stop();
    oublierOuverte(execution);
  }
}

/** Tells the task to stop when its time is over, the worker's is, or the run has become another's; and beats. */
function watch(
  ctx: PassageContext,
  travail: Travail,
  execution: number,
  shutdown: Shutdown,
  rendre: AbortSignal,
): () => void {
  // pg-boss aborts when the attempt has lasted too long, or when it finds the job in other hands.
  const onAbort = (): void =>
    shutdown.request('délai dépassé (TACHE_DELAI_MAX), ou travail repris par un autre');
  const onRendre = (): void => shutdown.request('arrêt du worker');
  travail.signal.addEventListener('abort', onAbort, { once: true });
  rendre.addEventListener('abort', onRendre, { once: true });
  if (travail.signal.aborted) onAbort();
  if (rendre.aborted) onRendre();
  const timer = setInterval(() => {
    battre(ctx.pool, execution).then(
      (ours) => {
        if (!ours) shutdown.request('passage repris par un autre worker');
      },
      // The database is away: that alone is no reason to stop.
      () => undefined,
    );
  }, BATTEMENT);
  return () => {
    clearInterval(timer);
    travail.signal.removeEventListener('abort', onAbort);
    rendre.removeEventListener('abort', onRendre);
  };
}

/** The result of a task; or an error when it does not listen to its signal. */
async function patient(work: Promise<ResultatTache>, signal: AbortSignal): Promise<ResultatTache> {
  const over = new AbortController();
  const late = (async (): Promise<never> => {
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
      over.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    await sleep(PATIENCE, undefined, { signal: over.signal });
    throw new Error('la tâche n’écoute plus');
  })();
  late.catch(() => undefined);
  // Left to itself, it may still fail.
  work.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    over.abort();
  }
}

/** Notes the end, unless the task has done so itself, in the transaction of what it wrote. */
async function noter(
  ctx: PassageContext,
  tache: Tache,
  execution: number,
  { etat, compteurs }: ResultatTache,
): Promise<void> {
  const ended = await endExecution(ctx.pool, execution, etat, compteurs);
  if (!ended && (await etatExecution(ctx.pool, execution)) !== etat) throw reprise(tache);
  if (etat === 'reussie' || etat === 'partielle') return;
  throw new AtelierError(
    'ATL_T704',
    `Tâche ${tache.nom} : ${etat === 'ignoree' ? 'une autre est en cours' : 'échouée'}.`,
  );
}

async function rendreLeTravail(
  ctx: PassageContext,
  travail: Travail,
  execution: number,
  erreur: string,
): Promise<boolean> {
  return await withClient(ctx.pool, (client) =>
    transaction(client, async () => {
      await endExecution(client, execution, 'echouee', {}, erreur);
      return await rendreTravail(client, travail);
    }),
  ).catch(() => false);
}

function reprise(tache: Tache): AtelierError {
  return new AtelierError('ATL_T703', `Tâche ${tache.nom} : un autre worker a repris ce passage.`);
}

function interruption(tache: Tache, signal: AbortSignal): AtelierError {
  return new AtelierError('ATL_T704', `Tâche ${tache.nom} interrompue : ${messageOf(signal.reason)}`);
}
