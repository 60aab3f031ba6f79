// Each rule on a real database: what raises it, what does not, what ends it (O18).

import { writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ingest } from '../../src/jobs/ingest.ts';
import { createSurveillance, MERCREDI, type Surveillance } from '../harness/alertes.ts';

let s: Surveillance;
beforeAll(async () => {
  s = await createSurveillance({ MYSQL_URL: 'mysql://u:p@127.0.0.1:1/erp' });
});
beforeEach(() => s.reset());
afterAll(async () => s?.close());

const MINUTE = 60_000;
const HEURE = 60 * MINUTE;
const sql = (text: string, values: unknown[] = []) => s.workshop.reader.query(text, values);

async function ouvertes(): Promise<string[]> {
  await s.passer();
  return (await s.alertes())
    .filter(({ etat }) => etat === 'ouverte')
    .map(({ regle, objet }) => `${regle} ${objet}`);
}

/** A run of a task that ended so many minutes ago. */
async function passage(
  tache: string,
  etat: string,
  age: number,
  more: { erreur?: string; max?: number } = {},
) {
  await sql(
    `INSERT INTO execution (tache, etat, debut, fin, erreur, hote, processus, tentative, tentatives_max)
     SELECT $1, $2, i - interval '5 s', CASE WHEN $2 <> 'en_cours' THEN i END, $4, 'h', 1, 1, $5
       FROM to_timestamp($3) i`,
    [tache, etat, (s.maintenant - age * MINUTE) / 1000, more.erreur ?? null, more.max ?? null],
  );
}

describe('F25 horloge_machine', () => {
  it('a controller reset to 2000, then one that is a day ahead, then set right', async () => {
    s.maintenant = MERCREDI;
    await s.recevoir('20000101.LOG', '20000101 00:00:10|@StukUitgevoerd: A\n', MERCREDI - 10 * MINUTE);
    expect(await ouvertes()).toEqual(['horloge_machine DEM12']);
    await s.recevoir('20260603.LOG', '20260603 14:55:00|@StukUitgevoerd: A\n', MERCREDI - 5 * MINUTE);
    expect(await ouvertes()).toEqual([]);
    await s.recevoir('20260604.LOG', '20260604 14:56:00|@StukUitgevoerd: A\n', MERCREDI - 4 * MINUTE);
    expect(await ouvertes()).toEqual(['horloge_machine DEM12']);
    const [alerte] = (await s.alertes()).filter(({ etat }) => etat === 'ouverte');
    expect(alerte).toMatchObject({ message: expect.stringContaining('est en avance de') });
    await s.recevoir('20260603-2.LOG', '20260603 14:58:00|@StukUitgevoerd: B\n', MERCREDI - 2 * MINUTE);
    expect(await ouvertes()).toEqual([]);
  });
});

describe('F34 machine_silencieuse', () => {
  const LIGNE = '20260603 12:30:00|@StukUitgevoerd: A\n';

  it('opens after the set time, once, and ends with the next line', async () => {
    await s.recevoir('20260603.LOG', LIGNE, MERCREDI - 150 * MINUTE);
    s.maintenant = MERCREDI - 31 * MINUTE;
    expect(await ouvertes()).toEqual([]);
    s.maintenant = MERCREDI;
    expect(await ouvertes()).toEqual(['machine_silencieuse DEM12']);
    for (let i = 0; i < 3; i++) {
      s.maintenant += HEURE;
      expect(await s.passer()).toMatchObject({ ouvertes: 0, resolues: 0 });
    }
    const [alerte] = await s.alertes();
    expect(alerte).toMatchObject({
      etat: 'ouverte',
      gravite: 'attention',
      message: expect.stringContaining('DEM12 ne donne plus signe depuis le 03/06/2026 à 12:30'),
      details: { limite_secondes: 7200 },
    });
    expect((alerte!['debut'] as Date).toISOString()).toBe('2026-06-03T10:30:00.000Z');
    expect((alerte!['derniere_vue'] as Date).getTime()).toBe(s.maintenant);
    await s.recevoir('20260603.LOG', `${LIGNE}20260603 17:59:00|@StukUitgevoerd: A\n`);
    expect(await s.passer()).toMatchObject({ resolues: 1 });
    expect(await s.alertes()).toMatchObject([{ etat: 'resolue', fin: new Date(s.maintenant) }]);
    // The next silence is another alert.
    s.maintenant += 24 * HEURE;
    expect(await ouvertes()).toEqual(['machine_silencieuse DEM12']);
    expect(await s.alertes()).toHaveLength(2);
  });

  it('a file that comes late, or nothing at night: nobody is woken', async () => {
    await s.recevoir('20260603.LOG', '20260602 16:00:00|@StukUitgevoerd: A\n', MERCREDI - HEURE);
    expect(await ouvertes()).toEqual([]);
    await s.recevoir('20260603.LOG', LIGNE, MERCREDI + 2 * HEURE);
    s.maintenant = MERCREDI + 17 * HEURE;
    expect(await ouvertes()).toEqual([]);
  });

  it('what was seen and could not be read is no sign of life', async () => {
    await s.recevoir('20260603.LOG', LIGNE, MERCREDI - 150 * MINUTE);
    await sql(
      `INSERT INTO fichier_log (centre_usinage_id, chemin, etat, erreur, taille, derniere_lecture)
       SELECT id, 'DEM12', 'erreur', 'connexion refusée', 0, to_timestamp($1) FROM centre_usinage`,
      [s.maintenant / 1000],
    );
    expect(await ouvertes()).toEqual(['machine_silencieuse DEM12']);
  });

  it('bytes that are read or sent once more are no sign of life, nor are they when rules change', async () => {
    await s.recevoir('20260603.LOG', LIGNE, MERCREDI - 150 * MINUTE);
    await writeFile(join(s.workshop.logs, 'DEM12', '20260603.LOG'), LIGNE);
    await writeFile(join(s.workshop.logs, 'DEM12', 'copie.LOG'), LIGNE);
    await s.workshop.import();
    const { context } = s.workshop;
    await ingest({ ...context, config: { ...context.config, journeeDebut: 5 * 3600 } });
    await sql('DELETE FROM execution');
    expect(await ouvertes()).toEqual(['machine_silencieuse DEM12']);
    // A line more is one, at once: of a file whose bytes others have, too, and of one that grows in its place.
    for (const lines of [2, 3]) {
      await writeFile(join(s.workshop.logs, 'DEM12', 'copie.LOG'), LIGNE.repeat(lines));
      await s.workshop.import();
      await sql('DELETE FROM execution');
      expect(await ouvertes()).toEqual([]);
      await sql(`UPDATE fichier_log_version SET derniere_reception = to_timestamp($1)`, [
        (MERCREDI - 150 * MINUTE) / 1000,
      ]);
      expect(await ouvertes()).toEqual(['machine_silencieuse DEM12']);
    }
  });

  it('a centre that never wrote, or produces no more, is not waited for', async () => {
    await sql("INSERT INTO centre_usinage (nom) VALUES ('NEUF')");
    await s.recevoir('20260603.LOG', LIGNE, MERCREDI - 150 * MINUTE);
    await sql("UPDATE centre_usinage SET actif = false WHERE nom = 'DEM12'");
    expect(await ouvertes()).toEqual([]);
    await sql("UPDATE centre_usinage SET actif = true WHERE nom = 'DEM12'");
    expect(await ouvertes()).toEqual(['machine_silencieuse DEM12']);
    await sql("UPDATE centre_usinage SET actif = false WHERE nom = 'DEM12'");
    expect(await ouvertes()).toEqual([]);
  });
});

describe('lignes_rejetees', () => {
  const good = (n: number, hour = 14): string => `20260603 ${hour}:00:00|@StukUitgevoerd: A\n`.repeat(n);
  const bad = (n: number): string => Array.from({ length: n }, (_, i) => `n’importe quoi ${i}\n`).join('');

  it('counts what came last of each centre, over a weekend too', async () => {
    await s.recevoir('a.LOG', good(300) + bad(19));
    expect(await ouvertes()).toEqual([]);
    await s.recevoir('a.LOG', good(300) + bad(20));
    expect(await ouvertes()).toEqual(['lignes_rejetees DEM12']);
    const [alerte] = await s.alertes();
    expect(alerte).toMatchObject({
      message: 'DEM12 : 20 lignes sur 320 des derniers fichiers reçus sont en quarantaine (6,3 %).',
      details: { lignes: 320, rejetees: 20, taux_limite: 0.05 },
    });
    s.env = { ...s.env, ALERTE_SILENCE: 'non' };
    s.maintenant += 72 * HEURE;
    expect(await ouvertes()).toEqual(['lignes_rejetees DEM12']);
    // A day that is good puts it right.
    await s.recevoir('b.LOG', good(200, 13));
    expect(await ouvertes()).toEqual([]);
  });
});

describe('runs', () => {
  it('import_echoue: not before its next attempts had their chance; ends with one that succeeds', async () => {
    await passage('ingest', 'reussie', 120);
    await passage('ingest', 'echouee', 9, { erreur: 'LOGS_DIR : EACCES' });
    await passage('ingest', 'ignoree', 5);
    await passage('ingest', 'en_cours', 1);
    expect(await ouvertes()).toEqual([]);
    s.maintenant += MINUTE;
    expect(await ouvertes()).toEqual(['import_echoue ingest']);
    expect(await s.alertes()).toMatchObject([
      {
        gravite: 'critique',
        message: 'L’import des journaux a échoué : LOGS_DIR : EACCES',
        debut: new Date(MERCREDI - 9 * MINUTE),
      },
    ]);
    await passage('ingest', 'partielle', 0);
    expect(await ouvertes()).toEqual([]);
    s.maintenant += 10 * MINUTE;
    expect(await ouvertes()).toEqual(['import_partiel ingest']);
    await passage('ingest', 'reussie', 0);
    expect(await ouvertes()).toEqual([]);
  });

  it('a job that was given up is told at once', async () => {
    await passage('sauvegarde', 'echouee', 1, { max: 3 });
    expect(await ouvertes()).toEqual([]);
    await sql("UPDATE execution SET tentative = 3 WHERE tache = 'sauvegarde'");
    expect(await ouvertes()).toEqual(['tache_echouee sauvegarde']);
  });

  it('F52 synchronisation_echouee and commandes_anciennes', async () => {
    await passage('sync', 'reussie', 26 * 60 - 1);
    await passage('sync', 'echouee', 20, { erreur: 'ERP injoignable' });
    expect(await ouvertes()).toEqual(['synchronisation_echouee sync']);
    s.maintenant += MINUTE;
    expect(await ouvertes()).toEqual(['synchronisation_echouee sync', 'commandes_anciennes sync']);
    await passage('sync', 'reussie', 0);
    expect(await ouvertes()).toEqual([]);
  });

  it('without an ERP nobody waits for orders', async () => {
    await passage('sync', 'echouee', 3000);
    s.env = { ALERTE_SILENCE: '2h' };
    expect(await ouvertes()).toEqual([]);
  });
});

describe('O6 tache_manquee', () => {
  const plan = (tache: string, derniere: number, prochaine: number, horaire = '11:00') =>
    sql(
      `INSERT INTO planification (tache, horaire, fuseau, derniere_echeance, prochaine_echeance)
       VALUES ($1, $2, 'Europe/Paris', to_timestamp($3), to_timestamp($4))`,
      [tache, horaire, derniere / 1000, prochaine / 1000],
    );
  const onze = Date.parse('2026-06-03T11:00+02:00');

  it('a tick that no run followed; a run of any end is one', async () => {
    await plan('ingest', onze, onze + 24 * HEURE);
    s.maintenant = onze + 29 * MINUTE;
    expect(await ouvertes()).toEqual([]);
    s.maintenant = MERCREDI;
    expect(await ouvertes()).toEqual(['tache_manquee ingest']);
    expect(await s.alertes()).toMatchObject([
      { message: 'La tâche ingest, prévue le 03/06/2026 à 11:00, n’est pas passée.', debut: new Date(onze) },
    ]);
    await passage('ingest', 'en_cours', 1);
    expect(await ouvertes()).toEqual([]);
  });

  it('nobody plans any more', async () => {
    await plan('ingest', onze - 24 * HEURE, onze);
    await passage('ingest', 'reussie', 28 * 60);
    expect(await ouvertes()).toEqual(['tache_manquee ingest']);
  });

  it('a schedule that was just made has missed nothing; one that is switched off neither', async () => {
    await plan('ingest', onze + 7 * MINUTE, onze + 24 * HEURE);
    await plan('purge', onze - 48 * HEURE, onze - 24 * HEURE, '11:00');
    s.env = { CRON_PURGE: 'non' };
    expect(await ouvertes()).toEqual([]);
    s.env = {};
    expect(await ouvertes()).toEqual(['tache_manquee purge']);
  });
});

describe('O12 disque_court', () => {
  const disque = (libre: number, hote = hostname()) => ({
    hote,
    dossiers: ['ARCHIVES_DIR'],
    libre,
    total: 100e9,
  });

  it('opens when it lasts, ends when it is over for good; each machine speaks for itself', async () => {
    s.disques = [disque(1e9)];
    expect(await ouvertes()).toEqual([]);
    s.disques = [disque(90e9)];
    s.maintenant += 30_000;
    expect(await ouvertes()).toEqual([]);
    s.disques = [disque(1e9)];
    expect(await ouvertes()).toEqual([]);
    s.maintenant += MINUTE;
    expect(await ouvertes()).toEqual([`disque_court ${hostname()} ARCHIVES_DIR`]);
    // Another machine's is left alone, for a day.
    await sql(
      `INSERT INTO alerte (regle, objet, gravite, message, debut, ouverte_le, derniere_vue, dernier_avis)
       SELECT 'disque_court', 'autre LOGS_DIR', 'critique', 'm', i, i, i, i FROM to_timestamp($1) i`,
      [s.maintenant / 1000],
    );
    s.disques = [disque(90e9)];
    s.maintenant += 299_000;
    expect(await ouvertes()).toHaveLength(2);
    s.maintenant += 1000;
    expect(await ouvertes()).toEqual(['disque_court autre LOGS_DIR']);
    s.maintenant += 24 * HEURE;
    expect(await ouvertes()).toEqual([]);
  });
});
