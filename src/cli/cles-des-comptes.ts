import type { Coffre } from '../base/chiffrement.ts';
import { messageSansValeurs } from '../base/log-redaction.ts';
import type { Logger } from '../base/logger.ts';
import { donnerDesCles } from '../postgres/comptes/coffre.ts';
import type { Pool } from '../postgres/pool.ts';

/**
 * How long after the start (ms) accounts of before there were keys get theirs. A rolling deployment is over by then: the
 * version before could not read them any more.
 */
const APRES = 3_600_000;

/** What giving keys in the background needs. */
export interface ClesEnAttente {
  readonly pool: Pool;
  readonly coffre: Coffre;
  readonly logger: Logger;
  /** stops it between two transactions */
  readonly signal: AbortSignal;
  /** ms, instead of the usual hour */
  readonly apres?: number | undefined;
}

/**
 * Gives accounts that have none a key of their own, a while after the start. What fails is said and left for the next
 * start; nobody who uses the API notices.
 */
export function donnerDesClesPlusTard({ pool, coffre, logger, signal, apres = APRES }: ClesEnAttente): void {
  const timer = setTimeout(() => {
    void donnerDesCles(pool, coffre, { signal }).then(
      ({ nombre, abimes }) => {
        if (nombre > 0) logger.info({ comptes: nombre }, 'comptes d’avant : chacun a maintenant sa clé');
        for (const compte of abimes)
          logger.error(
            { compte },
            'compte illisible : sa ligne est abîmée dans la base, elle reste comme elle est ; `atelier user forget ID` la supprime',
          );
      },
      (error: unknown) => {
        if (!signal.aborted)
          logger.warn(
            { erreur: messageSansValeurs(error) },
            'clés des comptes d’avant : au prochain démarrage',
          );
      },
    );
  }, apres);
  timer.unref();
  signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
}
