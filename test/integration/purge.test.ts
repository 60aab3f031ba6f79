// R9-R11: what is past its retention period goes, to the second, and nothing else; what is left does not change.

import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Effacements } from '../../src/archives/effacements.ts';
import { purger } from '../../src/jobs/purge.ts';
import { deverrouillerPurge, verrouillerPurge } from '../../src/postgres/conservation/purges.ts';
import { withClient } from '../../src/postgres/pool.ts';
import { createWorkshop, type Workshop } from '../harness/ingest.ts';
import { Killed } from '../harness/programs.ts';
import { everything, lost, purgeAt, purgeContext, vieillir } from '../harness/purge.ts';

let workshop: Workshop;
beforeAll(async () => {
  workshop = await createWorkshop();
});
beforeEach(() => workshop.reset());
afterAll(() => workshop.close());

async function write(chemin: string, text: string): Promise<void> {
  const path = join(workshop.logs, chemin);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

/** A day with a profile, two pieces, a wait, a stop and a line that cannot be used. */
function day(jour: string, mark = ''): string {
  return [
    `${jour} 06:00:00|@JobProfiel: R:215023 L:3359.0 C:7016`,
    `${jour} 06:00:10|@StukUitgevoerd: A${mark}`,
    `${jour} 06:30:00|@MachineWait: 60 sec`,
    `${jour} rebut ${mark}`,
    `${jour} 07:00:00|@MachineStop`,
    `${jour} 07:10:00|@MachineStart`,
    `${jour} 08:00:10|@StukUitgevoerd: B${mark}`,
    '',
  ].join('\r\n');
}

const count = async (sql: string): Promise<number> =>
  (await workshop.reader.query(`SELECT count(*)::int AS n FROM ${sql}`)).rows[0].n;
const two = async (): Promise<void> => {
  await write('DEM12/20250528.LOG', day('20250528'));
  await write('DEM12/20250529.LOG', day('20250529'));
  await workshop.import();
};

describe('R10: to the second', () => {
  it.each([
    [
      'details',
      {
        CONSERVATION_DETAILS: '24 mois',
        CONSERVATION_ARCHIVES: '60 mois',
        CONSERVATION_QUARANTAINE: '60 mois',
      },
      5,
    ],
    [
      'archives',
      {
        CONSERVATION_ARCHIVES: '24 mois',
        CONSERVATION_DETAILS: '60 mois',
        CONSERVATION_QUARANTAINE: '60 mois',
      },
      1,
    ],
    [
      'quarantaine',
      {
        CONSERVATION_QUARANTAINE: '24 mois',
        CONSERVATION_DETAILS: '60 mois',
        CONSERVATION_ARCHIVES: '60 mois',
      },
      1,
    ],
    [
      'sessions',
      {
        CONSERVATION_SESSIONS: '24 mois',
        CONSERVATION_DETAILS: '24 mois',
        CONSERVATION_ARCHIVES: '60 mois',
        CONSERVATION_QUARANTAINE: '60 mois',
      },
      1,
    ],
  ])(
    '%s: a day goes once its last second is past the period, in the factory’s zone',
    async (categorie, settings, rows) => {
      await two();
      expect(lost(await purgeAt(workshop, '2027-05-28T23:59:59+02:00', settings))).toEqual({});
      const bilan = lost(await purgeAt(workshop, '2027-05-29T00:00:01+02:00', settings));
      expect(bilan[categorie]).toBe(rows);
      expect(lost(await purgeAt(workshop, '2027-05-29T00:00:01+02:00', settings))).toEqual({});
      await workshop.checkInvariants();
      expect((await workshop.state()).sessions.map((s) => s.date_production)).toEqual(
        categorie === 'sessions' ? ['2025-05-29'] : ['2025-05-28', '2025-05-29'],
      );
    },
  );

  it('executions, orders, audit, sign-ins, keys, alerts: limit - 1 s keeps, limit + 1 s deletes', async () => {
    const { reader } = workshop;
    const at = '2025-05-28T06:00:00Z';
    await reader.query(`
      INSERT INTO execution (tache, etat, debut, fin, hote, processus) VALUES ('sync', 'reussie', '${at}', '${at}', 'h', 1);
      INSERT INTO commande_historique (commande_id, numero_commande, extension, motif, date_changement) VALUES (1, '1', '', 'ajoutee', '${at}');
      INSERT INTO journal_audit (evenement, instant) VALUES ('export', '${at}');
      INSERT INTO tentative_connexion VALUES ('x', 'compte', 1, 0, '${at}', '${at}');
      INSERT INTO alerte (regle, objet, gravite, etat, message, debut, ouverte_le, derniere_vue, fin, dernier_avis)
        VALUES ('r', 'o', 'attention', 'resolue', 'm', '${at}', '${at}', '${at}', '${at}', '${at}'),
               ('r', 'o', 'attention', 'ouverte', 'm', '${at}', '${at}', '${at}', NULL, '${at}')`);
    const cases: [string, string, string][] = [
      ['connexions', '2025-06-04T06:00:00Z', 'tentative_connexion'],
      ['executions', '2026-05-28T06:00:00Z', `execution WHERE tache = 'sync'`],
      ['audit', '2026-05-28T06:00:00Z', `journal_audit WHERE evenement = 'export'`],
      ['alertes', '2026-05-28T06:00:00Z', `alerte WHERE etat = 'resolue'`],
      ['commandes', '2027-05-28T06:00:00Z', 'commande_historique'],
    ];
    for (const [categorie, limit, table] of cases) {
      const before = new Date(Date.parse(limit) - 1_000).toISOString();
      expect(lost(await purgeAt(workshop, before))[categorie], `${categorie} ${before}`).toBeUndefined();
      expect(await count(table)).toBe(1);
    }
    for (const [categorie, limit, table] of cases) {
      const after = new Date(Date.parse(limit) + 1_000).toISOString();
      await purgeAt(workshop, after);
      expect(await count(table), `${categorie} ${after}`).toBe(0);
    }
    // What is still wrong is still told.
    expect(await count(`alerte WHERE etat = 'ouverte'`)).toBe(1);
    await reader.query(`DELETE FROM alerte`);
  });
});

it('R10: a dry run says what a purge would do, and changes nothing', async () => {
  await two();
  await vieillir(workshop.reader);
  const before = await everything(workshop);
  const dry = await purgeAt(workshop, '2030-01-01T00:00:00Z', {}, { aBlanc: true });
  expect(await everything(workshop)).toBe(before);
  expect(await new Effacements(workshop.archives).lire()).toEqual([]);
  const real = await purgeAt(workshop, '2030-01-01T00:00:00Z');
  const run = ({ executions: _, ...rest }: Record<string, number>) => rest;
  expect(run(lost(dry))).toEqual(run(lost(real)));
  expect(lost(real)).toMatchObject({ details: 10, archives: 2, quarantaine: 2 });
});

it('R10: each kind leaves a record with its cut-off and exact counts, and nothing personal', async () => {
  await two();
  await purgeAt(workshop, '2027-05-29T12:00:00+02:00', {}, { lots: { jours: 1, versions: 1, lignes: 1 } });
  const { rows } = await workshop.reader.query(
    `SELECT categorie, lignes, coupure, p.fin IS NOT NULL AS finie FROM purge p JOIN execution e ON e.id = p.execution_id
      WHERE e.tache = 'purge' AND e.etat = 'reussie' AND lignes > 0 ORDER BY p.id`,
  );
  expect(rows).toEqual([
    { categorie: 'details', lignes: 5, coupure: new Date('2025-05-29T10:00:00Z'), finie: true },
    // A year's quarantine: both days.
    { categorie: 'quarantaine', lignes: 2, coupure: new Date('2026-05-29T10:00:00Z'), finie: true },
    { categorie: 'archives', lignes: 1, coupure: new Date('2025-05-29T10:00:00Z'), finie: true },
  ]);
});

it('R10: one purge at a time; the other says that it was passed over', async () => {
  await two();
  await withClient(workshop.context.pool, async (client) => {
    expect(await verrouillerPurge(client)).toBe(true);
    const other = await purger(purgeContext(workshop), { maintenant: Date.parse('2030-01-01T00:00:00Z') });
    expect(other).toEqual({ etat: 'ignoree', aBlanc: false, categories: [] });
    await deverrouillerPurge(client);
  });
  expect(await count('piece_production')).toBe(4);
});

it('R11: the figures of a day stay to the last digit when its details go, also those entered by hand', async () => {
  await two();
  const { rows } = await workshop.reader.query<{ id: number; centre: number }>(
    `INSERT INTO session_production (centre_usinage_id, date_production, total_pieces, origine)
     SELECT id, '2025-05-28', 7, 'manuel' FROM centre_usinage RETURNING id, centre_usinage_id AS centre`,
  );
  await workshop.reader.query(
    `INSERT INTO piece_production (centre_usinage_id, session_id, numero_piece, timestamp_production) VALUES ($1, $2, 1, now())`,
    [rows[0]!.centre, rows[0]!.id],
  );
  const figures = 'SELECT * FROM session_production ORDER BY id';
  await vieillir(workshop.reader);
  const before = (await workshop.reader.query(figures)).rows;
  await purgeAt(workshop, '2027-05-29T12:00:00+02:00');
  expect((await workshop.reader.query(figures)).rows).toEqual(before);
  expect(await count('piece_production')).toBe(2);
  expect(await count(`job_profil`)).toBe(1);
});

it('R10: a day that an import left to be computed is computed before it is frozen', async () => {
  await write('DEM12/20250528.LOG', day('20250528').slice(0, 120));
  await workshop.import();
  await write('DEM12/20250528.LOG', day('20250528'));
  const stop = (etape: string): void => {
    if (etape === 'apres_enregistrement') throw new Killed(etape);
  };
  const { ingest } = await import('../../src/jobs/ingest.ts');
  await ingest({ ...workshop.context, onEtape: stop }).catch(() => undefined);
  expect(await count('jour_a_recalculer')).toBeGreaterThan(0);
  await purgeAt(workshop, '2027-05-29T12:00:00+02:00');
  expect((await workshop.state()).sessions).toMatchObject([{ total_pieces: 2, pieces: [] }]);
});

it('F25: days of a machine whose clock is ahead count from when they were received', async () => {
  await write('DEM12/20250528.LOG', day('20990101'));
  await workshop.import();
  const received = Date.now();
  const months = (n: number): string => {
    const at = new Date(received);
    at.setUTCMonth(at.getUTCMonth() + n);
    return at.toISOString();
  };
  expect(lost(await purgeAt(workshop, months(23)))).toMatchObject({ quarantaine: 1 });
  expect(await count('piece_production')).toBe(2);
  expect(lost(await purgeAt(workshop, months(25)))).toMatchObject({ details: 5, archives: 1 });
  await workshop.checkInvariants();
});

it('R9: files of the machines stay, unless CONSERVATION_DEPOT says otherwise; then only those that are as they were read', async () => {
  await two();
  await write('DEM12/20250527.LOG', day('20250527'));
  await workshop.import();
  const { utimes, readdir } = await import('node:fs/promises');
  const old = new Date('2025-05-30T00:00:00Z');
  const settings = { CONSERVATION_DEPOT: '24 mois' };
  for (const name of ['20250527.LOG', '20250528.LOG', '20250529.LOG'])
    await utimes(join(workshop.logs, 'DEM12', name), old, old);
  // It grew, and nobody has read that.
  await write('DEM12/20250527.LOG', `${day('20250527')}x`);
  await utimes(join(workshop.logs, 'DEM12', '20250527.LOG'), old, old);
  expect(lost(await purgeAt(workshop, '2027-05-30T12:00:00Z'))['depot']).toBeUndefined();
  expect(lost(await purgeAt(workshop, '2027-05-30T12:00:00Z', settings))['depot']).toBe(2);
  expect(await readdir(join(workshop.logs, 'DEM12'))).toEqual(['20250527.LOG']);
});

it('F33: a centre that cannot be purged keeps no other from it, and is tried again', async () => {
  const { reader } = workshop;
  for (const centre of ['A', 'B', 'C']) await write(`${centre}/20250528.LOG`, day('20250528', centre));
  await workshop.import();
  await reader.query(`
    CREATE FUNCTION retenir() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE SQLSTATE '55000' USING MESSAGE = 'retenu'; END $$;
    CREATE TRIGGER retenir BEFORE DELETE ON piece_production FOR EACH ROW WHEN (OLD.details = 'AB')
      EXECUTE FUNCTION retenir()`);
  const after = '2027-05-29T00:00:01+02:00';
  try {
    const { etat, categories } = await purgeAt(workshop, after);
    expect(etat).toBe('partielle');
    expect(categories.find(({ categorie }) => categorie === 'details')).toMatchObject({
      lignes: 10,
      erreur: expect.stringContaining('retenu'),
    });
    expect(await count('piece_production')).toBe(2);
  } finally {
    await reader.query('DROP TRIGGER retenir ON piece_production; DROP FUNCTION retenir()');
  }
  expect(lost(await purgeAt(workshop, after))).toMatchObject({ details: 5 });
});
