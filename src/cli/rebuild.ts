import { parseArgs } from 'node:util';
import { ouvrirArchives } from '../archives/archive.ts';
import { messageOf } from '../base/errors.ts';
import { createLogger, type Logger } from '../base/logger.ts';
import { FactoryTime } from '../base/time.ts';
import { type BilanReconstruction, reconstruire } from '../jobs/reconstruction.ts';
import { type Synchronisation, sync } from '../jobs/sync.ts';
import { noter } from '../postgres/audit.ts';
import { createPool, describeUrl, type Pool, withClient } from '../postgres/pool.ts';
import { type Comparaison, comparerSessions } from '../postgres/production/comparaison.ts';
import type { Cli } from './cli.ts';
import { Etapes } from './etapes.ts';
import { databaseUrl, openPool } from './open.ts';
import { confirmer, readUrl } from './restore.ts';
import { bytes, secondes } from './text.ts';

export const summary = 'refait toutes les sessions à partir des seules archives';
export const usage = `Usage : npx atelier rebuild [--oui] [--completer] [--sans-erp] [--comparer URL] [--json]

Refait dans une base vide tout ce que les journaux ont donné, à partir d’ARCHIVES_DIR seul : mêmes sessions, mêmes
pièces, aussi pour les fichiers renvoyés, recopiés ou remplacés (--replace). Ce qui a été purgé ne revient pas. Puis
relit les commandes dans l’ERP, s’il y en a un. Ce qui n’est pas dans les archives ne revient que d’une sauvegarde
(\`npx atelier restore\`) : comptes, saisies à la main, historique des commandes, passages, journal d’audit.
Tant que ce n’est pas fini, serve, worker et les autres commandes refusent la base. Interrompue, relancez-la.

  --oui            ne demande pas de confirmation
  --completer      la base n’est pas vide : y ajoute ce que les archives savent de plus (après une restauration)
  --sans-erp       ne relit pas les commandes
  --comparer URL   compare à la fin les sessions à celles d’une autre base (postgresql://utilisateur@hote:port/base) ;
                   son mot de passe par PGPASSWORD ou ~/.pgpass, jamais ici
  --json           le bilan en JSON sur la sortie

Codes de sortie : 0 fait, 1 échec ou sessions différentes, 2 mauvais usage, 3 fait, mais des archives sont illisibles.`;

export async function run(args: string[], cli: Cli): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      oui: { type: 'boolean' },
      completer: { type: 'boolean' },
      'sans-erp': { type: 'boolean' },
      comparer: { type: 'string' },
      json: { type: 'boolean' },
    },
  });
  const other = readUrl('--comparer', values.comparer, cli.config);
  const json = values.json ?? false;
  const completer = values.completer ?? false;
  const { config, shutdown } = cli;
  const url = await databaseUrl(cli);
  const question = `Refaire les sessions de ${describeUrl(url)} à partir de ${config.archivesDir} ?`;
  if (!values.oui && !(await confirmer(cli, question))) {
    cli.err('Rien n’a été fait.');
    return 1;
  }
  const etapes = new Etapes(cli, json);
  const logger = createLogger({
    console: json || !cli.isTerminal ? 'stderr' : () => undefined,
    level: config.logLevel,
    fuseau: config.fuseau,
  });
  // Said before hours of work, not after.
  if (other !== undefined) await joindre(other, logger);
  // One that is being rebuilt is marked, which opening it refuses.
  const pool = completer ? await openPool(cli, logger) : createPool(url, { logger });
  if (!completer) {
    pool.options.application_name = 'atelier rebuild';
    shutdown.add(() => pool.end());
  }
  const time = new FactoryTime(config.fuseau, config.journeeDebut);
  const archive = ouvrirArchives(config);
  const ctx = { config, shutdown, logger, pool, time, archive };
  const bilan = await reconstruire(ctx, { completer, onProgress: etapes.dire });
  etapes.effacer();
  const details = { completer, sessions: bilan.sessions, origine: 'commande' };
  await noter(pool, { evenement: 'base_reconstruite', details });
  const commandes = config.erp && !values['sans-erp'] ? await orders(() => sync(ctx), logger) : 'pas relues';
  const comparaison = other === undefined ? undefined : await compare(pool, other, logger);
  if (json) cli.out(JSON.stringify({ ...bilan, commandes, comparaison }));
  else for (const line of report(bilan, commandes, comparaison)) cli.out(line);
  if (comparaison && !equal(comparaison)) return 1;
  return bilan.etat === 'partielle' ? 3 : 0;
}

/** The sessions are there whatever becomes of the orders. */
async function orders(work: () => Promise<Synchronisation>, logger: Logger): Promise<string> {
  try {
    const { etat } = await work();
    return etat === 'reussie' ? 'relues dans l’ERP' : 'pas relues : une synchronisation est en cours';
  } catch (error) {
    logger.error({ erreur: messageOf(error) }, 'commandes pas relues');
    return `pas relues : ${messageOf(error)}`;
  }
}

/** @throws AtelierError ATL_D301 when that database cannot be reached */
async function joindre(url: string, logger: Logger): Promise<void> {
  const other = createPool(url, { logger, max: 1 });
  try {
    await withClient(other, async () => undefined);
  } finally {
    await other.end();
  }
}

async function compare(pool: Pool, url: string, logger: Logger): Promise<Comparaison> {
  const other = createPool(url, { logger, max: 1 });
  try {
    return await comparerSessions(pool, other);
  } finally {
    await other.end();
  }
}

function equal({ manquantes, enTrop, differentes }: Comparaison): boolean {
  return manquantes.length + enTrop.length + differentes.length === 0;
}

function report(bilan: BilanReconstruction, commandes: string, comparaison?: Comparaison): string[] {
  const lines = [
    `Reconstruction terminée en ${secondes(bilan.dureeMs)}.`,
    `  archives   ${bilan.archives} relues (${bytes(bilan.octets)} de journaux), ${bilan.centres} centres`,
    `  sessions   ${bilan.sessions}`,
    `  commandes  ${commandes}`,
  ];
  for (const path of bilan.illisibles) lines.push(`  ✖ illisible : ${path}`);
  for (const message of bilan.misDeCote) lines.push(`  ✖ de côté (ATL_L207) : ${message}`);
  if (comparaison) {
    const { identiques, manquantes, enTrop, differentes } = comparaison;
    lines.push(`  comparées  ${identiques} sessions identiques`);
    for (const [what, keys] of [
      ['manquent', manquantes],
      ['en trop', enTrop],
      ['différentes', differentes],
    ] as const) {
      if (keys.length > 0)
        lines.push(
          `  ✖ ${what} : ${keys.slice(0, 10).join(', ')}${keys.length > 10 ? ` … (${keys.length})` : ''}`,
        );
    }
  }
  return lines;
}
