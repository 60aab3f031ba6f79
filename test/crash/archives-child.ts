// A process that gives all archives the form that its settings say, and dies by SIGKILL where it is told to. Its one argument
// is JSON; see `OrdreFormes`.

import { accorderFormes } from '../../src/jobs/formes-archives.ts';
import { makeContext, type Settings } from '../harness/context.ts';

export interface OrdreFormes {
  readonly url: string;
  readonly logs: string;
  readonly archives: string;
  readonly settings: Settings;
  readonly etape: 'ecrite' | 'verifiee' | 'remplacee';
  /** dies the `nth` time it comes there */
  readonly nth: number;
}

const order = JSON.parse(process.argv[2]!) as OrdreFormes;
const context = makeContext(order);
let seen = 0;
await accorderFormes(context, {
  onEtape: (etape) => {
    if (etape === order.etape && ++seen === order.nth) process.kill(process.pid, 'SIGKILL');
  },
});
await context.pool.end();
