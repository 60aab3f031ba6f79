import { ouvrirArchives } from '../archives/archive.ts';
import { messageOf } from '../base/errors.ts';
import { createLogger, fichierJournal, type Logger, silentLogger } from '../base/logger.ts';
import { FactoryTime } from '../base/time.ts';
import type { IngestContext } from '../jobs/ingest/context.ts';
import { migrate, requireSchema } from '../postgres/migrate.ts';
import { createPool, type Pool, withClient } from '../postgres/pool.ts';
import { ouvrirSource } from '../sources/ouvrir.ts';
import type { Cli } from './cli.ts';

/** Address of the database of the configuration; without one, of the embedded server, started if need be. */
export async function databaseUrl(cli: Cli): Promise<string> {
  if (cli.config.databaseUrl !== undefined) return cli.config.databaseUrl;
  const { ensureEmbedded } = await import('../embedded/postgres.ts');
  const { url, started, port } = await ensureEmbedded({ dataDir: cli.config.dataDir });
  if (started) {
    cli.err(`PostgreSQL embarqué démarré sur le port ${port} ; \`npx atelier db stop\` l’arrête.`);
  }
  return url;
}

/**
 * Opens the database and checks its schema. The embedded one is ours alone: there, missing migrations are applied.
 */
export async function openPool(cli: Cli, logger: Logger = silentLogger()): Promise<Pool> {
  const pool = createPool(await databaseUrl(cli), { logger });
  cli.shutdown.add(() => pool.end());
  await withClient(pool, async (client) => {
    if (cli.config.databaseUrl === undefined) await migrate(client);
    await requireSchema(client);
  });
  return pool;
}

/** Where the running log of an import goes besides its file. */
export type LogConsole = 'stdout' | 'stderr' | ((line: string) => void);

/** Everything that an import needs. */
export async function openIngest(
  cli: Cli,
  options: { dir?: string | undefined; console: LogConsole },
): Promise<IngestContext> {
  const { config, shutdown } = cli;
  const logger = createLogger({
    console: options.console,
    file: fichierJournal(config, 'ftp_log_service.log'),
    level: config.logLevel,
    fuseau: config.fuseau,
  });
  let pool: Pool;
  try {
    pool = await openPool(cli, logger);
  } catch (error) {
    // Whoever reads only the file must find there why nothing came in.
    logger.error({ erreur: messageOf(error) }, 'import impossible');
    throw error;
  }
  const source = await ouvrirSource(config, logger, { dir: options.dir, signal: shutdown.signal });
  shutdown.add(() => source.fermer());
  return {
    config,
    shutdown,
    logger,
    pool,
    time: new FactoryTime(config.fuseau, config.journeeDebut),
    archive: ouvrirArchives(config),
    source,
  };
}
