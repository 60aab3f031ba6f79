import { parseArgs } from 'node:util';
import { ouvrirArchives } from '../archives/archive.ts';
import { NOMS_TACHES, type NomTache } from '../base/config/planification.ts';
import { AtelierError, messageOf } from '../base/errors.ts';
import { createLogger, fichierJournal, type Logger, type NomJournal } from '../base/logger.ts';
import { FactoryTime } from '../base/time.ts';
import { surveiller } from '../jobs/alertes.ts';
import { ouvrirSondeWorker } from '../jobs/sonde-worker.ts';
import { executerWorker, type WorkerContext } from '../jobs/worker.ts';
import { migrate } from '../postgres/migrate.ts';
import { createWorkerPool, isRefused, withClient } from '../postgres/pool.ts';
import { ouvrirSource } from '../sources/ouvrir.ts';
import { type Cli, UsageError } from './cli.ts';
import { databaseUrl } from './open.ts';

export const summary = 'fait tourner l’atelier : suivi des machines, tâches planifiées, alertes';
export const usage = `Usage : npx atelier worker [--sans-suivi] [--sans-planification] [--taches NOM[,NOM…]]

Reste, et fait tout ce qui doit se faire seul : suit les journaux des machines (une ligne écrite est dans PostgreSQL en
moins de 2 secondes), met en file les tâches à leur heure (CRON_LOGS, CRON_COMMANDES, CRON_PURGE, CRON_SAUVEGARDE) et
les exécute, exécute celles que l’on demande (\`atelier lancer\`, POST /executions/), surveille les règles d’alerte.
On peut en lancer plusieurs, sur plusieurs machines : chaque échéance est faite une fois, un seul suit les fichiers,
un autre prend sa place s’il disparaît. PostgreSQL absent : il attend.

  --sans-suivi           ne suit pas les fichiers (machine qui ne voit pas LOGS_DIR)
  --sans-planification   ne met rien en file de lui-même
  --taches NOM,…         n’exécute que ces tâches (${NOMS_TACHES.join(', ')}) ; « aucune » : rien que le suivi

Ctrl-C ou SIGTERM : plus rien n’est commencé, ce qui court finit (ARRET_DELAI secondes au plus) ou est rendu à la file.
Un second signal arrête aussitôt, sans rien perdre.

Codes de sortie : 0 arrêté proprement, 1 échec, 2 mauvais usage.`;

export async function run(args: string[], cli: Cli): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      'sans-suivi': { type: 'boolean' },
      'sans-planification': { type: 'boolean' },
      taches: { type: 'string' },
    },
  });
  const taches = readTaches(values.taches);
  const { config, shutdown } = cli;
  const level = config.logLevel;
  const logger = createLogger({ console: 'stdout', level, fuseau: config.fuseau });
  const journal = (name: NomJournal): Logger =>
    createLogger({ console: 'stdout', file: fichierJournal(config, name), level, fuseau: config.fuseau });
  const journaux: Partial<Record<NomTache, Logger>> = {
    ingest: journal('ftp_log_service.log'),
    sync: journal('mysql_sync.log'),
  };
  const url = await databaseUrl(cli);
  const pool = createWorkerPool(url, { logger, max: 8 });
  shutdown.add(() => pool.end());
  await firstLook(cli, pool);
  const source = await ouvrirSource(config, logger);
  shutdown.add(() => source.fermer());
  const ctx: WorkerContext = {
    ...{ config, shutdown, logger, pool, url },
    time: new FactoryTime(config.fuseau, config.journeeDebut),
    archive: ouvrirArchives(config),
    source,
    journalDe: ({ nom }) => journaux[nom] ?? logger,
  };
  let ready = false;
  const sonde = await ouvrirSondeWorker({ config, pool, logger }, () => ready && !shutdown.signal.aborted);
  if (sonde) shutdown.add(() => sonde.fermer());
  await executerWorker(ctx, {
    suivi: !values['sans-suivi'],
    planification: !values['sans-planification'],
    taches,
    veille: () => surveiller({ config, logger, pool, maintenant: Date.now }),
    pret: () => {
      ready = true;
    },
  });
  logger.info('arrêté');
  return 0;
}

/**
 * The embedded database is ours alone: there, missing migrations are applied. Another one may still be on its way, but
 * a password that is refused is a mistake to be told at once.
 */
async function firstLook(cli: Cli, pool: WorkerContext['pool']): Promise<void> {
  try {
    await withClient(pool, async (client) => {
      if (cli.config.databaseUrl === undefined) await migrate(client);
    });
  } catch (error) {
    const mistake = isRefused(error) || (error instanceof AtelierError && error.code === 'ATL_D306');
    if (cli.config.databaseUrl === undefined || mistake) throw error;
    cli.err(`atelier worker : ${messageOf(error)} ; il attend.`);
  }
}

function readTaches(text: string | undefined): NomTache[] | undefined {
  if (text === undefined) return undefined;
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'aucune')
    .map((name) => {
      const known = NOMS_TACHES.find((one) => one === name);
      if (!known)
        throw new UsageError(`--taches : attendu ${NOMS_TACHES.join(', ')} ou aucune, reçu « ${name} »`);
      return known;
    });
}
