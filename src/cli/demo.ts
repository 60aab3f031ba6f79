import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { FactoryTime } from '../base/time.ts';
import { DEFAULT_CENTRES } from '../embedded/simulator/centres.ts';
import { DEMO_TREE, simulateTree } from '../embedded/simulator/tree.ts';
import { estPartiel } from '../jobs/ingest/compteurs.ts';
import { ingest } from '../jobs/ingest.ts';
import { countRejets, listSessions } from '../postgres/listes.ts';
import type { Pool } from '../postgres/pool.ts';
import { type Cli, UsageError } from './cli.ts';
import { DEMO_ACCOUNT, forgetDemoAccounts, startDemoApi, stopDemoApi } from './demo-api.ts';
import { showCommandes } from './demo-commandes.ts';
import { report } from './ingest.ts';
import { openIngest, openPool } from './open.ts';
import { Progress } from './progress.ts';
import { sessionColumns } from './sessions.ts';
import { printRows } from './table.ts';
import { bytes } from './text.ts';

export const summary = 'montre tout : trois centres inventés, un mois de journaux, les sessions, l’API';
export const usage = `Usage : npx atelier demo [--port N] [--sans-api]   (ou npm run demo)
       npx atelier demo --arreter

Démarre le PostgreSQL embarqué, invente les journaux de 30 jours de 3 centres avec leurs défauts, les importe, et
montre les sessions. Charge un ERP inventé dans un MariaDB privé (root sur Debian l’installe) et montre les commandes ;
sans lui, dit pourquoi et continue. Finit par l’API, qui reste en service sur le port 8000 de cette machine seule, avec le compte demo/demo.
Relancer est rapide et ne double rien. Tout est dans ATELIER_DIR (.atelier).

--arreter  arrête l’API de la démonstration et retire son compte (le serveur PostgreSQL embarqué : atelier db stop)`;

export async function run(args: string[], cli: Cli): Promise<number> {
  const { values } = parseArgs({
    args,
    options: { port: { type: 'string' }, 'sans-api': { type: 'boolean' }, arreter: { type: 'boolean' } },
  });
  const port = values.port === undefined ? 8000 : Number(values.port);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new UsageError(`--port : attendu un port entre 1 et 65535, reçu « ${values.port} »`);
  }
  if (cli.config.databaseUrl !== undefined) {
    cli.err('La démonstration se sert du serveur embarqué ; la base de vos réglages n’est pas touchée.');
  }
  const dir = join(cli.config.dataDir, 'demo', 'logs');
  const { dataDir } = cli.config;
  // Never the database of a real workshop, nor its folders: these are the defaults, whatever is set.
  const own = {
    databaseUrl: undefined,
    logsDir: dir,
    archivesDir: join(dataDir, 'archives'),
    syncLogsDir: join(dataDir, 'sync_logs'),
  };
  const demo: Cli = { ...cli, config: { ...cli.config, ...own } };
  if (values.arreter) return await stop(demo);

  cli.out(`1. Journaux inventés de ${DEMO_TREE.days} jours × ${DEFAULT_CENTRES.length} centres`);
  const tree = await simulateTree({ dir, ...DEMO_TREE, signal: cli.shutdown.signal });
  cli.out(`   ${tree.files} fichiers, ${bytes(tree.bytes)} dans ${dir}`);

  cli.out('2. PostgreSQL embarqué, import');
  const progress = new Progress(cli.isTerminal ? (text) => void process.stderr.write(text) : undefined, tree);
  const ctx = await openIngest(demo, { dir, console: (line) => progress.log(line, cli.err) });
  const started = performance.now();
  const compteurs = await ingest(ctx, { onProgress: (state) => progress.update(state) });
  progress.clear();
  for (const line of report(compteurs, performance.now() - started, false)) cli.out(`   ${line}`);

  const time = new FactoryTime(demo.config.fuseau);
  cli.out('');
  cli.out('3. Les dernières sessions');
  const sessions = await listSessions(ctx.pool, { limite: 12 });
  printRows(cli, 'table', sessionColumns(time), sessions);
  cli.out('');
  cli.out('4. Les lignes en quarantaine, par raison');
  printRows(
    cli,
    'table',
    [
      { key: 'centre', title: 'Centre', value: (r) => r.centre },
      { key: 'raison', title: 'Raison', value: (r) => r.raison },
      { key: 'nombre', title: 'Lignes', align: 'right', value: (r) => r.nombre },
    ],
    await countRejets(ctx.pool, undefined),
  );
  cli.out('');
  await showCommandes(cli, demo, ctx.pool);
  const last = sessions[0];
  const next: [string, string][] = [
    [
      `npx atelier show ${last ? `${last.centre}/${last.date_production}` : 'SESSION'}`,
      'une journée, et d’où viennent ses chiffres',
    ],
    ['npx atelier sessions --centre DEM12 --excel', 'toutes les sessions d’un centre, pour un tableur'],
    ['npx atelier rejets', 'les lignes rejetées, avec fichier, ligne et raison'],
    ['npx atelier fichiers', 'les fichiers lus et leurs versions'],
    ['npx atelier commandes', 'les commandes de volets roulants'],
    ['npx atelier db psql', 'les tables, en SQL'],
    ['LOGS_DIR=/vos/journaux npx atelier ingest', 'vos propres journaux'],
    ['npx atelier demo --arreter', 'arrête l’API et retire le compte demo'],
    ['npx atelier db stop', 'arrête le serveur embarqué'],
  ];
  const api = values['sans-api'] ? undefined : await showApi(cli, demo, ctx.pool, port);
  cli.out('');
  cli.out('Et maintenant :');
  for (const [command, what] of next) cli.out(`  ${command.padEnd(44)} ${what}`);
  if (api === false) return 1;
  return estPartiel(compteurs) ? 3 : 0;
}

/** Ends what the demonstration left running, and its account. */
async function stop(demo: Cli): Promise<number> {
  const stopped = await stopDemoApi(demo.config);
  await forgetDemoAccounts(demo.config, await openPool(demo));
  demo.out(
    stopped
      ? 'API de la démonstration arrêtée, compte demo retiré.'
      : 'L’API de la démonstration ne tournait pas ; compte demo retiré.',
  );
  return 0;
}

/** The API, left running; false when it could not be started. */
async function showApi(cli: Cli, demo: Cli, pool: Pool, port: number): Promise<boolean> {
  cli.out('');
  cli.out('6. L’API');
  const api = await startDemoApi({ config: demo.config, port }, pool);
  if (api.etat === 'port-pris') {
    cli.err(
      `   le port ${port} est déjà pris par un autre programme (ou par une démonstration d’un autre dossier) : \`npm run demo -- --port ${port + 1}\``,
    );
    return false;
  }
  if (api.etat === 'autre-cle') {
    cli.err(
      '   la base embarquée a déjà les comptes d’un vrai atelier (une autre CLE_CHIFFREMENT) : pas de compte demo.',
    );
    cli.err(
      '   `npx atelier serve` la sert avec vos clés ; un autre ATELIER_DIR donne une démonstration à part.',
    );
    return false;
  }
  if (api.etat === 'muette') {
    cli.err(`   elle ne répond pas ; son journal : ${api.journal}`);
    return false;
  }
  const { username, password } = DEMO_ACCOUNT;
  cli.out(`   en service : ${api.url}   documentation interactive : ${api.url}/docs`);
  cli.out(
    `   compte ${username}, mot de passe ${password} : pour la démonstration seulement, joignable de cette machine seule`,
  );
  cli.out(`     curl -X POST -d "username=${username}&password=${password}" ${api.url}/token`);
  cli.out(`     curl -H "Authorization: Bearer <JWT>" ${api.url}/centres/`);
  return true;
}
