// What /metrics asks every few seconds must cost nothing on a large installation: no scan of a table that grows.

import { afterAll, beforeAll, expect, it } from 'vitest';
import { silentLogger } from '../../src/base/logger.ts';
import { faitsDesTaches } from '../../src/postgres/alertes-faits.ts';
import { mesurer, REQUETES } from '../../src/postgres/mesures.ts';
import { createPool, type Pool } from '../../src/postgres/pool.ts';
import { migrateUrl } from '../harness/context.ts';
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
    SELECT c.id, sha256((c.id || '-' || n)::bytea), 0, true, 'r', 'utf-8', 0, 0, 0, 0, 0, 0, 0, 0, 0, '{}',
           timestamptz '2023-01-01' + n * interval '1 day', timestamptz '2023-01-01' + n * interval '1 day 1 hour'
      FROM centre_usinage c, generate_series(1, 1000) n;
  INSERT INTO fichier_log_jour (version_id, centre_usinage_id, jour, evenements)
    SELECT id, centre_usinage_id, (premier_instant AT TIME ZONE 'UTC')::date, 1 FROM fichier_log_version;
  INSERT INTO ligne_rejetee (version_id, centre_usinage_id, ligne, octet, raison, texte, longueur)
    SELECT v.id, v.centre_usinage_id, n, 0, 'sans_separateur', 'x', 1
      FROM fichier_log_version v, generate_series(1, 3) n;
  INSERT INTO piece_production (centre_usinage_id, session_id, numero_piece, timestamp_production)
    SELECT 1, 1, n, now() FROM generate_series(1, 50000) n;
  INSERT INTO execution (tache, etat, debut, fin, hote, processus)
    SELECT (ARRAY['ingest', 'sync', 'purge', 'sauvegarde'])[1 + n % 4], CASE WHEN n % 400 = 0 THEN 'echouee' ELSE 'reussie' END,
           timestamptz '2024-01-01' + n * interval '5 min', timestamptz '2024-01-01' + n * interval '6 min', 'h', 1
      FROM generate_series(1, 20000) n;
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

it('O6: what alerts ask of the runs twice a minute goes through none of their history', async () => {
  let sql = '';
  const query = async (text: string): Promise<{ rows: never[] }> => {
    sql = text;
    return { rows: [] };
  };
  await faitsDesTaches({ query } as never);
  const { rows } = await pool.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${sql}`);
  expect(rows.map((row) => row['QUERY PLAN']).join('\n')).not.toContain('Seq Scan on execution');
  expect((await faitsDesTaches(pool)).map(({ tache, etat }) => `${tache} ${etat}`)).toEqual([
    'ingest echouee',
    'purge reussie',
    'sauvegarde reussie',
    'sync reussie',
  ]);
});

it('and answers rightly', async () => {
  const { centres } = await mesurer(pool);
  expect(centres).toHaveLength(30);
  expect(centres[0]).toMatchObject({ nom: 'C1', rejets: 3000, jours: 0 });
  expect(centres[0]!.derniere_ligne).toBeLessThanOrEqual(Date.now() / 1000 + 1);
});
