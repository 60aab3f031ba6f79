import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, constants as fs } from 'node:fs';
import { lstat, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress, createZstdDecompress } from 'node:zlib';
import { chiffrer, dechiffrer, FluxIllisible } from '../../base/chiffrement-flux.ts';
import { AtelierError, messageOf } from '../../base/errors.ts';
import type { FichierDeSauvegarde } from './manifeste.ts';

const PARAMS = { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 };
const PIECE = 256 * 1024;
/** Bytes of a file that is read at once: manifest, list of archives. */
const TEXTE_MAX = 512 * 1024 * 1024;
/** A link in a folder of backups may lead anywhere: only plain files are read. */
export const SANS_LIEN = (fs.O_RDONLY | (fs.O_NOFOLLOW ?? 0)) as unknown as string;
/** End of the name of an encrypted file. */
export const CHIFFRE = '.chiffre';

/** How the bytes of a file of a backup are to be changed on their way. */
export interface Traitement {
  /** compresses with zstd */
  readonly compresser: boolean;
  /** key that encrypts, or undefined: not at all */
  readonly cle: Buffer | undefined;
  /** what the bytes are: an encrypted file opens under this name only */
  readonly nom: string;
}

/**
 * Writes a file as its bytes come, in flat memory, and waits until it is on the disk.
 *
 * @returns its size and SHA-256 as it lies there
 */
export async function ecrire(
  path: string,
  source: AsyncIterable<Buffer>,
  { compresser, cle, nom }: Traitement,
): Promise<Omit<FichierDeSauvegarde, 'nom'>> {
  const hash = createHash('sha256');
  let octets = 0;
  async function* tally(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const piece of pieces) {
      hash.update(piece);
      octets += piece.length;
      yield piece;
    }
  }
  const file = createWriteStream(path, { flags: 'wx', flush: true, mode: 0o600 });
  const encrypt = (pieces: AsyncIterable<Buffer>): AsyncIterable<Buffer> =>
    tally(cle ? chiffrer(pieces, cle, nom) : pieces);
  if (compresser) await pipeline(source, createZstdCompress({ params: PARAMS }), encrypt, file);
  else await pipeline(encrypt(source), file);
  return { octets, sha256: hash.digest('hex') };
}

/**
 * The bytes of a file of a backup, in pieces, as they were before {@link ecrire}. That they are whole is known only at
 * the end; encrypted ones are authenticated piece by piece.
 *
 * @param cles keys at hand
 * @throws AtelierError ATL_B902 (damaged, cut, missing), ATL_B903 (key)
 */
export async function* lire(
  path: string,
  options: { compresse: boolean; chiffre: boolean; cles: readonly Buffer[]; nom: string },
): AsyncGenerator<Buffer> {
  const { compresse, chiffre, cles, nom } = options;
  const file = createReadStream(path, { flags: SANS_LIEN, highWaterMark: PIECE });
  try {
    const clear: AsyncIterable<Buffer> = chiffre ? dechiffrer(file, cles, nom) : file;
    yield* compresse ? decompresser(clear) : clear;
  } catch (cause) {
    throw illisible(path, cause);
  } finally {
    file.destroy();
  }
}

/** Decompresses zstd; an error of the source comes out here, too. */
export async function* decompresser(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield* through(source, createZstdDecompress({ chunkSize: PIECE }));
}

/** Compresses with zstd; an error of the source comes out here, too. */
export async function* compresser(
  source: AsyncIterable<Buffer>,
  params: Readonly<Record<number, number>> = PARAMS,
): AsyncGenerator<Buffer> {
  yield* through(source, createZstdCompress({ params }));
}

async function* through(source: AsyncIterable<Buffer>, output: Transform): AsyncGenerator<Buffer> {
  const done = pipeline(source, output);
  done.catch(() => undefined);
  try {
    for await (const piece of output) yield piece as Buffer;
    await done;
  } finally {
    output.destroy();
  }
}

/** SHA-256 of a file as it lies there. */
export async function empreinte(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path, { flags: SANS_LIEN, highWaterMark: PIECE }))
    hash.update(piece as Buffer);
  return hash.digest('hex');
}

/** A small text file of a backup. @throws the file system's error, or one that says that it is no plain file */
export async function lireTexte(path: string): Promise<string> {
  const found = await lstat(path);
  if (!found.isFile() || found.size > TEXTE_MAX) throw new Error('ce n’est pas un fichier ordinaire');
  const file = await open(path, SANS_LIEN);
  try {
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

/** Waits until names of a folder are on the disk. */
export async function synchroniserDossier(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Where an archive lies below ARCHIVES_DIR. */
export function cheminArchive(root: string, centreId: number, sha256: string): string {
  return join(root, String(centreId), `${sha256}.zst`);
}

/** Size in bytes of the content of an archive, when it is what its name says. @throws ATL_B902 */
export async function verifierArchive(pieces: AsyncIterable<Buffer>, sha256: string): Promise<number> {
  const hash = createHash('sha256');
  let taille = 0;
  for await (const piece of pieces) {
    hash.update(piece);
    taille += piece.length;
  }
  if (hash.digest('hex') !== sha256)
    throw new AtelierError('ATL_B902', `Archive ${sha256} : son contenu n’est pas celui que dit son nom.`);
  return taille;
}

/** What is wrong with bytes of a backup. */
export function illisible(path: string, cause: unknown): AtelierError {
  if (cause instanceof AtelierError) return cause;
  if (cause instanceof FluxIllisible && cause.cleManquante !== undefined) {
    return new AtelierError(
      'ATL_B903',
      `Lecture de ${path} : chiffré avec la clé ${cause.cleManquante}, qui n’est pas donnée.`,
      { cause },
    );
  }
  return new AtelierError('ATL_B902', `Lecture de ${path} : ${messageOf(cause)}`, { cause });
}
