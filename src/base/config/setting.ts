/** One setting as an installer meets it; `.env_exemple` is made from these. */
export interface Setting {
  readonly name: string;
  /** explanation, French, one or more lines */
  readonly doc: string;
  /** shown in `.env_exemple`; empty when there is none */
  readonly default: string;
  readonly secret?: true;
}
