// What a broken disk, a broken machine or many years may bring: done, within memory.

import { createWriteStream } from 'node:fs';
import { mkdir, open, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { MEMORY_BUDGET } from '../../src/jobs/ingest/analyse.ts';
import { runChild } from '../harness/child.ts';
import { createWorkshop, type Workshop } from '../harness/ingest.ts';

/**
 * Most memory that an import may ever hold: about 115 MiB of program, and what the engine lets pile up of buffers that are
 * done with before it collects them (64 MiB), whatever the size of the file.
 */
const MAX_RSS = 240 * 1024 * 1024;
/** What bin/atelier.mjs asks of the engine: without it, garbage waits longer than the memory allows. */
const FLAGS = [
  '--v8-pool-size=1',
  '--max-semi-space-size=4',
  '--heap-growing-percent=50',
  '--single-threaded-gc',
];
const GIB = 1024 ** 3;
const LONG = 120_000;

let workshop: Workshop;
beforeAll(async () => {
  workshop = await createWorkshop();
});
beforeEach(async () => {
  await workshop.reset();
  await mkdir(join(workshop.logs, 'DEM12'), { recursive: true });
});
afterAll(() => workshop.close());

/** Imports in a process of its own, whose memory is measured from its first to its last moment. */
async function importMeasured(): Promise<void> {
  const started = performance.now();
  const { url, logs, archives } = workshop;
  const { code, result } = await runChild({ task: 'ingest', url, logs, archives }, { flags: FLAGS });
  const mib = Math.round((result?.maxRss ?? 0) / 1024 / 1024);
  process.stdout.write(`${Math.round(performance.now() - started)} ms, ${mib} Mio au plus\n`);
  expect([code, result?.erreur]).toEqual([0, undefined]);
  expect(result!.maxRss).toBeLessThan(MAX_RSS);
}

async function row(sql: string): Promise<unknown> {
  return (await workshop.reader.query(sql)).rows[0];
}

const piece = (time: string): string => `20250528 ${time}|@StukUitgevoerd: A\n`;

it(
  'F5, F6, F7: 1 GiB of NULs in a sparse file: one blank line, and what follows is read',
  async () => {
    const path = join(workshop.logs, 'DEM12/20250528.LOG');
    await writeFile(path, '');
    await truncate(path, GIB);
    const file = await open(path, 'a');
    await file.write(piece('06:00:00') + piece('06:30:00'));
    await file.close();
    await writeFile(join(workshop.logs, 'DEM12/20250529.LOG'), '');
    await truncate(join(workshop.logs, 'DEM12/20250529.LOG'), GIB / 4);
    await importMeasured();
    expect(
      await row('SELECT total_pieces, heure_premiere_piece::text IS NOT NULL AS a FROM session_production'),
    ).toEqual({
      total_pieces: 2,
      a: true,
    });
    expect(
      await row(`SELECT lignes, lignes_evenements, lignes_ignorees, octets_ignores FROM fichier_log_version
                WHERE taille = ${GIB / 4}`),
    ).toEqual({ lignes: 1, lignes_evenements: 0, lignes_ignorees: 1, octets_ignores: GIB / 4 });
    await rm(path);
  },
  LONG,
);

it(
  'F6: one line of 1 GiB: in quarantine with offset and length, its neighbours are read',
  async () => {
    const path = join(workshop.logs, 'DEM12/20250528.LOG');
    const block = Buffer.alloc(1024 * 1024, 'x');
    await pipeline(
      Readable.from(
        (function* () {
          yield Buffer.from(`${piece('06:00:00')}20250528 06:10:00|@StukUitgevoerd: `);
          for (let i = 0; i < 1024; i++) yield block;
          yield Buffer.from(`\n${piece('06:30:00')}`);
        })(),
      ),
      createWriteStream(path),
    );
    await importMeasured();
    expect(await row('SELECT total_pieces FROM session_production')).toEqual({ total_pieces: 2 });
    const head = '20250528 06:10:00|@StukUitgevoerd: ';
    expect(await row('SELECT ligne, octet, longueur, raison, texte FROM ligne_rejetee')).toEqual({
      ligne: 2,
      octet: piece('06:00:00').length,
      longueur: GIB + head.length + 1,
      raison: 'ligne_trop_longue',
      texte: head.padEnd(2_000, 'x'),
    });
    await rm(path);
  },
  LONG,
);

it(
  'F28: one file of 200,000 events over 300 days, more than is kept in memory',
  async () => {
    const days = 300;
    const perDay = Math.ceil(200_000 / days);
    expect(days * perDay).toBeGreaterThan(MEMORY_BUDGET);
    await pipeline(
      Readable.from(
        (function* () {
          for (let d = 0; d < days; d++) {
            const date = new Date(Date.UTC(2024, 0, 1 + d)).toISOString().slice(0, 10).replaceAll('-', '');
            let text = '';
            for (let i = 0; i < perDay; i++) {
              const second = 21_600 + i * 60;
              const clock = [second / 3600, (second / 60) % 60, second % 60].map((n) =>
                String(Math.floor(n)).padStart(2, '0'),
              );
              text += `${date} ${clock.join(':')}|@${i % 20 === 0 ? 'MachineWait: 30 sec' : `StukUitgevoerd: ${i}`}\n`;
            }
            yield text;
          }
        })(),
      ),
      createWriteStream(join(workshop.logs, 'DEM12/annee.LOG')),
    );
    await importMeasured();
    const waits = Math.ceil(perDay / 20) * days;
    expect(
      await row(`SELECT (SELECT count(*) FROM session_production) AS sessions,
      (SELECT count(*) FROM piece_production) AS pieces, (SELECT count(*) FROM periode_attente) AS attentes,
      (SELECT sum(total_pieces) FROM session_production) AS total`),
    ).toEqual({
      sessions: days,
      pieces: days * perDay - waits,
      attentes: waits,
      total: days * perDay - waits,
    });
  },
  LONG,
);

it(
  'F19, F28: 10,000 small files',
  async () => {
    const files = 10_000;
    for (let i = 0; i < files; i++) {
      const date = new Date(Date.UTC(2000, 0, 1 + i)).toISOString().slice(0, 10).replaceAll('-', '');
      await writeFile(
        join(workshop.logs, 'DEM12', `${date}.LOG`),
        `${date} 06:00:00|@StukUitgevoerd: ${i}\n`,
      );
    }
    await importMeasured();
    expect(
      await row(`SELECT (SELECT count(*) FROM session_production WHERE total_pieces = 1) AS sessions,
      (SELECT count(*) FROM fichier_log_version) AS versions, (SELECT count(*) FROM jour_a_recalculer) AS restes`),
    ).toEqual({ sessions: files, versions: files, restes: 0 });
  },
  LONG,
);
