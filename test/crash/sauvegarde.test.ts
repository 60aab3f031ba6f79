// O15: kill -9 of a backup leaves no half one; of a restoration, the database as it was or one that only a restoration
// may go on with.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Depot } from '../../src/archives/sauvegarde/depot.ts';
import type { EtapeRestauration } from '../../src/jobs/restauration.ts';
import { verifierSauvegarde } from '../../src/jobs/sauvegarde/verification.ts';
import { type EtapeSauvegarde, sauvegarder } from '../../src/jobs/sauvegarde.ts';
import { requireSchema } from '../../src/postgres/migrate.ts';
import { CHANGEES, type Etabli, monter, peupler, toutesLesLignes } from '../harness/sauvegarde.ts';
import type { Order } from './sauvegarde-child.ts';

let etabli: Etabli;
beforeAll(async () => {
  etabli = await monter();
  await peupler(etabli);
}, 120_000);
afterAll(() => etabli.close());

const SCRIPT = fileURLToPath(new URL('./sauvegarde-child.ts', import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  /** what it said */
  readonly text: string;
}

function start(own: Partial<Order>): { child: ChildProcess; ended: Promise<Ended> } {
  const { atelier, depot } = etabli;
  const { url, logs, archives } = atelier;
  const order: Order = { task: 'sauvegarde', url, logs, archives, depot, ...own };
  const child = spawn(process.execPath, [SCRIPT, JSON.stringify(order)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (piece) => {
    text += piece;
  });
  const ended = once(child, 'close').then(([code, signal]): Ended => ({ code, signal, text }));
  return { child, ended };
}

async function run(own: Partial<Order>): Promise<Ended> {
  const ended = await start(own).ended;
  if (ended.code !== null) expect(ended.text, 'the process').not.toContain('erreur');
  return ended;
}

/** Waits until a process stands still (SIGSTOP). */
async function arrete({ pid }: ChildProcess): Promise<void> {
  const state = async (): Promise<string | undefined> =>
    /\) (\S)/.exec(await readFile(`/proc/${pid}/stat`, 'utf8'))?.[1];
  await expect.poll(state, { timeout: 30_000, interval: 20 }).toBe('T');
}

describe('O15: kill -9 of a backup', () => {
  const etapes: readonly EtapeSauvegarde[] = [
    'debut',
    'dans_base',
    'dans_archives',
    'avant_nom',
    'apres_nom',
  ];
  it.each(etapes)(
    '%s: every backup that has a name is whole, and the next one works',
    async (etape) => {
      const depot = new Depot(etabli.depot, []);
      const before = await depot.noms();
      expect((await run({ etape })).signal).toBe('SIGKILL');
      const after = await depot.noms();
      expect(after.length - before.length).toBe(etape === 'apres_nom' ? 1 : 0);
      for (const nom of after)
        expect((await verifierSauvegarde(depot, await depot.ouvrir(nom), [])).defauts).toEqual([]);
      // The dead one's locks are gone with it, and so is what it left.
      const { nom } = await etabli.sauvegarder();
      expect((await verifierSauvegarde(depot, await depot.ouvrir(nom), [])).defauts).toEqual([]);
      const left = (await readdir(etabli.depot)).filter((name) => name.startsWith('.'));
      expect(left).toEqual([]);
    },
    60_000,
  );
});

describe('O15, O7: a backup that stands still until its locks are gone, while another one is made', () => {
  const etapes: readonly EtapeSauvegarde[] = ['dans_base', 'dans_archives', 'avant_nom'];
  it.each(etapes)(
    '%s: awake again, it gives its half-stale folder no name, says why, and leaves nothing',
    async (etape) => {
      const depot = new Depot(etabli.depot, []);
      const { child, ended } = start({ etape, gele: true, battement: 20 });
      try {
        await arrete(child);
        // Nobody is let in before its locks are lost.
        const meanwhile = async (): Promise<string | undefined> => {
          const bilan = await sauvegarder(etabli.contexte());
          return bilan.etat === 'reussie' ? bilan.nom : undefined;
        };
        await expect.poll(meanwhile, { timeout: 30_000, interval: 50 }).toEqual(expect.any(String));
        const others = await depot.noms();
        child.kill('SIGCONT');
        const { code, text } = await ended;
        expect([code, text]).toEqual([1, expect.stringContaining('Verrou de la sauvegarde perdu')]);
        expect(await depot.noms()).toEqual(others);
        expect((await readdir(etabli.depot)).filter((name) => name.startsWith('.'))).toEqual([]);
      } finally {
        child.kill('SIGKILL');
        await ended;
      }
      const { rows } = await etabli.atelier.reader.query(
        `SELECT etat FROM execution WHERE tache = 'sauvegarde' AND etat <> 'ignoree' ORDER BY id DESC LIMIT 2`,
      );
      expect(rows.map((row) => row.etat)).toEqual(['reussie', 'echouee']);
      const { nom } = await etabli.sauvegarder();
      expect((await verifierSauvegarde(depot, await depot.ouvrir(nom), [])).defauts).toEqual([]);
    },
    60_000,
  );
});

describe('O15: kill -9 of a restoration', () => {
  const etapes: readonly EtapeRestauration[] = [
    ...(['apres_archives', 'dans_base', 'avant_validation'] as const),
    ...(['apres_base', 'apres_migrations', 'avant_fin'] as const),
  ];
  it.each(etapes)(
    '%s: nothing of it, or marked; the same command ends it',
    async (etape) => {
      const { nom } = await etabli.sauvegarder();
      const base = await etabli.base();
      const archives = join(etabli.home, `archives-${etape}`);
      const order = { task: 'restauration', url: base.url, archives, nom } as const;
      expect((await run({ ...order, etape })).signal).toBe('SIGKILL');
      const tables = Object.keys(await toutesLesLignes(base.pool));
      if (['apres_archives', 'dans_base', 'avant_validation'].includes(etape)) expect(tables).toEqual([]);
      else await expect(requireSchema(base.pool)).rejects.toMatchObject({ code: 'ATL_B906' });
      expect((await run(order)).code).toBe(0);
      await requireSchema(base.pool);
      const [saved, restored] = [
        await toutesLesLignes(etabli.atelier.reader),
        await toutesLesLignes(base.pool),
      ];
      for (const [table, rows] of Object.entries(saved))
        if (!CHANGEES.has(table)) expect(restored[table], table).toEqual(rows);
      expect(await readdir(join(archives, 'en-attente')).catch(() => [])).toEqual([]);
    },
    60_000,
  );
});

it('O16: kill -9 of a rebuild: the database is marked, and the same command ends it', async () => {
  const base = await etabli.base();
  const order = { task: 'reconstruction', url: base.url } as const;
  expect((await run({ ...order, etape: 'apres_passage' })).signal).toBe('SIGKILL');
  await expect(requireSchema(base.pool)).rejects.toMatchObject({ code: 'ATL_B906' });
  expect((await run(order)).code).toBe(0);
  await requireSchema(base.pool);
  const count = `SELECT count(*) AS n FROM piece_production`;
  expect((await base.pool.query(count)).rows).toEqual((await etabli.atelier.reader.query(count)).rows);
}, 60_000);
