/** What a LOG line can be; names and meaning: docs/regles-journaux.md, rules 8 to 12. */

/** The five events that sessions are made of, spelt as the machines write them. */
export const GENRES = ['StukUitgevoerd', 'MachineWait', 'MachineStop', 'MachineStart', 'JobProfiel'] as const;
export type Genre = (typeof GENRES)[number];

/** Why a line is in quarantine. A new reason goes here, into the CHECK of `ligne_rejetee`, and in the docs. */
export const RAISONS = [
  'sans_separateur',
  'horodatage_invalide',
  'evenement_vide',
  'attente_sans_duree',
  'profil_incomplet',
  'profil_trop_long',
  'ligne_collee',
  'ligne_trop_longue',
] as const;
export type Raison = (typeof RAISONS)[number];

/** A bar profile as a `JobProfiel` line names it. */
export interface Profil {
  readonly reference: string;
  /** mm, a decimal number without needless zeros */
  readonly longueur: string;
  readonly couleur: string | null;
}

/** A usable line of one of the five events. */
export interface Evenement {
  readonly genre: Genre;
  /** seconds since the epoch */
  readonly instant: number;
  /** production day, as a day number */
  readonly jour: number;
  /** text after the colon, decoded and trimmed; part of the identity of the line */
  readonly details: string;
  /** line number in the file version, from 1 */
  readonly ligne: number;
  /** duration of a `MachineWait` in microseconds, otherwise 0 */
  readonly attente: number;
  /** of a `JobProfiel`, otherwise undefined; as it may be kept */
  readonly profil: Profil | undefined;
  /** `details` as they may be kept, where rules of masking hide something of them */
  readonly masques?: string;
}

/** A line in quarantine. */
export interface Rejet {
  readonly ligne: number;
  /** position of its first byte in the file version */
  readonly octet: number;
  /** bytes, with the line ending */
  readonly longueur: number;
  readonly raison: Raison;
  /** without NULs, at most 2,000 characters, as it may be kept */
  readonly texte: string;
}

/** How often another event was met, and when; instants in seconds since the epoch. */
export interface AutreEvenement {
  nombre: number;
  premier: number;
  dernier: number;
}

/** Lines and bytes of a file version by what became of them; the four kinds add up to the whole (law L7). */
export interface Compte {
  lignes: number;
  lignesEvenements: number;
  lignesAutres: number;
  lignesRejetees: number;
  lignesIgnorees: number;
  octetsEvenements: number;
  octetsAutres: number;
  octetsRejetes: number;
  octetsIgnores: number;
}
