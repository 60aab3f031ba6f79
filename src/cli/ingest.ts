import { basename, isAbsolute, relative, resolve, sep } from 'node:path';
import { parseArgs } from 'node:util';
import { AtelierError } from '../base/errors.ts';
import { remoteMounts } from '../base/mounts.ts';
import { FactoryTime } from '../base/time.ts';
import { type Compteurs, estPartiel } from '../jobs/ingest/compteurs.ts';
import type { IngestContext } from '../jobs/ingest/context.ts';
import { follow, ingest } from '../jobs/ingest.ts';
import { centreOfFolder } from '../sources/centre.ts';
import { DossierLocal } from '../sources/dossier.ts';
import { dossiersIgnores } from '../sources/noms.ts';
import type { Cli } from './cli.ts';
import { UsageError } from './cli.ts';
import { openIngest } from './open.ts';
import { Progress } from './progress.ts';
import { bytes, nombre, printable, secondes } from './text.ts';

export const summary = 'lit les journaux des machines et met les sessions à jour';
export const usage = `Usage : npx atelier ingest [--dir DOSSIER] [--centre NOM] [--watch] [--replace CHEMIN] [--dry-run] [--json]

Lit ce qui a changé sous LOGS_DIR et sur les serveurs de SFTP_CENTRES, l’archive, et recalcule les journées
concernées. Relancer ne double rien.

  --dir DOSSIER      lit ce dossier au lieu de LOGS_DIR et des serveurs de SFTP_CENTRES
  --centre NOM       ce centre seulement
  --watch            reste et suit les fichiers : une ligne écrite est dans PostgreSQL en moins de 2 secondes
  --replace CHEMIN   ce fichier a été réécrit : ses anciennes versions ne comptent plus (leurs octets restent archivés) ;
                     le chemin tel que « npx atelier fichiers » le montre (un octet qui n’est pas de l’UTF-8 : \\xE9)
  --dry-run          dit ce qui changerait, ne change rien
  --json             le bilan en JSON sur la sortie, le journal sur la sortie d’erreur

Codes de sortie : 0 tout va bien (lignes rejetées comprises : elles sont comptées et nommées), 1 échec,
2 mauvais usage, 3 fait, mais un fichier, un centre ou une journée a été mis de côté (nommé ; le prochain import réessaie).`;

export async function run(args: string[], cli: Cli): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      dir: { type: 'string' },
      centre: { type: 'string' },
      watch: { type: 'boolean' },
      replace: { type: 'string' },
      'dry-run': { type: 'boolean' },
      json: { type: 'boolean' },
    },
  });
  if (values.watch && (values.replace !== undefined || values['dry-run'])) {
    throw new UsageError('--watch ne va ni avec --replace ni avec --dry-run.');
  }
  const dir = resolve(values.dir ?? cli.config.logsDir);
  refuseCentre(cli, values.dir);
  const options = {
    ...(values.centre === undefined ? {} : { centre: values.centre }),
    ...(values.replace === undefined ? {} : { replace: relativeTo(dir, values.replace) }),
    aBlanc: values['dry-run'] ?? false,
    ailleurs: values.dir !== undefined,
  };
  const quiet = cli.isTerminal && !values.json;
  const progress = quiet
    ? new Progress((text) => void process.stderr.write(text), await measureTree(cli, values.dir))
    : undefined;
  const ctx = await openIngest(cli, {
    dir: values.dir === undefined ? undefined : dir,
    console: progress ? (line) => progress.log(line, cli.err) : values.json ? 'stderr' : 'stdout',
  });
  if (values.watch) return await watch(cli, ctx, options, values.json ?? false);
  const started = performance.now();
  const compteurs = await ingest(ctx, { ...options, onProgress: (state) => progress?.update(state) });
  progress?.clear();
  if (values.json) cli.out(JSON.stringify({ ...compteurs, aBlanc: options.aBlanc }));
  else for (const line of report(compteurs, performance.now() - started, options.aBlanc)) cli.out(line);
  return estPartiel(compteurs) ? 3 : 0;
}

async function watch(
  cli: Cli,
  ctx: IngestContext,
  options: { centre?: string },
  json: boolean,
): Promise<number> {
  cli.err(`Suivi de ${ctx.source.description} ; Ctrl+C arrête.`);
  const time = new FactoryTime(cli.config.fuseau);
  await follow(ctx, {
    ...options,
    onScan: (compteurs) => {
      if (json) cli.out(JSON.stringify(compteurs));
      else if (cli.isTerminal) cli.out(`${time.formatTime(Date.now() / 1000)}  ${oneLine(compteurs)}`);
    },
  });
  return 0;
}

/** So much of what was put aside is named at the end. */
const TOLD = 10;

/** What an import did, in a few lines. */
export function report(c: Compteurs, ms: number, aBlanc: boolean): string[] {
  const lines = [
    aBlanc ? 'À blanc : rien n’a été changé. L’import ferait ceci :' : 'Import terminé.',
    `  fichiers  ${nombre(c.fichiersVus)} vus, ${nombre(c.fichiersInchanges)} inchangés, ${nombre(c.fichiersLus)} lus (${nombre(c.fichiersDejaConnus)} au contenu déjà connu), ${nombre(c.fichiersIllisibles)} illisibles`,
    `  sessions  ${nombre(c.sessionsCreees)} créées, ${nombre(c.sessionsModifiees)} modifiées, ${nombre(c.sessionsInchangees)} recalculées sans changement, ${nombre(c.sessionsSupprimees)} supprimées`,
    `  lignes    ${nombre(c.lignesLues)} lues, ${nombre(c.lignesRejetees)} rejetées, ${nombre(c.lignesIgnorees)} ignorées`,
    `  durée     ${secondes(ms)}, ${bytes(c.octetsLus)} lus (${bytes((c.octetsLus * 1000) / ms)}/s)`,
  ];
  const reasons = Object.entries(c.rejetsParRaison).sort(([, a], [, b]) => b - a);
  if (reasons.length > 0) {
    lines.push(
      `  rejets    ${reasons.map(([raison, count]) => `${raison} ${nombre(count)}`).join(', ')} (npx atelier rejets)`,
    );
  }
  if (c.journeesGelees > 0)
    lines.push(
      `  gelées    ${nombre(c.journeesGelees)} journées que la purge a vidées en tout ou partie : ce qui arrive encore d’elles est archivé, leurs chiffres ne changent plus`,
    );
  for (const message of c.nonLus.slice(0, TOLD)) lines.push(`  non lu    ${printable(message)}`);
  if (c.nonLus.length > TOLD) lines.push('  non lus   d’autres encore (ftp_log_service.log les nomme)');
  for (const message of c.misDeCote.slice(0, TOLD)) lines.push(`  de côté   ${message} (ATL_L207)`);
  if (c.misDeCote.length > TOLD)
    lines.push(`  de côté   et ${c.misDeCote.length - TOLD} de plus (ftp_log_service.log les nomme)`);
  if (c.fichiersEcartes > 0)
    lines.push(`  écartés   ${c.fichiersEcartes} fichiers archivés mais non comptés (npx atelier fichiers)`);
  return lines;
}

function oneLine(c: Compteurs): string {
  return `${c.fichiersLus} fichier(s) lu(s), ${c.sessionsCreees} session(s) créée(s), ${c.sessionsModifiees} modifiée(s), ${c.lignesRejetees} ligne(s) rejetée(s)`;
}

/** Below a centre's own folder every sub-folder would pass for a centre. */
function refuseCentre({ config }: Cli, dir: string | undefined): void {
  if (dir === undefined) return;
  const folder = resolve(dir);
  const centre = centreOfFolder(basename(folder), config.centres);
  if (!centre.connu || folder === resolve(config.logsDir)) return;
  const above = resolve(folder, '..');
  throw new AtelierError(
    'ATL_L208',
    `--dir ${dir} est le dossier d’un centre (${centre.nom}), pas celui qui les contient. Pour ce centre seul : --dir ${above} --centre ${centre.nom}`,
  );
}

/** A path given by hand, relative to the source. */
function relativeTo(dir: string, path: string): string {
  const inside = isAbsolute(path) ? relative(dir, path) : path;
  if (inside.startsWith('..')) throw new UsageError(`--replace : ${path} n’est pas sous ${dir}`);
  // A backslash may be part of a name, or write a byte of one (`\xE9`).
  return inside.split(sep).join('/');
}

/**
 * Files and bytes below the folder, for the time left; the listing is cheap beside the reading. Of servers it is not, and
 * what is to be fetched from them is not known before.
 */
async function measureTree(
  { config }: Cli,
  own: string | undefined,
): Promise<{ bytes: number; files: number }> {
  if (own === undefined && config.sftp.centres.length > 0) return { bytes: 0, files: 0 };
  const dir = resolve(own ?? config.logsDir);
  // Of disks that may not answer neither.
  const { above, below } = remoteMounts(dir);
  if (above || below.length > 0) return { bytes: 0, files: 0 };
  let files = 0;
  let size = 0;
  for await (const entree of new DossierLocal(dir, undefined, { ignore: dossiersIgnores(config) }).list()) {
    if (entree.kind !== 'fichier') continue;
    files++;
    size += entree.fichier.taille;
  }
  return { bytes: size, files };
}
