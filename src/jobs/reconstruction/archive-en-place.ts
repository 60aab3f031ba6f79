import { constants, copyFile, mkdir, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Archive, type ArchiveEnAttente, type ArchiveMeta } from '../../archives/archive.ts';
import type { ArchiveTrouvee } from '../../archives/inventaire.ts';
import { cheminArchive } from '../../archives/sauvegarde/fichiers.ts';

/**
 * The archive of one centre while it is read again: every byte that comes is in it already, and stays as it is. (Its
 * head names the path where it was first seen; writing it anew would name the one that is read now.)
 */
export class ArchiveEnPlace extends Archive {
  readonly #centreId: number;

  constructor({ root, cles }: Archive, centreId: number) {
    super(root, cles);
    this.#centreId = centreId;
  }

  override async write(_: ArchiveMeta, __: Buffer, sha256: string): Promise<ArchiveEnAttente> {
    return { path: cheminArchive(this.root, this.#centreId, sha256), sha256 };
  }

  override async writeStream(
    meta: ArchiveMeta,
    chunks: AsyncIterable<Buffer>,
    sha256: () => string,
  ): Promise<ArchiveEnAttente> {
    for await (const _ of chunks);
    return await this.write(meta, Buffer.alloc(0), sha256());
  }

  override async place(): Promise<void> {}

  override async discard(): Promise<void> {}

  /** Copies archives that lie in the folder of another id (the centre had another one once) into its own. */
  async rassembler(archives: Iterable<ArchiveTrouvee>): Promise<void> {
    for (const { centreId, sha256 } of archives) {
      const target = cheminArchive(this.root, this.#centreId, sha256);
      if (centreId === this.#centreId || (await stat(target).catch(() => undefined))) continue;
      await mkdir(dirname(target), { recursive: true, mode: 0o700 });
      const draft = `${target}.copie`;
      await copyFile(cheminArchive(this.root, centreId, sha256), draft, constants.COPYFILE_FICLONE);
      await rename(draft, target);
    }
  }
}
