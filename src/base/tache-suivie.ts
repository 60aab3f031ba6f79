import { AtelierError, codeOf } from './errors.ts';
import { dansFil } from './fil.ts';
import { dureeTaches } from './metrics.ts';
import { tracer } from './traces.ts';

export interface TacheSuivie {
  /** its name in `execution`: ingest, sync, purge, sauvegarde */
  readonly job: string;
  /** its row there, when it has one already; otherwise `startExecution` tells it */
  readonly execution?: number | undefined;
}

/**
 * Runs a task so that it is seen: its lines of the log carry its name, it is a span, and its duration is counted.
 *
 * @param issue how a result is counted (`reussie`, `partielle`, `ignoree`)
 */
export async function suivreTache<T>(
  { job, execution }: TacheSuivie,
  work: () => Promise<T>,
  issue: (result: T) => string,
): Promise<T> {
  const end = dureeTaches.startTimer({ job });
  try {
    const result = await dansFil({ tache: job, ...(execution === undefined ? {} : { execution }) }, () =>
      tracer(`tâche ${job}`, { 'atelier.tache': job }, work),
    );
    end({ outcome: issue(result) });
    return result;
  } catch (error) {
    end({ outcome: 'echouee' });
    throw error;
  }
}

/** The code of an error, as a label: ours, or one word for all others. */
export function raisonDe(error: unknown): string {
  return error instanceof AtelierError ? error.code : codeOf(error) === undefined ? 'interne' : 'systeme';
}
