import { parseArgs } from 'node:util';
import { messageOf } from '../base/errors.ts';
import { createLogger, fichierJournal } from '../base/logger.ts';
import { FactoryTime } from '../base/time.ts';
import { exigerErp, type SyncContext, type Synchronisation, sync } from '../jobs/sync.ts';
import { noter } from '../postgres/audit.ts';
import type { ChangementCommande } from '../postgres/commandes.ts';
import type { Pool } from '../postgres/pool.ts';
import type { Cli } from './cli.ts';
import { type LogConsole, openPool } from './open.ts';
import { Progress } from './progress.ts';
import { printable } from './text.ts';

export const summary = 'met la liste des commandes à jour depuis l’ERP';
export const usage = `Usage : npx atelier sync [--dry-run] [--force] [--json]

Lit les commandes de volets roulants dans l’ERP (MYSQL_URL, ou MYSQL_HOST et les siens ; lecture seule) et remplace
d’un coup celles qui sont enregistrées. Une panne, quelle qu’elle soit, laisse la liste telle qu’elle était.

  --dry-run   dit ce qui changerait, ne change rien
  --force     remplace la liste même si l’ERP ne rend rien ou presque (SYNC_SEUIL_BAISSE)
  --json      le bilan en JSON sur la sortie, le journal sur la sortie d’erreur

Code de sortie : 0 fait (ou ignoré : une autre synchronisation est en cours), 1 échec, 2 mauvais usage.`;

export async function run(args: string[], cli: Cli): Promise<number> {
  const { values } = parseArgs({
    args,
    options: { 'dry-run': { type: 'boolean' }, force: { type: 'boolean' }, json: { type: 'boolean' } },
  });
  const aBlanc = values['dry-run'] ?? false;
  const progress = new Progress(undefined, { bytes: 0, files: 0 });
  const quiet = cli.isTerminal && !values.json;
  const console = quiet ? (line: string) => progress.log(line, cli.err) : values.json ? 'stderr' : 'stdout';
  const ctx = await openSync(cli, console);
  if (values.force && !aBlanc) {
    await noter(ctx.pool, { evenement: 'synchronisation_forcee', details: { origine: 'commande' } });
  }
  const result = await sync(ctx, { force: values.force ?? false, aBlanc });
  if (values.json) cli.out(JSON.stringify({ ...result, aBlanc }));
  else for (const line of reportSync(result, aBlanc)) cli.out(line);
  return 0;
}

/** Everything that a synchronisation needs. */
export async function openSync(cli: Cli, console: LogConsole): Promise<SyncContext> {
  const { config, shutdown } = cli;
  const file = fichierJournal(config, 'mysql_sync.log');
  const logger = createLogger({ console, file, level: config.logLevel, fuseau: config.fuseau });
  let pool: Pool;
  try {
    exigerErp(config);
    pool = await openPool(cli, logger);
  } catch (error) {
    // Whoever reads only the file must find there why the orders are old.
    logger.error({ erreur: messageOf(error) }, 'synchronisation impossible');
    throw error;
  }
  return { config, shutdown, logger, pool, time: new FactoryTime(config.fuseau) };
}

/** What a synchronisation did, in a few lines. */
export function reportSync(result: Synchronisation, aBlanc: boolean): string[] {
  if (result.etat === 'ignoree') return ['Ignorée : une autre synchronisation est en cours.'];
  const { ajoutees, modifiees, retirees, inchangees, remplacees, lues, exemples } = result;
  const changes = ajoutees + modifiees + retirees;
  return [
    aBlanc ? 'À blanc : rien n’a été changé. La synchronisation ferait ceci :' : 'Synchronisation terminée.',
    `  ERP        ${lues.entetes} commandes lues, ${lues.commandes} retenues, ${lues.statuts_repares} textes réparés, ${lues.rejetees} non enregistrables`,
    `  commandes  ${ajoutees} ajoutées, ${modifiees} changées, ${retirees} retirées, ${inchangees} inchangées`,
    ...(remplacees > 0 ? [`  dont       ${remplacees} saisies à la main dont l’ERP a pris la place`] : []),
    ...exemples.map((changement) => `    ${describeChange(changement)}`),
    ...(changes > exemples.length ? [`    … et ${changes - exemples.length} autres`] : []),
  ];
}

const SIGNS = { ajoutee: '+', modifiee: '~', retiree: '-', remplace_manuel: '≠' } as const;

function describeChange(c: ChangementCommande): string {
  const name = printable(`${c.numero_commande}${c.extension ? `-${c.extension}` : ''}`).padEnd(12);
  const statuses = [c.ancien_status, c.nouveau_status].filter((status) => status !== null).map(printable);
  return `${SIGNS[c.motif]} ${name} ${[...new Set(statuses)].join(' → ')}`;
}
