// A worker whose one task leaves a mark for each tick, on a clock on which an hour passes in a moment. Its argument is
// JSON; see `Ordre`.

import { setTimeout as sleep } from 'node:timers/promises';
import { createLogger } from '../../src/base/logger.ts';
import type { Tache } from '../../src/jobs/taches/tache.ts';
import { executerWorker } from '../../src/jobs/worker.ts';
import { createWorkerPool, transaction, withClient } from '../../src/postgres/pool.ts';
import { endExecution, tenirExecution } from '../../src/postgres/taches/executions.ts';
import { makeContext } from '../harness/context.ts';

export interface Ordre {
  readonly url: string;
  readonly dossier: string;
  /** ms since the epoch: where the clock of the schedule starts, and the database's time at that moment */
  readonly depart: number;
  readonly zero: number;
  /** ms of a schedule's hour */
  readonly heure: number;
  /** ticks; then the clock stands still */
  readonly echeances: number;
}

const HOUR = 3_600_000;
const ordre = JSON.parse(process.argv[2]!) as Ordre;
const { url, dossier, depart, zero, heure, echeances } = ordre;
const logger = createLogger({ console: 'stdout', level: 'info' });
const base = makeContext({
  url,
  logs: dossier,
  archives: dossier,
  settings: {
    CRON_LOGS: '0 * * * *',
    CRON_PURGE: 'non',
    CRON_COMMANDES: 'non',
    RATTRAPAGE: 'tous',
    RATTRAPAGE_MAX: '720',
    TACHE_ESSAIS: '20',
    TACHE_PAUSE: '1',
    FUSEAU: 'Europe/Paris',
  },
});
await base.pool.end();
const pool = createWorkerPool(url, { logger, max: 6 });

const marque: Tache = {
  nom: 'ingest',
  async executer(ctx) {
    // Long enough to be hit in the middle.
    await sleep(Math.random() * 60);
    await withClient(ctx.pool, (client) =>
      transaction(client, async () => {
        if (!(await tenirExecution(client, ctx.execution))) throw new Error('passage repris');
        await client.query(
          'INSERT INTO effet (echeance, execution) SELECT echeance, id FROM execution WHERE id = $1',
          [ctx.execution],
        );
        await sleep(Math.random() * 20);
        if (!(await endExecution(client, ctx.execution, 'reussie', {}))) throw new Error('passage repris');
      }),
    );
    return { etat: 'reussie', compteurs: {} };
  },
};

base.shutdown.listen();
await executerWorker(
  { ...base, logger, pool, url, journalDe: () => logger },
  {
    suivi: false,
    planification: true,
    registre: [marque],
    cadences: { planification: 100, interrogation: 0.5, surveillance: 1, silence: 10 },
    horloge: (now) => Math.min(depart + ((now - zero) / heure) * HOUR, depart + (echeances + 0.5) * HOUR),
  },
);
await Promise.race([pool.end(), sleep(2_000)]);
await base.shutdown.close();
