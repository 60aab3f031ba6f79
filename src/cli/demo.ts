import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { FactoryTime } from '../base/time.ts';
import { DEFAULT_CENTRES } from '../embedded/simulator/centres.ts';
import { simulateTree } from '../embedded/simulator/tree.ts';
import { ingest } from '../jobs/ingest.ts';
import { countRejets, listSessions } from '../postgres/listes.ts';
import type { Cli } from './cli.ts';
import { report } from './ingest.ts';
import { openIngest } from './open.ts';
import { Progress } from './progress.ts';
import { sessionColumns } from './sessions.ts';
import { bytes, printRows } from './table.ts';

export const summary = 'montre tout : trois centres inventés, un mois de journaux, les sessions';
export const usage = `Usage : npx atelier demo   (ou npm run demo)

Démarre le PostgreSQL embarqué, invente les journaux de 30 jours de 3 centres avec leurs défauts, les importe, et
montre les sessions. Relancer est rapide et ne double rien. Tout est dans ATELIER_DIR (.atelier).`;

const DAYS = 30;

export async function run(args: string[], cli: Cli): Promise<number> {
  parseArgs({ args, options: {} });
  if (cli.config.databaseUrl !== undefined) {
    cli.err('La démonstration se sert du serveur embarqué ; la base de vos réglages n’est pas touchée.');
  }
  const dir = join(cli.config.dataDir, 'demo', 'logs');
  // Never the database of a real workshop, nor its log folders.
  const demo: Cli = { ...cli, config: { ...cli.config, databaseUrl: undefined, logsDir: dir } };

  cli.out(`1. Journaux inventés de ${DAYS} jours × ${DEFAULT_CENTRES.length} centres`);
  const tree = await simulateTree({ dir, days: DAYS, noise: 0.3, seed: 1, signal: cli.shutdown.signal });
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
  const last = sessions[0];
  const next: [string, string][] = [
    [
      `npx atelier show ${last ? `${last.centre}/${last.date_production}` : 'SESSION'}`,
      'une journée, et d’où viennent ses chiffres',
    ],
    ['npx atelier sessions --centre DEM12 --csv', 'toutes les sessions d’un centre, pour un tableur'],
    ['npx atelier rejets', 'les lignes rejetées, avec fichier, ligne et raison'],
    ['npx atelier fichiers', 'les fichiers lus et leurs versions'],
    ['npx atelier db psql', 'les tables, en SQL'],
    ['LOGS_DIR=/vos/journaux npx atelier ingest', 'vos propres journaux'],
    ['npx atelier db stop', 'arrête le serveur embarqué'],
  ];
  cli.out('');
  cli.out('Et maintenant :');
  for (const [command, what] of next) cli.out(`  ${command.padEnd(44)} ${what}`);
  return compteurs.fichiersIllisibles > 0 ? 3 : 0;
}
