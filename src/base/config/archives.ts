import { FAIRE_CLE } from './cles.ts';
import type { Texte } from './nombres.ts';
import { readKey } from './sauvegarde.ts';
import type { Setting } from './setting.ts';

/** How the bytes of machines lie in ARCHIVES_DIR. */
export interface ArchivesConfig {
  /** key that encrypts new archives, 32 bytes; undefined: they are plain */
  readonly cle: Buffer | undefined;
  /** key of older archives, which are still to be read */
  readonly clePrecedente: Buffer | undefined;
}

export const ARCHIVES_SETTINGS: readonly Setting[] = [
  {
    name: 'CLE_ARCHIVES',
    doc: `Clé de chiffrement des archives (les journaux des machines, qui peuvent nommer des personnes), 32 octets en hexadécimal\nou base64 ; vide : elles sont en clair, lisibles par qui a le dossier. \`atelier archives chiffrer\` chiffre celles d’avant.\nÀ garder hors de cette machine : sans elle les archives sont perdues. Pour en faire une :\n  ${FAIRE_CLE}`,
    default: '',
    secret: true,
    processes: ['api', 'worker', 'maintenance'],
  },
  {
    name: 'CLE_ARCHIVES_PRECEDENTE',
    doc: 'Ancienne clé des archives, encore lue tant que `atelier archives chiffrer` (ou `dechiffrer`) n’a pas tout repris.',
    default: '',
    secret: true,
    processes: ['api', 'worker', 'maintenance'],
  },
];

/** Reads the keys of archives. Adds one line to `problems` for each that is wrong; never shows a key. */
export function readArchives(text: Texte, problems: string[]): ArchivesConfig {
  return {
    cle: readKey('CLE_ARCHIVES', text, problems),
    clePrecedente: readKey('CLE_ARCHIVES_PRECEDENTE', text, problems),
  };
}
