/** What a machining centre works on; it decides which profiles and colours its log names. */
export type TypeCentre = 'PVC' | 'ALU' | 'HYBRIDE';

/** A machine to simulate. */
export interface SimulatedCentre {
  readonly nom: string;
  readonly type: TypeCentre;
  /** folder under the root of the logs when it is not the name (`DEM12 (PVC)`) */
  readonly dossier?: string;
}

/** The three centres that atelier knows without any setting. */
export const DEFAULT_CENTRES: readonly SimulatedCentre[] = [
  { nom: 'DEM12', type: 'PVC' },
  { nom: 'DEMALU', type: 'ALU' },
  { nom: 'SU12', type: 'HYBRIDE' },
];

/** The default centres, then as many invented ones as needed. */
export function inventCentres(count: number): SimulatedCentre[] {
  const centres = DEFAULT_CENTRES.slice(0, count);
  for (let i = 3; i < count; i++) {
    const round = Math.floor(i / 3);
    const model = DEFAULT_CENTRES[i % 3]!;
    const nom =
      model.nom === 'DEMALU' ? `DEMALU${round + 1}` : model.nom.replace('12', String(12 + 2 * round));
    // No setting names an invented centre: the folder says the type, as older installations do.
    centres.push({ nom, type: model.type, dossier: `${nom} (${model.type})` });
  }
  return centres;
}

/**
 * Centres as a person writes them: a number (`5`) or names (`DEM12,SU12,ESSAI (ALU)`).
 *
 * @returns a French sentence about what is wrong when the text names no centres
 */
export function parseCentres(text: string): SimulatedCentre[] | string {
  if (/^\d+$/.test(text.trim())) {
    const count = Number(text);
    return count >= 1 && count <= 500 ? inventCentres(count) : `de 1 à 500 centres, reçu « ${text} »`;
  }
  const centres: SimulatedCentre[] = [];
  for (const entry of text.split(',').map((part) => part.trim())) {
    const match = /^([^()/\\.][^()/\\]*?)(?:\s*\(([^()]*)\))?$/.exec(entry);
    if (!match) return `« ${entry} » n’est pas un nom de centre`;
    const type = match[2] ?? typeOfName(match[1]!);
    if (type !== 'PVC' && type !== 'ALU' && type !== 'HYBRIDE') {
      return `type « ${type} » inconnu (PVC, ALU ou HYBRIDE)`;
    }
    if (centres.some((centre) => centre.nom === match[1])) return `« ${match[1]} » est donné deux fois`;
    centres.push(match[2] ? { nom: match[1]!, type, dossier: entry } : { nom: match[1]!, type });
  }
  return centres;
}

/** The name alone must decide, so that a centre's logs do not depend on which others are simulated. */
function typeOfName(nom: string): TypeCentre {
  if (/ALU/i.test(nom)) return 'ALU';
  return /^SU/i.test(nom) ? 'HYBRIDE' : 'PVC';
}
