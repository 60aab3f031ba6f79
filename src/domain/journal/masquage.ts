import { profileRanges } from './details.ts';
import type { Genre, Profil } from './events.ts';

/**
 * Rules that say what of a line must be neither kept nor shown (setting MASQUES). They look at whole lines, after those
 * were read: what a line means never depends on them.
 */
export interface Masquage {
  /** what may be kept of a line; undefined: all of it as it is */
  poser(ligne: string): LigneMasquee | undefined;
}

export interface LigneMasquee {
  /** the whole line */
  readonly texte: string;
  /** the same of a part of it: from, to (exclusive), in the line as it is */
  morceau(debut: number, fin: number): string;
}

/** Stands for a stamp where a line is not at hand any more. */
const HORODATAGE = '00010101 00:00:00|@';

/** The name of an event as it may be kept, of lines that are not at hand any more. */
export function masquerNom(regles: Masquage, nom: string): string {
  const debut = HORODATAGE.length;
  return regles.poser(HORODATAGE + nom)?.morceau(debut, debut + nom.length) ?? nom;
}

/**
 * The same of a line that is at hand: rules look at what stands around the name, too (`Bediener (.+): angemeldet`), and
 * then at the name alone, as they do when the line is gone.
 */
export function masquerNomDe(regles: Masquage, ligne: string, nom: string): string {
  const debut = ligne.indexOf(nom, ligne.indexOf('|@') + 2);
  return masquerNom(regles, regles.poser(ligne)?.morceau(debut, debut + nom.length) ?? nom);
}

/** Of each name how often it was seen, first and last: of names that are kept as the same one, together. */
export type ComptesParNom = Readonly<
  Record<string, readonly [nombre: number, premier: number, dernier: number]>
>;

/** Counts of other events by the names that may be kept. Machines choose them: `constructor` is a name as others are. */
export function masquerComptes(regles: Masquage, comptes: ComptesParNom): ComptesParNom {
  const kept = new Map<string, ComptesParNom[string]>();
  for (const [nom, [nombre, premier, dernier]] of Object.entries(comptes)) {
    const masque = masquerNom(regles, nom);
    const same = kept.get(masque) ?? [0, premier, dernier];
    kept.set(masque, [same[0] + nombre, Math.min(same[1], premier), Math.max(same[2], dernier)]);
  }
  return Object.fromEntries(kept);
}

/** Stored details as they may be kept, of a line that is not at hand any more. */
export function masquerDetails(regles: Masquage, genre: Genre, details: string): string {
  const avant = `${HORODATAGE}${genre}: `;
  return regles.poser(avant + details)?.morceau(avant.length, avant.length + details.length) ?? details;
}

/** The same of a stored profile. */
export function masquerProfil<P extends Pick<Profil, 'reference' | 'couleur'>>(
  regles: Masquage,
  profil: P,
): P {
  const avant = `${HORODATAGE}JobProfiel: `;
  const details = `R:${profil.reference}${profil.couleur === null ? '' : ` C:${profil.couleur}`}`;
  const ligne = regles.poser(avant + details);
  return ligne ? profilMasque(profil, details, ligne, avant.length) : profil;
}

/**
 * The texts of a profile as they may be kept.
 *
 * @param details what the profile was read from, `debut` where they begin in the line
 */
export function profilMasque<P extends Pick<Profil, 'reference' | 'couleur'>>(
  profil: P,
  details: string,
  ligne: LigneMasquee,
  debut: number,
): P {
  const ranges = profileRanges(details);
  const part = (key: string): string | undefined => {
    const range = ranges.get(key);
    return range && ligne.morceau(debut + range[0], debut + range[1]);
  };
  return {
    ...profil,
    reference: part('R') ?? profil.reference,
    couleur: profil.couleur === null ? null : (part('C') ?? profil.couleur),
  };
}
