import type { FileStats } from '../disk.ts';

/** Most bytes that are asked for at once. */
export const PIECE = 256 * 1024;

/** What the process beside us is asked for; paths are bytes. */
export type Demand =
  | { readonly op: 'entries' | 'look' | 'open'; readonly path: Buffer }
  | { readonly op: 'read'; readonly handle: number; readonly position: number; readonly length: number }
  | { readonly op: 'close'; readonly handle: number };

export interface Failure {
  readonly message: string;
  readonly code: string | undefined;
}

export interface ListedEntry {
  readonly name: Buffer;
  readonly kind: 'fichier' | 'dossier' | 'lien' | 'autre';
  /** of LOG files, or why there are none */
  readonly stats?: FileStats | undefined;
  readonly failure?: Failure | undefined;
}

export interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly failure?: Failure;
}
