import { join, resolve } from 'node:path';
import { FAIRE_CLE, lireCle } from './cles.ts';
import { entier, type Texte } from './nombres.ts';
import type { Setting } from './setting.ts';

/** Where backups go, and how long they stay. */
export interface SauvegardeConfig {
  /** folder of the backups */
  readonly dossier: string;
  /** days after which a backup is removed */
  readonly conservation: number;
  /** backups that are kept at most */
  readonly gardees: number;
  /** key that encrypts backups, 32 bytes; undefined: they are readable by whoever has the folder */
  readonly cle: Buffer | undefined;
  /** keys of older backups, which are still to be read */
  readonly clePrecedente: Buffer | undefined;
}

export const SAUVEGARDE_SETTINGS: readonly Setting[] = [
  {
    name: 'SAUVEGARDE_DIR',
    doc: 'Dossier des sauvegardes (`atelier backup`) : à mettre sur un autre disque, ou à recopier ailleurs.\nVide : sauvegardes dans ATELIER_DIR.',
    default: '',
  },
  {
    name: 'SAUVEGARDE_CONSERVATION',
    doc: 'Jours pendant lesquels une sauvegarde est gardée (1 à 365) ; la plus récente n’est jamais effacée.\nCe qui a été effacé de la base survit dans les sauvegardes jusque-là (RGPD), sauf les comptes : plus personne ne les y lit.',
    default: '30',
  },
  {
    name: 'SAUVEGARDES_GARDEES',
    doc: 'Nombre de sauvegardes gardées au plus (1 à 1000) ; les plus anciennes partent d’abord.',
    default: '60',
  },
  {
    name: 'CLE_SAUVEGARDE',
    doc: `Clé de chiffrement des sauvegardes, 32 octets en hexadécimal ou base64 ; vide : elles ne sont pas chiffrées.\nÀ garder hors de cette machine : sans elle une sauvegarde chiffrée est perdue. Pour en faire une :\n  ${FAIRE_CLE}`,
    default: '',
    secret: true,
    processes: ['worker', 'maintenance'],
  },
  {
    name: 'CLE_SAUVEGARDE_PRECEDENTE',
    doc: 'Ancienne clé, avec laquelle les sauvegardes d’avant un changement de clé sont encore lues.',
    default: '',
    secret: true,
    processes: ['worker', 'maintenance'],
  },
];

/** Reads the settings of backups. Adds one line to `problems` for each that is wrong; never shows a key. */
export function readSauvegarde(text: Texte, problems: string[]): SauvegardeConfig {
  return {
    dossier: resolve(text('SAUVEGARDE_DIR') || join(text('ATELIER_DIR'), 'sauvegardes')),
    conservation: entier('SAUVEGARDE_CONSERVATION', text, problems, 1, 365),
    gardees: entier('SAUVEGARDES_GARDEES', text, problems, 1, 1000),
    cle: readKey('CLE_SAUVEGARDE', text, problems),
    clePrecedente: readKey('CLE_SAUVEGARDE_PRECEDENTE', text, problems),
  };
}

/** A key of 32 random bytes, hexadecimal or base64; adds a line to `problems` when it is another thing. */
export function readKey(name: string, text: Texte, problems: string[]): Buffer | undefined {
  const value = text(name);
  if (!value) return undefined;
  const cle = lireCle(value);
  if (Buffer.isBuffer(cle)) return cle;
  problems.push(`${name} : ${cle.defaut}`);
  return undefined;
}
