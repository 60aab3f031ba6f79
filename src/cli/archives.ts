import { parseArgs } from 'node:util';
import { ouvrirArchives } from '../archives/archive.ts';
import { createLogger } from '../base/logger.ts';
import {
  accorderFormes,
  compterFormes,
  exigerSens,
  type FormesArchives,
  verifierArchives,
} from '../jobs/formes-archives.ts';
import { type Cli, UsageError } from './cli.ts';
import { Etapes } from './etapes.ts';
import { openPool } from './open.ts';
import { secondes } from './text.ts';

export const summary = 'dit quelles archives sont chiffrées, les chiffre, les vérifie';
export const usage = `Usage : npx atelier archives [etat | chiffrer | dechiffrer | verifier] [--json]

  etat         compte les archives en clair et chiffrées, par clé (sans autre mot)
  chiffrer     chiffre avec CLE_ARCHIVES celles qui sont en clair ou sous CLE_ARCHIVES_PRECEDENTE
  dechiffrer   met toutes les archives en clair (CLE_ARCHIVES vide, la clé dans CLE_ARCHIVES_PRECEDENTE)
  verifier     lit chaque archive jusqu’au bout et la compare à son nom ; dit où une archive est abîmée

Imports et API continuent. Chaque archive est écrite à côté, relue en entier, puis prend la place de l’ancienne : interrompue,
la commande reprend où elle en était. Une archive abîmée est nommée et laissée comme elle est. Les blocs en clair que le
disque garde après un effacement, et les sauvegardes d’avant sans CLE_SAUVEGARDE, ne changent pas.

Codes de sortie : 0 fait, 1 échec, 2 mauvais usage, 3 fait, sauf des archives abîmées.`;

export async function run(args: string[], cli: Cli): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { json: { type: 'boolean' } },
  });
  const [action = 'etat', ...rest] = positionals;
  if (rest.length > 0) throw new UsageError(`un seul mot attendu, reçu « ${positionals.join(' ')} »`);
  const json = values.json ?? false;
  if (action === 'etat') return await etat(cli, json);
  if (action === 'verifier') return await verifier(cli, json);
  if (action === 'chiffrer' || action === 'dechiffrer') return await accorder(cli, json, action);
  throw new UsageError(`attendu etat, chiffrer, dechiffrer ou verifier, reçu « ${action} »`);
}

async function etat(cli: Cli, json: boolean): Promise<number> {
  const archive = ouvrirArchives(cli.config);
  const formes = await compterFormes(archive);
  const { courante = null } = archive.cles;
  if (json) cli.out(JSON.stringify({ ...formes, cle: courante, donnees: archive.cles.ids }));
  else for (const line of report(formes, courante, archive.cles.ids)) cli.out(line);
  return 0;
}

function report(
  { enClair, chiffrees }: FormesArchives,
  cle: string | null,
  ids: readonly string[],
): string[] {
  return [
    `Archives en clair : ${enClair}`,
    ...Object.entries(chiffrees).map(([id, nombre]) => {
      const which =
        id === cle
          ? 'CLE_ARCHIVES'
          : ids.includes(id)
            ? 'CLE_ARCHIVES_PRECEDENTE'
            : 'clé qui n’est pas donnée';
      return `Archives chiffrées avec la clé ${id} (${which}) : ${nombre}`;
    }),
    cle === null
      ? 'Les nouvelles sont en clair (CLE_ARCHIVES est vide).'
      : `Les nouvelles sont chiffrées (${cle}).`,
  ];
}

async function verifier(cli: Cli, json: boolean): Promise<number> {
  const etapes = new Etapes(cli, json);
  const { nombre, defauts } = await verifierArchives(
    { archive: ouvrirArchives(cli.config), shutdown: cli.shutdown },
    etapes.dire,
  );
  etapes.effacer();
  if (json) cli.out(JSON.stringify({ nombre, defauts }));
  else {
    cli.out(`${nombre} archives lues, ${defauts.length} abîmées ou illisibles.`);
    for (const { archive, raison } of defauts) cli.out(`  ✖ ${archive} : ${raison}`);
  }
  return defauts.length > 0 ? 3 : 0;
}

async function accorder(cli: Cli, json: boolean, action: 'chiffrer' | 'dechiffrer'): Promise<number> {
  const archive = ouvrirArchives(cli.config);
  exigerSens(archive, action === 'chiffrer');
  const { config, shutdown } = cli;
  const logger = createLogger({
    console: () => undefined,
    file: { dir: config.syncLogsDir, name: 'archives.log' },
    level: config.logLevel,
    fuseau: config.fuseau,
  });
  const etapes = new Etapes(cli, json);
  const pool = await openPool(cli, logger);
  const bilan = await accorderFormes({ shutdown, logger, pool, archive }, { onProgress: etapes.dire });
  etapes.effacer();
  if (json) cli.out(JSON.stringify(bilan));
  else {
    const { reprises, dejaFaites, laissees, dureeMs } = bilan;
    const word = action === 'chiffrer' ? 'chiffrées' : 'mises en clair';
    cli.out(`${reprises} archives ${word}, ${dejaFaites} l’étaient déjà (${secondes(dureeMs)}).`);
    for (const one of laissees) cli.out(`  ✖ laissée comme elle est : ${one.archive} : ${one.raison}`);
  }
  return bilan.etat === 'partielle' ? 3 : 0;
}
