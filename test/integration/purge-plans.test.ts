// R10: what a nightly purge asks of PostgreSQL costs as much as what goes, not as all that is kept; a first one takes
// batches that do not get slower the more there are.

import { afterAll, beforeAll, expect, it } from 'vitest';
import { purger } from '../../src/jobs/purge.ts';
import { withClient } from '../../src/postgres/pool.ts';
import { createWorkshop, type Workshop } from '../harness/ingest.ts';
import { mesurer, noterRequetes, type Requete } from '../harness/plans.ts';
import { lost, purgeContext } from '../harness/purge.ts';

const DETAILS = ['piece_production', 'job_profil', 'periode_attente', 'periode_arret'];
const GRANDES = new Set([...DETAILS, 'ligne_rejetee']);

/** Two years of a centre: 60 pieces and 60 rejected lines a day; of another one, as much that is not to be looked at. */
const MANY = `
  BEGIN;
  SET LOCAL session_replication_role = replica;
  INSERT INTO centre_usinage (id, nom) VALUES (1, 'A'), (2, 'B');
  INSERT INTO fichier_log_version (id, centre_usinage_id, sha256, taille, active, regles, encodage, lignes, lignes_evenements,
      lignes_autres, lignes_rejetees, lignes_ignorees, octets_evenements, octets_autres, octets_rejetes, octets_ignores,
      autres_evenements, premier_instant, dernier_instant, date_creation, derniere_reception)
    SELECT c * 1000 + n, c, sha256((c || '-' || n)::bytea), 120, true, 'r', 'utf-8', 120, 60, 0, 60, 0, 60, 0, 60, 0, '{}', t, t, t, t
      FROM generate_series(1, 2) c, generate_series(1, 730) n,
           LATERAL (SELECT timestamptz '2024-01-01 12:00+01' + n * interval '1 day' AS t) i;
  INSERT INTO fichier_log (id, centre_usinage_id, chemin, etat, version_id, taille)
    SELECT id, centre_usinage_id, id || '.LOG', 'lu', id, taille FROM fichier_log_version;
  INSERT INTO fichier_log_contenu (fichier_log_id, version_id, etat) SELECT id, id, 'active' FROM fichier_log_version;
  INSERT INTO fichier_log_jour (version_id, centre_usinage_id, jour, evenements, recu_le)
    SELECT id, centre_usinage_id, premier_instant::date, 60, premier_instant FROM fichier_log_version;
  INSERT INTO ligne_rejetee (version_id, centre_usinage_id, ligne, octet, longueur, raison, texte, jour)
    SELECT v.id, centre_usinage_id, n, n, 1, 'sans_separateur', 'x', premier_instant::date
      FROM fichier_log_version v, generate_series(1, 60) n;
  INSERT INTO session_production (id, centre_usinage_id, date_production, total_pieces, origine)
    SELECT id, centre_usinage_id, premier_instant::date, 60, 'log' FROM fichier_log_version;
  INSERT INTO piece_production (session_id, centre_usinage_id, numero_piece, timestamp_production, fichier_log_version_id, ligne)
    SELECT v.id, centre_usinage_id, n, premier_instant, v.id, n FROM fichier_log_version v, generate_series(1, 60) n;
  COMMIT`;
const SETTINGS = {
  CONSERVATION_DETAILS: '12 mois',
  CONSERVATION_ARCHIVES: '12 mois',
  CONSERVATION_QUARANTAINE: '12 mois',
};

let workshop: Workshop;
let requetes: () => Requete[];
beforeAll(async () => {
  workshop = await createWorkshop();
  await workshop.reader.query(MANY);
  await workshop.reader.query('ANALYZE');
  requetes = noterRequetes(workshop.context.pool);
}, 120_000);
afterAll(() => workshop.close());

/** Purges, then asks each statement again, rolled back. @returns what went, and what each statement cost */
async function purge(
  instant: string,
  force: boolean,
): Promise<{ perdu: object; couts: { sql: string; blocs: number; parcourues: number }[] }> {
  requetes();
  const context = purgeContext(workshop, SETTINGS);
  const bilan = await purger(context, { maintenant: Date.parse(instant), lots: { lignes: 600 }, force });
  const couts = [];
  for (const requete of requetes()) {
    if (!/^\s*(SELECT|WITH|DELETE|UPDATE)/.test(requete.texte) || /advisory/.test(requete.texte)) continue;
    const cost = await withClient(workshop.reader, async (client) => {
      await client.query("BEGIN; SELECT set_config('atelier.purge', 'oui', true)");
      try {
        return await mesurer(client, requete, { generique: false, grandes: GRANDES });
      } finally {
        await client.query('ROLLBACK');
      }
    });
    couts.push({ ...cost, sql: requete.texte.replaceAll(/\s+/g, ' ') });
  }
  return { perdu: lost(bilan), couts };
}

/** Looks at all versions, or all quarantine, that a centre keeps: one each a night. */
const INVENTAIRE = /GROUP BY 1, 2 ORDER BY 1|DISTINCT s\.date_production|ORDER BY v\.id$/;

it('R10: the first purge: no batch looks at more than its own rows', async () => {
  const { perdu, couts } = await purge('2025-12-31T02:00:00+01:00', true);
  expect(perdu).toMatchObject({ details: 2 * 364 * 60, quarantaine: 2 * 364 * 60, archives: 2 * 364 });
  expect(couts.length).toBeGreaterThan(300);
  expect(couts.filter(({ parcourues }) => parcourues > 0)).toEqual([]);
}, 120_000);

it('R10: the next night: a day goes, the others cost next to nothing', async () => {
  await workshop.reader.query('ANALYZE');
  const { perdu, couts } = await purge('2026-01-01T02:00:00+01:00', false);
  expect(perdu).toMatchObject({ details: 2 * 60, quarantaine: 2 * 60, archives: 2 });
  const dear = couts.filter(({ blocs, sql }) => blocs > 100 && !INVENTAIRE.test(sql));
  expect(dear).toEqual([]);
  // Whatever has details at all is found without reading them.
  for (const { parcourues, sql } of couts) if (!/GROUP BY 1, 2/.test(sql)) expect(parcourues, sql).toBe(0);
}, 120_000);
