// R9, R10: where a purge ends: at the instant of a reception, at a line of a file, at a file when it is asked to stop, at what a
// restoration put aside not long ago.

import { readdirSync } from 'node:fs';
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { purger } from '../../src/jobs/purge.ts';
import { createWorkshop, type Workshop } from '../harness/ingest.ts';
import { lost, purgeAt, purgeContext } from '../harness/purge.ts';

let workshop: Workshop;
beforeAll(async () => {
  workshop = await createWorkshop();
});
beforeEach(() => workshop.reset());
afterAll(() => workshop.close());

const KEPT = {
  CONSERVATION_DETAILS: '12 mois',
  CONSERVATION_SESSIONS: '12 mois',
  CONSERVATION_ARCHIVES: '12 mois',
  CONSERVATION_QUARANTAINE: '12 mois',
};
const DAY = 86_400_000;
const day = (jour: string, mark = ''): string =>
  [
    `${jour} 06:00:10|@StukUitgevoerd: A${mark}`,
    `${jour} rebut ${mark}`,
    `${jour} 08:00:10|@StukUitgevoerd: B${mark}`,
    '',
  ].join('\r\n');

async function write(chemin: string, text: string): Promise<string> {
  const path = join(workshop.logs, chemin);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  return path;
}
const count = async (sql: string): Promise<number> =>
  (await workshop.reader.query(`SELECT count(*)::int AS n FROM ${sql}`)).rows[0].n;

it('F25: what was received at the very cut-off stays, a millisecond later it goes', async () => {
  await write('DEM12/20190528.LOG', day('20190528'));
  await workshop.import();
  await workshop.reader.query(
    `UPDATE fichier_log_version SET date_creation = '2025-06-01T10:00:00Z', derniere_reception = '2025-06-01T10:00:00Z';
     UPDATE fichier_log_jour SET recu_le = '2025-06-01T10:00:00Z'`,
  );
  const at = (ms: number) =>
    purger(purgeContext(workshop, KEPT), {
      maintenant: Date.parse('2026-06-01T10:00:00Z') + ms,
      force: true,
    });
  expect(lost(await at(0))).toEqual({});
  expect(await count('ligne_rejetee')).toBe(1);
  expect(lost(await at(1))).toEqual({ details: 2, quarantaine: 1, archives: 1, sessions: 1 });
  expect(await count('ligne_rejetee')).toBe(0);
});

it('of a file with two days, the rejected lines of one go and those of the other stay', async () => {
  await write('DEM12/20250528.LOG', `${day('20250528', 'x')}${day('20250529', 'y')}`);
  await workshop.import();
  const settings = { ...KEPT, CONSERVATION_DETAILS: '60 mois', CONSERVATION_SESSIONS: 'jamais' };
  const after = '2026-05-29T00:00:01+02:00';
  expect(lost(await purgeAt(workshop, after, settings))).toEqual({ quarantaine: 1 });
  expect(await count(`ligne_rejetee WHERE jour = '2025-05-29'`)).toBe(1);
  expect(await count('ligne_rejetee')).toBe(1);
  expect(await count('fichier_log_version WHERE archive_purgee_le IS NULL')).toBe(1);
});

it('R10: the run of the purge itself is no sign that the clock is right', async () => {
  await write('DEM12/20250528.LOG', day('20250528'));
  await workshop.import();
  await workshop.reader.query(
    `UPDATE fichier_log_version SET date_creation = now() - interval '900 days', derniere_reception = now() - interval '900 days';
     UPDATE execution SET debut = debut - interval '900 days', fin = fin - interval '900 days'`,
  );
  await expect(purger(purgeContext(workshop, KEPT))).rejects.toMatchObject({
    code: 'ATL_R604',
    message: expect.stringMatching(/la dernière trace enregistrée est du .* \(900 jours\)/),
  });
});

it('R10: sign-ins that failed come in bursts: however many of them are past, nobody is asked', async () => {
  await workshop.reader.query(
    `INSERT INTO tentative_connexion (cle, genre, echecs, refus, dernier_echec, bloquee_jusqua)
     SELECT sha256(n::text::bytea), 'compte', 1, 0, now() - interval '10 days' - n * interval '1 day', '-infinity'
       FROM generate_series(1, 60) n`,
  );
  const { refus } = await purger(purgeContext(workshop), { aBlanc: true });
  expect(refus).toBeUndefined();
  expect(lost(await purger(purgeContext(workshop)))).toEqual({ connexions: 60 });
});

it('a purge that is asked to stop takes no other file of the machines', async () => {
  const old = new Date('2020-01-01T00:00:00Z');
  for (const name of ['20190527', '20190528', '20190529']) {
    const path = await write(`DEM12/${name}.LOG`, day(name));
    await utimes(path, old, old);
  }
  await workshop.import();
  await workshop.reader.query(
    `UPDATE fichier_log_version SET date_creation = '2020-01-01', derniere_reception = '2020-01-01';
     UPDATE fichier_log_jour SET recu_le = '2020-01-01'`,
  );
  const kept = {
    ...{
      CONSERVATION_DETAILS: '60 mois',
      CONSERVATION_SESSIONS: 'jamais',
      CONSERVATION_ARCHIVES: '120 mois',
    },
    ...{ CONSERVATION_QUARANTAINE: '60 mois', CONSERVATION_DEPOT: '24 mois' },
  };
  const stop = new AbortController();
  const context = purgeContext(workshop, kept, (etape) => {
    if (etape === 'apres_lot' && readdirSync(join(workshop.logs, 'DEM12')).length < 3)
      stop.abort(new Error('arrêt demandé'));
  });
  const run = purger(
    { ...context, signal: stop.signal },
    { maintenant: Date.parse('2023-01-01'), force: true },
  );
  await expect(run).rejects.toThrow('arrêt demandé');
  expect(await readdir(join(workshop.logs, 'DEM12'))).toEqual(['20190528.LOG', '20190529.LOG']);
});

it('what a restoration put aside goes when no backup can be as old any more, and not before', async () => {
  const kept = workshop.context.config.sauvegarde.conservation * DAY;
  const name = (ms: number): string =>
    `avant_restauration_${new Date(ms).toISOString().replaceAll(/\D/g, '').slice(0, 14)}`;
  const now = Date.parse('2026-06-01T10:00:00Z');
  const [old, edge, recent] = [name(now - kept - 1_000), name(now - kept), name(now - kept + DAY)];
  for (const schema of [old, edge, recent])
    await workshop.reader.query(`CREATE SCHEMA ${schema}; CREATE TABLE ${schema}.t ()`);
  const there = async (): Promise<unknown[]> =>
    (
      await workshop.reader.query(
        `SELECT nspname FROM pg_namespace WHERE nspname LIKE 'avant%' ORDER BY nspname`,
      )
    ).rows.map(({ nspname }) => nspname);
  try {
    await purger(purgeContext(workshop), { maintenant: now, aBlanc: true, force: true });
    expect(await there()).toEqual([old, edge, recent]);
    await purger(purgeContext(workshop), { maintenant: now, force: true });
    expect(await there()).toEqual([edge, recent]);
  } finally {
    for (const schema of [old, edge, recent])
      await workshop.reader.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
  }
});
