import type { Config } from '../base/config.ts';
import { registreDisques } from '../base/disques.ts';
import { AtelierError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { assembler, registre, suivreReserve } from '../base/metrics.ts';
import { ouvrirSonde, type Sonde } from '../base/sonde.ts';
import type { Pool } from '../postgres/pool.ts';
import { Pret } from '../postgres/pret.ts';
import { registreEtat } from '../postgres/registre-etat.ts';

/**
 * Opens the probe of a worker where METRICS_HOST and METRICS_PORT say: it lives as long as the process runs, is ready
 * while the database answers with the right schema and `accepte` says so, and has the metrics of the process and of
 * the installation.
 *
 * Nobody looking is no reason not to work: a port that is taken (a second worker on this machine) is told in the log.
 *
 * @param accepte whether the worker takes work (not any more once it was asked to stop)
 * @returns undefined when METRICS_PORT is 0, or taken
 */
export async function ouvrirSondeWorker(
  { config, pool, logger }: { readonly config: Config; readonly pool: Pool; readonly logger: Logger },
  accepte: () => boolean,
): Promise<Sonde | undefined> {
  const { metricsHost: host, metricsPort: port, metricsJeton: jeton } = config.observation;
  if (port === 0) return undefined;
  const pret = new Pret(pool);
  const forget = suivreReserve(pool);
  const sonde = await ouvrirSonde({
    ...{ host, port, jeton, hotes: config.api.hotes },
    registre: assembler(
      registre,
      registreEtat(pool),
      registreDisques({
        LOGS_DIR: config.logsDir,
        ARCHIVES_DIR: config.archivesDir,
        SYNC_LOGS_DIR: config.syncLogsDir,
        ATELIER_DIR: config.dataDir,
      }),
    ),
    pret: async () => accepte() && (await pret.estPret()) && accepte(),
  }).catch((error: unknown) => {
    if (!(error instanceof AtelierError)) throw error;
    logger.error({ code: error.code, erreur: error.message }, 'worker sans sonde');
    return undefined;
  });
  if (!sonde) {
    forget();
    return undefined;
  }
  return {
    port: sonde.port,
    async fermer() {
      forget();
      await sonde.fermer();
    },
  };
}
