import type { CentreConfig } from '../base/config.ts';

/** A centre as its folder names it. */
export interface CentreDossier {
  readonly nom: string;
  readonly type: string;
  readonly attente: CentreConfig['attente'];
  /** false: no rule knows the folder, the type is a guess */
  readonly connu: boolean;
  /** what stood in parentheses at the end of the name and is no type: left out of the name */
  readonly laisse: string | undefined;
}

const IN_PARENTHESES = /^(.*\S)\s*\(([^()]*)\)$/;
/** Types that a folder's name may give. */
const TYPES = ['PVC', 'ALU', 'HYBRIDE'];

/**
 * Which centre a folder of LOGS_DIR is: as CENTRES says, else by the type in its name (`DEM12 (PVC)`), else a
 * centre of type `INCONNU`. What stands in parentheses and is no type (`DEM12 (copie)`) is no part of the name.
 */
export function centreOfFolder(dossier: string, centres: readonly CentreConfig[]): CentreDossier {
  let nom = dossier;
  let type: string | undefined;
  let laisse: string | undefined;
  for (;;) {
    const known = centres.find((centre) => centre.dossier === nom);
    if (known) return { nom: known.nom, type: known.type, attente: known.attente, connu: true, laisse };
    const match = IN_PARENTHESES.exec(nom);
    if (!match) return { nom, type: type ?? 'INCONNU', attente: 'debut', connu: type !== undefined, laisse };
    const said = match[2]!.trim().toUpperCase();
    if (TYPES.includes(said)) type ??= said;
    else laisse ??= `(${match[2]!})`;
    nom = match[1]!;
  }
}
