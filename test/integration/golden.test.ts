// Golden files: small trees of logs with the tables that must come of them, for every rule of the contract.
// ATELIER_GOLDEN=ecrire writes attendu.json anew, from the independent reference, never from the program.

import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Settings } from '../harness/context.ts';
import { createWorkshop, type Workshop } from '../harness/ingest.ts';
import { isVisible, readTree } from '../reference/model.ts';
import { type ReferenceState, reference } from '../reference/reference.ts';

const GOLDEN = join(import.meta.dirname, '../golden');
const CASES = (await readdir(GOLDEN, { withFileTypes: true }))
  .filter((e) => e.isDirectory())
  .map((e) => e.name);
const DEFAULT_CENTRES = 'DEM12=DEM12,PVC;DEMALU=DEMALU,ALU;SU12=SU12,HYBRIDE';

interface Attendu {
  readonly centres: readonly { readonly nom: string; readonly type_cu: string }[];
  readonly etat: ReferenceState;
}

let workshop: Workshop;
beforeAll(async () => {
  workshop = await createWorkshop();
});
afterAll(() => workshop.close());

async function read<T>(path: string, otherwise: T): Promise<T> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  return text === undefined ? otherwise : (JSON.parse(text) as T);
}

/** What the contract makes of the tree: names and types of centres by the plainest reading, the rest by the reference. */
async function expected(dir: string, settings: Settings): Promise<Attendu> {
  const configured = (settings['CENTRES'] ?? DEFAULT_CENTRES).split(';').map((entry) => {
    const [nom = '', rest = ''] = entry.split('=');
    const [, type_cu = '', attente] = rest.split(',');
    return { nom, type_cu, attente: attente === 'fin' ? ('fin' as const) : ('debut' as const) };
  });
  const centreOf = (folder: string): string => folder.replace(/ \([A-Z]+\)$/, '');
  const typeOf = (folder: string): string =>
    / \(([A-Z]+)\)$/.exec(folder)?.[1] ?? configured.find(({ nom }) => nom === folder)?.type_cu ?? 'INCONNU';
  const tree = await readTree(dir);
  const folders = [
    ...new Set([...tree.keys()].filter(isVisible).map((chemin) => chemin.split('/')[0]!)),
  ].sort();
  return {
    centres: folders.map((folder) => ({ nom: centreOf(folder), type_cu: typeOf(folder) })),
    etat: reference({
      versions: [...tree]
        .filter(([chemin]) => isVisible(chemin))
        .map(([chemin, octets]) => ({ centre: centreOf(chemin.split('/')[0]!), chemin, octets })),
      fuseau: 'Europe/Paris',
      journeeDebut: settings['JOURNEE_DEBUT'] ?? '00:00',
      attente: Object.fromEntries(configured.map(({ nom, attente }) => [nom, attente])),
    }),
  };
}

it.each(CASES)('golden %s', async (name) => {
  const dir = join(GOLDEN, name);
  const settings = await read<Settings>(join(dir, 'reglages.json'), {});
  const byReference = await expected(join(dir, 'entree'), settings);
  if (process.env['ATELIER_GOLDEN'] === 'ecrire') {
    await writeFile(join(dir, 'attendu.json'), `${JSON.stringify(byReference, null, 2)}\n`);
  }
  const attendu = await read<Attendu | undefined>(join(dir, 'attendu.json'), undefined);
  expect(byReference).toEqual(attendu);

  await workshop.reset(settings);
  await cp(join(dir, 'entree'), workshop.logs, { recursive: true });
  await workshop.import();
  const { rows } = await workshop.reader.query(
    'SELECT nom, type_cu FROM centre_usinage ORDER BY nom COLLATE "C"',
  );
  expect({ centres: rows, etat: await workshop.state() }).toEqual(attendu);
  await workshop.checkInvariants();
});
