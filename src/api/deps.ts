import type { Archive } from '../archives/archive.ts';
import type { Coffre } from '../base/chiffrement.ts';
import type { Cles } from '../base/config/api.ts';
import type { Config } from '../base/config.ts';
import type { Logger } from '../base/logger.ts';
import type { FactoryTime } from '../base/time.ts';
import type { Pool } from '../postgres/pool.ts';
import type { Replica } from '../postgres/replica.ts';
import type { Evenements } from './evenements.ts';

/** What the API is built from; whoever builds it closes it. */
export interface ApiDeps {
  readonly config: Config;
  readonly cles: Cles;
  /** names and addresses of accounts go through it */
  readonly coffre: Coffre;
  readonly logger: Logger;
  /** connections in the factory's time zone, with a statement timeout */
  readonly pool: Pool;
  /** a few to the same database that nothing else may keep busy: whether we are well, who somebody is, signing in */
  readonly accesPool: Pool;
  /** the same as `pool` on a replica, or the same pool; `enLecture` (lectures.ts) says which to use */
  readonly readPool: Pool;
  /**
   * straight to the main database when `pool` goes through a pooler: exports keep a connection for long, and while they
   * do need another one, which a pooler with few would not have
   */
  readonly exportPool?: Pool | undefined;
  /** whether the replica may be read; undefined when there is none */
  readonly replica?: Replica | undefined;
  readonly archive: Archive;
  /** live events; listens to the database from the first client on */
  readonly evenements: Evenements;
  readonly time: FactoryTime;
  /** milliseconds since the epoch; a test gives its own clock */
  readonly maintenant: () => number;
}
