// R10, F25: nothing is destroyed on a clock's word. Neither a controller that was reset to 2000 nor a server that is years ahead
// makes what was received lately old.

import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { purger } from '../../src/jobs/purge.ts';
import { createWorkshop, type Workshop } from '../harness/ingest.ts';
import { everything, lost, purgeContext, vieillir } from '../harness/purge.ts';

let workshop: Workshop;
beforeAll(async () => {
  workshop = await createWorkshop();
});
beforeEach(async () => {
  await workshop.reset();
  await workshop.reader.query(`DELETE FROM alerte; DELETE FROM commande_historique`);
});
afterAll(() => workshop.close());

const DAY = 86_400_000;
const KURZ = {
  CONSERVATION_DETAILS: '24 mois',
  CONSERVATION_ARCHIVES: '24 mois',
  CONSERVATION_QUARANTAINE: '12 mois',
  CONSERVATION_SESSIONS: '36 mois',
};

async function write(chemin: string, text: string): Promise<void> {
  const path = join(workshop.logs, chemin);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}
function day(jour: string, mark = ''): string {
  return [
    `${jour} 06:00:00|@JobProfiel: R:215023 L:3359.0 C:7016`,
    `${jour} 06:00:10|@StukUitgevoerd: A${mark}`,
    `${jour} rebut ${mark}`,
    `${jour} 08:00:10|@StukUitgevoerd: B${mark}`,
    '',
  ].join('\r\n');
}
const count = async (sql: string): Promise<number> =>
  (await workshop.reader.query(`SELECT count(*)::int AS n FROM ${sql}`)).rows[0].n;
/** As the worker does it at night, so many days from now. */
const nuit = (jours = 0, options: { force?: boolean; aBlanc?: boolean } = {}) =>
  purger(purgeContext(workshop, KURZ), {
    ...(jours > 0 ? { maintenant: Date.now() + jours * DAY } : {}),
    ...options,
  });

describe('a machine’s clock', () => {
  it('F25: a controller reset to 2000 writes a day: no purge takes any of it before its time since reception', async () => {
    await write('DEM12/20000101.LOG', day('20000101'));
    await write('DEM12/20190528.LOG', day('20190528'));
    await workshop.import();
    expect(lost(await nuit())).toEqual({});
    expect(lost(await nuit(300, { force: true }))).toEqual({});
    const { executions: _, ...after } = lost(await nuit(380, { force: true }));
    expect(after).toEqual({ quarantaine: 2 });
    await nuit(700, { force: true });
    expect(await count('piece_production')).toBe(4);
    expect(lost(await nuit(740, { force: true }))).toMatchObject({ details: 6, archives: 2 });
    expect(lost(await nuit(1_100, { force: true }))).toMatchObject({ sessions: 2 });
    await workshop.checkInvariants();
  });

  it('F25: the day of a first reset comes again by a second one: all of it stays, and is computed', async () => {
    await write('DEM12/20000101.LOG', day('20000101', '1'));
    await workshop.import();
    await workshop.reader.query(
      `UPDATE fichier_log_version SET date_creation = '2021-06-01', derniere_reception = '2021-06-01';
       UPDATE fichier_log_jour SET recu_le = '2021-06-01'`,
    );
    await write('DEM12/20000101-2.LOG', day('20000101', '2').replaceAll(' 06:', ' 07:'));
    await workshop.import();
    expect(lost(await nuit())).toEqual({});
    await write(
      'DEM12/20000101-2.LOG',
      day('20000101', '2').replaceAll(' 06:', ' 07:') + day('20000101', '3'),
    );
    await workshop.import();
    expect((await workshop.state()).sessions).toMatchObject([{ total_pieces: 6 }]);
    await workshop.checkInvariants();
  });

  it('F25: what somebody enters today for a day of long ago stays, and the day with it', async () => {
    await write('DEM12/20190528.LOG', day('20190528'));
    await workshop.import();
    await vieillir(workshop.reader);
    await workshop.reader.query(
      `INSERT INTO session_production (centre_usinage_id, date_production, origine)
       SELECT id, '2019-05-28', 'manuel' FROM centre_usinage`,
    );
    expect(lost(await nuit())).toEqual({ archives: 1, quarantaine: 1 });
    expect(await count('session_production')).toBe(2);
    expect(await count('piece_production')).toBe(2);
  });
});

describe('the server’s clock', () => {
  /** So many days of one centre, received when they say, the last one yesterday. */
  async function jours(nombre: number): Promise<void> {
    for (let i = 1; i <= nombre; i++) {
      const jour = new Date(Date.now() - i * DAY).toISOString().slice(0, 10).replaceAll('-', '');
      await write(`DEM12/${jour}.LOG`, day(jour));
    }
    await workshop.import();
    await vieillir(workshop.reader);
  }
  const rien = async (work: () => Promise<unknown>, raison: RegExp): Promise<void> => {
    const before = (await everything(workshop)).replaceAll(/^execution .*\n/gm, '');
    await expect(work()).rejects.toMatchObject({ code: 'ATL_R604', message: expect.stringMatching(raison) });
    expect((await everything(workshop)).replaceAll(/^execution .*\n/gm, '')).toBe(before);
  };

  it('R10: 900 days ahead of the last purge: refused, nothing goes, the run says why; --force goes through', async () => {
    await jours(3);
    expect(lost(await nuit())).toEqual({});
    await rien(() => nuit(900), /la dernière purge est du 20\d\d-.* \(900 jours\)/);
    const { rows } = await workshop.reader.query(
      `SELECT etat, erreur FROM execution WHERE tache = 'purge' ORDER BY id DESC LIMIT 1`,
    );
    expect(rows).toEqual([{ etat: 'echouee', erreur: expect.stringContaining('Purge refusée') }]);
    const { refus } = await nuit(900, { aBlanc: true });
    expect(refus).toEqual([expect.stringContaining('900 jours')]);
    expect(lost(await nuit(900, { force: true }))).toMatchObject({ details: 9, archives: 3 });
  });

  it('R10: before the first purge ever, the last thing that was stored says it', async () => {
    await jours(3);
    await rien(() => nuit(900), /la dernière trace enregistrée est du/);
  });

  it('R10: a worker that has run on with the wrong clock: the share of what would go says it', async () => {
    await jours(40);
    await workshop.reader.query(
      `INSERT INTO execution (tache, etat, debut, fin, hote, processus)
       VALUES ('ingest', 'reussie', now() + interval '899 days', now() + interval '899 days', 'h', 1)`,
    );
    await rien(
      () => nuit(900),
      /details : 40 journées sur 40 partiraient ; quarantaine : 40 fichiers sur 40 partiraient ; archives : 40/,
    );
  });

  it('R10: a share is one of days: many rows of one day that go together are no reason', async () => {
    await workshop.reader.query(
      `INSERT INTO journal_audit (evenement, instant)
         SELECT 'export', now() - interval '370 days' FROM generate_series(1, 5000);
       INSERT INTO execution (tache, etat, debut, fin, hote, processus)
         SELECT 'sync', 'reussie', t, t, 'h', 1 FROM generate_series(now() - interval '300 days', now(), '1 day') t`,
    );
    expect(lost(await nuit())).toEqual({ audit: 5_000 });
    await rien(() => nuit(200), /executions : 136 jours sur 302 partiraient|la dernière purge est du/);
  });

  it('R10: accounts are not closed or forgotten on a clock’s word', async () => {
    await workshop.reader.query(
      `INSERT INTO cle_chiffrement (id, temoin) VALUES ('k', 'x');
       INSERT INTO "user" (id, username_chiffre, username_index, email_chiffre, email_index, cle_id, mot_de_passe, role)
         SELECT gen_random_uuid(), 'x', sha256(n::text::bytea), 'x', sha256(n::text::bytea), 'k', 'x', 'lecteur'
           FROM generate_series(1, 6) n`,
    );
    try {
      await workshop.reader.query(
        `INSERT INTO execution (tache, etat, debut, fin, hote, processus)
         VALUES ('ingest', 'reussie', now() + interval '899 days', now() + interval '899 days', 'h', 1)`,
      );
      await rien(() => nuit(900), /comptesDesactivation : 6 comptes sur 6 partiraient ; comptes : 6 comptes/);
    } finally {
      await workshop.reader.query(`DELETE FROM "user"; DELETE FROM cle_chiffrement`);
    }
  });
});
