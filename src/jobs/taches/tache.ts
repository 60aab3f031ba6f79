import type { Archive } from '../../archives/archive.ts';
import type { NomTache } from '../../base/config/planification.ts';
import type { Config } from '../../base/config.ts';
import type { BaseContext } from '../../base/context.ts';
import type { Pool } from '../../postgres/pool.ts';
import type { EtatExecution } from '../../postgres/taches/executions.ts';
import type { SourceJournaux } from '../../sources/source.ts';

export type { NomTache };

/** How a task ended; a failure is thrown instead. `ignoree`: another one holds its lock, to be tried again. */
export interface ResultatTache {
  readonly etat: EtatExecution;
  readonly compteurs: object;
}

/** What a task is given by the worker. `shutdown` and `signal` are its own: aborted when it has to stop. */
export interface TacheContext extends BaseContext {
  readonly pool: Pool;
  readonly archive: Archive;
  readonly source: SourceJournaux;
  readonly signal: AbortSignal;
  /** its run, opened by the worker: the task ends it itself only where that must be one with what it writes */
  readonly execution: number;
  /** what was asked for besides the task itself */
  readonly options: OptionsTache;
}

/** What may be asked for with a task. */
export interface OptionsTache {
  /** sync: replace the stored orders even if the ERP answers with few or none */
  readonly force?: boolean | undefined;
  /** ingest: this centre only */
  readonly centre?: string | undefined;
}

/** Something that the worker runs at its time or on demand. */
export interface Tache {
  readonly nom: NomTache;
  /** what is missing to run it here, in French; undefined: nothing */
  readonly manque?: (config: Config) => string | undefined;
  executer(ctx: TacheContext): Promise<ResultatTache>;
}
