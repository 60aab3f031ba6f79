// Exports at constant memory, in a server of its own.

import { readFile } from 'node:fs/promises';
import pg from 'pg';
import { expect, it, vi } from 'vitest';
import { fill } from '../harness/exports.ts';
import { creerCompteHttp, installerApi, servir } from '../harness/serve.ts';

it('200,000 rows, 340 MB, by a client that reads late: the server stays small', async () => {
  const place = await installerApi();
  try {
    const db = new pg.Client({ connectionString: place.url });
    await db.connect();
    await fill(db, 200_000, 1600, 1).finally(() => db.end());
    const server = await servir(place);
    try {
      expect((await creerCompteHttp(server.url, 'lecteur')).status).toBe(201);
      const pid = server.running.process.pid!;
      const headers = { ...(await server.entete('lecteur')), 'accept-encoding': 'identity' };
      const before = await memoryOf(pid);
      for (const format of ['csv', 'xlsx']) {
        const answer = await fetch(`${server.url}/pieces-production/?format=${format}`, { headers });
        expect(answer.headers.get('x-total-count')).toBe('200000');
        const reader = answer.body!.getReader();
        await reader.read();
        // All that does not wait for us comes now.
        await settled(() => memoryOf(pid));
        let bytes = 0;
        for (let one = await reader.read(); !one.done; one = await reader.read()) bytes += one.value.length;
        if (format === 'csv') expect(bytes).toBeGreaterThan(330e6);
      }
      const growth = (await memoryOf(pid)) - before;
      process.stdout.write(`mémoire que deux exports ajoutent au serveur : ${Math.round(growth / 1e6)} Mo\n`);
      expect(growth).toBeLessThan(200e6);
    } finally {
      expect((await server.arreter()).code).toBe(0);
    }
  } finally {
    await place.close();
  }
}, 180_000);

/** Largest resident size of a process so far, bytes; 0 where the system does not tell. */
async function memoryOf(pid: number): Promise<number> {
  if (process.platform !== 'linux') return 0;
  return Number(/^VmHWM:\s*(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))![1]) * 1024;
}

/** Waits until a figure has stopped growing. */
async function settled(read: () => Promise<number>): Promise<void> {
  let last = -1;
  await vi.waitFor(
    async () => {
      const now = await read();
      const same = now === last;
      last = now;
      expect(same).toBe(true);
    },
    { timeout: 30_000, interval: 500 },
  );
}
