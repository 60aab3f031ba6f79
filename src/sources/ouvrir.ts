import { join } from 'node:path';
import type { Config } from '../base/config.ts';
import type { Logger } from '../base/logger.ts';
import { SourceComposite } from './composite.ts';
import { DossierLocal } from './dossier.ts';
import { dossiersIgnores } from './noms.ts';
import type { DossierSftp } from './sftp/dossier-sftp.ts';
import type { SourceJournaux } from './source.ts';

/** A source that holds connections: `fermer` ends them. */
export type SourceOuverte = SourceJournaux & { fermer(): Promise<void> };

/**
 * Where the logs come from, as configured: LOGS_DIR, and the servers of SFTP_CENTRES. Nothing is connected before the first
 * listing. While `signal` is aborted, connections end at once and what waits for them fails.
 *
 * @param options `dir`: this folder alone, no server
 */
export async function ouvrirSource(
  config: Config,
  logger: Logger,
  options: { dir?: string | undefined; signal?: AbortSignal } = {},
): Promise<SourceOuverte> {
  const alone = options.signal !== undefined;
  const local = new DossierLocal(options.dir ?? config.logsDir, logger, {
    alone,
    ignore: dossiersIgnores(config),
  });
  if (options.dir !== undefined || config.sftp.centres.length === 0) {
    options.signal?.addEventListener('abort', () => void local.fermer(), { once: true });
    return local;
  }
  const distants = await ouvrirDistants(config, logger);
  const source = new SourceComposite(local, distants, config.centres);
  options.signal?.addEventListener('abort', () => void source.fermer(), { once: true });
  return source;
}

/** The remote folders alone: what `doctor` tries one by one. The caller closes each. */
export async function ouvrirDistants(config: Config, logger: Logger): Promise<DossierSftp[]> {
  // Some 20 MB of cryptography, which most workshops never need.
  const { DossierSftp } = await import('./sftp/dossier-sftp.ts');
  const miroirs = join(config.archivesDir, 'miroirs-sftp');
  return config.sftp.centres.map(
    (centre) =>
      new DossierSftp({ centre, config: config.sftp, miroirs, logger, ignore: dossiersIgnores(config) }),
  );
}
