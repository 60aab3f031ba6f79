import type { Config } from './config.ts';
import type { Logger } from './logger.ts';
import type { Shutdown } from './shutdown.ts';
import type { FactoryTime } from './time.ts';

/** What every job needs of its surroundings; made once by a command, passed down. */
export interface BaseContext {
  readonly config: Config;
  readonly logger: Logger;
  readonly time: FactoryTime;
  readonly shutdown: Shutdown;
  /** run that the worker has opened for this job; without one the job opens its own */
  readonly execution?: number;
}
