/** LOG files and quarantine as the API reads them; states as in `atelier fichiers` and `atelier rejets`. */
import type { ColonneTriee, TableLue } from './table-lue.ts';
import { CENTRE, egal, TYPE_CU, tri } from './tables.ts';

/** What a path is: `v` is the version that holds the bytes it had when it was last read. */
const ETAT = `CASE WHEN t.etat = 'erreur' THEN 'erreur' WHEN v.ecartee IS NOT NULL THEN 'ecarte'
      WHEN t.taille < v.taille THEN 'prefixe'
      WHEN NOT EXISTS (SELECT 1 FROM fichier_log_contenu k
                        WHERE k.fichier_log_id = t.id AND k.version_id = v.id AND k.etat = 'active') THEN 'remplace'
      ELSE 'lu' END`;
/** Of a path that is shorter than its version, the hash of what it really holds. */
const SHA256 = `encode(CASE WHEN t.taille < v.taille
      THEN (SELECT p.sha256 FROM fichier_log_prefixe p
             WHERE p.fichier_log_id = t.id AND p.version_id = v.id AND p.taille = t.taille LIMIT 1)
      ELSE v.sha256 END, 'hex')`;

/** Absent while a path was never read. */
const deVersion = (...colonnes: string[]): Record<string, ColonneTriee> =>
  Object.fromEntries(colonnes.map((nom) => [nom, { sql: `v.${nom}`, nullable: true as const }]));

export const FICHIERS: TableLue = {
  nom: 'fichier_log',
  from: 'fichier_log t LEFT JOIN fichier_log_version v ON v.id = t.version_id',
  colonnes: [
    ['id'],
    ['centre_usinage_id'],
    ['chemin'],
    ['etat', ETAT],
    ['taille'],
    ['encodage', 'v.encodage'],
    ['lignes', 'v.lignes'],
    ['lignes_evenements', 'v.lignes_evenements'],
    ['lignes_autres', 'v.lignes_autres'],
    ['lignes_rejetees', 'v.lignes_rejetees'],
    ['lignes_ignorees', 'v.lignes_ignorees'],
    ['premier_instant', 'v.premier_instant'],
    ['dernier_instant', 'v.dernier_instant'],
    ['versions', '(SELECT count(*) FROM fichier_log_contenu k WHERE k.fichier_log_id = t.id)'],
    ['sha256', SHA256],
    ['premiere_vue'],
    ['derniere_lecture'],
    ['erreur', 'coalesce(t.erreur, v.ecartee)'],
  ],
  filtres: {
    centre_usinage_id: CENTRE,
    type_cu: TYPE_CU,
    etat: { sql: `${ETAT} = $::text` },
    chemin: egal('chemin', 'text'),
  },
  tri: {
    ...tri('id', 'centre_usinage_id', 'chemin', 'taille', 'premiere_vue', 'derniere_lecture'),
    ...deVersion('lignes', 'lignes_rejetees', 'premier_instant', 'dernier_instant'),
  },
};

/**
 * `n`: of the paths that hold a version, the one that a list names. A join, not a value of each row: lines come by
 * version, so that PostgreSQL looks a path up once a version, also for a million lines.
 */
const NOM = `LEFT JOIN LATERAL (SELECT f.id, f.chemin FROM fichier_log_contenu k JOIN fichier_log f ON f.id = k.fichier_log_id
      WHERE k.version_id = t.version_id AND k.etat = 'active' ORDER BY f.chemin LIMIT 1) n ON true`;

/**
 * Restrictions by centre are restrictions of versions: both indexes of the quarantine (by version and line, and the
 * same by reason) then give the rows in the order of the list, whatever is asked for.
 */
const versions = (where: string): { sql: string } => ({
  sql: `t.version_id = ANY (ARRAY(SELECT w.id FROM fichier_log_version w ${where}))`,
});

/** Only lines of versions that count. */
const COMPTEES = 'ligne_rejetee t JOIN fichier_log_version v ON v.id = t.version_id AND v.active';

export const REJETS: TableLue = {
  nom: 'ligne_rejetee',
  from: `${COMPTEES} ${NOM}`,
  fromCompte: COMPTEES,
  colonnes: [
    ['id', "t.version_id || '-' || t.ligne"],
    ['centre_usinage_id'],
    ['fichier_id', 'n.id'],
    ['fichier', 'n.chemin'],
    ['sha256', "encode(v.sha256, 'hex')"],
    ['ligne'],
    ['octet'],
    ['raison'],
    ['texte'],
    ['longueur'],
  ],
  filtres: {
    centre_usinage_id: versions('WHERE w.centre_usinage_id = $::bigint'),
    type_cu: versions('JOIN centre_usinage c ON c.id = w.centre_usinage_id WHERE c.type_cu = $::text'),
    raison: egal('raison', 'text'),
    fichier_id: {
      sql: `t.version_id = ANY (ARRAY(SELECT k.version_id FROM fichier_log_contenu k
              WHERE k.fichier_log_id = $::bigint AND k.etat = 'active'))`,
    },
  },
  tri: {
    id: {
      sql: "t.version_id || '-' || t.ligne",
      parties: [
        { sql: 't.version_id', position: "split_part($, '-', 1)::int" },
        { sql: 't.ligne', position: "split_part($, '-', 2)::bigint" },
      ],
    },
    ...tri('raison'),
  },
};
