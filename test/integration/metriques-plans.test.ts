// What is asked all the time (/metrics, the alerts of every worker) must cost nothing on a large installation: no scan of a
// table that grows, and a few blocks however long its history.

import { afterAll, beforeAll, expect, it } from 'vitest';
import { silentLogger } from '../../src/base/logger.ts';
import { echeances, faitsDesCentres, faitsDesTaches } from '../../src/postgres/alertes/faits.ts';
import { lireOuvertes, listerAlertes } from '../../src/postgres/alertes.ts';
import { mesurer, REQUETES } from '../../src/postgres/mesures.ts';
import { createPool, type Pool, withClient } from '../../src/postgres/pool.ts';
import { etatWorkers } from '../../src/postgres/taches/controle-taches.ts';
import { migrateUrl } from '../harness/context.ts';
import { mesurer as cout, noterRequetes } from '../harness/plans.ts';
import { createDatabase, registerTemplate, type TestDatabase } from '../harness/postgres.ts';

let database: TestDatabase;
let pool: Pool;

/** Three years of thirty centres, and a hundred thousand quarantined lines. */
const MANY = `
  BEGIN;
  SET LOCAL session_replication_role = replica;
  INSERT INTO centre_usinage (nom) SELECT 'C' || n FROM generate_series(1, 30) n;
  INSERT INTO fichier_log_version (centre_usinage_id, sha256, taille, active, regles, encodage, lignes, lignes_evenements,
      lignes_autres, lignes_rejetees, lignes_ignorees, octets_evenements, octets_autres, octets_rejetes, octets_ignores,
      autres_evenements, premier_instant, dernier_instant)
    SELECT c.id, sha256((c.id || '-' || n)::bytea), 3, true, 'r', 'utf-8', 3, 0, 0, 3, 0, 0, 0, 3, 0, '{}',
           timestamptz '2023-01-01' + n * interval '1 day', timestamptz '2023-01-01' + n * interval '1 day 1 hour'
      FROM centre_usinage c, generate_series(1, 1000) n;
  UPDATE fichier_log_version SET derniere_reception = dernier_instant + interval '1 hour';
  -- Of the first two years the quarantine was purged.
  UPDATE fichier_log_version SET rejets_purges = 3, octets_rejets_purges = 3 WHERE premier_instant < '2025-01-01';
  INSERT INTO fichier_log (centre_usinage_id, chemin, etat, version_id, taille, derniere_lecture)
    SELECT centre_usinage_id, id || '.LOG', 'lu', id, taille, derniere_reception FROM fichier_log_version;
  INSERT INTO fichier_log_jour (version_id, centre_usinage_id, jour, evenements)
    SELECT id, centre_usinage_id, (premier_instant AT TIME ZONE 'UTC')::date, 1 FROM fichier_log_version;
  INSERT INTO ligne_rejetee (version_id, centre_usinage_id, ligne, octet, raison, texte, longueur)
    SELECT v.id, v.centre_usinage_id, n, 0, 'sans_separateur', 'x', 1
      FROM fichier_log_version v, generate_series(1, 3) n WHERE v.rejets_purges = 0;
  INSERT INTO piece_production (centre_usinage_id, session_id, numero_piece, timestamp_production)
    SELECT 1, 1, n, now() FROM generate_series(1, 50000) n;
  INSERT INTO execution (tache, etat, debut, fin, hote, processus)
    SELECT (ARRAY['ingest', 'sync', 'purge', 'sauvegarde'])[1 + n % 4], CASE WHEN n % 400 = 0 THEN 'echouee' ELSE 'reussie' END,
           timestamptz '2024-01-01' + n * interval '5 min', timestamptz '2024-01-01' + n * interval '6 min', 'h', 1
      FROM generate_series(1, 20000) n;
  INSERT INTO execution (tache, etat, debut, fin, hote, processus)
    SELECT 'rare', CASE n WHEN 1 THEN 'ignoree' ELSE 'partielle' END, timestamptz '2024-01-01' + n * interval '1 month',
           timestamptz '2024-01-01' + n * interval '1 month', 'h', 1 FROM generate_series(1, 2) n;
  INSERT INTO planification (tache, horaire, fuseau, derniere_echeance, prochaine_echeance)
    SELECT tache, '11:00', 'Europe/Paris', CASE tache WHEN 'purge' THEN timestamptz '2024-03-01' ELSE '2025-01-01' END, '2099-01-01'
      FROM unnest(ARRAY['ingest', 'sync', 'purge', 'sauvegarde', 'rare', 'jamais']) tache;
  INSERT INTO alerte (regle, objet, gravite, etat, message, debut, ouverte_le, derniere_vue, fin, dernier_avis)
    SELECT 'machine_silencieuse', 'C' || n, 'attention', CASE WHEN n > 19995 THEN 'ouverte' ELSE 'resolue' END, 'm', t, t, t,
           CASE WHEN n <= 19995 THEN t END, t
      FROM generate_series(1, 20000) n, LATERAL (SELECT timestamptz '2024-01-01' + n * interval '1 hour' AS t) i;
  INSERT INTO alerte_envoi (alerte_id, canal, genre, contenu, etat, prochain_essai, date_creation)
    SELECT id, 'mail', 'ouverture', '{}', 'envoye', debut, debut FROM alerte;
  COMMIT`;

beforeAll(async () => {
  registerTemplate(migrateUrl);
  database = await createDatabase();
  pool = createPool(database.url, { logger: silentLogger(), max: 1 });
  await pool.query(MANY);
  await pool.query('VACUUM ANALYZE');
});
afterAll(async () => {
  await pool?.end();
  await database?.drop();
});

it.each(REQUETES.map((sql, i) => [i, sql]))('statement %i scans no table that grows', async (_i, sql) => {
  const { rows } = await pool.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${sql}`);
  const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
  const scanned = [...plan.matchAll(/Seq Scan on (\w+)/g)].map(([, table]) => table!);
  // Retention bounds the queue and the alerts; an index carries the open ones once there are many.
  const small = [
    'job_common',
    'alerte',
    'centre_usinage',
    'execution',
    'commandes_volets_roulants',
    'jour_a_recalculer',
  ];
  expect(
    scanned.filter((table) => !small.includes(table)),
    plan,
  ).toEqual([]);
  expect(plan).not.toMatch(/piece_production|job_profil|periode_/);
});

/** Blocks of 8 KB that a statement may look at: a few for each of thirty centres, far from the thousand of a table. */
const BLOCS = 600;
const GRANDES = new Set([
  ...['fichier_log', 'fichier_log_version', 'fichier_log_jour', 'ligne_rejetee'],
  ...['execution', 'alerte', 'alerte_envoi'],
]);

it.each<[string, (db: Pool) => Promise<unknown>]>([
  ['/metrics', mesurer],
  ['O6: of the runs', faitsDesTaches],
  ['O6: of what was due', echeances],
  ['F34: of the centres', faitsDesCentres],
  ['O18: of the open alerts', lireOuvertes],
  ['O18: the list of all alerts', (db) => listerAlertes(db, { toutes: true, limite: 50 })],
  ['O22: of the workers, by doctor', etatWorkers],
])('%s goes through no history', async (_quoi, ask) => {
  const own = createPool(database.url, { logger: silentLogger(), max: 1 });
  try {
    const noted = noterRequetes(own);
    // There is no queue here.
    await withClient(own, (client) => ask(client as never)).catch(() => undefined);
    const requetes = noted();
    expect(requetes).not.toEqual([]);
    for (const requete of requetes.filter(({ texte }) => !texte.includes('pgboss'))) {
      const { blocs, parcourues } = await withClient(own, (client) =>
        cout(client, requete, { generique: false, grandes: GRANDES }),
      );
      expect({ blocs: blocs > BLOCS ? blocs : 'peu', parcourues, texte: requete.texte }).toEqual({
        ...{ blocs: 'peu', parcourues: 0, texte: requete.texte },
      });
    }
  } finally {
    await own.end();
  }
});

it('O6, F34: and alerts are told rightly', async () => {
  const taches = await faitsDesTaches(pool);
  const at = (text: string): number => Date.parse(text) / 1000;
  const debut = (n: number): number => at('2024-01-01T00:00Z') + n * 300;
  const fin = (n: number): number => at('2024-01-01T00:00Z') + n * 360;
  expect(taches.map(({ tache, etat }) => `${tache} ${etat}`)).toEqual([
    'ingest echouee',
    'purge reussie',
    'rare partielle',
    'sauvegarde reussie',
    'sync reussie',
  ]);
  // The last one failed, the one before succeeded.
  expect(taches[0]).toMatchObject({
    depuis: fin(20000),
    dernierSucces: fin(19996),
    premierPassage: debut(4),
  });
  expect(taches[1]).toMatchObject({ depuis: null, dernierSucces: fin(19998) });
  expect(taches[2]).toMatchObject({
    ...{ depuis: at('2024-03-01'), dernierSucces: at('2024-03-01'), premierPassage: at('2024-03-01') },
  });
  expect((await echeances(pool)).map(({ tache, passee }) => [tache, passee])).toEqual([
    ['ingest', false],
    ['jamais', false],
    ['purge', true],
    ['rare', false],
    ['sauvegarde', false],
    ['sync', false],
  ]);
  const centres = await faitsDesCentres(pool);
  expect(centres).toHaveLength(30);
  const last = at('2023-01-01T00:00Z') + 1000 * (86_400 + 3600);
  expect(centres[0]).toEqual({
    ...{
      nom: 'C1',
      derniereLigne: last,
      derniereReception: last + 3600,
      dernierRecu: last,
      lignes: 3,
      rejetees: 3,
    },
  });
  const alertes = await listerAlertes(pool, { toutes: true, limite: 7 });
  expect(alertes.map(({ objet }) => objet)).toEqual(
    [20000, 19999, 19998, 19997, 19996, 19995, 19994].map((n) => `C${n}`),
  );
  expect(await listerAlertes(pool, { toutes: false, limite: 50 })).toHaveLength(5);
});

it('and answers rightly', async () => {
  const { centres } = await mesurer(pool);
  const counted = await pool.query<{ n: number }>(
    "SELECT count(*) AS n FROM ligne_rejetee r JOIN centre_usinage c ON c.id = r.centre_usinage_id WHERE c.nom = 'C1'",
  );
  const rejets = counted.rows[0]!.n;
  expect(rejets).toBeGreaterThan(500);
  expect(centres).toHaveLength(30);
  expect(centres[0]).toMatchObject({ nom: 'C1', rejets, jours: 0 });
  expect(centres[0]!.derniere_ligne).toBeLessThanOrEqual(Date.now() / 1000 + 1);
});
