import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';

/** Does something again and again until the signal; a failure is logged once for each message in a row. */
export async function each(
  signal: AbortSignal,
  every: number,
  logger: Logger,
  quoi: string,
  work: () => Promise<unknown>,
): Promise<void> {
  let last: string | undefined;
  while (!signal.aborted) {
    try {
      await work();
      if (last !== undefined) logger.info(`${quoi} : rétabli`);
      last = undefined;
    } catch (error) {
      const erreur = messageOf(error);
      if (erreur !== last && !signal.aborted) logger.error({ erreur }, `${quoi} : échec, nouvel essai`);
      last = erreur;
    }
    await rest(every, signal);
  }
}

/** Waits, or not so long when the signal comes. @param ms milliseconds */
export async function rest(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}

/** Resolves when the signal is aborted. */
export async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
