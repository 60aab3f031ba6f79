import { readFile } from 'node:fs/promises';
import ssh2 from 'ssh2';
import type { CentreSftp, SftpConfig } from '../../base/config/sftp.ts';
import { AtelierError, codeOf, messageOf } from '../../base/errors.ts';
import { empreinte, HotesConnus, ligneDe, typeDe } from './hotes-connus.ts';

/** What is needed to enter a server: read anew for each connection, so that a new key needs no restart. */
export interface Acces {
  readonly cle: Cle | undefined;
  readonly hotes: HotesConnus;
}

/** A private key, opened. */
interface Cle {
  readonly octets: Buffer;
  readonly ouverte: ssh2.ParsedKey;
}

/** `dem12@serveur:2222`, for messages. */
export function adresseDe({ user, host, port }: CentreSftp): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return `${user}@${name}${port === 22 ? '' : `:${port}`}`;
}

/**
 * Reads the private key and the known hosts.
 *
 * @param avant what was read the last time: opening a key with its passphrase takes a second, the same one is not opened twice
 * @throws AtelierError ATL_L215 when a file is missing, is no key, or its passphrase is wrong
 */
export async function lireAcces(
  centre: CentreSftp,
  config: SftpConfig,
  avant: Acces | undefined,
): Promise<Acces> {
  return {
    cle: centre.cle === undefined ? undefined : await readKey(centre.cle, config.phrase, avant?.cle),
    hotes: new HotesConnus(await readHosts(config.hotesConnus)),
  };
}

async function readKey(file: string, phrase: string | undefined, avant: Cle | undefined): Promise<Cle> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    throw new AtelierError('ATL_L215', `SFTP_CLE ${file} : ${messageOf(cause)}`, { cause });
  }
  if (avant?.octets.equals(bytes)) return avant;
  const parsed = ssh2.utils.parseKey(bytes, phrase);
  const key = Array.isArray(parsed) ? parsed[0] : parsed;
  if (key instanceof Error || key === undefined) {
    const why = /passphrase|decrypt|integrity/i.test(messageOf(key))
      ? phrase === undefined
        ? 'elle a une phrase secrète : mettez-la dans SFTP_CLE_PHRASE'
        : 'SFTP_CLE_PHRASE n’est pas sa phrase secrète'
      : 'ce n’est pas une clé privée OpenSSH ou PEM';
    throw new AtelierError('ATL_L215', `SFTP_CLE ${file} : ${why}`);
  }
  if (!key.isPrivateKey()) {
    throw new AtelierError('ATL_L215', `SFTP_CLE ${file} : c’est la clé publique, il faut la clé privée`);
  }
  return { octets: bytes, ouverte: key };
}

async function readHosts(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    // Without the file every server is unknown, and that message says how to make it.
    if (codeOf(cause) === 'ENOENT') return '';
    throw new AtelierError('ATL_L215', `SFTP_HOTES_CONNUS ${file} : ${messageOf(cause)}`, { cause });
  }
}

/**
 * Why a server that shows this key must not be spoken to, or undefined: it is the one that is known.
 *
 * @returns AtelierError ATL_L211 (unknown, with the line to add) or ATL_L212 (changed or revoked)
 */
export function refusHote(
  centre: CentreSftp,
  config: SftpConfig,
  hotes: HotesConnus,
  cle: Buffer,
): AtelierError | undefined {
  const { host, port } = centre;
  const seen = `${typeDe(cle)} ${empreinte(cle)}`;
  switch (hotes.verdict(host, port, cle)) {
    case 'connue':
      return undefined;
    case 'inconnue':
      return new AtelierError(
        'ATL_L211',
        `SFTP ${adresseDe(centre)} : serveur inconnu, sa clé est ${seen}. Vérifiez cette empreinte sur le serveur ` +
          `(ssh-keygen -l -f /etc/ssh/ssh_host_ed25519_key.pub), puis ajoutez à ${config.hotesConnus} la ligne : ` +
          `${ligneDe(host, port, cle)} (ssh-keyscan -p ${port} ${host} les donne toutes)`,
      );
    case 'changee':
      return new AtelierError(
        'ATL_L212',
        `SFTP ${adresseDe(centre)} : LA CLÉ DU SERVEUR A CHANGÉ, connexion refusée. Reçue : ${seen} ; connues dans ` +
          `${config.hotesConnus} : ${hotes.types(host, port).join(', ')}. Serveur réinstallé, ou quelqu’un entre vous et lui`,
      );
    case 'revoquee':
      return new AtelierError(
        'ATL_L212',
        `SFTP ${adresseDe(centre)} : la clé du serveur (${seen}) est révoquée dans ${config.hotesConnus}, connexion refusée`,
      );
  }
}

/** Key types as the handshake calls them, those that are known of the server first: it shows one of them if it can. */
export function algorithmesHote(types: readonly string[]): ssh2.ServerHostKeyAlgorithm[] {
  const all = [
    'ssh-ed25519',
    'ecdsa-sha2-nistp256',
    'ecdsa-sha2-nistp384',
    'ecdsa-sha2-nistp521',
    'rsa-sha2-512',
    'rsa-sha2-256',
  ] as const;
  const known = (name: string): boolean => types.includes(name.startsWith('rsa-sha2') ? 'ssh-rsa' : name);
  return [...all.filter(known), ...all.filter((name) => !known(name))] as ssh2.ServerHostKeyAlgorithm[];
}
