// What a line that is followed costs: counted, not timed.
import { appendFile, mkdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Compteurs } from '../../src/jobs/ingest/compteurs.ts';
import { Import } from '../../src/jobs/ingest/import.ts';
import { createWorkshop, type Workshop } from '../harness/ingest.ts';
import { readTree } from '../reference/model.ts';
import { reference } from '../reference/reference.ts';

let workshop: Workshop;
beforeAll(async () => {
  workshop = await createWorkshop();
});
afterAll(() => workshop.close());
beforeEach(async () => {
  await workshop.reset();
  await mkdir(join(workshop.logs, 'DEM12'));
  logged.length = 0;
  statements.length = 0;
});

const PATH = 'DEM12/20250528.LOG';
const line = (second: number): string =>
  `20250528 06:${String(Math.floor(second / 60)).padStart(2, '0')}:${String(second % 60).padStart(2, '0')}|@StukUitgevoerd: ${second}\r\n`;
const logged: { level: number; msg: string }[] = [];
const statements: string[] = [];

/** A follower whose statements and log lines are counted, and that has met the file. */
async function follower(lines: number): Promise<Import> {
  await writeFile(join(workshop.logs, PATH), Array.from({ length: lines }, (_, i) => line(i)).join(''));
  const { pool } = workshop.context;
  pool.on('acquire', (client) => {
    if (Object.hasOwn(client, 'counted')) return;
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    const own = (...args: unknown[]): unknown => {
      const [first] = args;
      statements.push(typeof first === 'string' ? first : ((first as { text?: string }).text ?? 'COPY'));
      return query(...args);
    };
    Object.assign(client, { counted: true, query: own });
  });
  const logger = pino({ level: 'debug' }, { write: (text: string) => logged.push(JSON.parse(text)) });
  const run = new Import({ ...workshop.context, logger }, { suivi: true });
  await run.scan();
  return run;
}

const grow = (second: number): Promise<void> => appendFile(join(workshop.logs, PATH), line(second));
const size = async (): Promise<number> => (await readFile(join(workshop.logs, PATH))).length;

async function expectReference(): Promise<void> {
  const versions = [...(await readTree(workshop.logs))].map(([chemin, bytes]) => ({
    centre: 'DEM12',
    chemin,
    octets: Buffer.from(bytes),
  }));
  expect(await workshop.state()).toEqual(
    reference({ versions, fuseau: 'Europe/Paris', journeeDebut: '00:00' }),
  );
  // What a follower does once in a while.
  await new Import(workshop.context, { suivi: true }).scan();
  await workshop.checkInvariants();
}

test('each append is read once, in five statements asked in two goes, and our own log does not grow with the file', async () => {
  const run = await follower(300);
  for (let second = 300; second < 303; second++) {
    await grow(second);
    await run.look(run.known([PATH]));
    // The first look of this life reads what is stored.
    await run.scan();
  }
  statements.length = 0;
  for (let second = 303; second < 313; second++) {
    await grow(second);
    const looks: Compteurs[] = [await run.look(run.known([PATH])), await run.scan()];
    expect(looks.map(({ octetsLus }) => octetsLus)).toEqual([await size(), 0]);
    expect(looks[0]!.sessionsModifiees).toBe(1);
  }
  const finish = statements.filter((text) => /jour_a_recalculer GROUP BY/.test(text)).length;
  expect(statements.length - finish).toBeLessThanOrEqual(10 * 5);
  const told = logged.filter(({ msg }) => msg === 'fichier lu');
  // The reading that meets it, and the one that later ones go on from.
  expect(told.filter(({ level }) => level === 30)).toHaveLength(2);
  expect(told.filter(({ level }) => level === 20).length).toBeGreaterThan(10);
  await expectReference();
});

test('F16: a session that somebody else has written since is looked at again, and nothing is kept of what was believed', async () => {
  const run = await follower(5);
  for (let second = 5; second < 8; second++) {
    await grow(second);
    await run.scan();
  }
  statements.length = 0;
  await workshop.context.pool.query('UPDATE session_production SET total_pieces = total_pieces');
  await grow(8);
  expect((await run.scan()).sessionsModifiees).toBe(1);
  // The short way was tried, and given up as a whole.
  expect(statements).toContain('ROLLBACK');
  await expectReference();
});

test('a file that has cooled down is read once more, and not again by the next program', async () => {
  const run = await follower(5);
  await grow(5);
  await run.scan();
  const old = new Date(Date.now() - 60_000);
  await utimes(join(workshop.logs, PATH), old, old);
  await sleep(2_100);
  expect((await run.scan()).octetsLus).toBe(await size());
  expect((await run.scan()).octetsLus).toBe(0);
  await sleep(5_000);
  await run.scan();
  const next = await workshop.import();
  expect([next.octetsLus, next.fichiersInchanges]).toEqual([0, 1]);
  await expectReference();
}, 60_000);

test('what somebody else changed in a session is seen, whether its row shows it or not', async () => {
  const run = await follower(10);
  for (let second = 10; second < 14; second++) {
    await grow(second);
    await run.scan();
  }
  await workshop.reader.query('UPDATE session_production SET total_pieces = 999');
  await workshop.reader.query('DELETE FROM piece_production WHERE numero_piece = 3');
  await grow(14);
  await run.scan();
  await expectReference();
});
