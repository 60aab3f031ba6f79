// Three hosts against one PostgreSQL: the API and two workers, each in a network of its own.

import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it, vi } from 'vitest';
import { type Finished, type Running, startAtelier } from '../harness/cli.ts';
import { migrateUrl } from '../harness/context.ts';
import { startPrivatePostgres } from '../harness/postgres.ts';
import { SEED } from '../harness/property.ts';
import { installerApi } from '../harness/serve.ts';
import { randomFrom } from '../harness/tree.ts';
import { Machines } from './machines.ts';
import { type Hote, Reseau } from './reseau.ts';
import { attendreEgalite, rienNeTraine, unJsonParLigne } from './tour.ts';

const cleanUp: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const work of cleanUp.splice(0).reverse()) await work();
});

const manque = await Reseau.manque();
if (manque !== undefined) process.stdout.write(`plusieurs hôtes : test passé, ${manque}\n`);

it.skipIf(manque !== undefined)(
  'O7, O11, O21, F32: a worker cut off in mid-file is replaced, comes back, and nothing shows; the API answers all along',
  async () => {
    process.stdout.write(`plusieurs hôtes : ATELIER_GRAINE=${SEED}\n`);
    const reseau = await Reseau.creer();
    cleanUp.push(() => reseau.fermer());
    const [pourApi, un, deux] = [await reseau.hote(), await reseau.hote(), await reseau.hote()];
    const server = await startPrivatePostgres({
      settings: { listen_addresses: `127.0.0.1,${reseau.adresse}` },
    });
    cleanUp.push(() => server.remove());
    await appendFile(join(server.dataDir, 'pg_hba.conf'), `host all all ${reseau.plage} scram-sha-256\n`);
    await server.stop('fast');
    await server.start();
    await migrateUrl(server.url);
    const place = await installerApi({ url: server.url });
    cleanUp.push(() => place.close());

    const url = new URL(server.url);
    url.hostname = reseau.adresse;
    const lancer = (hote: Hote, args: string[]): Running => {
      const running = startAtelier(args, {
        cwd: place.home,
        before: hote.avant,
        env: {
          ...place.env,
          ...place.apiEnv,
          DATABASE_URL: url.href,
          RESEAUX_PRIVES: reseau.plage,
          HOST: hote.adresse,
          PORT: '8000',
          METRICS_PORT: '0',
        },
      });
      cleanUp.push(async () => {
        running.process.kill('SIGKILL');
        await running.ended;
      });
      return running;
    };
    const dit = (running: Running, text: string, timeout = 60_000): Promise<unknown> =>
      vi.waitFor(() => expect(running.text()).toContain(text), { timeout, interval: 50 });

    const api = lancer(pourApi, ['serve']);
    await dit(api, 'API : http');
    const premier = lancer(un, ['worker']);
    await dit(premier, 'suivi commencé');
    const second = lancer(deux, ['worker']);
    await dit(second, 'worker prêt');
    const reponses = sonder(`http://${pourApi.adresse}:8000/health/ready`);
    cleanUp.push(() => reponses.fin());

    const machines = new Machines(place.logs, randomFrom(SEED));
    await travailler(machines, 3_000, async () => {
      await sleep(1_500);
      await un.couper();
    });
    // The other one takes over, and takes from the first what it held.
    await attendreEgalite(place, machines);
    expect(second.text()).toContain('suivi commencé');

    await un.relier();
    await travailler(machines, 2_000);
    await attendreEgalite(place, machines);
    const statuts = await reponses.fin();
    expect(statuts.length).toBeGreaterThan(20);
    expect(statuts.filter((statut) => statut !== 200)).toEqual([]);

    for (const { process: child } of [premier, second, api]) child.kill('SIGTERM');
    const fins: Finished[] = await Promise.all([premier.ended, second.ended, api.ended]);
    expect(fins.map(({ code, stderr }) => [code, stderr])).toEqual([
      [0, ''],
      [0, ''],
      [0, expect.not.stringContaining('forcé')],
    ]);
    for (const { stdout } of fins.slice(0, 2)) unJsonParLigne(stdout);
    await rienNeTraine(place);
  },
  300_000,
);

/** Machines write for `ms`, and `pendant` happens meanwhile. */
async function travailler(machines: Machines, ms: number, pendant?: () => Promise<void>): Promise<void> {
  const stop = AbortSignal.timeout(ms);
  await Promise.all([machines.work(stop), pendant?.()]);
}

/** Asks an address again and again; `fin` gives every status (0: no answer). */
function sonder(url: string): { fin(): Promise<number[]> } {
  const statuts: number[] = [];
  let over = false;
  const loop = (async () => {
    while (!over) {
      const answer = await fetch(url, { signal: AbortSignal.timeout(10_000) }).catch(() => undefined);
      await answer?.arrayBuffer();
      statuts.push(answer?.status ?? 0);
      await sleep(200);
    }
    return statuts;
  })();
  return {
    fin: () => {
      over = true;
      return loop;
    },
  };
}
