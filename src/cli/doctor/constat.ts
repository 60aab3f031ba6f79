import type { Cli } from '../cli.ts';

/** One finding: fine, to look at, or to mend; with the way to do it. */
export interface Constat {
  readonly quoi: string;
  readonly etat: 'bien' | 'attention' | 'mal';
  readonly detail: string;
  readonly remede?: string;
}

/** One subject that is looked at; it changes nothing, wherever it looks. */
export interface Controle {
  /** said when looking itself fails */
  readonly quoi: string;
  readonly faire: (cli: Cli) => Promise<readonly Constat[]>;
}

export function bien(quoi: string, detail: string): Constat {
  return { quoi, etat: 'bien', detail };
}

export function attention(quoi: string, detail: string, remede: string): Constat {
  return { quoi, etat: 'attention', detail, remede };
}

export function mal(quoi: string, detail: string, remede: string): Constat {
  return { quoi, etat: 'mal', detail, remede };
}
