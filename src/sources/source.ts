/**
 * A place where LOG files lie: a local folder tree, or a remote one that gives the same answers.
 * A source reads and decides nothing.
 */
export interface SourceJournaux {
  /** for messages, for example the folder's path */
  readonly description: string;
  /** Everything below the centre folders; entries that are no readable LOG file come with the reason. */
  list(): AsyncIterable<EntreeSource>;
  /** Opens a listed file for reading by ranges. */
  open(fichier: FichierSource): Promise<FichierOuvert>;
  /** A listed file as it is now; undefined when only a listing can tell what became of it. */
  revoir?(fichier: FichierSource): Promise<FichierSource | undefined>;
  /**
   * Calls `onHint` when something may have changed, with its path where that is known; hints may be missed, a listing is
   * the truth.
   */
  watch(onHint: (chemin?: string) => void, signal: AbortSignal): void;
}

/** Longest path that is kept, in characters: an index entry must hold it, and no machine writes longer ones. */
export const MAX_PATH = 600;

export type EntreeSource =
  | { readonly kind: 'fichier'; readonly fichier: FichierSource }
  /** a folder of a centre, also when it holds no file */
  | { readonly kind: 'dossier'; readonly dossier: string }
  /** passed over on purpose (link, upload leftover…) or for want of rights */
  | { readonly kind: 'ecarte'; readonly chemin: string; readonly raison: string; readonly erreur: boolean };

export interface FichierSource {
  /** first folder below the root: the centre */
  readonly dossier: string;
  /** relative to the root, with `/` */
  readonly chemin: string;
  /** bytes */
  readonly taille: number;
  /** changes whenever the bytes may have changed; undefined when they may still change unseen */
  readonly signature: string | undefined;
  /** the same also while the bytes may change unseen; undefined where the source cannot say */
  readonly etat?: string | undefined;
  /** how the source finds the file again */
  readonly reference: unknown;
}

export interface FichierOuvert {
  readonly taille: number;
  readonly signature: string | undefined;
  readonly etat?: string | undefined;
  /** Reads up to `length` bytes from `position` into `buffer`; 0 at the end of the file. */
  read(buffer: Buffer, offset: number, length: number, position: number): Promise<number>;
  close(): Promise<void>;
}
