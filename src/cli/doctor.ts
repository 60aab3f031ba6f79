import { constants } from 'node:fs';
import { access, mkdir, statfs } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { Archive } from '../archives/archive.ts';
import { AtelierError, messageOf } from '../base/errors.ts';
import { silentLogger } from '../base/logger.ts';
import { expectedArchives, findMiscounted, findOrphans, serverState } from '../postgres/controle.ts';
import { pendingDays } from '../postgres/jours.ts';
import { requireSchema } from '../postgres/migrate.ts';
import { createPool, describeUrl, type Pool } from '../postgres/pool.ts';
import { centreOfFolder } from '../sources/centre.ts';
import { DossierLocal } from '../sources/dossier.ts';
import type { Cli } from './cli.ts';
import { databaseUrl } from './open.ts';
import { bytes, printable } from './text.ts';

export const summary = 'contrôle l’installation et les données, et dit comment réparer';
export const usage = `Usage : npx atelier doctor [--json]

Contrôle Node, les dossiers et leurs droits, le disque, l’horloge, PostgreSQL et son schéma, les archives,
l’absence de lignes orphelines. Code de sortie 1 si quelque chose est à réparer.`;

/** One finding: fine, to look at, or to mend; with the way to do it. */
interface Constat {
  readonly quoi: string;
  readonly etat: 'bien' | 'attention' | 'mal';
  readonly detail: string;
  readonly remede?: string;
}

/** Free space in bytes below which a disk is short. */
const LITTLE_SPACE = 1_000_000_000;
/** PostgreSQL 14, the oldest that the schema was written for. */
const OLDEST_POSTGRES = 140_000;
/** Seconds between two clocks from which on dates in the database may mislead. */
const CLOCK_SKEW = 60;

export async function run(args: string[], cli: Cli): Promise<number> {
  const { values } = parseArgs({ args, options: { json: { type: 'boolean' } } });
  const constats: Constat[] = [
    { quoi: 'Node', etat: 'bien', detail: process.version },
    {
      quoi: 'Fuseau',
      etat: 'bien',
      detail: `${cli.config.fuseau}, journée à partir de ${dayStart(cli.config.journeeDebut)}`,
    },
    await checkLogs(cli),
    ...(await checkWritable('ARCHIVES_DIR', cli.config.archivesDir)),
    ...(await checkWritable('SYNC_LOGS_DIR', cli.config.syncLogsDir)),
    ...(await checkDatabase(cli)),
  ];
  if (values.json) cli.out(JSON.stringify(constats, null, 2));
  else for (const line of constats.flatMap(lines)) cli.out(line);
  return constats.some(({ etat }) => etat === 'mal') ? 1 : 0;
}

function lines({ quoi, etat, detail, remede }: Constat): string[] {
  const mark = { bien: '✔', attention: '⚠', mal: '✖' }[etat];
  return [`${mark} ${quoi} : ${printable(detail)}`, ...(remede ? [`    → ${remede}`] : [])];
}

async function checkLogs(cli: Cli): Promise<Constat> {
  const quoi = 'LOGS_DIR';
  const folders: string[] = [];
  const unknown: string[] = [];
  let files = 0;
  const unreadable: string[] = [];
  try {
    for await (const entree of new DossierLocal(cli.config.logsDir).list()) {
      if (entree.kind === 'fichier') files++;
      else if (entree.kind === 'ecarte' && entree.erreur) unreadable.push(entree.chemin);
      else if (entree.kind === 'dossier') {
        folders.push(entree.dossier);
        if (!centreOfFolder(entree.dossier, cli.config.centres).connu) unknown.push(entree.dossier);
      }
    }
  } catch (error) {
    const remede = 'Créez ce dossier ou donnez LOGS_DIR : un sous-dossier par centre d’usinage.';
    return { quoi, etat: 'mal', detail: messageOf(error), remede };
  }
  const detail = `${cli.config.logsDir} : ${folders.length} centre(s), ${files} fichier(s)`;
  if (unreadable.length > 0) {
    return {
      quoi,
      etat: 'mal',
      detail: `${detail} ; illisibles : ${unreadable.join(', ')}`,
      remede: 'Donnez le droit de lecture.',
    };
  }
  if (unknown.length > 0) {
    return {
      quoi,
      etat: 'attention',
      detail: `${detail} ; dossiers inconnus : ${unknown.join(', ')}`,
      remede: 'Nommez-les dans CENTRES (dossier=NOM,TYPE), sinon ce sont des centres de type INCONNU.',
    };
  }
  if (folders.length === 0) {
    return {
      quoi,
      etat: 'attention',
      detail,
      remede: 'Aucun sous-dossier : les machines y déposent-elles bien leurs fichiers ?',
    };
  }
  return { quoi, etat: 'bien', detail };
}

async function checkWritable(quoi: string, dir: string): Promise<Constat[]> {
  try {
    await mkdir(dir, { recursive: true });
    await access(dir, constants.R_OK | constants.W_OK | constants.X_OK);
    const { bavail, bsize } = await statfs(dir);
    const free = bavail * bsize;
    const detail = `${dir} : ${bytes(free)} libres`;
    if (free < LITTLE_SPACE)
      return [{ quoi, etat: 'attention', detail, remede: 'Faites de la place sur ce disque.' }];
    return [{ quoi, etat: 'bien', detail }];
  } catch (error) {
    return [
      {
        quoi,
        etat: 'mal',
        detail: messageOf(error),
        remede: `Donnez à cet utilisateur le droit d’écrire dans ${dir}.`,
      },
    ];
  }
}

async function checkDatabase(cli: Cli): Promise<Constat[]> {
  let pool: Pool | undefined;
  try {
    const url = await databaseUrl(cli);
    pool = createPool(url, { logger: silentLogger() });
    const server = await serverState(pool);
    const constats: Constat[] = [checkServer(describeUrl(url), server)];
    if (Math.abs(server.avance) > CLOCK_SKEW) {
      const detail = `${Math.round(server.avance)} s d’écart avec PostgreSQL`;
      constats.push({
        quoi: 'Horloge',
        etat: 'attention',
        detail,
        remede: 'Réglez les deux machines par NTP.',
      });
    }
    await requireSchema(pool);
    constats.push({ quoi: 'Schéma', etat: 'bien', detail: 'à jour' });
    return [...constats, ...(await checkData(cli, pool))];
  } catch (error) {
    const remede =
      error instanceof AtelierError
        ? error.conseil
        : 'Vérifiez DATABASE_URL ou POSTGRES_*, et que le serveur tourne.';
    return [{ quoi: 'PostgreSQL', etat: 'mal', detail: messageOf(error), remede }];
  } finally {
    await pool?.end();
  }
}

function checkServer(where: string, { version, encodage }: { version: number; encodage: string }): Constat {
  const detail = `${where}, version ${Math.floor(version / 10_000)}, ${encodage}`;
  if (version < OLDEST_POSTGRES)
    return { quoi: 'PostgreSQL', etat: 'mal', detail, remede: 'Il faut PostgreSQL 14 ou plus récent.' };
  if (encodage !== 'UTF8')
    return { quoi: 'PostgreSQL', etat: 'mal', detail, remede: 'Créez la base avec ENCODING UTF8.' };
  return { quoi: 'PostgreSQL', etat: 'bien', detail };
}

async function checkData(cli: Cli, pool: Pool): Promise<Constat[]> {
  const constats: Constat[] = [];
  const orphans = await findOrphans(pool);
  constats.push(
    orphans.length === 0
      ? { quoi: 'Lignes orphelines', etat: 'bien', detail: 'aucune' }
      : {
          quoi: 'Lignes orphelines',
          etat: 'mal',
          detail: orphans.map((o) => `${o.table}.${o.colonne} ${o.nombre}`).join(', '),
          remede: 'Signalez-le : le schéma l’interdit. Les archives permettent de tout recalculer.',
        },
  );
  const miscounted = await findMiscounted(pool);
  if (miscounted > 0) {
    constats.push({
      quoi: 'Sessions',
      etat: 'mal',
      detail: `${miscounted} dont le total n’est pas le nombre de leurs pièces`,
      remede: 'Signalez-le, avec le journal ftp_log_service.log.',
    });
  }
  const pending = (await pendingDays(pool)).reduce((sum, { jours }) => sum + jours.length, 0);
  if (pending > 0) {
    constats.push({
      quoi: 'Journées',
      etat: 'attention',
      detail: `${pending} à recalculer (import en cours, ou interrompu)`,
      remede: 'Le prochain `npx atelier ingest` les reprend.',
    });
  }
  constats.push(await checkArchives(cli, pool));
  return constats;
}

async function checkArchives(cli: Cli, pool: Pool): Promise<Constat> {
  const archive = new Archive(cli.config.archivesDir);
  let count = 0;
  const missing: string[] = [];
  for (const [centreId, shas] of await expectedArchives(pool)) {
    const present = new Set(await archive.list(centreId));
    count += shas.length;
    missing.push(...shas.filter((sha) => !present.has(sha)));
  }
  if (missing.length === 0)
    return { quoi: 'Archives', etat: 'bien', detail: `${count} versions, toutes présentes` };
  return {
    quoi: 'Archives',
    etat: 'mal',
    detail: `${missing.length} sur ${count} manquent, par exemple ${missing[0]}`,
    remede:
      'Restaurez ARCHIVES_DIR d’une sauvegarde : ces octets ne sont nulle part ailleurs si la machine a effacé ses fichiers.',
  };
}

function dayStart(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(11, 16);
}
