import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Depot, LISTE_ARCHIVES, type Sauvegarde } from '../../archives/sauvegarde/depot.ts';
import { CHIFFRE, empreinte, verifierArchive } from '../../archives/sauvegarde/fichiers.ts';
import { JOURNAUX } from '../../archives/sauvegarde/journaux.ts';
import { MANIFESTE } from '../../archives/sauvegarde/manifeste.ts';
import { idDeCle } from '../../base/chiffrement-flux.ts';
import { AtelierError, codeOf, messageOf } from '../../base/errors.ts';
import { LecteurDeBase } from '../../postgres/sauvegarde/lecture.ts';
import type { Avance } from './avance.ts';
import { clesDeLaSauvegarde } from './cles-comptes.ts';

/** What a look at a backup found. */
export interface Verification {
  readonly nom: string;
  readonly fichiers: number;
  readonly archives: number;
  /** archives that were missing when it was made */
  readonly manquantes: number;
  /** what is wrong with it, in French; none: it can be restored */
  readonly defauts: readonly string[];
}

/**
 * Reads a whole backup: every file against its checksum, decrypted and decompressed to its end, every archive against
 * its name.
 *
 * @param cles keys at hand
 * @param sansSceau takes one that nothing vouches for
 * @throws AtelierError ATL_B903, ATL_L209 (a key is not at hand), ATL_B909 (no seal), ATL_B910 (it asks for more than its rows)
 */
export async function verifierSauvegarde(
  depot: Depot,
  sauvegarde: Sauvegarde,
  cles: readonly Buffer[],
  onProgress: (avance: Avance) => void = () => undefined,
  sansSceau = false,
): Promise<Verification> {
  exigerCle(sauvegarde, cles);
  exigerSceau(sauvegarde, cles, sansSceau);
  const defauts = await verifierFichiers(depot, sauvegarde);
  const archives = defauts.length > 0 ? [] : await depot.archives(sauvegarde);
  const annoncees = sauvegarde.manifeste.archives?.nombre ?? 0;
  if (defauts.length === 0 && archives.length !== annoncees)
    defauts.push(`${LISTE_ARCHIVES} nomme ${archives.length} archives, le manifeste ${annoncees}`);
  await clesDeLaSauvegarde(depot, sauvegarde, cles, sansSceau).catch((error: unknown) => {
    defauts.push(messageOf(error));
  });
  let manquantes = 0;
  for (const [i, archive] of archives.entries()) {
    onProgress({ quoi: 'archives', fait: i + 1, total: archives.length });
    if (archive.fichier === undefined) {
      manquantes++;
      continue;
    }
    await verifierArchive(depot.lireArchive(archive, true), archive.sha256).catch((error: unknown) => {
      if (codeOf(error) === 'ATL_L209') throw error;
      // All backups share it, so another one is no way out.
      defauts.push(
        `${messageOf(error)} (effacez archives/${archive.fichier} : la prochaine sauvegarde le recopie)`,
      );
    });
  }
  const { nom, manifeste } = sauvegarde;
  return { nom, fichiers: manifeste.fichiers.length, archives: archives.length, manquantes, defauts };
}

/** @throws AtelierError ATL_B903 when the backup is encrypted with a key that is not at hand */
export function exigerCle({ dossier, manifeste }: Sauvegarde, cles: readonly Buffer[]): void {
  const needed = manifeste.chiffrement?.cle;
  if (needed === undefined || cles.some((cle) => idDeCle(cle) === needed)) return;
  const given = cles.length > 0 ? `celle donnée est ${cles.map(idDeCle).join(', ')}` : 'aucune n’est donnée';
  throw new AtelierError('ATL_B903', `${dossier} est chiffrée avec la clé ${needed} ; ${given}.`);
}

/**
 * @param sansSceau whoever asks knows where it comes from
 * @throws AtelierError ATL_B909 when nothing vouches for the backup: with a key at hand only that key does
 */
export function exigerSceau(
  { dossier, sceau, manifeste }: Sauvegarde,
  cles: readonly Buffer[],
  sansSceau: boolean,
): void {
  if (sansSceau || sceau === 'cle' || (sceau === 'empreinte' && cles.length === 0)) return;
  const why =
    cles.length > 0
      ? 'n’est ni chiffrée ni scellée, alors qu’une CLE_SAUVEGARDE est donnée'
      : `n’a pas de sceau (format ${manifeste.format})`;
  throw new AtelierError('ATL_B909', `${dossier} ${why}.`);
}

/** Files that every backup has, without those of archives. */
const TOUJOURS = ['base.sql.zst', ...JOURNAUX];

/** Names that do not belong together: missing, twice, or nobody's. */
async function verifierNoms({ dossier, manifeste }: Sauvegarde): Promise<string[]> {
  const clear = manifeste.fichiers.map(({ nom }) =>
    nom.endsWith(CHIFFRE) ? nom.slice(0, -CHIFFRE.length) : nom,
  );
  const needed = [...TOUJOURS, ...(manifeste.archives ? [LISTE_ARCHIVES] : [])];
  const names = new Set([MANIFESTE, ...manifeste.fichiers.map(({ nom }) => nom)]);
  const there = await readdir(dossier);
  return [
    ...needed.filter((nom) => !clear.includes(nom)).map((nom) => `le manifeste ne nomme pas ${nom}`),
    ...clear.filter((nom, i) => clear.indexOf(nom) < i).map((nom) => `le manifeste nomme ${nom} deux fois`),
    // Hidden ones are left by desktops and copying programs, and nobody reads them.
    ...there
      .filter((nom) => !names.has(nom) && !nom.startsWith('.'))
      .map((nom) => `${nom} n’est pas de cette sauvegarde`),
  ];
}

/** Reads every file of the backup's own folder to its end. @returns what is wrong @throws AtelierError ATL_B910 */
export async function verifierFichiers(depot: Depot, sauvegarde: Sauvegarde): Promise<string[]> {
  const defauts = await verifierNoms(sauvegarde);
  for (const { nom, octets, sha256 } of sauvegarde.manifeste.fichiers) {
    const path = join(sauvegarde.dossier, nom);
    const found = await lstat(path).catch(() => undefined);
    const size = found?.size;
    if (!found) defauts.push(`${nom} manque`);
    else if (!found.isFile()) defauts.push(`${nom} n’est pas un fichier ordinaire`);
    else if (size !== octets) defauts.push(`${nom} a ${size} octets au lieu de ${octets}`);
    else if ((await empreinte(path)) !== sha256)
      defauts.push(`${nom} a changé depuis la sauvegarde (SHA-256)`);
    else {
      const clear = nom.endsWith(CHIFFRE) ? nom.slice(0, -CHIFFRE.length) : nom;
      try {
        const pieces = depot.lireFichier(sauvegarde, clear);
        if (clear === 'base.sql.zst')
          await new LecteurDeBase(sauvegarde.manifeste.base.schema).parcourir(pieces);
        else for await (const _ of pieces);
      } catch (error) {
        if (codeOf(error) === 'ATL_B910') throw error;
        defauts.push(messageOf(error));
      }
    }
  }
  return defauts;
}
