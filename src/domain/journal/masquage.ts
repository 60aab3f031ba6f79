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

/** The name of an event as it may be kept. Every line of this name is treated alike, whatever else it holds. */
export function masquerNom(regles: Masquage, nom: string): string {
  const debut = HORODATAGE.length;
  return regles.poser(HORODATAGE + nom)?.morceau(debut, debut + nom.length) ?? nom;
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
