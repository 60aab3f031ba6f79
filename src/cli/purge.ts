import { parseArgs } from 'node:util';
import { ouvrirArchives } from '../archives/archive.ts';
import { createLogger } from '../base/logger.ts';
import { FactoryTime } from '../base/time.ts';
import type { Categorie } from '../jobs/purge/contexte.ts';
import { type BilanPurge, purger } from '../jobs/purge.ts';
import { noter } from '../postgres/audit.ts';
import type { Cli } from './cli.ts';
import { openPool } from './open.ts';

export const summary = 'efface ce dont la durée de conservation est passée (RGPD)';
export const usage = `Usage : npx atelier purge [--dry-run] [--force] [--json]

Efface ce qui est plus vieux que les durées CONSERVATION_* (voir .env_exemple et docs/rgpd.md), par petits lots, et
note dans la table purge combien et jusqu’à quelle date. Le worker le fait chaque nuit.
L’âge d’une journée compte de sa réception, si elle est plus tardive que sa date. Quand plus de PURGE_SEUIL_PART de ce qui est
enregistré partirait d’un coup, ou que l’horloge de PostgreSQL semble avoir sauté, rien n’est effacé sans --force.
Les chiffres des journées restent quand leurs détails partent ; un fichier renvoyé ne fait rien revenir.

  --dry-run   dit ce qui partirait, n’efface rien
  --force     efface même alors
  --json      le bilan en JSON sur la sortie, le journal sur la sortie d’erreur

Codes de sortie : 0 fait (ou ignoré : une autre purge est en cours), 1 échec ou refus (ATL_R604), 2 mauvais usage,
3 fait, sauf une catégorie qui sera reprise à la prochaine purge.`;

const NAMES: Readonly<Record<Categorie, string>> = {
  details: 'détails des journées',
  quarantaine: 'lignes rejetées',
  archives: 'fichiers archivés',
  sessions: 'chiffres des journées',
  executions: 'passages des tâches',
  commandes: 'historique des commandes',
  audit: 'journal d’audit',
  alertes: 'alertes terminées',
  connexions: 'connexions terminées',
  cles: 'clés d’API finies',
  comptesDesactivation: 'comptes inactifs fermés',
  comptes: 'comptes inactifs oubliés',
  depot: 'fichiers du dépôt',
};

export async function run(args: string[], cli: Cli): Promise<number> {
  const { values } = parseArgs({
    args,
    options: { 'dry-run': { type: 'boolean' }, force: { type: 'boolean' }, json: { type: 'boolean' } },
  });
  const { config, shutdown } = cli;
  const logger = createLogger({
    // People get the report, programs JSON; the log is for whoever asks later.
    console: values.json ? 'stderr' : () => undefined,
    file: { dir: config.syncLogsDir, name: 'purge.log' },
    level: config.logLevel,
    fuseau: config.fuseau,
  });
  const pool = await openPool(cli, logger);
  if (values.force && !values['dry-run']) {
    await noter(pool, { evenement: 'purge_forcee', details: { origine: 'commande' } });
  }
  const bilan = await purger(
    {
      ...{ config, shutdown, logger, pool },
      time: new FactoryTime(config.fuseau, config.journeeDebut),
      archive: ouvrirArchives(config),
    },
    {
      aBlanc: values['dry-run'] ?? false,
      force: values.force ?? false,
      onProgress: ({ categorie, lignes }) => {
        if (cli.isTerminal && !values.json) cli.err(`… ${NAMES[categorie]} : ${lignes}`);
      },
    },
  );
  if (values.json) cli.out(JSON.stringify(bilan));
  else for (const line of report(bilan, new FactoryTime(config.fuseau))) cli.out(line);
  return bilan.etat === 'partielle' ? 3 : 0;
}

function report({ etat, aBlanc, categories, refus = [] }: BilanPurge, time: FactoryTime): string[] {
  if (etat === 'ignoree') return ['Ignorée : une autre purge est en cours.'];
  const width = Math.max(...Object.values(NAMES).map((name) => name.length));
  return [
    aBlanc ? 'À blanc : rien n’a été effacé. La purge effacerait ceci :' : 'Purge terminée.',
    ...categories.map(({ categorie, conservation, coupure, lignes, erreur }) => {
      const name = NAMES[categorie].padEnd(width);
      const before =
        coupure === null
          ? 'jamais effacés'
          : `${conservation}, avant le ${time.format(Math.floor(Date.parse(coupure) / 1000))}`;
      return `  ${name}  ${String(lignes).padStart(8)}  ${before}${erreur ? ` — inachevé : ${erreur}` : ''}`;
    }),
    ...refus.map((raison) => `  ! refusée sans --force : ${raison}`),
  ];
}
