import type { Fil } from './fil.ts';

export type Attributs = Readonly<Record<string, string | number | boolean | undefined>>;

/** What a span is to its surroundings (OpenTelemetry: span kind). */
export type Genre = 'interne' | 'serveur' | 'client';

/** A span that runs. */
export interface Etendue {
  /** what work inside of it carries, see {@link dansFil} */
  readonly fil: Fil;
  /** names and describes it better, once more is known */
  preciser(nom: string | undefined, attributs: Attributs): void;
  /** @param erreur why it failed, when it did */
  finir(erreur?: unknown): void;
}

export interface OptionsEtendue {
  readonly genre?: Genre;
  /** `traceparent` of whoever called us */
  readonly parent?: string | undefined;
}

/** What makes spans. */
export interface Traceur {
  commencer(nom: string, attributs: Attributs, options?: OptionsEtendue): Etendue;
  fermer(): Promise<void>;
}
