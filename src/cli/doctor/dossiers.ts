import { constants, existsSync } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Config, loadConfig } from '../../base/config.ts';
import { codeOf, messageOf } from '../../base/errors.ts';
import { centreOfFolder } from '../../sources/centre.ts';
import { DossierLocal } from '../../sources/dossier.ts';
import { dossiersIgnores } from '../../sources/noms.ts';
import type { Cli } from '../cli.ts';
import { bytes } from '../text.ts';
import { attention, bien, type Constat, type Controle, mal } from './constat.ts';

/** Free space in bytes below which a disk is short, and share of it. */
const LITTLE_SPACE = 1_000_000_000;
/** Share of inodes below which a disk is short: each archive is a file. */
const FEW_INODES = 0.02;

/** LOGS_DIR can be read, the other folders written, and their disks have room. */
export const dossiers: Controle = {
  quoi: 'Dossiers',
  async faire(cli) {
    const { archivesDir, syncLogsDir, sauvegarde, planification } = cli.config;
    return [
      await checkLogs(cli),
      await checkWritable('ARCHIVES_DIR', archivesDir),
      await checkWritable('SYNC_LOGS_DIR', syncLogsDir),
      ...(planification.horaires.sauvegarde
        ? [await checkWritable('SAUVEGARDE_DIR', sauvegarde.dossier)]
        : []),
    ];
  },
};

async function checkLogs({ config }: Cli): Promise<Constat> {
  const quoi = 'LOGS_DIR';
  const folders: string[] = [];
  const unknown: string[] = [];
  let files = 0;
  const unreadable: string[] = [];
  const source = new DossierLocal(config.logsDir, undefined, { ignore: dossiersIgnores(config) });
  try {
    for await (const entree of source.list()) {
      if (entree.kind === 'fichier') files++;
      else if (entree.kind === 'ecarte' && entree.erreur) unreadable.push(entree.chemin);
      else if (entree.kind === 'dossier') {
        folders.push(entree.dossier);
        if (!centreOfFolder(entree.dossier, config.centres).connu) unknown.push(entree.dossier);
      }
    }
  } catch (error) {
    if (distantsSeuls(config)) {
      return bien(quoi, `${config.logsDir} absent ou illisible : tous les centres sont lus par SFTP`);
    }
    const remede = 'Créez ce dossier ou donnez LOGS_DIR : un sous-dossier par centre d’usinage.';
    // After the demonstration, say: nobody has spoken of logs of machines yet.
    if (config.logsDir === loadConfig({}).logsDir && !existsSync(config.logsDir)) {
      return attention(quoi, `non réglé, et ${config.logsDir} n’existe pas : rien à importer`, remede);
    }
    return mal(quoi, messageOf(error), remede);
  } finally {
    await source.fermer();
  }
  const known = folders.filter((dossier) => !unknown.includes(dossier));
  const names = [...new Set(known.map((dossier) => centreOfFolder(dossier, config.centres).nom))];
  const centres =
    names.length === 0 ? 'aucun centre connu' : `${names.length} centre(s) (${names.join(', ')})`;
  const detail = `${config.logsDir} : ${centres}, ${files} fichier(s)`;
  if (unreadable.length > 0) {
    return mal(quoi, `${detail} ; illisibles : ${unreadable.join(', ')}`, 'Donnez le droit de lecture.');
  }
  if (unknown.length > 0) {
    return attention(
      quoi,
      `${detail} ; dossiers inconnus : ${unknown.join(', ')}`,
      'Une machine : nommez-la dans CENTRES (dossier=NOM,TYPE), sinon c’est un centre de type INCONNU. Autre chose : ôtez ce dossier de là.',
    );
  }
  if (folders.length === 0 && config.sftp.centres.length === 0) {
    return attention(
      quoi,
      detail,
      'Aucun sous-dossier : les machines y déposent-elles bien leurs fichiers ?',
    );
  }
  return bien(quoi, detail);
}

/** Whether all centres live on servers: then no local folder is needed, see `SourceComposite`. */
function distantsSeuls({ centres, sftp }: Config): boolean {
  const distants = new Set(sftp.centres.map(({ dossier }) => dossier));
  return distants.size > 0 && centres.every(({ dossier }) => distants.has(dossier));
}

/** The folder itself, or the nearest one above it that exists. */
async function existing(dir: string): Promise<string> {
  try {
    if (!(await stat(dir)).isDirectory()) throw new Error(`${dir} n’est pas un dossier`);
    return dir;
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' || dirname(dir) === dir) throw error;
    return await existing(dirname(dir));
  }
}

async function checkWritable(quoi: string, dir: string): Promise<Constat> {
  try {
    // A folder that is not there yet is made by whoever needs it first: not by us, who may be another user.
    const there = await existing(dir);
    await access(there, constants.R_OK | constants.W_OK | constants.X_OK);
    return checkSpace(quoi, there === dir ? dir : `${dir} (sera créé)`, await statfs(there));
  } catch (error) {
    return mal(quoi, messageOf(error), `Donnez à cet utilisateur le droit d’écrire dans ${dir}.`);
  }
}

/** Room on the disk of a folder, in bytes and in files. */
export function checkSpace(
  quoi: string,
  dir: string,
  disk: { readonly bavail: number; readonly bsize: number; readonly files: number; readonly ffree: number },
): Constat {
  const free = disk.bavail * disk.bsize;
  const detail = `${dir} : ${bytes(free)} libres`;
  if (free < LITTLE_SPACE) return attention(quoi, detail, 'Faites de la place sur ce disque.');
  // Some file systems count none: then there are as many as there is room for.
  if (disk.files > 0 && disk.ffree / disk.files < FEW_INODES) {
    return attention(
      quoi,
      `${detail}, mais ${disk.ffree} fichiers possibles seulement (inodes)`,
      'Effacez de petits fichiers sur ce disque, ou refaites-le avec plus d’inodes.',
    );
  }
  return bien(quoi, detail);
}
