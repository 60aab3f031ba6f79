// A process that backs up, restores or rebuilds, and dies where it is told to. Its one argument is JSON; see `Order`.

import { Archive } from '../../src/archives/archive.ts';
import { Depot } from '../../src/archives/sauvegarde/depot.ts';
import { messageOf } from '../../src/base/errors.ts';
import { reconstruire } from '../../src/jobs/reconstruction.ts';
import { restaurer } from '../../src/jobs/restauration.ts';
import { sauvegarder } from '../../src/jobs/sauvegarde.ts';
import { makeContext } from '../harness/context.ts';

export interface Order {
  readonly task: 'sauvegarde' | 'restauration' | 'reconstruction';
  readonly url: string;
  readonly logs: string;
  readonly archives: string;
  readonly depot: string;
  /** name of the backup to restore */
  readonly nom?: string;
  /** dies by SIGKILL there */
  readonly etape?: string;
  /** SIGSTOP there instead, and it goes on when it may */
  readonly gele?: boolean;
  /** ms between signs of life */
  readonly battement?: number;
}

const order = JSON.parse(process.argv[2]!) as Order;
const context = makeContext({ ...order, settings: { SAUVEGARDE_DIR: order.depot } });
const onEtape = (etape: string): void => {
  if (etape === order.etape) process.kill(process.pid, order.gele ? 'SIGSTOP' : 'SIGKILL');
};
let result: object = {};
try {
  if (order.task === 'sauvegarde') {
    result = await sauvegarder(context, { onEtape, battement: order.battement });
  } else if (order.task === 'restauration') {
    const depot = new Depot(order.depot, []);
    result = await restaurer(context, depot, await depot.ouvrir(order.nom!), {
      ...{ url: order.url, cles: [], onEtape },
    });
  } else {
    context.pool.options.application_name = 'atelier rebuild';
    result = await reconstruire({ ...context, archive: new Archive(order.archives) }, { onEtape });
  }
} catch (error) {
  result = { erreur: messageOf(error) };
  process.exitCode = 1;
}
await context.pool.end();
process.stdout.write(`${JSON.stringify(result)}\n`);
