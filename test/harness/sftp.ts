import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../../src/base/config.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { DossierSftp } from '../../src/sources/sftp/dossier-sftp.ts';
import type { EntreeSource, FichierSource, SourceJournaux } from '../../src/sources/source.ts';
import type { Settings } from './context.ts';
import type { Sshd } from './sshd.ts';

/** Makes the server known on this port (that of a proxy in front of it, as a rule); returns the known_hosts file. */
export function know(sshd: Sshd, port = sshd.port): string {
  const file = join(sshd.home, 'connus');
  appendFileSync(file, `[127.0.0.1]:${port} ${sshd.cleHote}\n`);
  return file;
}

/** Settings for one centre whose folder is `path` on the server. */
export function sftpSettings(
  sshd: Sshd,
  options: { path: string; dossier?: string; port?: number; own?: Settings },
): Settings {
  const { path, dossier = 'DEM12', port = sshd.port } = options;
  return {
    SFTP_CENTRES: `${dossier}=sftp://${sshd.user}@127.0.0.1:${port}${encodeURI(path)}`,
    SFTP_CLE: sshd.cle,
    SFTP_HOTES_CONNUS: know(sshd, port),
    ...options.own,
  };
}

/** The first centre of the settings as a source. */
export function openSftp(
  settings: Settings,
  options: { miroirs: string; maintenant?: () => number },
): DossierSftp {
  const { sftp } = loadConfig(settings);
  return new DossierSftp({ centre: sftp.centres[0]!, config: sftp, logger: silentLogger(), ...options });
}

export async function listAll(source: SourceJournaux): Promise<EntreeSource[]> {
  const all: EntreeSource[] = [];
  for await (const entree of source.list()) all.push(entree);
  return all;
}

export function filesOf(entrees: readonly EntreeSource[]): FichierSource[] {
  return entrees.flatMap((entree) => (entree.kind === 'fichier' ? [entree.fichier] : []));
}

/** All bytes of a file, and the signature that goes with them. */
export async function readAll(
  source: SourceJournaux,
  fichier: FichierSource,
): Promise<{ octets: Buffer; signature: string | undefined }> {
  const ouvert = await source.open(fichier);
  try {
    const octets = Buffer.alloc(ouvert.taille);
    let at = 0;
    while (at < octets.length) {
      const read = await ouvert.read(octets, at, octets.length - at, at);
      if (read === 0) break;
      at += read;
    }
    return { octets: octets.subarray(0, at), signature: ouvert.signature };
  } finally {
    await ouvert.close();
  }
}
