// A worker without a command, with tasks that a test gives: also for child processes, so nothing of the test runner here.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../src/base/logger.ts';
import { silentLogger } from '../../src/base/logger.ts';
import type { Tache } from '../../src/jobs/taches/tache.ts';
import { executerWorker, type OptionsWorker, type WorkerContext } from '../../src/jobs/worker.ts';
import type { Pool } from '../../src/postgres/pool.ts';
import { makeContext, type Settings } from './context.ts';

export interface WorkerPlaces {
  readonly url: string;
  readonly logs?: string;
  readonly archives?: string;
  readonly settings?: Settings;
  readonly logger?: Logger;
}

export function makeWorkerContext(places: WorkerPlaces): WorkerContext {
  const { url, logs = '/nulle-part', archives = '/nulle-part', settings, logger = silentLogger() } = places;
  const ctx = makeContext({ url, logs, archives, settings });
  return { ...ctx, logger, url, journalDe: () => logger };
}

export interface RunningWorker {
  readonly ctx: WorkerContext;
  /** resolves once it runs, rejects when it ended before */
  readonly pret: Promise<void>;
  /** asks it to stop, and waits */
  arreter(): Promise<void>;
}

/** As quick as pg-boss lets it be. */
const QUICK = { surveillance: 1, interrogation: 0.5, planification: 100 } as const;

export function startWorker(
  places: WorkerPlaces,
  registre: readonly Tache[],
  options: Partial<OptionsWorker> = {},
): RunningWorker {
  const ctx = makeWorkerContext(places);
  const ready = Promise.withResolvers<void>();
  const ended = executerWorker(ctx, {
    suivi: false,
    planification: false,
    registre,
    cadences: QUICK,
    ...options,
    pret: ready.resolve,
  });
  ended.then(
    () => ready.reject(new Error('le worker s’est arrêté')),
    (error) => ready.reject(error),
  );
  ready.promise.catch(() => undefined);
  return {
    ctx,
    pret: ready.promise,
    async arreter() {
      ctx.shutdown.request('fin du test');
      await ended;
      await ctx.pool.end();
    },
  };
}

/** Waits for a condition on the database. */
export async function untilRow(pool: Pool, sql: string, deadline = 60_000): Promise<Record<string, unknown>> {
  const end = Date.now() + deadline;
  for (;;) {
    const { rows } = await pool.query(sql);
    if (rows[0]) return rows[0] as Record<string, unknown>;
    if (Date.now() > end) throw new Error(`jamais : ${sql}`);
    await sleep(50);
  }
}
