import type { CentreConfig } from '../base/config.ts';
import { AtelierError, messageOf } from '../base/errors.ts';
import type { DossierLocal } from './dossier.ts';
import type { DossierSftp } from './sftp/dossier-sftp.ts';
import type { EntreeSource, FichierOuvert, FichierSource, SourceJournaux } from './source.ts';

/**
 * The local folder and the centres that live on SFTP servers, as one tree. What is wrong with one of them is said of its
 * centre, and stops no other.
 */
export class SourceComposite implements SourceJournaux {
  readonly description: string;
  readonly #local: DossierLocal;
  readonly #distants: readonly DossierSftp[];
  readonly #centres: readonly CentreConfig[];

  constructor(local: DossierLocal, distants: readonly DossierSftp[], centres: readonly CentreConfig[]) {
    this.#local = local;
    this.#distants = distants;
    this.#centres = centres;
    this.description = [local.description, ...distants.map(({ description }) => description)].join(', ');
  }

  async *list(): AsyncGenerator<EntreeSource> {
    yield* this.#listLocal();
    for (const distant of this.#distants) yield* distant.list();
  }

  async open(fichier: FichierSource): Promise<FichierOuvert> {
    return await (this.#remote(fichier.dossier) ?? this.#local).open(fichier);
  }

  async revoir(fichier: FichierSource): Promise<FichierSource | undefined> {
    return await (this.#remote(fichier.dossier) ?? this.#local).revoir(fichier);
  }

  watch(onHint: (chemin?: string) => void, signal: AbortSignal): void {
    for (const source of [this.#local, ...this.#distants]) source.watch(onHint, signal);
  }

  /** Ends the connections. */
  async fermer(): Promise<void> {
    await Promise.all([this.#local, ...this.#distants].map((source) => source.fermer()));
  }

  async *#listLocal(): AsyncGenerator<EntreeSource> {
    try {
      for await (const entree of this.#local.list()) {
        const dossier = entree.kind === 'fichier' ? entree.fichier.dossier : undefined;
        const name = entree.kind === 'dossier' ? entree.dossier : (dossier ?? nameOf(entree));
        if (!this.#remote(name)) yield entree;
        else if (entree.kind === 'dossier') {
          const raison = 'dossier local laissé de côté : ce centre est lu par SFTP (SFTP_CENTRES)';
          yield { kind: 'ecarte', chemin: name, raison, erreur: false };
        }
      }
    } catch (error) {
      if (!(error instanceof AtelierError)) throw error;
      // Whoever has all centres on servers needs no local folder; else those that should be there are missing.
      for (const { dossier } of this.#centres) {
        if (this.#remote(dossier)) continue;
        yield { kind: 'ecarte', chemin: dossier, raison: messageOf(error), erreur: true };
      }
    }
  }

  #remote(dossier: string): DossierSftp | undefined {
    return this.#distants.find((distant) => distant.dossier === dossier);
  }
}

function nameOf(entree: EntreeSource): string {
  return entree.kind === 'ecarte' ? entree.chemin.split('/')[0]! : '';
}
