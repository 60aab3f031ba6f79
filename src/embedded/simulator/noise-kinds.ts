/** What can go wrong inside a file, with how often it does on a day at noise 1. */
export const LINE_NOISE = {
  nul: 2,
  coupure_courant: 1,
  ligne_coupee: 2,
  octets_parasites: 4,
  horodatage_invalide: 2,
  accents: 25,
  arret_double: 1,
  attente_dans_arret: 1,
  attente_sans_duree: 3,
  profil_sans_longueur: 2,
  sans_separateur: 2,
  evenement_vide: 1.5,
} as const;

/** What can happen to a whole file, with its probability at noise 1. */
export const FILE_NOISE = {
  crlf: 0.1,
  utf8_bom: 0.06,
  utf8: 0.05,
  utf16: 0.05,
  copie: 0.1,
  rotation: 0.1,
  filepart: 0.08,
  extension_minuscule: 0.08,
} as const;

export type LineNoise = keyof typeof LINE_NOISE;
export type FileNoise = keyof typeof FILE_NOISE;
export type NoiseKind = LineNoise | FileNoise;
