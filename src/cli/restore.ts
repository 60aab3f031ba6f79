import { createInterface } from 'node:readline/promises';
import { parseArgs } from 'node:util';
import { ouvrirArchives } from '../archives/archive.ts';
import { Depot, situer } from '../archives/sauvegarde/depot.ts';
import { protegerPostgres } from '../base/config/liens.ts';
import type { Config } from '../base/config.ts';
import { createLogger } from '../base/logger.ts';
import { FactoryTime } from '../base/time.ts';
import { type BilanRestauration, restaurer } from '../jobs/restauration.ts';
import { clesDeSauvegarde } from '../jobs/sauvegarde/cles.ts';
import { describeUrl } from '../postgres/pool.ts';
import { type Cli, UsageError } from './cli.ts';
import { Etapes } from './etapes.ts';
import { databaseUrl } from './open.ts';
import { secondes } from './text.ts';

export const summary = 'restaure une sauvegarde dans une base vide';
export const usage = `Usage : npx atelier restore SAUVEGARDE [--vers-base URL] [--sans-archives] [--sans-comptes] [--sans-sceau]
       [--forcer] [--oui] [--json]

Restaure une sauvegarde (un nom de \`npx atelier backup list\`, ou son dossier) dans la base des réglages, qui doit être
vide ou neuve. Tout est vérifié d’abord ; les tables reviennent en une seule transaction et sont comparées à la
sauvegarde ; les migrations plus récentes sont appliquées ; ce qui a été effacé depuis est effacé de nouveau. Tant que
ce n’est pas fini, serve, worker et les autres commandes refusent la base. Interrompue, relancez la même commande.
Arrêtez d’abord serve et worker.

  --vers-base URL   une autre base (postgresql://utilisateur@hote:port/base) ; son mot de passe par PGPASSWORD ou
                    ~/.pgpass, jamais ici : tous les comptes de la machine voient une ligne de commande
  --sans-archives   la base seule, pas ARCHIVES_DIR
  --sans-comptes    les clés des comptes (comptes-….cles, à côté des sauvegardes) sont perdues : aucun compte ne revient,
                    le reste oui
  --sans-sceau      accepte une sauvegarde que CLE_SAUVEGARDE ne scelle pas (faite avant la clé, ou par un ancien
                    atelier) : seulement si vous savez d’où elle vient
  --forcer          la base n’est pas vide : son contenu est mis de côté dans un autre schéma, rien n’est effacé
  --oui             ne demande pas de confirmation
  --json            le bilan en JSON sur la sortie

Donnez CLE_CHIFFREMENT, pour lire les comptes ; ceux qui ont été effacés depuis ne reviennent pas. Tout le monde devra se reconnecter ; comptes, rôles
et clés d’API sont ceux de l’instant de la sauvegarde : revoyez-les.

Codes de sortie : 0 fait, 1 échec, 2 mauvais usage, 3 fait, mais des archives manquent.`;

export async function run(args: string[], cli: Cli): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      'vers-base': { type: 'string' },
      'sans-archives': { type: 'boolean' },
      'sans-comptes': { type: 'boolean' },
      'sans-sceau': { type: 'boolean' },
      forcer: { type: 'boolean' },
      oui: { type: 'boolean' },
      json: { type: 'boolean' },
    },
  });
  const [sauvegarde, ...rest] = positionals;
  if (sauvegarde === undefined) throw new UsageError('il manque SAUVEGARDE');
  if (rest.length > 0) throw new UsageError('un argument de trop');
  const given = readUrl('--vers-base', values['vers-base'], cli.config);
  const { config, shutdown } = cli;
  const cles = clesDeSauvegarde(config);
  const { root, nom } = situer(sauvegarde, config.sauvegarde.dossier);
  const depot = new Depot(root, cles, ouvrirArchives(config).cles);
  const opened = await depot.ouvrir(nom);
  const url = given ?? (await databaseUrl(cli));
  const json = values.json ?? false;
  if (!values.oui && !(await confirmer(cli, `Restaurer ${nom} dans ${describeUrl(url)} ?`))) {
    cli.err('Rien n’a été fait.');
    return 1;
  }
  const etapes = new Etapes(cli, json);
  const logger = createLogger({
    console: json || !cli.isTerminal ? 'stderr' : () => undefined,
    level: config.logLevel,
    fuseau: config.fuseau,
  });
  const ctx = { config, shutdown, logger, time: new FactoryTime(config.fuseau, config.journeeDebut) };
  const bilan = await restaurer(ctx, depot, opened, {
    ...{ url, cles, onProgress: etapes.dire },
    forcer: values.forcer ?? false,
    sansSceau: values['sans-sceau'] ?? false,
    sansArchives: values['sans-archives'] ?? false,
    sansComptes: values['sans-comptes'] ?? false,
  });
  etapes.effacer();
  if (json) cli.out(JSON.stringify(bilan));
  else for (const line of report(bilan)) cli.out(line);
  return bilan.archivesManquantes.length > 0 ? 3 : 0;
}

/** Asks on the terminal; without one the answer is no. */
export async function confirmer(cli: Cli, question: string): Promise<boolean> {
  if (!process.stdin.isTTY)
    throw new UsageError(`${question} Donnez --oui : il n’y a pas de terminal pour répondre.`);
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await asking.question(`${question} [oui/non] `, { signal: cli.shutdown.signal });
    return /^o(ui)?$/i.test(answer.trim());
  } finally {
    asking.close();
  }
}

/**
 * Address of a database that was given with an option. Its password is not: whatever stands in a command's line is shown to
 * every account of the machine. The driver takes it from `PGPASSWORD` or from the file `~/.pgpass`.
 *
 * @throws UsageError when it is none, or holds a password
 */
export function readUrl(
  option: string,
  value: string | undefined,
  { tlsPostgres }: Pick<Config, 'tlsPostgres'>,
): string | undefined {
  if (value === undefined) return undefined;
  const url = URL.canParse(value) ? new URL(value) : undefined;
  // The value may hold a password: it is not repeated.
  if (!url || !/^postgres(ql)?:$/.test(url.protocol))
    throw new UsageError(`${option} : attendu postgresql://utilisateur@hote:port/base`);
  if (url.password !== '' || url.searchParams.has('password'))
    throw new UsageError(
      `${option} : pas de mot de passe dans une ligne de commande, que tous les comptes de cette machine peuvent lire. Donnez l’adresse sans lui (postgresql://utilisateur@hote:port/base), et lui par la variable PGPASSWORD ou le fichier ~/.pgpass. Celui-ci a pu être lu : changez-le s’il sert encore`,
    );
  return protegerPostgres(value, option, tlsPostgres).url;
}

function report(bilan: BilanRestauration): string[] {
  const seconds = (ms: number): string => secondes(ms);
  const { durees } = bilan;
  return [
    `Restauration de ${bilan.nom} terminée en ${seconds(durees.totale)}${bilan.reprise ? ' (reprise d’une restauration interrompue)' : ''}.`,
    `  base      ${bilan.tables} tables, ${bilan.lignes} lignes, identiques à la sauvegarde (état du ${bilan.instant})`,
    `  archives  ${bilan.archives}, dont ${bilan.archivesCopiees} recopiées`,
    `  temps     vérification ${seconds(durees.verification)}, archives ${seconds(durees.archives)}, base ${seconds(durees.base)}, suite ${seconds(durees.suite)}`,
    ...(bilan.migrations.length > 0 ? [`  migrations appliquées : ${bilan.migrations.join(', ')}`] : []),
    ...(bilan.sceau === 'cle'
      ? []
      : [
          '  ⚠ aucune clé ne la scellait : rien ne prouve que personne ne l’a changée ; revoyez comptes et droits',
        ]),
    ...(bilan.comptesPerdus === 0
      ? []
      : [
          `  ${bilan.comptesPerdus} compte(s) pas revenus : effacés depuis, leur clé n’est plus nulle part et personne ne peut plus les lire`,
        ]),
    ...(bilan.misDeCote === undefined
      ? []
      : [
          `  ce qui y était est dans le schéma ${bilan.misDeCote} ; il sera supprimé après SAUVEGARDE_CONSERVATION jours, ou quand vous n’en aurez plus besoin : DROP SCHEMA ${bilan.misDeCote} CASCADE`,
        ]),
    ...(bilan.archivesManquantes.length > 0
      ? [`  ✖ ${bilan.archivesManquantes.length} archives manquent (\`npx atelier doctor\`)`]
      : []),
    'Relancez ensuite un import (`npx atelier ingest`), qui relit les fichiers arrivés depuis ; si ARCHIVES_DIR a survécu,',
    '`npx atelier rebuild --completer` y retrouve aussi ceux que les machines n’ont plus.',
  ];
}
