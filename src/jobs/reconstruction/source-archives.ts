import type { Archive } from '../../archives/archive.ts';
import type { EntreeSource, FichierOuvert, FichierSource, SourceJournaux } from '../../sources/source.ts';
import type { ContenuDeChemin } from './plan.ts';

/** Archives as if they were the files that they were read from: each path once. */
export class SourceArchives implements SourceJournaux {
  readonly description = 'archives';
  readonly #archive: Archive;
  readonly #dossiers: readonly string[];
  readonly #contenus: readonly ContenuDeChemin[];

  /** @param dossiers folders that are there even without a file */
  constructor(archive: Archive, dossiers: readonly string[], contenus: readonly ContenuDeChemin[]) {
    this.#archive = archive;
    this.#dossiers = dossiers;
    this.#contenus = contenus;
  }

  async *list(): AsyncGenerator<EntreeSource> {
    for (const dossier of this.#dossiers) yield { kind: 'dossier', dossier };
    for (const { chemin, archive } of this.#contenus) {
      const dossier = chemin.split('/')[0]!;
      const { taille } = archive;
      // Without a signature, the next import of the real folder reads the real file.
      yield {
        kind: 'fichier',
        fichier: { dossier, chemin, taille, signature: undefined, reference: archive },
      };
    }
  }

  async open({ reference, taille }: FichierSource): Promise<FichierOuvert> {
    const { centreId, sha256 } = reference as ContenuDeChemin['archive'];
    const pieces = this.#archive.read(centreId, sha256);
    let piece: Buffer = Buffer.alloc(0);
    let at = 0;
    return {
      taille,
      signature: undefined,
      async read(buffer, offset, length, position) {
        if (position !== at) throw new RangeError('une archive se lit du début à la fin');
        while (piece.length === 0) {
          const next = await pieces.next();
          if (next.done) return 0;
          piece = next.value;
        }
        const count = piece.copy(buffer, offset, 0, Math.min(length, piece.length));
        piece = piece.subarray(count);
        at += count;
        return count;
      },
      close: async () => void (await pieces.return(undefined)),
    };
  }

  watch(): void {}
}
