// A worker that freezes in the middle of a transaction, and stays so: the zombie that holds a centre's lock (O7).

import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it, vi } from 'vitest';
import { startPrivatePostgres } from '../harness/postgres.ts';
import { SEED } from '../harness/property.ts';
import { randomFrom } from '../harness/tree.ts';
import { Atelier } from './atelier.ts';
import { Machines } from './machines.ts';
import { attendreEgalite, rienNeTraine, unJsonParLigne } from './tour.ts';

const cleanUp: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const work of cleanUp.splice(0).reverse()) await work();
});

/** Sessions of imports that are in a transaction, with nothing asked of them. */
const TIENNENT = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'atelier'
  AND state = 'idle in transaction'`;

it('O7: a worker frozen in mid-transaction past every lease is put aside; awake again, it harms nothing', async () => {
  process.stdout.write(`figé : ATELIER_GRAINE=${SEED}\n`);
  const server = await startPrivatePostgres();
  cleanUp.push(() => server.remove());
  const atelier = await Atelier.installer(server);
  cleanUp.push(() => atelier.fermer());
  const { place } = atelier;
  await atelier.embaucher(0);
  const gele = atelier.postes[0]!.running;
  await vi.waitFor(() => expect(gele.text()).toContain('suivi commencé'), { timeout: 60_000 });
  await atelier.embaucher(1);
  await atelier.prets();

  const machines = new Machines(place.logs, randomFrom(SEED));
  const stop = new AbortController();
  const writing = machines.work(stop.signal);
  for (let held = false; !held; ) {
    await sleep(5);
    if ((await place.pool.query(TIENNENT)).rowCount === 0) continue;
    gele.process.kill('SIGSTOP');
    await sleep(100);
    held = (await place.pool.query(TIENNENT)).rowCount !== 0;
    if (!held) gele.process.kill('SIGCONT');
  }
  await sleep(1_000);
  stop.abort();
  await writing;
  await attendreEgalite(place, machines);
  expect(atelier.postes[1]!.running.text()).toContain('suivi commencé');

  gele.process.kill('SIGCONT');
  await machines.work(AbortSignal.timeout(1_500));
  await attendreEgalite(place, machines);
  for (const { code } of await atelier.congedier()) expect(code).toBe(0);
  for (const { stdout } of atelier.finis) unJsonParLigne(stdout);
  await rienNeTraine(place);
}, 300_000);
