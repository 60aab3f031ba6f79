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

/**
 * @returns the key in use here, see {@link cleEnUsage}
 * @throws AtelierError ATL_L209 when archives are to be written here, and the key in use is not at hand
 */
export async function exigerCleEnUsage(root: string, cles: ClesArchives): Promise<string | undefined> {
  const id = await cleEnUsage(root);
  if (id === undefined || cles.ids.includes(id)) return id;
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

/**
 * Follows the key in use for one process: what it writes goes on with the settings that it started with, until somebody
 * changes the form of the archives beneath it. An archive of yesterday's key, or a plain one, would then come among those
 * that were just moved, unseen.
 */
export class SuiviDeCle {
  readonly #root: string;
  readonly #cles: ClesArchives;
  /** what this process last agreed with */
  #vue: { readonly cle: string | undefined } | undefined;

  constructor(root: string, cles: ClesArchives) {
    this.#root = root;
    this.#cles = cles;
  }

  /** Before bytes are written that have no name yet. @throws as {@link exigerCleEnUsage} */
  async regarder(): Promise<void> {
    const cle = await exigerCleEnUsage(this.#root, this.#cles);
    this.#vue ??= { cle };
  }

  /**
   * Before archives get their names: notes the key that encrypts, when it is a new one.
   *
   * @throws AtelierError ATL_L209 when another process changed the key, or took it away
   */
  async accorder(): Promise<void> {
    const { courante } = this.#cles;
    const cle = await exigerCleEnUsage(this.#root, this.#cles);
    if (cle !== courante) {
      this.#vue ??= { cle };
      if (cle !== this.#vue.cle)
        throw new AtelierError(
          'ATL_L209',
          `${this.#root} : la clé des archives a changé depuis que ce programme tourne (${cle ?? 'aucune'}, il a ${courante ?? 'aucune'}) ; rien n’y est écrit. Relancez-le (worker) avec les réglages d’aujourd’hui.`,
        );
      if (courante === undefined) return;
      await noterCleEnUsage(this.#root, courante);
    }
    this.#vue = { cle: courante };
  }
}

/** Nothing is encrypted here any more. */
export async function oublierCleEnUsage(root: string): Promise<void> {
  await rm(join(root, CLE_EN_USAGE), { force: true });
}
