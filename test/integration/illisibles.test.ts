// F23, F33: what could not be read is noted for as long as that lasts, not longer.

import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { Import, type ImportOptions } from '../../src/jobs/ingest/import.ts';
import { DossierLocal } from '../../src/sources/dossier.ts';
import type { EntreeSource, SourceJournaux } from '../../src/sources/source.ts';
import { createWorkshop, type Workshop } from '../harness/ingest.ts';

let workshop: Workshop;
/** paths that cannot be looked into or read now: nothing below them is listed */
let refuses: string[];

beforeAll(async () => {
  workshop = await createWorkshop();
});
beforeEach(async () => {
  await workshop.reset();
  refuses = [];
});
afterAll(() => workshop?.close());

/**
 * LOGS_DIR, where some paths are refused (those who run the tests may be root, whom nothing is refused), and where size is
 * enough of a signature (files just written have none).
 */
function source(): SourceJournaux {
  const local = new DossierLocal(workshop.logs);
  return {
    description: local.description,
    async open(fichier) {
      const ouvert = await local.open(fichier);
      return { ...ouvert, signature: String(ouvert.taille) };
    },
    watch: () => undefined,
    async *list(): AsyncGenerator<EntreeSource> {
      const told = new Set<string>();
      for await (const entree of local.list()) {
        if (entree.kind !== 'fichier') {
          yield entree;
          continue;
        }
        const { chemin, taille } = entree.fichier;
        const refus = refuses.find((path) => `${chemin}/`.startsWith(`${path}/`));
        if (refus === undefined) {
          yield { kind: 'fichier', fichier: { ...entree.fichier, signature: String(taille) } };
        } else if (!told.has(refus)) {
          told.add(refus);
          yield { kind: 'ecarte', chemin: refus, raison: 'EACCES : droit refusé', erreur: true };
        }
      }
    },
  };
}

const importer = (options: ImportOptions = {}): Import =>
  new Import({ ...workshop.context, source: source() }, options);

async function erreurs(): Promise<string[]> {
  const { rows } = await workshop.reader.query<{ chemin: string }>(
    `SELECT chemin FROM fichier_log WHERE etat = 'erreur' ORDER BY chemin`,
  );
  return rows.map(({ chemin }) => chemin);
}

async function deposer(chemin: string, seconde = 0): Promise<void> {
  const path = join(workshop.logs, chemin);
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, `20260603 12:30:0${seconde}|@StukUitgevoerd: A\n`);
}

it('a folder that could not be looked into: noted while that lasts, for each import and for one that follows', async () => {
  await deposer('DEM12/a.LOG');
  await deposer('DEM12/2025/b.LOG', 1);
  await importer().scan();
  refuses = ['DEM12/2025'];
  await importer().scan();
  expect(await erreurs()).toEqual(['DEM12/2025']);
  // As long as nobody knows what is below, nothing is forgotten.
  refuses = ['DEM12'];
  await importer().scan();
  expect(await erreurs()).toEqual(['DEM12', 'DEM12/2025']);
  refuses = [];
  const suivi = importer({ suivi: true });
  await suivi.scan();
  expect(await erreurs()).toEqual([]);
  for (let i = 0; i < 2; i++) {
    refuses = ['DEM12'];
    await suivi.scan();
    expect(await erreurs()).toEqual(['DEM12']);
    refuses = [];
    await suivi.scan();
    expect(await erreurs()).toEqual([]);
  }
  await workshop.checkInvariants();
});

it('a file that was read and then refused is read again, even if it has not changed', async () => {
  await deposer('DEM12/a.LOG');
  await deposer('DEM12/b.LOG', 1);
  const suivi = importer({ suivi: true });
  await suivi.scan();
  const before = await workshop.state();
  refuses = ['DEM12/a.LOG'];
  await suivi.scan();
  expect(await erreurs()).toEqual(['DEM12/a.LOG']);
  refuses = [];
  await suivi.scan();
  expect(await erreurs()).toEqual([]);
  expect(await workshop.state()).toEqual(before);
});

it('a dry run changes nothing of it; an empty folder is looked into all the same', async () => {
  await deposer('DEM12/a.LOG');
  refuses = ['DEM12'];
  await importer().scan();
  refuses = [];
  await importer({ aBlanc: true }).scan();
  expect(await erreurs()).toEqual(['DEM12']);
  await importer().scan();
  expect(await erreurs()).toEqual([]);
});

it('a file that was read, could not be read again, and was then removed is no error any more; its events stay', async () => {
  await deposer('DEM12/a.LOG');
  await deposer('DEM12/b.LOG', 1);
  for (const importe of [importer({ suivi: true }), undefined]) {
    const scan = async (): Promise<unknown> => await (importe ?? importer()).scan();
    refuses = [];
    await deposer('DEM12/a.LOG');
    await scan();
    const before = await workshop.state();
    refuses = ['DEM12/a.LOG'];
    await scan();
    expect(await erreurs()).toEqual(['DEM12/a.LOG']);
    await rm(join(workshop.logs, 'DEM12/a.LOG'));
    await scan();
    expect(await erreurs()).toEqual([]);
    expect((await workshop.state()).sessions).toEqual(before.sessions);
  }
});

it('a centre whose folder could not be looked into, and is then removed, is no error any more', async () => {
  await deposer('DEM12/a.LOG');
  await deposer('SU12/a.LOG');
  await importer().scan();
  const suivi = importer({ suivi: true });
  for (const importe of [suivi, undefined]) {
    const scan = async (): Promise<unknown> => await (importe ?? importer()).scan();
    await deposer('SU12/a.LOG');
    refuses = ['SU12'];
    await scan();
    expect(await erreurs()).toEqual(['SU12']);
    // An empty LOGS_DIR is a disk that is not there: it says nothing.
    await rename(join(workshop.logs), `${workshop.logs}.parti`);
    await mkdir(workshop.logs);
    await scan();
    expect(await erreurs()).toEqual(['SU12']);
    await rm(workshop.logs, { recursive: true });
    await rename(`${workshop.logs}.parti`, workshop.logs);
    await rm(join(workshop.logs, 'SU12'), { recursive: true });
    await scan();
    expect(await erreurs()).toEqual([]);
  }
});
