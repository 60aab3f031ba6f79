import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { nombre, type Texte } from './nombres.ts';
import type { Setting } from './setting.ts';

/** A centre whose folder lives on a remote SFTP server, and how to get in. */
export interface CentreSftp {
  /** name of the centre's folder, as in CENTRES */
  readonly dossier: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** folder on the server; relative ones start where the server puts the account */
  readonly chemin: string;
  /** file of the private key, or undefined */
  readonly cle: string | undefined;
}

/** Remote folders of centres; `centres` is empty when there is none. */
export interface SftpConfig {
  readonly centres: readonly CentreSftp[];
  readonly phrase: string | undefined;
  readonly motDePasse: string | undefined;
  /** known_hosts file */
  readonly hotesConnus: string;
  /** longest silence of a server before it is given up, ms */
  readonly delai: number;
  /** between two listings while following, ms */
  readonly intervalle: number;
}

export const SFTP_SETTINGS: readonly Setting[] = [
  {
    name: 'SFTP_CENTRES',
    doc: 'Centres dont le dossier est sur un serveur SFTP, séparés par des points-virgules :\ndossier=sftp://utilisateur@hote:port/chemin (dossier : comme dans CENTRES ; /~/chemin : depuis le dossier du compte).\nVide : aucun, tout est sous LOGS_DIR.',
    default: '',
    processes: ['worker'],
  },
  {
    name: 'SFTP_CLE',
    doc: 'Fichier de la clé privée (OpenSSH ou PEM) ; {centre} y est remplacé par le dossier du centre : /etc/atelier/cles/{centre}.',
    default: '',
  },
  {
    name: 'SFTP_CLE_PHRASE',
    doc: 'Phrase secrète de la clé, si elle en a une.',
    default: '',
    secret: true,
    processes: ['worker'],
  },
  {
    name: 'SFTP_MOT_DE_PASSE',
    doc: 'Mot de passe, pour un serveur qui n’accepte pas de clé.',
    default: '',
    secret: true,
    processes: ['worker'],
  },
  {
    name: 'SFTP_HOTES_CONNUS',
    doc: 'Fichier des clés de serveurs connues (format known_hosts d’OpenSSH) : un serveur qui n’y est pas est refusé.\nVide : ~/.ssh/known_hosts.',
    default: '',
  },
  {
    name: 'SFTP_DELAI',
    doc: 'Silence maximal d’un serveur SFTP, en secondes ; au-delà la connexion est abandonnée et refaite.',
    default: '20',
  },
  {
    name: 'SFTP_INTERVALLE',
    doc: 'Temps entre deux lectures des dossiers distants pendant le suivi, en secondes.',
    default: '0.5',
  },
];

/**
 * Reads the settings of remote folders. Adds one line to `problems` for each that is wrong; no secret is in it.
 *
 * @param text the trimmed value of a setting, or its default
 */
export function readSftp(text: Texte, problems: string[]): SftpConfig {
  const centres: CentreSftp[] = [];
  for (const entry of text('SFTP_CENTRES').split(';')) {
    if (entry.trim() === '') continue;
    const centre = readCentre(entry.trim(), text('SFTP_CLE'), problems);
    if (!centre) continue;
    if (centres.some(({ dossier }) => dossier === centre.dossier)) {
      problems.push(`SFTP_CENTRES : le dossier « ${centre.dossier} » est donné deux fois`);
    }
    centres.push(centre);
  }
  const motDePasse = text('SFTP_MOT_DE_PASSE') || undefined;
  if (centres.length > 0 && motDePasse === undefined && text('SFTP_CLE') === '') {
    problems.push('SFTP_CENTRES : il faut SFTP_CLE (clé privée) ou SFTP_MOT_DE_PASSE');
  }
  return {
    centres,
    motDePasse,
    phrase: text('SFTP_CLE_PHRASE') || undefined,
    hotesConnus: resolve(text('SFTP_HOTES_CONNUS') || join(homedir(), '.ssh', 'known_hosts')),
    delai: nombre('SFTP_DELAI', text, problems, 1, 600) * 1000,
    intervalle: nombre('SFTP_INTERVALLE', text, problems, 0.1, 3600) * 1000,
  };
}

const FORME = 'attendu dossier=sftp://utilisateur@hote:port/chemin';

function readCentre(entry: string, cle: string, problems: string[]): CentreSftp | undefined {
  const at = entry.indexOf('=');
  const dossier = entry.slice(0, Math.max(at, 0)).trim();
  const address = entry.slice(at + 1).trim();
  const url = URL.canParse(address) ? new URL(address) : undefined;
  // What stands before @ may hold a password: of a wrong entry only the folder is repeated.
  const nom = `SFTP_CENTRES : ${dossier === '' || dossier.includes('@') ? 'une entrée' : `« ${dossier} »`}`;
  if (at < 1 || dossier === '' || url?.protocol !== 'sftp:' || !url.hostname || !url.username) {
    problems.push(`${nom} : ${FORME}`);
    return undefined;
  }
  if (/[/\\]|^\./.test(dossier)) {
    problems.push(`${nom} : un nom de dossier n’a ni / ni point au début`);
    return undefined;
  }
  if (url.password !== '') {
    problems.push(`${nom} : pas de mot de passe dans l’adresse ; mettez-le dans SFTP_MOT_DE_PASSE`);
  }
  if (url.port === '0') problems.push(`${nom} : le port va de 1 à 65535`);
  if (url.search !== '' || url.hash !== '') {
    problems.push(`${nom} : rien ne se met après « ? » ou « # » (dans un chemin : %3F, %23)`);
  }
  try {
    return {
      dossier,
      // Of a scheme that it does not know, URL keeps the host's escapes and letters.
      host: decodeURIComponent(url.hostname)
        .replace(/^\[(.*)\]$/, '$1')
        .toLowerCase(),
      port: url.port ? Number(url.port) : 22,
      user: decodeURIComponent(url.username),
      chemin: remotePath(decodeURIComponent(url.pathname)),
      cle: cle === '' ? undefined : resolve(cle.replaceAll('{centre}', dossier)),
    };
  } catch {
    problems.push(`${nom} : un signe % doit être suivi de deux chiffres hexadécimaux (« % » s’écrit %25)`);
    return undefined;
  }
}

/** `/~/logs`, and no path at all, start in the account's folder. */
function remotePath(path: string): string {
  const own = /^(?:\/~(?=\/|$)\/*|$)/;
  if (own.test(path)) return path.replace(own, '').replace(/\/+$/, '') || '.';
  return path.replace(/\/+$/, '') || '/';
}
