// Names of folders and files: bytes, and no more than they say.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { centreOfFolder } from '../../src/sources/centre.ts';
import { decodeName, encodeName } from '../../src/sources/noms.ts';
import { createWorkshop, type Workshop } from '../harness/ingest.ts';

let workshop: Workshop;
beforeAll(async () => {
  workshop = await createWorkshop();
});
afterAll(() => workshop.close());

const piece = (minute: number): string => `20250528 06:${minute}:00|@StukUitgevoerd\n`;

/** Writes a file below LOGS_DIR, its name in bytes. */
async function put(dossier: string, name: string | Buffer, text: string): Promise<void> {
  const folder = join(workshop.logs, dossier);
  await mkdir(folder, { recursive: true });
  await writeFile(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(name)]), text);
}

const rows = async (sql: string): Promise<unknown[][]> =>
  (await workshop.reader.query({ text: sql, rowMode: 'array' })).rows;
const centres = (): Promise<unknown[][]> =>
  rows(`SELECT c.nom, c.type_cu, s.total_pieces FROM centre_usinage c
          LEFT JOIN session_production s ON s.centre_usinage_id = c.id ORDER BY c.nom COLLATE "C"`);

describe('names are bytes', () => {
  it('two names are never written alike, and what is written gives the bytes back', () => {
    const byte = fc.constantFrom(0x5c, 0x78, 0x45, 0x39, 0x35, 0x43, 0x61, 0xc3, 0xa9, 0xe9, 0xff, 0xf0);
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 8 }), fc.uint8Array({ maxLength: 6 }), (some, any) => {
        for (const bytes of [Buffer.from(some), Buffer.from(any)])
          expect(encodeName(decodeName(bytes))).toEqual(bytes);
      }),
      { numRuns: 3_000 },
    );
    expect(decodeName(Buffer.from('été\\x.log'))).toBe('été\\x.log');
    expect(decodeName(Buffer.from([0xe9, 0x5c, 0x78, 0x45, 0x39]))).toBe('\\xE9\\x5CxE9');
  });

  it('é in Latin-1, in UTF-8 and in two characters are three files; each is read, and --replace takes the name shown', async () => {
    await workshop.reset();
    await put('DEM12', Buffer.from([0xe9, ...Buffer.from('.LOG')]), piece(10));
    await put('DEM12', '\u00e9.LOG', piece(11));
    await put('DEM12', 'e\u0301.LOG', piece(12));
    await put('DEM12', '\\xE9.LOG', piece(13));
    await workshop.import();
    expect(await rows('SELECT chemin FROM fichier_log ORDER BY chemin COLLATE "C"')).toEqual([
      ['DEM12/\\x5CxE9.LOG'],
      ['DEM12/\\xE9.LOG'],
      ['DEM12/e\u0301.LOG'],
      ['DEM12/\u00e9.LOG'],
    ]);
    expect(await centres()).toEqual([['DEM12', 'PVC', 4]]);
    await put('DEM12', Buffer.from([0xe9, ...Buffer.from('.LOG')]), piece(20));
    await workshop.import({ replace: 'DEM12/\\xE9.LOG' });
    expect(await centres()).toEqual([['DEM12', 'PVC', 4]]);
    await workshop.checkInvariants();
  });
});

describe('folders', () => {
  it('a parenthesis is a type only when it is one, CENTRES wins, and a centre may have several folders', async () => {
    await workshop.reset();
    await put('DEM12', 'a.LOG', piece(10));
    await put('DEM12 (copie)', 'a.LOG', piece(11));
    await put('DEM12 (ALU)', 'a.LOG', piece(12));
    await put('DEM12 ( )', 'b.LOG', piece(10));
    await put('NEUF (2)', 'a.LOG', piece(10));
    await put('NEUF (hybride) (copie)', 'a.LOG', piece(11));
    await workshop.import();
    expect(await centres()).toEqual([
      ['DEM12', 'PVC', 3],
      ['NEUF', 'HYBRIDE', 2],
    ]);
    expect(await rows('SELECT count(*)::int FROM fichier_log')).toEqual([[6]]);
    expect(centreOfFolder('(2)', []).nom).toBe('(2)');
    await workshop.checkInvariants();
  });

  it('service folders are neither centres nor looked into; a folder that CENTRES names is one', async () => {
    await workshop.reset({ CENTRES: 'DEM12=DEM12,PVC;@tmp=BOIS,ALU' });
    for (const name of [
      'lost+found',
      '@eaDir',
      '#recycle',
      '$Recycle.Bin',
      'System Volume Information',
      '@tmp',
    ]) {
      await put(name, 'a.LOG', piece(10));
      await put(`DEM12/2025/${name}`, 'a.LOG', piece(11));
    }
    await put('DEM12', 'a.LOG', piece(12));
    const compteurs = await workshop.import();
    expect([compteurs.fichiersVus, compteurs.fichiersIllisibles]).toEqual([2, 0]);
    expect(await centres()).toEqual([
      ['BOIS', 'ALU', 1],
      ['DEM12', 'PVC', 1],
    ]);
  });
});
