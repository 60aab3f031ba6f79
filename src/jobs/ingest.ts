import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../base/errors.ts';
import { endExecution, startExecution } from '../postgres/executions.ts';
import type { Compteurs } from './ingest/compteurs.ts';
import type { IngestContext } from './ingest/context.ts';
import { Import, type ImportOptions } from './ingest/import.ts';

/**
 * The main job: LOG files to sessions. Reads what changed since the last time, archives it, registers it, and
 * recomputes the production days concerned. Any number of imports may run at once. What was done before a
 * failure stays done; the next run takes up the rest.
 *
 * @throws AtelierError when the source, the archive or the database is away
 */
export async function ingest(ctx: IngestContext, options: ImportOptions = {}): Promise<Compteurs> {
  const run = new Import(ctx, options);
  const execution = options.aBlanc ? undefined : await startExecution(ctx.pool, 'ingest');
  try {
    await ctx.archive.sweep();
    const compteurs = await run.scan();
    const etat = compteurs.fichiersIllisibles > 0 ? 'partielle' : 'reussie';
    if (execution !== undefined) await endExecution(ctx.pool, execution, etat, compteurs);
    const quoi = options.aBlanc ? 'import à blanc terminé, rien n’a été changé' : 'import terminé';
    ctx.logger.info({ source: ctx.source.description, ...compteurs }, quoi);
    return compteurs;
  } catch (error) {
    const message = messageOf(error);
    ctx.logger.error({ source: ctx.source.description, erreur: message }, 'import interrompu');
    // The database may be what failed: then the run stays `en_cours` with its process number.
    if (execution !== undefined) {
      await endExecution(ctx.pool, execution, 'echouee', run.compteurs, message).catch(() => undefined);
    }
    throw error;
  }
}

/** Time between two scans in ms: a line is in PostgreSQL within two seconds even if no event announces it. */
const SCAN_EVERY = 1_000;
/** Share of the time that scanning may take on a large tree: one part in this many. */
const SCAN_SHARE = 20;
/** However large the tree, in ms: then events carry the two seconds, and this is what they may miss. */
const SCAN_AT_LEAST_EVERY = 10_000;
/** After a file event, in ms. */
const BURST = 100;
/** Waits in ms after the first, second, … failure in a row. */
const BACK_OFF = [1_000, 2_000, 5_000, 10_000];

/**
 * Follows the source until the context is stopped: file events are a hint, a scan every second is the truth.
 * A failure (database restarted, disk full, folder unmounted) is logged, and tried again a little later.
 *
 * @param onScan called after each scan that changed something
 */
export async function follow(
  ctx: IngestContext,
  options: ImportOptions & { onScan?: (compteurs: Compteurs) => void } = {},
): Promise<void> {
  const { signal } = ctx.shutdown;
  let hint = new AbortController();
  ctx.source.watch(() => hint.abort(), signal);
  let run = new Import(ctx, options);
  let failures = 0;
  await ctx.archive.sweep();
  while (!signal.aborted) {
    const started = performance.now();
    hint = new AbortController();
    let wait: number;
    try {
      const compteurs = await run.scan();
      if (compteurs.fichiersLus > compteurs.fichiersDejaConnus) options.onScan?.(compteurs);
      failures = 0;
      // Only a scan that found nothing tells what looking costs.
      const idle = compteurs.fichiersLus === 0 ? performance.now() - started : 0;
      wait = Math.min(Math.max(SCAN_EVERY, idle * SCAN_SHARE), SCAN_AT_LEAST_EVERY);
    } catch (error) {
      if (signal.aborted) return;
      ctx.logger.error({ erreur: messageOf(error) }, 'suivi interrompu, nouvel essai');
      // What this import believes of the files may be wrong now.
      run = new Import(ctx, options);
      wait = BACK_OFF[Math.min(failures++, BACK_OFF.length - 1)]!;
    }
    await sleep(wait, undefined, { signal: AbortSignal.any([signal, hint.signal]) }).catch(() => undefined);
    // A controller writes in bursts: one scan for all of it.
    if (hint.signal.aborted) await sleep(BURST, undefined, { signal }).catch(() => undefined);
  }
}
