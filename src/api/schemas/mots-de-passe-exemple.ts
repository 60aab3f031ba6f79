/**
 * The passwords that the documents show. Whoever reads them knows them, so that none may be an account's
 * (`politique.ts`): every example of a password comes from here.
 */
export const EXEMPLE_DE_MOT_DE_PASSE = 'Volet-roulant-gris-7016';
export const AUTRE_EXEMPLE_DE_MOT_DE_PASSE = 'Persienne-bleue-5010';

export const MOTS_DE_PASSE_D_EXEMPLE: readonly string[] = [
  EXEMPLE_DE_MOT_DE_PASSE,
  AUTRE_EXEMPLE_DE_MOT_DE_PASSE,
];
