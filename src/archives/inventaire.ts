import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AtelierError, codeOf, messageOf } from '../base/errors.ts';
import type { Archive, ArchiveMeta } from './archive.ts';
import type { ClesArchives } from './cles.ts';
import { cheminArchive, decompresser, verifierArchive } from './sauvegarde/fichiers.ts';

const SKIPPABLE_FRAME = 0x184d2a50;
/** Longest origin that is read, bytes: paths have 600 characters at most. */
const LONGEST = 64 * 1024;

/** An archive as it lies on the disk, read whole. */
export interface ArchiveTrouvee extends ArchiveMeta {
  /** folder it lies in: id that its centre had */
  readonly centreId: number;
  readonly sha256: string;
  /** of its content, bytes */
  readonly taille: number;
}

/**
 * Every archive below a folder, each read to its end.
 *
 * @param onIllisible told of those that are damaged or say no origin, with the reason
 * @throws AtelierError ATL_B907 when the folder cannot be read, ATL_L209 when the key of one is not at hand
 */
export async function* inventorier(
  { root, cles }: Archive,
  onIllisible: (path: string, raison: string) => void,
): AsyncGenerator<ArchiveTrouvee> {
  const folders = await readdir(root).catch((cause: unknown) => {
    throw new AtelierError('ATL_B907', `Dossier d’archives ${root} : ${messageOf(cause)}`, { cause });
  });
  for (const folder of folders.filter((name) => /^\d+$/.test(name)).sort((a, b) => Number(a) - Number(b))) {
    for (const name of (await readdir(join(root, folder))).sort()) {
      if (!/^[0-9a-f]{64}\.zst$/.test(name)) continue;
      const [centreId, sha256] = [Number(folder), name.slice(0, 64)];
      const path = cheminArchive(root, centreId, sha256);
      try {
        const meta = await lireOrigine(path, sha256, cles);
        const pieces = decompresser(cles.enClair(file(path), sha256));
        yield { ...meta, centreId, sha256, taille: await verifierArchive(pieces, sha256) };
      } catch (error) {
        // It is whole, as far as anybody knows: without it figures would be wrong.
        if (codeOf(error) === 'ATL_L209') throw error;
        // Erased while we looked: an import that goes on does that.
        if (codeOf(error) !== 'ENOENT') onIllisible(path, messageOf(error));
      }
    }
  }
}

/** Origin of an archive, from its head. @throws Error when there is none, AtelierError ATL_L209 */
export async function lireOrigine(path: string, sha256: string, cles: ClesArchives): Promise<ArchiveMeta> {
  let head = Buffer.alloc(0);
  for await (const piece of cles.enClair(file(path), sha256)) {
    head = Buffer.concat([head, piece]);
    if (head.length < 8) continue;
    const length = head.readUInt32LE(4);
    if (head.readUInt32LE(0) !== SKIPPABLE_FRAME || length > LONGEST) break;
    if (head.length < 8 + length) continue;
    const meta = JSON.parse(head.toString('utf8', 8, 8 + length)) as Partial<ArchiveMeta>;
    if (typeof meta.centre !== 'string' || typeof meta.chemin !== 'string')
      throw new Error('origine incomplète');
    return { centre: meta.centre, chemin: meta.chemin };
  }
  throw new Error('sans origine');
}

function file(path: string): AsyncIterable<Buffer> {
  return createReadStream(path, { highWaterMark: 256 * 1024 });
}
