// A worker of its own process, whose task notes its effect in the transaction in which its run ends, as synchronisations
// do. Its one argument is JSON; see `WorkerOrder`.

import { setTimeout as sleep } from 'node:timers/promises';
import { Shutdown } from '../../src/base/shutdown.ts';
import type { Tache } from '../../src/jobs/taches/tache.ts';
import { executerWorker } from '../../src/jobs/worker.ts';
import { transaction, withClient } from '../../src/postgres/pool.ts';
import { endExecution, tenirExecution } from '../../src/postgres/taches/executions.ts';
import { makeWorkerContext } from '../harness/worker.ts';

export interface WorkerOrder {
  readonly url: string;
  readonly settings: Readonly<Record<string, string>>;
  /** the clock of the schedule: `debut` when the database's shows `origine`, and so many times as fast (ms) */
  readonly horloge: { readonly origine: number; readonly debut: number; readonly facteur: number };
  /** where the task waits until it is killed or woken: before it notes its effect, or after, not yet committed */
  readonly pause?: 'avant' | 'dedans';
}

const order = JSON.parse(process.argv[2]!) as WorkerOrder;
const { origine, debut, facteur } = order.horloge;

const tache: Tache = {
  nom: 'ingest',
  async executer(ctx) {
    await withClient(ctx.pool, async (client) => {
      if (!(await tenirExecution(client, ctx.execution))) throw new Error('repris');
      // The lock of a session, as synchronisations hold it: a stopped worker must not keep it.
      await client.query('SELECT pg_advisory_lock(815)');
      try {
        if (order.pause === 'avant') await point();
        await transaction(client, async () => {
          await client.query(
            'INSERT INTO effet (echeance, execution, processus) SELECT echeance, id, $2 FROM execution WHERE id = $1',
            [ctx.execution, process.pid],
          );
          if (order.pause === 'dedans') await point();
          await sleep(Math.random() * 20);
          if (!(await endExecution(client, ctx.execution, 'reussie', {}))) throw new Error('repris');
        });
      } finally {
        await client.query('SELECT pg_advisory_unlock(815)').catch(() => undefined);
      }
    });
    return { etat: 'reussie', compteurs: {} };
  },
};

/** The test stops or kills us here; woken, we go on. */
async function point(): Promise<void> {
  process.stdout.write('ici\n');
  await sleep(1_000);
}

const shutdown = new Shutdown();
shutdown.listen();
const ctx = { ...makeWorkerContext({ url: order.url, settings: order.settings }), shutdown };
await executerWorker(ctx, {
  suivi: false,
  planification: true,
  registre: [tache],
  cadences: { surveillance: 1, interrogation: 0.5, planification: 100, menage: 500, silence: 10 },
  horloge: (base) => debut + (base - origine) * facteur,
  pret: () => process.stdout.write('prêt\n'),
});
await ctx.pool.end();
process.stdout.write('fini\n');
process.exit(0);
