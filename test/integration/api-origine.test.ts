// `…/origine`: the lines of logs that a row came from, as an independent reading of the same bytes has them.

import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { z } from 'zod';
import { origineDeLigne } from '../../src/api/schemas/explication.ts';
import { type AtelierDEssai, conforme, createAtelier } from '../harness/api-workshop.ts';
import type { Settings } from '../harness/context.ts';
import { encodingOf, linesOf } from '../reference/decode.ts';
import { readTree } from '../reference/model.ts';
import { sha256Of } from '../reference/reference.ts';

const GOLDEN = join(import.meta.dirname, '../golden');
const CASES = (await readdir(GOLDEN, { withFileTypes: true }))
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);
/** What stands in the line of a row, by role. */
const RESSOURCES = {
  'pieces-production': ['piece_production', { ligne: 'StukUitgevoerd' }],
  'job-profils': ['job_profil', { ligne: 'JobProfiel' }],
  'periodes-attente': ['periode_attente', { ligne: 'MachineWait' }],
  'periodes-arret': ['periode_arret', { debut: 'MachineStop', fin: 'MachineStart' }],
} as const satisfies Record<string, [string, Record<string, string>]>;

let atelier: AtelierDEssai;
beforeAll(async () => {
  atelier = await createAtelier();
});
afterAll(() => atelier.close());
beforeEach(() => atelier.workshop.reset());

async function put(chemin: string, bytes: string | Buffer): Promise<void> {
  const path = join(atelier.workshop.logs, chemin);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
}
async function idsOf(table: string): Promise<number[]> {
  const { rows } = await atelier.workshop.reader.query<{ id: number }>(`SELECT id FROM ${table} ORDER BY id`);
  return rows.map(({ id }) => id);
}
async function origine(ressource: string, id: number): Promise<z.infer<typeof origineDeLigne>> {
  const answer = await atelier.get(`/${ressource}/${id}/origine`);
  return conforme(origineDeLigne, answer.json());
}

it.each(CASES)('golden %s: every row leads to its line, in every encoding', async (name) => {
  const dir = join(GOLDEN, name);
  const settings = await readFile(join(dir, 'reglages.json'), 'utf8').catch(() => '{}');
  await atelier.workshop.reset(JSON.parse(settings) as Settings);
  await cp(join(dir, 'entree'), atelier.workshop.logs, { recursive: true });
  await atelier.workshop.import();
  const files = await readTree(atelier.workshop.logs);
  for (const [ressource, [table, words]] of Object.entries(RESSOURCES)) {
    for (const id of await idsOf(table)) {
      const found = await origine(ressource, id);
      expect(found).toMatchObject({ ressource, id, origine: 'log', note: null });
      expect(found.lignes.map(({ role }) => role)).toEqual(Object.keys(words));
      for (const { role, chemin, chemins, sha256, ligne, octet, longueur, texte, coupe } of found.lignes) {
        expect(chemins).toContain(chemin);
        const bytes = files.get(chemin!)!;
        expect(sha256Of(bytes)).toBe(sha256);
        const line = linesOf(bytes)[ligne - 1]!;
        const characters = [...line.texte];
        expect(texte).toBe(characters.slice(0, 2_000).join(''));
        expect(coupe).toBe(characters.length > 2_000);
        expect(texte.replaceAll(/[^\x20-\x7e]/g, '')).toContain((words as Record<string, string>)[role]);
        // The bytes alone, read in the encoding of the file, are that line.
        const { encoding } = encodingOf(bytes);
        const alone = new TextDecoder(encoding, { ignoreBOM: true }).decode(
          bytes
            .subarray(octet, octet + longueur)
            .filter((byte) => encoding.startsWith('utf-16') || byte !== 0),
        );
        expect(alone.replaceAll('\0', '').replace(/\r?\n?$/, '')).toBe(line.texte);
      }
    }
  }
});

it('a stop comes from two lines, in two files when it spans them', async () => {
  await put('DEM12/20250528.LOG', '20250528 06:00:00|@StukUitgevoerd: A\n20250528 07:00:00|@MachineStop\n');
  await put('DEM12/suite.LOG', '20250528 07:30:00|@MachineStart\n20250528 08:00:00|@StukUitgevoerd: B\n');
  await atelier.workshop.import();
  const [id] = await idsOf('periode_arret');
  expect((await origine('periodes-arret', id!)).lignes).toMatchObject([
    { role: 'debut', chemin: 'DEM12/20250528.LOG', ligne: 2, texte: '20250528 07:00:00|@MachineStop' },
    { role: 'fin', chemin: 'DEM12/suite.LOG', ligne: 1, texte: '20250528 07:30:00|@MachineStart', octet: 0 },
  ]);
});

it('names the path as the session does, and all others that hold the same bytes', async () => {
  const text = '20250528 06:00:00|@StukUitgevoerd: A\n';
  for (const chemin of ['DEM12/a.LOG', 'DEM12/vieux/20250528.LOG', 'DEM12/copie (2).LOG'])
    await put(chemin, text);
  await atelier.workshop.import();
  const [id] = await idsOf('piece_production');
  const [line] = (await origine('pieces-production', id!)).lignes;
  expect(line).toMatchObject({
    chemin: 'DEM12/vieux/20250528.LOG',
  });
  expect(new Set(line!.chemins)).toEqual(
    new Set(['DEM12/a.LOG', 'DEM12/copie (2).LOG', 'DEM12/vieux/20250528.LOG']),
  );
  expect((await atelier.get(`/fichiers/${line!.fichier_id}`)).json().chemin).toBe(line!.chemin);
});

it('finds a line far into a file, beyond lines of a megabyte; cuts what is long', async () => {
  const long = `20250528 05:00:00|@StukUitgevoerd: ${'é'.repeat(5_000)}`;
  const noise = `${'x'.repeat(1_000_000)}\n`.repeat(3);
  const many = '20250528 05:30:00|@Zaagcyclus: 1\r\n'.repeat(30_000);
  await put('DEM12/20250528.LOG', `${long}\n${noise}${many}20250528 06:00:00|@StukUitgevoerd: loin\r\n`);
  await atelier.workshop.import();
  const [first, far] = await idsOf('piece_production');
  expect((await origine('pieces-production', first!)).lignes).toMatchObject([
    { ligne: 1, texte: long.slice(0, 2_000), coupe: true, longueur: Buffer.byteLength(`${long}\n`) },
  ]);
  expect((await origine('pieces-production', far!)).lignes).toMatchObject([
    { ligne: 30_005, texte: '20250528 06:00:00|@StukUitgevoerd: loin', coupe: false },
  ]);
});

it('reads no further than the line: what is damaged behind it does not matter', async () => {
  const random = Array.from(
    { length: 60_000 },
    (_, i) => `20250528 05:30:00|@Z${(i * 7_919) % 999_983}: ${i}\n`,
  );
  await put('DEM12/20250528.LOG', `20250528 06:00:00|@StukUitgevoerd: tôt\n${random.join('')}`);
  await atelier.workshop.import();
  const [id] = await idsOf('piece_production');
  const { archives } = atelier.workshop;
  const [folder] = (await readdir(archives)).filter((name) => /^\d+$/.test(name));
  const [name] = await readdir(join(archives, folder!));
  const path = join(archives, folder!, name!);
  const bytes = await readFile(path);
  await writeFile(path, bytes.subarray(0, bytes.length - 50));
  expect((await origine('pieces-production', id!)).lignes).toMatchObject([{ ligne: 1 }]);
});

it('a row entered by hand comes from no line; unknown rows are 404; no archive is a 503 that says which', async () => {
  await put('DEM12/20250528.LOG', '20250528 06:00:00|@StukUitgevoerd: A\n');
  await atelier.workshop.import();
  const { reader } = atelier.workshop;
  await reader.query(
    `WITH s AS (INSERT INTO session_production (centre_usinage_id, date_production)
                SELECT id, '2025-05-28' FROM centre_usinage RETURNING id, centre_usinage_id)
     INSERT INTO session_production (id, centre_usinage_id, date_production)
     SELECT 1000, centre_usinage_id, '2025-05-29' FROM s`,
  );
  await reader.query(
    `INSERT INTO periode_arret (id, session_id, centre_usinage_id, numero, timestamp_debut, timestamp_fin, duree_secondes)
     SELECT 5000, id, centre_usinage_id, 1, '2025-05-29 06:00Z', '2025-05-29 06:10Z', 600
       FROM session_production WHERE id = 1000`,
  );
  expect(await origine('periodes-arret', 5_000)).toMatchObject({ origine: 'manuel', lignes: [], id: 5_000 });
  for (const ressource of Object.keys(RESSOURCES)) {
    await atelier.get(`/${ressource}/999999/origine`, { statut: 404 });
    await atelier.get(`/${ressource}/x/origine`, { statut: 422 });
  }
  const [id] = await idsOf('piece_production');
  expect((await atelier.get(`/pieces-production/${id}/origine/`)).json().lignes.length).toBe(1);
  const { sha256 } = (await origine('pieces-production', id!)).lignes[0]!;
  await rm(atelier.workshop.archives, { recursive: true });
  const refused = await atelier.get(`/pieces-production/${id}/origine`, { statut: 503 });
  expect(refused.json().detail).toContain(`${sha256} (DEM12/20250528.LOG)`);
  expect(refused.body).not.toContain(atelier.workshop.archives);
});

it('a file that grows between the look-up and the reading is looked up once more', async () => {
  await put('DEM12/20250528.LOG', '20250528 06:00:00|@StukUitgevoerd: A\n');
  await atelier.workshop.import();
  const [id] = await idsOf('piece_production');
  const { archive } = atelier.workshop.context;
  const read = archive.read.bind(archive);
  let asked: { centreId: number; sha256: string } | undefined;
  archive.read = (centreId, sha256) => {
    if (asked) return read(centreId, sha256);
    asked = { centreId, sha256 };
    return (async function* () {
      // The whole way: the file grows, the old archive is erased, and only then its name is asked for.
      await put(
        'DEM12/20250528.LOG',
        '20250528 06:00:00|@StukUitgevoerd: A\n20250528 07:00:00|@MachineStop\n',
      );
      await atelier.workshop.import();
      yield* read(centreId, sha256);
    })();
  };
  try {
    const { lignes } = await origine('pieces-production', id!);
    expect(lignes).toMatchObject([{ ligne: 1, texte: '20250528 06:00:00|@StukUitgevoerd: A' }]);
    expect(lignes[0]!.sha256).not.toBe(asked!.sha256);
    expect(await archive.has(asked!.centreId, asked!.sha256)).toBe(false);
  } finally {
    archive.read = read;
  }
});
