// A file that grows, read line by line as it grows, says what it says when it is read as a whole; whatever its bytes.

import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Archive } from '../../src/archives/archive.ts';
import { FactoryTime } from '../../src/base/time.ts';
import { type Encoding, EncodingDetector } from '../../src/domain/journal/encoding.ts';
import { analyse } from '../../src/jobs/ingest/analyse.ts';
import { Suite, Suites } from '../../src/jobs/ingest/suites.ts';
import { assertProperty, setting } from '../harness/property.ts';

const time = new FactoryTime('Europe/Paris', 5 * 3600);
let home: string;
let archive: Archive;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'atelier-suites-'));
  archive = new Archive(home);
});
afterAll(() => rm(home, { recursive: true, force: true }));

const LINES = [
  '20250528 06:00:01|@StukUitgevoerd: A',
  '20250528 06:00:02|@StukUitgevoerd: pièce é',
  '20250528 06:00:03|@MachineWait: 12,5 sec',
  '20250528 06:00:03|@MachineWait: wacht',
  '20250529 04:59:59|@JobProfiel: R:215023 L:3359.0 C:7016',
  '20251026 02:30:00|@Zaagcyclus: 3',
  '20251026 02:10:00|@MachineStop',
  'bruit sans séparateur',
  '',
  '\0\0\0',
].map((line) => Buffer.from(line));
const piece = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...LINES) },
  { weight: 6, arbitrary: fc.constantFrom(...['\n', '\r\n', '\r', '\n\n'].map((end) => Buffer.from(end))) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 6 }).map((bytes) => Buffer.from(bytes)) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      Buffer.from([0xe9]),
      Buffer.from([0xc3]),
      Buffer.from([0xa9]),
      Buffer.from([0xef, 0xbb, 0xbf]),
    ),
  },
);
/** A file's growth: its bytes, and where it was looked at. */
const growth = fc.record({
  pieces: fc.array(piece, { maxLength: 60 }),
  looks: fc.array(fc.nat(1_000), { minLength: 1, maxLength: 12 }),
});

function encodingOf(bytes: Buffer): Encoding {
  const detector = new EncodingDetector();
  detector.push(bytes);
  return detector.end();
}

const sha = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

it('F1-F5, L3: grown bit by bit, cut anywhere, in any encoding: the same events, rejects, counts and archived bytes', async () => {
  let continued = 0;
  await assertProperty(
    'fichiers qui grandissent',
    fc.asyncProperty(growth, async ({ pieces, looks }) => {
      const whole = Buffer.concat(pieces);
      let suite: Suite | undefined;
      for (const at of [...looks, 1_000].sort((a, b) => a - b)) {
        const bytes = whole.subarray(0, Math.floor((whole.length * at) / 1_000));
        const sha256 = suite?.continues(bytes);
        if (suite && bytes.length > suite.taille) expect(sha256).toBe(sha(bytes));
        else expect(sha256).toBeUndefined();
        if (suite && sha256 !== undefined && suite.grow(bytes, sha256)) continued++;
        else suite = Suite.of(bytes, sha(bytes), encodingOf(bytes), time, undefined);
        const expected = await analyse([bytes], encodingOf(bytes), time, undefined);
        if (!suite) {
          expect(expected.encodage.name).toMatch(/utf-16/);
          continue;
        }
        expect(suite.contenu(bytes)).toEqual(expected);
        const own = suite;
        const waiting = await archive.writeFrames({ centre: 'C', chemin: 'C/f.LOG' }, sha(bytes), () =>
          own.frames(bytes, archive),
        );
        const read: Buffer[] = [];
        for await (const part of archive.readWaiting(waiting)) read.push(Buffer.from(part));
        await archive.discard(waiting);
        expect(Buffer.concat(read).equals(bytes)).toBe(true);
      }
    }),
    { numRuns: setting('ATELIER_SUITES', 150) },
  );
  expect(continued).toBeGreaterThan(100);
}, 120_000);

it('F11, F12: bytes that do not continue the known ones are seen, whatever their length', () => {
  const first = Buffer.from('20250528 06:00:01|@StukUitgevoerd: A\n');
  const suite = Suite.of(first, sha(first), encodingOf(first), time, undefined)!;
  const rewritten = Buffer.from(
    '20250528 06:00:01|@StukUitgevoerd: B\n20250528 06:00:02|@StukUitgevoerd: C\n',
  );
  expect(suite.continues(rewritten)).toBeUndefined();
  expect(suite.continues(rewritten.subarray(0, first.length))).toBeUndefined();
  expect(suite.continues(first.subarray(0, 10))).toBeUndefined();
  const grown = Buffer.concat([first, first]);
  expect(suite.continues(grown)).toBe(sha(grown));
});

it('O13: what files that grow keep in memory has a bound; the longest untouched go first', () => {
  const day = Buffer.from('20250528 06:00:01|@StukUitgevoerd: A\n'.repeat(20_000));
  const suites = new Suites();
  for (let i = 0; i < 20; i++) suites.put(`${i}`, Suite.of(day, sha(day), encodingOf(day), time, undefined)!);
  const kept = Array.from({ length: 20 }, (_, i) => i).filter((i) => suites.take(`${i}`) !== undefined);
  expect(kept).toEqual([5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
  // Of one centre some are enough, however small: a machine goes on to the next file each day.
  const few = Buffer.from('20250528 06:00:01|@StukUitgevoerd: A\n');
  const small = new Suites();
  for (let i = 0; i < 20; i++)
    for (const centre of ['A', 'B'])
      small.put(`${centre}/${i}.LOG`, Suite.of(few, sha(few), encodingOf(few), time, undefined)!);
  const left = ['A', 'B'].map(
    (centre) => Array.from({ length: 20 }, (_, i) => small.take(`${centre}/${i}.LOG`)).filter(Boolean).length,
  );
  expect(left).toEqual([8, 8]);
  const much = Buffer.from('20250528 06:00:01|@StukUitgevoerd: A\n'.repeat(30_000));
  expect(Suite.of(much, sha(much), encodingOf(much), time, undefined)).toBeUndefined();
});
