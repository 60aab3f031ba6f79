import type { Pool } from '../../src/postgres/pool.ts';
import type { ReferenceState } from '../reference/reference.ts';

const iso = (column: string): string =>
  `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
const source = (version: string, ligne: string): string =>
  `json_build_object('sha256', (SELECT encode(v.sha256, 'hex') FROM fichier_log_version v WHERE v.id = ${version}), 'ligne', ${ligne})`;
/** Rows of one detail table of session `s`, in the order of their number. */
const details = (table: string, number: string, columns: string): string =>
  `coalesce((SELECT json_agg(json_build_object('numero', d.${number}, ${columns}) ORDER BY d.${number})
     FROM ${table} d WHERE d.session_id = s.id AND d.centre_usinage_id = s.centre_usinage_id), '[]')`;
const PERIOD = `'timestamp_debut', ${iso('d.timestamp_debut')}, 'timestamp_fin', ${iso('d.timestamp_fin')},
  'duree_secondes', trim_scale(d.duree_secondes)::text, 'source', ${source('d.fichier_log_version_id', 'd.ligne')}`;

const SESSIONS = `
  SELECT c.nom AS centre, s.date_production::text AS date_production,
    ${iso('s.heure_premiere_piece')} AS heure_premiere_piece,
    ${iso('s.heure_derniere_piece')} AS heure_derniere_piece,
    ${iso('s.heure_premier_machine_start')} AS heure_premier_machine_start,
    ${iso('s.heure_dernier_machine_stop')} AS heure_dernier_machine_stop,
    s.total_pieces, s.duree_production_totale::text, s.temps_attente::text, s.temps_arret_volontaire::text,
    s.temps_production_effectif::text, s.taux_occupation::text, s.taux_attente::text, s.taux_arret_volontaire::text,
    s.fichier_log_source,
    ${details(
      'job_profil',
      'numero',
      `'timestamp_debut', ${iso('d.timestamp_debut')}, 'reference', d.reference, 'longueur', d.longueur::text,
       'couleur', d.couleur, 'source', ${source('d.fichier_log_version_id', 'd.ligne')}`,
    )} AS job_profils,
    ${details('periode_attente', 'numero', PERIOD)} AS periodes_attente,
    ${details('periode_arret', 'numero', `${PERIOD}, 'fin', ${source('d.fichier_log_version_fin_id', 'd.ligne_fin')}`)}
      AS periodes_arret,
    ${details(
      'piece_production',
      'numero_piece',
      `'timestamp_production', ${iso('d.timestamp_production')}, 'details', d.details,
       'job_profil', (SELECT j.numero FROM job_profil j WHERE j.id = d.job_profil_id),
       'source', ${source('d.fichier_log_version_id', 'd.ligne')}`,
    )} AS pieces
  FROM session_production s JOIN centre_usinage c ON c.id = s.centre_usinage_id
  WHERE s.origine = 'log' ORDER BY c.nom COLLATE "C", s.date_production`;
const REJETS = `
  SELECT c.nom AS centre, encode(v.sha256, 'hex') AS sha256, r.ligne, r.raison, r.texte
    FROM ligne_rejetee r JOIN fichier_log_version v ON v.id = r.version_id
    JOIN centre_usinage c ON c.id = v.centre_usinage_id
   WHERE v.active ORDER BY c.nom COLLATE "C", v.sha256, r.ligne`;
const AUTRES = `
  SELECT c.nom AS centre, t.nom, t.nombre, ${iso('t.premiere_vue')} AS premier, ${iso('t.derniere_vue')} AS dernier
    FROM type_evenement t JOIN centre_usinage c ON c.id = t.centre_usinage_id
   ORDER BY c.nom COLLATE "C", t.nom COLLATE "C"`;
const VERSIONS = `
  SELECT c.nom AS centre, encode(v.sha256, 'hex') AS sha256, v.taille AS octets, v.lignes,
         v.lignes_evenements AS evenements, v.lignes_autres AS autres, v.lignes_rejetees AS rejets,
         v.lignes_ignorees AS ignorees
    FROM fichier_log_version v JOIN centre_usinage c ON c.id = v.centre_usinage_id
   WHERE v.active ORDER BY c.nom COLLATE "C", v.sha256`;

/** What the tables say, in the shape of the independent reference: the two must be equal. */
export async function dumpState(pool: Pool): Promise<ReferenceState> {
  const rows = async (sql: string): Promise<never[]> => (await pool.query(sql)).rows as never[];
  return {
    sessions: await rows(SESSIONS),
    rejets: await rows(REJETS),
    autres: await rows(AUTRES),
    versions: await rows(VERSIONS),
  };
}
