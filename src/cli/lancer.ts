import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { NOMS_TACHES, type NomTache } from '../base/config/planification.ts';
import { AtelierError } from '../base/errors.ts';
import { manqueA } from '../jobs/taches/registre.ts';
import { nomsConnus } from '../postgres/centres.ts';
import { type Pool, withClient } from '../postgres/pool.ts';
import { type DemandeRecue, demander, listerEssais } from '../postgres/taches/demandes.ts';
import { etatTravail } from '../postgres/taches/file-taches.ts';
import { type Cli, UsageError } from './cli.ts';
import { openPool } from './open.ts';

export const summary = 'demande le passage d’une tâche au worker';
export const usage = `Usage : npx atelier lancer TÂCHE [--attendre] [--force] [--centre NOM] [--json]

Met la tâche en file ; un worker (\`npx atelier worker\`) la prend. Si elle y attend déjà, rien n’est ajouté.
Tâches : ${NOMS_TACHES.join(', ')}. Sans worker, \`atelier ingest\` et \`atelier sync\` font le travail tout de suite.

  --attendre     attend la fin, essais compris, et dit ceux qui échouent ; le code de sortie dit comment elle s’est terminée
  --force        sync : remplace la liste même si l’ERP ne rend rien ou presque ; purge : même au-delà de PURGE_SEUIL_PART
  --centre NOM   ingest : ce centre seulement
  --json         la réponse en JSON

Codes de sortie : 0 demandée (ou réussie), 1 échec, 2 mauvais usage, 3 faite, mais un fichier n’a pu être lu.`;

/** Between two looks at the queue (ms). */
const REGARD = 500;

export async function run(args: string[], cli: Cli): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      attendre: { type: 'boolean' },
      force: { type: 'boolean' },
      centre: { type: 'string' },
      json: { type: 'boolean' },
    },
  });
  const tache = readTache(positionals);
  if (values.force && tache !== 'sync' && tache !== 'purge')
    throw new UsageError('--force ne va qu’avec sync et purge.');
  if (values.centre !== undefined && tache !== 'ingest')
    throw new UsageError('--centre ne va qu’avec ingest.');
  const options = {
    ...(values.force ? { force: true } : {}),
    ...(values.centre === undefined ? {} : { centre: values.centre }),
  };
  const pool = await openPool(cli);
  if (values.centre !== undefined) await exigerCentre(cli, pool, values.centre);
  const recue = await withClient(pool, (client) =>
    demander(client, { tache, options }, cli.config.planification),
  );
  if (!recue.memesOptions) {
    throw new AtelierError(
      'ATL_T702',
      `La tâche ${tache} attend déjà avec d’autres options (passage ${recue.execution}).`,
    );
  }
  announce(cli, tache, recue, values.json ?? false, values.attendre ?? false);
  return values.attendre ? await attendre(cli, pool, tache, recue, values.json ?? false) : 0;
}

function readTache(positionals: readonly string[]): NomTache {
  const [name, ...rest] = positionals;
  const tache = NOMS_TACHES.find((one) => one === name);
  if (tache && rest.length === 0) return tache;
  throw new UsageError(`Donnez une tâche : ${NOMS_TACHES.join(', ')}.`);
}

/** A misspelt centre would fail five times, minutes apart, and raise an alarm: better said at once. */
async function exigerCentre({ config }: Cli, pool: Pool, nom: string): Promise<void> {
  const known = await nomsConnus(pool, config.centres);
  if (known.includes(nom)) return;
  throw new UsageError(
    `--centre : « ${nom} » est inconnu, attendu l’un de ${known.join(', ')} (ou un autre, nommé d’abord dans CENTRES)`,
  );
}

function announce(cli: Cli, tache: NomTache, recue: DemandeRecue, json: boolean, wait: boolean): void {
  const { execution, travail, nouvelle } = recue;
  if (json && !wait) cli.out(JSON.stringify({ tache, execution, travail, nouvelle }));
  if (!json) {
    cli.out(
      nouvelle
        ? `Demandée : ${tache}, passage ${execution}.`
        : `Elle attendait déjà : ${tache}, passage ${execution}.`,
    );
  }
  const manque = manqueA(tache, cli.config);
  if (manque !== undefined) cli.err(`Attention : cette machine ne peut pas l’exécuter, ${manque}.`);
}

/** Waits until the queue is done with the job. */
async function attendre(
  cli: Cli,
  pool: Pool,
  tache: NomTache,
  { travail }: DemandeRecue,
  json: boolean,
): Promise<number> {
  let told = 0;
  for (;;) {
    const etat = await etatTravail(pool, travail);
    // Five attempts take minutes: whoever waits should know that the first has failed, and why.
    const failed = (await listerEssais(pool, travail)).filter((essai) => essai.etat === 'echouee').reverse();
    for (const { tentative, erreur } of failed.slice(told)) {
      cli.err(`Essai ${tentative} : ${erreur}${etat === 'attend' ? ' ; un autre suivra.' : ''}`);
    }
    told = failed.length;
    if (etat !== 'attend' && etat !== 'court') break;
    await sleep(REGARD, undefined, { signal: cli.shutdown.signal });
  }
  const [last] = await listerEssais(pool, travail);
  if (json) cli.out(JSON.stringify({ tache, travail, ...last }));
  if (last?.etat === 'reussie' || last?.etat === 'partielle') {
    if (!json) cli.out(`Terminée : ${tache}, ${last.etat}.`);
    return last.etat === 'partielle' ? 3 : 0;
  }
  throw new AtelierError(
    'ATL_T705',
    `Tâche ${tache}, essai ${last?.tentative ?? 0} : ${last?.erreur ?? 'jamais commencée'}`,
  );
}
