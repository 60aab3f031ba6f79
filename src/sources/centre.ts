import type { CentreConfig } from '../base/config.ts';

/** A centre as its folder names it. */
export interface CentreDossier {
  readonly nom: string;
  readonly type: string;
  readonly attente: CentreConfig['attente'];
  /** false: no rule knows the folder, the type is a guess */
  readonly connu: boolean;
}

const WITH_TYPE = /^(.+?)\s*\(([^()]+)\)$/;

/**
 * Which centre a folder of LOGS_DIR is: as CENTRES says, else by the type in its name (`DEM12 (PVC)`), else a
 * centre of type `INCONNU`.
 */
export function centreOfFolder(dossier: string, centres: readonly CentreConfig[]): CentreDossier {
  const exact = centres.find((centre) => centre.dossier === dossier);
  if (exact) return { nom: exact.nom, type: exact.type, attente: exact.attente, connu: true };
  const match = WITH_TYPE.exec(dossier);
  if (match) {
    const nom = match[1]!;
    const known = centres.find((centre) => centre.dossier === nom);
    return {
      nom: known?.nom ?? nom,
      type: match[2]!.trim(),
      attente: known?.attente ?? 'debut',
      connu: true,
    };
  }
  return { nom: dossier, type: 'INCONNU', attente: 'debut', connu: false };
}
