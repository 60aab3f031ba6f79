// F33, F21: whatever a name or a text holds, it stops nobody else. Real files with names of any bytes, and logs with texts of
// any characters and lengths in every field, beside two centres that are as they should be.

import { mkdirSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWorkshop, type Workshop } from '../harness/ingest.ts';
import { assertProperty, SEED, setting } from '../harness/property.ts';

const RUNS = setting('ATELIER_VALEURS', 60);

let workshop: Workshop;
beforeAll(async () => {
  workshop = await createWorkshop();
});
afterAll(() => workshop.close());

/** A name as the file system takes it: any bytes but `/` and NUL. */
const octet = fc.oneof(
  fc.integer({ min: 1, max: 255 }),
  fc.constantFrom(...Buffer.from('\n\r\t\x1b"\'\\%_()[]{}$ .;,|é€😀À', 'utf8'), 0xe9, 0xff, 0xc3),
);
const tail = fc.array(
  octet.filter((byte) => byte !== 0x2f),
  { minLength: 1, maxLength: 250 },
);
const mot = fc
  .constantFrom('DEM', 'DEM12 ( )', 'DEM12 (PVC)', '(PVC)', ' ', "l'atelier", 'é', '…', '"', 'DEM\\')
  .map((text) => [...Buffer.from(text)]);
const nom = fc
  .oneof(
    { weight: 2, arbitrary: tail },
    { weight: 1, arbitrary: fc.tuple(mot, tail).map(([a, b]) => [...a, ...b]) },
    { weight: 1, arbitrary: mot },
    { weight: 1, arbitrary: fc.constant(new Array<number>(250).fill(0x61)) },
  )
  .map((bytes) => Buffer.from(bytes.slice(0, 250)));

/** Text as UTF-16 units, so that halves of pairs and U+0000 come, too. */
const unite = fc.oneof(
  fc.integer({ min: 0, max: 0xffff }),
  fc.constantFrom(0, 0xd800, 0xdc00, 0xfffe, 0xfeff, 0x1b, 0x27, 0x22, 0x5c, 0x7c, 0x40, 0x3a, 0xa0, 0x2028),
  fc.integer({ min: 0x20, max: 0x7e }),
);
const texte = fc
  .tuple(fc.array(unite, { maxLength: 60 }), fc.constantFrom(1, 1, 1, 3_000, 9_000, 70_000), fc.nat())
  .map(([units, length, graine]) => {
    const start = String.fromCharCode(...units);
    if (length === 1) return start;
    // Not a repetition: what compresses well is not refused.
    let state = graine;
    const noise = Array.from({ length }, () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return 0x21 + ((state >>> 16) % 94);
    });
    return start + Buffer.from(noise).toString('latin1');
  });
const champ = fc.constantFrom(
  (t: string) => `20250528 06:00:01|@StukUitgevoerd: ${t}`,
  (t: string) => `20250528 06:00:02|@JobProfiel: R:215023 L:3359.0 C:${t}`,
  (t: string) => `20250528 06:00:03|@JobProfiel: R:${t} L:3359.0 C:7016`,
  (t: string) => `20250528 06:00:04|@JobProfiel: R:215023 L:${t}`,
  (t: string) => `20250528 06:00:05|@MachineWait: ${t} sec`,
  (t: string) => `20250528 06:00:05|@MachineWait: ${'9'.repeat(t.length)} sec`,
  (t: string) => `20250528 06:00:06|@${t}: 1`,
  (t: string) => `20250528 06:00:07|@MachineStop: ${t}`,
  (t: string) => t,
);
const encodage = fc.constantFrom(
  (t: string) => Buffer.from(t, 'utf8'),
  (t: string) => Buffer.from(t, 'latin1'),
  (t: string) => Buffer.from(`\ufeff${t}`, 'utf16le'),
  (t: string) => Buffer.from(`\ufeff${t}`, 'utf16le').swap16(),
);
const journal = fc
  .tuple(fc.array(fc.tuple(champ, texte), { maxLength: 4 }), encodage)
  .map(([lines, encode]) => encode(lines.map(([write, text]) => `${write(text)}\r\n`).join('')));

const fichier = fc.tuple(nom, journal);
const dossiers = fc.array(fc.tuple(nom, fc.array(fichier, { maxLength: 3 })), { minLength: 1, maxLength: 3 });

const SAIN = Buffer.from(
  '20250528 06:00:00|@JobProfiel: R:1 L:2\r\n20250528 06:01:00|@StukUitgevoerd: A\r\n',
);
const SAINS = ['!premier', 'zzz-dernier'];

function deposer(dossier: Buffer, name: Buffer, bytes: Buffer): void {
  const folder = Buffer.concat([Buffer.from(`${workshop.logs}/`), dossier]);
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(Buffer.concat([folder, Buffer.from('/'), name, Buffer.from('.LOG')]), bytes);
  } catch {
    // Not a name for this file system.
  }
}

it(
  'F33: names and texts of any kind: the other centres are imported, twice the same',
  async () => {
    await assertProperty(
      'valeurs',
      fc.asyncProperty(dossiers, async (all) => {
        await workshop.reset();
        for (const [dossier, fichiers] of all)
          for (const [name, bytes] of fichiers) deposer(dossier, name, bytes);
        for (const sain of SAINS) deposer(Buffer.from(sain), Buffer.from('20250528'), SAIN);
        for (let turn = 0; turn < 2; turn++) {
          await workshop.import();
          const { rows } = await workshop.reader.query(
            `SELECT c.nom, s.total_pieces AS n, count(p.id)::int AS pieces, count(p.job_profil_id)::int AS profils
               FROM centre_usinage c JOIN session_production s ON s.centre_usinage_id = c.id
               JOIN piece_production p ON p.session_id = s.id WHERE c.nom = ANY ($1) GROUP BY 1, 2 ORDER BY c.nom COLLATE "C"`,
            [SAINS],
          );
          expect(rows).toEqual(
            SAINS.map((nom) => expect.objectContaining({ nom, n: 1, pieces: 1, profils: 1 })),
          );
        }
      }),
      { numRuns: RUNS, seed: SEED },
    );
  },
  Math.max(120_000, RUNS * 3_000),
);
