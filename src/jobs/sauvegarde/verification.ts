import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Depot, LISTE_ARCHIVES, type Sauvegarde } from '../../archives/sauvegarde/depot.ts';
import { CHIFFRE, empreinte, verifierArchive } from '../../archives/sauvegarde/fichiers.ts';
import { idDeCle } from '../../base/chiffrement-flux.ts';
import { AtelierError, messageOf } from '../../base/errors.ts';
import type { Avance } from './avance.ts';

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
 * @throws AtelierError ATL_B903 when the key is not at hand
 */
export async function verifierSauvegarde(
  depot: Depot,
  sauvegarde: Sauvegarde,
  cles: readonly Buffer[],
  onProgress: (avance: Avance) => void = () => undefined,
): Promise<Verification> {
  exigerCle(sauvegarde, cles);
  const defauts = await verifierFichiers(depot, sauvegarde);
  const archives = defauts.length > 0 ? [] : await depot.archives(sauvegarde);
  const annoncees = sauvegarde.manifeste.archives?.nombre ?? 0;
  if (defauts.length === 0 && archives.length !== annoncees)
    defauts.push(`${LISTE_ARCHIVES} nomme ${archives.length} archives, le manifeste ${annoncees}`);
  let manquantes = 0;
  for (const [i, archive] of archives.entries()) {
    onProgress({ quoi: 'archives', fait: i + 1, total: archives.length });
    if (archive.fichier === undefined) {
      manquantes++;
      continue;
    }
    await verifierArchive(depot.lireArchive(archive, true), archive.sha256).catch((error: unknown) => {
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

/** Reads every file of the backup's own folder to its end. @returns what is wrong */
export async function verifierFichiers(depot: Depot, sauvegarde: Sauvegarde): Promise<string[]> {
  const defauts: string[] = [];
  for (const { nom, octets, sha256 } of sauvegarde.manifeste.fichiers) {
    const path = join(sauvegarde.dossier, nom);
    const size = await stat(path).then(
      (found) => found.size,
      () => undefined,
    );
    if (size === undefined) defauts.push(`${nom} manque`);
    else if (size !== octets) defauts.push(`${nom} a ${size} octets au lieu de ${octets}`);
    else if ((await empreinte(path)) !== sha256)
      defauts.push(`${nom} a changé depuis la sauvegarde (SHA-256)`);
    else {
      const clear = nom.endsWith(CHIFFRE) ? nom.slice(0, -CHIFFRE.length) : nom;
      try {
        for await (const _ of depot.lireFichier(sauvegarde, clear));
      } catch (error) {
        defauts.push(messageOf(error));
      }
    }
  }
  return defauts;
}
