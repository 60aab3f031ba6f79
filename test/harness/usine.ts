import type { Client } from '../../src/postgres/pool.ts';

/**
 * A factory of years: sessions, details, files, quarantine, orders, runs and audit lines, made set by set. Like a real
 * one it is uneven, which is what makes plans fail: history was imported centre by centre and the days since then one
 * after the other, a machine was retired early, another came last week, and a few sessions were entered by hand.
 */
export const USINE = {
  pieces: 5_000_000,
  /** of one session */
  piecesParSession: 900,
  profilsParSession: 90,
  periodesParSession: 54,
  rejetsParVersion: 36,
  commandes: 20_000,
  executions: 20_000,
  alertes: 20_000,
  audit: 200_000,
} as const;

/** Centres by what makes them special. */
export const CENTRES = {
  /** retired after a fifth of the pieces */
  ancien: 1,
  courant: 2,
  second: 3,
  /** came last week */
  nouveau: 4,
  /** has nothing */
  vide: 5,
} as const;

/** Tables whose rows are too many to be added with their indexes in place. */
const GRANDES = [
  'piece_production',
  'job_profil',
  'periode_attente',
  'periode_arret',
  'ligne_rejetee',
] as const;

/** First day of production. */
const DEBUT = '2018-01-01';
/** Days of history that were imported at once, centre by centre. */
const HISTOIRE = 1_700;

/** Fills a migrated database that is empty. */
export async function remplirUsine(client: Client): Promise<void> {
  // Neither triggers nor keys look at rows that are right by construction, and nothing of this outlives a crash.
  await client.query(`SET session_replication_role = replica; SET maintenance_work_mem = '256MB'; SET jit = off;
    SET synchronous_commit = off; SET TimeZone = 'Europe/Paris'`);
  for (const table of GRANDES) await client.query(`ALTER TABLE ${table} SET UNLOGGED`);
  const restore = await dropIndexes(client);
  await client.query(CENTRES_ET_SESSIONS);
  for (const sql of DETAILS) await client.query(sql);
  await client.query(RESTE);
  for (const sql of restore) await client.query(sql);
  await client.query('RESET session_replication_role');
  await client.query('VACUUM (ANALYZE)');
}

/** Drops keys and indexes of the large tables; returns what makes them again. */
async function dropIndexes(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ drop: string; make: string }>(
    `SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', c.conrelid::regclass, c.conname) AS drop,
            format('ALTER TABLE %s ADD CONSTRAINT %I %s', c.conrelid::regclass, c.conname, pg_get_constraintdef(c.oid)) AS make
       FROM pg_constraint c WHERE c.contype IN ('p', 'u') AND c.conrelid = ANY ($1::regclass[])
     UNION ALL
     SELECT format('DROP INDEX %s', i.indexrelid::regclass), pg_get_indexdef(i.indexrelid)
       FROM pg_index i WHERE i.indrelid = ANY ($1::regclass[])
        AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)`,
    [[...GRANDES]],
  );
  for (const { drop } of rows) await client.query(drop);
  return rows.map(({ make }) => make);
}

const { piecesParSession, profilsParSession, periodesParSession } = USINE;
const SESSIONS = Math.ceil(USINE.pieces / piecesParSession);

/** Sessions in the order of their import: `id` is that order. */
const CENTRES_ET_SESSIONS = `
INSERT INTO centre_usinage (id, nom, type_cu) VALUES
  (${CENTRES.ancien}, 'DEM10', 'PVC'), (${CENTRES.courant}, 'DEM12', 'PVC'), (${CENTRES.second}, 'SU12', 'ALU'),
  (${CENTRES.nouveau}, 'HYB1', 'HYBRIDE'), (${CENTRES.vide}, 'VIDE', 'INCONNU');
INSERT INTO session_production (id, centre_usinage_id, date_production, heure_premiere_piece, heure_derniere_piece,
    total_pieces, duree_production_totale, temps_attente, temps_arret_volontaire, temps_production_effectif,
    taux_occupation, taux_attente, taux_arret_volontaire, fichier_log_source, origine)
SELECT row_number() OVER (ORDER BY CASE WHEN j.n < ${HISTOIRE} THEN c.id END, j.n, c.id), c.id, date '${DEBUT}' + j.n,
       date '${DEBUT}' + j.n + time '06:00', date '${DEBUT}' + j.n + time '16:00', ${piecesParSession},
       10, 1 + j.n % 7 * 0.1, 1 + j.n % 5 * 0.1, 7, 70 + j.n % 17, 15, 15, c.nom || '/' || j.n || '.LOG', 'log'
  FROM centre_usinage c
  JOIN generate_series(0, 3000) j (n) ON
    CASE c.id WHEN ${CENTRES.ancien} THEN j.n < 1100 WHEN ${CENTRES.nouveau} THEN j.n BETWEEN 2220 AND 2225
              WHEN ${CENTRES.vide} THEN false ELSE j.n < (${SESSIONS} - 1100 - 6 + 1) / 2 END;
INSERT INTO session_production (id, centre_usinage_id, date_production, total_pieces, origine)
SELECT 100000 + n, 2 + n % 2, date '${DEBUT}' + n * 30, 5, 'manuel' FROM generate_series(1, 60) n;
SELECT setval(pg_get_serial_sequence('session_production', 'id'), 200000), setval(pg_get_serial_sequence('centre_usinage', 'id'), 100);
ANALYZE session_production;
`;

/**
 * Rows of one session each: `s.k` counts sessions from 0, `n` rows of a session from 1. The second depends on the
 * first, so that rows lie session by session, as imports write them.
 */
const parSession = (rows: number): string => `
  FROM (SELECT s.*, s.id - 1 AS k, date_production + time '06:00' AS debut FROM session_production s
         WHERE origine = 'log' ORDER BY s.id) s CROSS JOIN generate_series(1, ${rows} + 0 * s.id) n`;
const parSaisie = (rows: number): string => `
  FROM (SELECT s.*, s.id AS k, date_production + time '08:00' AS debut FROM session_production s
         WHERE origine = 'manuel' ORDER BY s.id) s CROSS JOIN generate_series(1, ${rows} + 0 * s.id) n`;

const pieces = (from: string, id: string, profil: string): string =>
  `INSERT INTO piece_production (id, centre_usinage_id, session_id, numero_piece, timestamp_production, details,
       job_profil_id, fichier_log_version_id, ligne)
   SELECT ${id}, s.centre_usinage_id, s.id, n, s.debut + n * interval '40 s', 'A' || n % 50, ${profil},
          nullif(s.k + 1, s.id + 1), n * 3 ${from}`;
const profils = (from: string, id: string): string =>
  `INSERT INTO job_profil (id, centre_usinage_id, session_id, numero, reference, longueur, couleur, timestamp_debut,
       fichier_log_version_id, ligne)
   SELECT ${id}, s.centre_usinage_id, s.id, n, (21500 + (n + s.k) % 40)::text, 3000 + n, (ARRAY['7016', '9016', NULL, '8019'])[n % 4 + 1],
          s.debut + n * interval '400 s', nullif(s.k + 1, s.id + 1), n * 30 ${from}`;
const periodes = (table: string, from: string, id: string): string =>
  `INSERT INTO ${table} (id, centre_usinage_id, session_id, numero, timestamp_debut, timestamp_fin, duree_secondes,
       fichier_log_version_id, ligne)
   SELECT ${id}, s.centre_usinage_id, s.id, n, s.debut + n * interval '660 s',
          s.debut + n * interval '660 s' + (n * 37 + s.k) % 300 * interval '1 s', (n * 37 + s.k) % 300,
          nullif(s.k + 1, s.id + 1), n * 40 ${from}`;

const DETAILS: readonly string[] = [
  pieces(
    parSession(piecesParSession),
    `s.k * ${piecesParSession} + n`,
    `s.k * ${profilsParSession} + (n - 1) / 10 + 1`,
  ),
  pieces(parSaisie(5), 's.k * 1000 + n', 'NULL'),
  profils(parSession(profilsParSession), `s.k * ${profilsParSession} + n`),
  profils(parSaisie(2), 's.k * 100 + n'),
  ...['periode_attente', 'periode_arret'].flatMap((table) => [
    periodes(table, parSession(periodesParSession), `s.k * ${periodesParSession} + n`),
    periodes(table, parSaisie(1), 's.k * 100 + n'),
  ]),
];

/** One version and one path a session, a prefix of each hundredth, quarantine, orders, runs, audit. */
const RESTE = `
INSERT INTO fichier_log_version (id, centre_usinage_id, sha256, taille, active, regles, encodage, lignes, lignes_evenements,
    lignes_autres, lignes_rejetees, lignes_ignorees, octets_evenements, octets_autres, octets_rejetes, octets_ignores,
    autres_evenements, premier_instant, dernier_instant)
SELECT s.id, s.centre_usinage_id, sha256(s.id::text::bytea), 150000 + s.id * 37 % 90000, true, '1', 'utf-8', 4000, 3000, 1000 - ${USINE.rejetsParVersion},
       ${USINE.rejetsParVersion}, 0, 100000 + s.id * 37 % 90000, 40000, 10000, 0,
       '{"MachineReady": [12, 1745990000, 1746010000], "LoadBar": [40, 1745990000, 1746010000]}',
       s.heure_premiere_piece, s.heure_derniere_piece
  FROM session_production s WHERE s.origine = 'log';
INSERT INTO fichier_log (id, centre_usinage_id, chemin, etat, version_id, taille, signature, premiere_vue, derniere_lecture)
SELECT v.id, v.centre_usinage_id, 'C' || v.centre_usinage_id || '/' || v.id || '.LOG', CASE WHEN v.id % 500 = 0 THEN 'erreur' ELSE 'lu' END,
       v.id, v.taille, 'x', v.dernier_instant, v.dernier_instant FROM fichier_log_version v;
INSERT INTO fichier_log_contenu (fichier_log_id, version_id, etat) SELECT id, id, 'active' FROM fichier_log_version;
INSERT INTO fichier_log_prefixe (fichier_log_id, sha256, taille, version_id)
SELECT v.id, sha256(('p' || v.id)::bytea), 1000, v.id FROM fichier_log_version v WHERE v.id % 100 = 0;
INSERT INTO fichier_log_jour (version_id, centre_usinage_id, jour, evenements)
SELECT s.id, s.centre_usinage_id, s.date_production, 3000 FROM session_production s WHERE s.origine = 'log';
INSERT INTO ligne_rejetee (version_id, centre_usinage_id, ligne, octet, raison, texte, longueur)
SELECT v.id, v.centre_usinage_id, n * 50, n * 2500,
       CASE WHEN n = 1 AND v.id % 300 = 0 THEN 'ligne_trop_longue' WHEN n % 3 = 0 THEN 'horodatage_invalide' ELSE 'sans_separateur' END,
       'ligne sans suite ' || n, 20
  FROM fichier_log_version v CROSS JOIN generate_series(1, ${USINE.rejetsParVersion}) n;
INSERT INTO commandes_volets_roulants (numero_commande, extension, status, date_modification, coffre, coffres, gestion_en_stock,
    origine, date_synchronisation)
SELECT (250000 + n / 2)::text, CASE WHEN n % 2 = 0 THEN '' ELSE 'A' END,
       CASE WHEN n % 1000 = 0 THEN 'Bloquée' ELSE (ARRAY['Planifiée', 'Fabriquée', 'Livrée'])[n % 3 + 1] END,
       date '2024-01-01' + n % 700, 'CF' || n % 30, ARRAY['CF' || n % 30, 'CG' || n % 90], n % 2,
       CASE WHEN n % 2000 = 0 THEN 'manuel' ELSE 'erp' END, CASE WHEN n % 2000 > 0 THEN now() END
  FROM generate_series(1, ${USINE.commandes}) n;
INSERT INTO execution (tache, etat, debut, fin, compteurs, hote, processus)
SELECT CASE WHEN n % 10 = 0 THEN 'sync' ELSE 'ingest' END, CASE WHEN n % 400 = 0 THEN 'echouee' ELSE 'reussie' END,
       timestamptz '2024-01-01' + n * interval '50 min', timestamptz '2024-01-01' + n * interval '50 min' + interval '9 s',
       '{"fichiersLus": 3, "sessionsCreees": 2}', 'usine', 1
  FROM generate_series(1, ${USINE.executions}) n;
UPDATE execution SET declencheur = CASE WHEN id % 10 = 0 THEN 'planifie' WHEN id % 999 = 0 THEN 'demande' ELSE 'suivi' END,
       travail = CASE WHEN id % 10 = 0 THEN gen_random_uuid() END, echeance = CASE WHEN id % 10 = 0 THEN debut END;
INSERT INTO alerte (regle, objet, gravite, etat, message, debut, ouverte_le, derniere_vue, fin, dernier_avis)
SELECT CASE WHEN n % 50 = 0 THEN 'disque_court' ELSE 'machine_silencieuse' END, 'C' || n % 5,
       CASE WHEN n % 50 = 0 THEN 'critique' ELSE 'attention' END,
       CASE WHEN n > ${USINE.alertes} - 5 THEN 'ouverte' ELSE 'resolue' END, 'Rien depuis deux heures', t, t, t,
       CASE WHEN n <= ${USINE.alertes} - 5 THEN t + interval '1 hour' END, t
  FROM generate_series(1, ${USINE.alertes}) n, LATERAL (SELECT timestamptz '2020-01-01' + n * interval '2 hours' AS t) i;
INSERT INTO alerte_envoi (alerte_id, canal, genre, contenu, etat, prochain_essai, envoye_le, date_creation)
SELECT id, 'mail', genre, '{}', 'envoye', debut, debut, debut
  FROM alerte, unnest(ARRAY['ouverture', 'retablissement']) genre;
INSERT INTO journal_audit (evenement, cible, details)
SELECT 'export', 'pieces-production', '{"lignes": 100}' FROM generate_series(1, ${USINE.audit}) n;
`;
