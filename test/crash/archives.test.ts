// M7: kill -9 while archives are encrypted, or get another key, loses none: each is whole in one form or the other, and the
// same command ends it.

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ouvrirArchives } from '../../src/archives/archive.ts';
import { accorderFormes, compterFormes, verifierArchives } from '../../src/jobs/formes-archives.ts';
import { CACHE_COMPILATION } from '../harness/cache.ts';
import { makeContext, type Settings } from '../harness/context.ts';
import { createWorkshop, type Workshop } from '../harness/ingest.ts';
import { growTree, writeTree } from '../harness/tree.ts';
import type { OrdreFormes } from './archives-child.ts';

const SCRIPT = fileURLToPath(new URL('./archives-child.ts', import.meta.url));
const [A, B] = [randomBytes(32).toString('hex'), randomBytes(32).toString('hex')];

let workshop: Workshop;
beforeAll(async () => {
  workshop = await createWorkshop();
});
afterAll(() => workshop.close());

const places = (): Pick<OrdreFormes, 'url' | 'logs' | 'archives'> => ({
  ...{ url: workshop.url, logs: workshop.logs, archives: workshop.archives },
});

async function killed(settings: Settings, etape: OrdreFormes['etape'], nth: number): Promise<string | null> {
  const order: OrdreFormes = { ...places(), settings, etape, nth };
  const env = { ...process.env, NODE_COMPILE_CACHE: CACHE_COMPILATION };
  const child = spawn(process.execPath, [SCRIPT, JSON.stringify(order)], { env, stdio: 'inherit' });
  const [, signal] = (await once(child, 'close')) as [number | null, string | null];
  return signal;
}

describe('M7: kill -9', () => {
  it.each<[string, Settings]>([
    ['from plain', { CLE_ARCHIVES: A }],
    ['to another key', { CLE_ARCHIVES: B, CLE_ARCHIVES_PRECEDENTE: A }],
    ['back to plain', { CLE_ARCHIVES_PRECEDENTE: B }],
  ])(
    '%s: every archive is whole after each death, and the next run ends it',
    async (what, settings) => {
      if (what === 'from plain') {
        await writeTree(workshop.logs, 3, 12);
        await workshop.import();
      }
      const context = makeContext({ ...places(), settings });
      try {
        const { archive } = context;
        const { nombre } = await verifierArchives(context);
        expect(nombre).toBeGreaterThan(5);
        for (const [etape, nth] of [
          ['ecrite', 1],
          ['verifiee', 2],
          ['remplacee', 2],
        ] as const) {
          expect(await killed(settings, etape, nth)).toBe('SIGKILL');
          expect(await verifierArchives(context)).toEqual({ nombre, defauts: [] });
        }
        const half = await compterFormes(archive);
        expect([half.enClair, ...Object.values(half.chiffrees)].filter((n) => n > 0).length).toBe(2);
        expect(await accorderFormes(context)).toMatchObject({ etat: 'reussie', laissees: [] });
        const { courante } = archive.cles;
        expect(await compterFormes(archive)).toEqual(
          courante === undefined
            ? { enClair: nombre, chiffrees: {} }
            : { enClair: 0, chiffrees: { [courante]: nombre } },
        );
        expect(await verifierArchives(context)).toEqual({ nombre, defauts: [] });
        // Nothing of the dead is left, and only what is needed is known beside the archives.
        expect(await readdir(join(archive.root, 'en-attente'))).toEqual([]);
        expect((await readdir(archive.root)).includes('chiffrement.json')).toBe(courante !== undefined);
      } finally {
        await context.pool.end();
      }
    },
    180_000,
  );

  it('R11: bytes that are erased while they are moved do not come back', async () => {
    const context = makeContext({ ...places(), settings: { CLE_ARCHIVES: A } });
    try {
      const [centreId] = await context.archive.centres();
      const [gone] = (await context.archive.list(centreId!)).sort();
      const plain = ouvrirArchives(workshop.context.config);
      let removed = false;
      const bilan = await accorderFormes(context, {
        onEtape: (etape) => {
          if (etape !== 'verifiee' || removed) return;
          removed = true;
          void plain.remove(centreId!, gone!);
        },
      });
      expect(bilan.etat).toBe('reussie');
      expect(await context.archive.has(centreId!, gone!)).toBe(false);
    } finally {
      await context.pool.end();
    }
  }, 60_000);

  it('what grows afterwards is encrypted, too', async () => {
    await workshop.reset({ CLE_ARCHIVES: A });
    await writeTree(workshop.logs, 2, 4);
    await workshop.import();
    await growTree(workshop.logs, 2, 7);
    await workshop.import();
    await workshop.checkInvariants();
    const { enClair, chiffrees } = await compterFormes(workshop.context.archive);
    expect([enClair, Object.keys(chiffrees)]).toEqual([0, [workshop.context.archive.cles.courante]]);
  }, 60_000);
});
