import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../../src/base/logger.ts';
import type { Compteurs } from '../../src/jobs/ingest/compteurs.ts';
import type { IngestContext } from '../../src/jobs/ingest/context.ts';
import type { ImportOptions } from '../../src/jobs/ingest/import.ts';
import { ingest } from '../../src/jobs/ingest.ts';
import { createPool, type Pool } from '../../src/postgres/pool.ts';
import type { ReferenceState } from '../reference/reference.ts';
import { makeContext, migrateUrl, type Settings } from './context.ts';
import { checkInvariants } from './invariants.ts';
import { createDatabase, registerTemplate } from './postgres.ts';
import { dumpState } from './state.ts';

/** A workshop under test: folder of logs, archive, migrated database. */
export interface Workshop {
  readonly url: string;
  /** reads the tables; its connections are not those of the import */
  readonly reader: Pool;
  /** LOGS_DIR; another folder after each reset */
  readonly logs: string;
  readonly archives: string;
  /** to be changed by spreading: `{ ...workshop.context, onEtape }` */
  readonly context: IngestContext;
  import(options?: ImportOptions): Promise<Compteurs>;
  state(): Promise<ReferenceState>;
  checkInvariants(): Promise<void>;
  /** empty tables, logs and archive */
  reset(settings?: Settings): Promise<void>;
  close(): Promise<void>;
}

export async function createWorkshop(settings?: Settings): Promise<Workshop> {
  registerTemplate(migrateUrl);
  const [database, home] = await Promise.all([createDatabase(), mkdtemp(join(tmpdir(), 'atelier-essai-'))]);
  const reader = createPool(database.url, { logger: silentLogger(), max: 2 });
  reader.options.application_name = 'lecteur';
  let round = 0;
  const place = async (own?: Settings, pool?: Pool): Promise<IngestContext> => {
    const room = join(home, String(round));
    const logs = join(room, 'logs');
    await mkdir(logs, { recursive: true });
    const context = makeContext({ url: database.url, logs, archives: join(room, 'archives'), settings: own });
    return pool ? { ...context, pool } : context;
  };
  let context = await place(settings);
  const self: Workshop = {
    url: database.url,
    reader,
    get logs() {
      return context.config.logsDir;
    },
    get archives() {
      return context.config.archivesDir;
    },
    get context() {
      return context;
    },
    import: (options) => ingest(context, options),
    state: () => dumpState(reader),
    checkInvariants: () => checkInvariants(reader, context.archive),
    async reset(own = settings) {
      await emptyTables(reader);
      await rm(join(home, String(round)), { recursive: true, force: true });
      round++;
      context = await place(own, context.pool);
    },
    async close() {
      await Promise.all([reader.end(), context.pool.end()]);
      await database.drop();
      await rm(home, { recursive: true, force: true });
    },
  };
  return self;
}

/** In no order: foreign keys and the triggers against orphans are off for this transaction. */
const EMPTY_TABLES = `
  BEGIN; SET LOCAL session_replication_role = replica;
  ${[
    'piece_production',
    'periode_arret',
    'periode_attente',
    'job_profil',
    'session_production',
    'ligne_rejetee',
    'type_evenement',
    'jour_a_recalculer',
    'archive_perimee',
    'fichier_log_jour',
    'fichier_log_prefixe',
    'fichier_log_contenu',
    'fichier_log',
    'fichier_log_version',
    'execution',
    'purge',
    'jour_gele',
    'centre_usinage',
  ]
    .map((table) => `DELETE FROM ${table};`)
    .join(' ')}
  COMMIT`;

async function emptyTables(pool: Pool): Promise<void> {
  await pool.query(EMPTY_TABLES);
}
