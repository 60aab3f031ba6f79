// Everything breaks, in an order that the seed decides; after each round the tables are those of the reference.
// ATELIER_GRAINE replays a round, ATELIER_CHAOS_TOURS asks for more of them (`npm run chaos`).

import { afterAll, afterEach, beforeAll, it } from 'vitest';
import { startPrivatePostgres } from '../harness/postgres.ts';
import type { PrivatePostgres } from '../harness/private-postgres.ts';
import { SEED, setting } from '../harness/property.ts';
import { Atelier } from './atelier.ts';
import { tour } from './tour.ts';

const TOURS = setting('ATELIER_CHAOS_TOURS', 3);
const PANNES = setting('ATELIER_CHAOS_PANNES', 8);

let server: PrivatePostgres;
let atelier: Atelier | undefined;
beforeAll(async () => {
  server = await startPrivatePostgres();
});
afterEach(async () => {
  await atelier?.fermer();
  atelier = undefined;
});
afterAll(() => server.remove());

it.each(Array.from({ length: TOURS }, (_, i) => (SEED + i) % 0x7fffffff))(
  'O6-O8, O10-O12, O17, O21, F27-F34: round with ATELIER_GRAINE=%i equals the reference',
  async (graine) => {
    process.stdout.write(`chaos : ATELIER_GRAINE=${graine} ATELIER_CHAOS_TOURS=1\n`);
    atelier = await Atelier.installer(server);
    const done = await tour(atelier, { graine, workers: 2 + (graine % 2), pannes: PANNES, repos: 1_200 });
    process.stdout.write(`chaos : ${done.join(' ; ')}\n`);
  },
  240_000,
);
