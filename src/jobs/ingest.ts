import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../base/errors.ts';
import { suivreTache } from '../base/tache-suivie.ts';
import { endExecution, startExecution } from '../postgres/taches/executions.ts';
import { type Compteurs, estPartiel } from './ingest/compteurs.ts';
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
  if (options.aBlanc) return await importer(ctx, options);
  const task = { job: 'ingest', execution: ctx.execution };
  return await suivreTache(task, () => importer(ctx, options), etatDe);
}

function etatDe(compteurs: Compteurs): 'partielle' | 'reussie' {
  return estPartiel(compteurs) ? 'partielle' : 'reussie';
}

/** As they are kept with the run: numbers, and how much was put aside. */
function enCompte(compteurs: Compteurs): object {
  return { ...compteurs, misDeCote: compteurs.misDeCote.length };
}

/** So much of what was put aside is told with the run; the log has all of it. */
const DITS = 3;

function misDeCote({ misDeCote: all }: Compteurs): string | undefined {
  if (all.length === 0) return undefined;
  const rest = all.length > DITS ? ` ; et ${all.length - DITS} de plus` : '';
  return `mis de côté (ATL_L207) : ${all.slice(0, DITS).join(' ; ')}${rest}`;
}

async function importer(ctx: IngestContext, options: ImportOptions): Promise<Compteurs> {
  const run = new Import(ctx, options);
  const execution = options.aBlanc
    ? undefined
    : (ctx.execution ?? (await startExecution(ctx.pool, 'ingest')));
  try {
    await ctx.archive.sweep();
    const compteurs = await run.scan();
    if (execution !== undefined) {
      await endExecution(ctx.pool, execution, etatDe(compteurs), enCompte(compteurs), misDeCote(compteurs));
    }
    const quoi = options.aBlanc ? 'import à blanc terminé, rien n’a été changé' : 'import terminé';
    ctx.logger.info({ source: ctx.source.description, ...compteurs }, quoi);
    return compteurs;
  } catch (error) {
    const message = messageOf(error);
    ctx.logger.error({ source: ctx.source.description, erreur: message }, 'import interrompu');
    // The database may be what failed: then the run stays `en_cours` with its process number.
    if (execution !== undefined) {
      await endExecution(ctx.pool, execution, 'echouee', enCompte(run.compteurs), message).catch(
        () => undefined,
      );
    }
    throw error;
  }
}

/** Time between two scans in ms: a line is in PostgreSQL within two seconds even if no event announces it. */
const SCAN_EVERY = 1_000;
/** Share of the time that scanning may take on a large tree: one part in this many. */
const SCAN_SHARE = 30;
/** The same when there is news of something that no scan has met yet. */
const NEWS_SHARE = 4;
/** However large the tree, in ms: then events carry the two seconds, and this is what they may miss. */
const SCAN_AT_LEAST_EVERY = 10_000;
/** After a file event, in ms: a line is whole by then. */
const BURST = 10;
/** The more a look costs, the longer it waits for more to come: half as long as the last one took, but never more (ms). */
const BURST_AT_MOST = 100;
/** Waits in ms after the first, second, … failure in a row. */
const BACK_OFF = [1_000, 2_000, 5_000, 10_000];

/**
 * Follows the source until the context is stopped: file events say where to look at once, a scan every second is the
 * truth. A failure (database restarted, disk full, folder unmounted) is logged, and tried again a little later.
 *
 * @param onScan called after each scan that changed something
 */
export async function follow(
  ctx: IngestContext,
  options: ImportOptions & { onScan?: (compteurs: Compteurs) => void } = {},
): Promise<void> {
  const { signal } = ctx.shutdown;
  const changes = new Changes();
  ctx.source.watch((chemin) => changes.add(chemin), signal);
  let run = new Import(ctx, { ...options, suivi: true });
  let failures = 0;
  /** when the whole source is to be gone through again */
  let due = 0;
  /** when that was done last */
  let scanned = 0;
  let burst = BURST;
  await ctx.archive.sweep();
  while (!signal.aborted) {
    let pause: number | undefined;
    try {
      const chemins = changes.take();
      const known = run.known(chemins ?? []);
      // A new name may be a new file, but also something that is none and changes all the time.
      if (!chemins || known.length < chemins.size) due = Math.min(due, scanned + run.listing * NEWS_SHARE);
      const all = performance.now() >= due;
      const begun = performance.now();
      const compteurs = await (all ? run.scan() : run.look(known));
      burst = Math.min(Math.max(BURST, (performance.now() - begun) / 2), BURST_AT_MOST);
      if (all) {
        scanned = performance.now();
        due = scanned + Math.min(Math.max(SCAN_EVERY, run.listing * SCAN_SHARE), SCAN_AT_LEAST_EVERY);
      }
      if (compteurs.fichiersLus > compteurs.fichiersDejaConnus) options.onScan?.(compteurs);
      failures = 0;
    } catch (error) {
      if (signal.aborted) return;
      ctx.logger.error({ erreur: messageOf(error) }, 'suivi interrompu, nouvel essai');
      // What this import believes of the files may be wrong now.
      run = new Import(ctx, { ...options, suivi: true });
      due = 0;
      pause = BACK_OFF[Math.min(failures++, BACK_OFF.length - 1)]!;
    }
    if (pause !== undefined) await rest(pause, signal);
    else await changes.wait(due - performance.now(), burst, signal);
  }
}

/** What file events said since it was last asked. */
class Changes {
  #chemins = new Set<string>();
  /** something changed, and it is not known what */
  #anything = false;
  #wake = Promise.withResolvers<void>();

  add(chemin: string | undefined): void {
    if (chemin === undefined) this.#anything = true;
    else this.#chemins.add(chemin);
    this.#wake.resolve();
  }

  /** The paths that changed; undefined when that is not known. */
  take(): ReadonlySet<string> | undefined {
    const chemins = this.#anything ? undefined : this.#chemins;
    this.#chemins = new Set();
    this.#anything = false;
    this.#wake = Promise.withResolvers();
    return chemins;
  }

  /** Returns `burst` ms after the first change, or after `ms` at the latest. */
  async wait(ms: number, burst: number, signal: AbortSignal): Promise<void> {
    // Once for each line of a machine: a signal of its own to sleep with would take longer than all of this.
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const end = (): void => resolve(false);
    const timer = setTimeout(end, Math.max(ms, 0));
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
    void this.#wake.promise.then(() => resolve(true));
    const changed = await promise;
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
    // A controller writes in bursts: one look for all of it.
    if (changed) await rest(burst, signal);
  }
}

/** Waits, or not so long when the signal comes. */
async function rest(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
