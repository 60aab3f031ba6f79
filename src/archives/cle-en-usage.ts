import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { AtelierError, codeOf, messageOf } from '../base/errors.ts';
import type { ClesArchives } from './cles.ts';
import { synchroniserDossier } from './sauvegarde/fichiers.ts';

/** Beside the archives: which key they are encrypted with. */
export const CLE_EN_USAGE = 'chiffrement.json';

/**
 * Id of the key that archives of this folder are encrypted with, undefined: none. A key that went out of `.env` by mistake
 * must not turn what comes into plain files, without a word, nor a mistyped one make archives that nobody opens later.
 *
 * @throws the file system's error
 */
export async function cleEnUsage(root: string): Promise<string | undefined> {
  try {
    const { cle } = JSON.parse(await readFile(join(root, CLE_EN_USAGE), 'utf8')) as { cle?: unknown };
    return typeof cle === 'string' ? cle : undefined;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new Error(`${join(root, CLE_EN_USAGE)} : ${messageOf(error)}`, { cause: error });
  }
}

/** @throws AtelierError ATL_L209 when archives are to be written here, and the key in use is not at hand */
export async function exigerCleEnUsage(root: string, cles: ClesArchives): Promise<void> {
  const id = await cleEnUsage(root);
  if (id === undefined || cles.ids.includes(id)) return;
  const given =
    cles.courante === undefined ? 'CLE_ARCHIVES est vide' : `CLE_ARCHIVES est la clé ${cles.courante}`;
  throw new AtelierError(
    'ATL_L209',
    `${root} est chiffré avec la clé ${id}, et ${given} : rien n’y est écrit (clé perdue pour de bon : effacez ${CLE_EN_USAGE}).`,
  );
}

/** Notes the key that encrypts from now on; it is on the disk when this returns. */
export async function noterCleEnUsage(root: string, id: string): Promise<void> {
  if ((await cleEnUsage(root)) === id) return;
  const draft = join(root, `.${CLE_EN_USAGE}~${hostname()}~${process.pid}`);
  await writeFile(draft, `${JSON.stringify({ cle: id })}\n`, { mode: 0o600, flush: true });
  await rename(draft, join(root, CLE_EN_USAGE));
  await synchroniserDossier(root);
}

/** Nothing is encrypted here any more. */
export async function oublierCleEnUsage(root: string): Promise<void> {
  await rm(join(root, CLE_EN_USAGE), { force: true });
}
