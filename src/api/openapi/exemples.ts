/** Examples: those that schemas give, and for what gives none one that fits. */
import { PREFIXE_SCHEMA, type Schema } from './types.ts';

const UUID = '018f2c1e-6f4b-4c1a-9a57-0d3e5b7a9c11';
const SHA256 = '4f0c52f5a6f0a1f1c7a0b8d9e3c24b6f5d1e7a3908b2c4d6e8f0a1b2c3d4e5f6';

/** By name of the field, where its type alone would give a number or a word that says nothing: one day of one machine. */
const PAR_NOM: Readonly<Record<string, unknown>> = {
  id: 25,
  centre_usinage_id: 1,
  session_id: 25,
  job_profil_id: 3,
  fichier_id: 12,
  limit: 100,
  skip: 0,
  nom: 'DEM12',
  type_cu: 'PVC',
  description: 'Atelier 2',
  actif: true,
  date_production: '2025-06-30',
  heure_premiere_piece: '2025-06-30T05:23:14+02:00',
  heure_derniere_piece: '2025-06-30T21:07:23+02:00',
  heure_premier_machine_start: '2025-06-30T05:21:40+02:00',
  heure_dernier_machine_stop: '2025-06-30T21:10:02+02:00',
  total_pieces: 1408,
  nombre_sessions: 22,
  duree_production_totale: 15.7358,
  temps_production_effectif: 11.3939,
  temps_attente: 2.4428,
  temps_arret_volontaire: 1.8992,
  taux_occupation: 72.41,
  taux_occupation_moyen: 72.41,
  taux_attente: 15.52,
  taux_arret_volontaire: 12.07,
  fichier_log_source: 'DEM12/20250630.LOG',
  reference: '215023',
  longueur: 3359,
  couleur: '7016 G ALU',
  numero: 1,
  numero_piece: 1,
  details: 'A1',
  timestamp_production: '2025-05-28T06:12:00+02:00',
  timestamp_debut: '2025-05-28T06:12:00+02:00',
  timestamp_fin: '2025-05-28T06:14:27+02:00',
  duree_secondes: 147,
  numero_commande: '25001234',
  extension: 'A',
  status: 'Planifiée',
  coffre: 'CF180',
  coffres: ['CF180'],
  tache: 'ingest',
  chemin: 'DEM12/20250630.LOG',
  sha256: SHA256,
  ligne: 1537,
  octet: 48_213,
  raison: 'horodatage',
  texte: '20250630 25:61:00|@StukUitgevoerd: A',
  erreur: null,
  note: null,
  pourquoi: null,
  compte_secondes: 147,
  hors_fenetre_secondes: 0,
  dans_un_arret_secondes: 0,
  deja_compte_secondes: 0,
  jours_avec_deux_origines: 0,
  valeur: 1408,
  nombre: 12,
  taille: 96_411,
  inclure: 'job_profils,periodes_arret',
  tables: 'sessions,commandes-volets',
  access_token: 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI…',
  error: 'invalid_grant',
  error_description: 'Nom ou mot de passe incorrect.',
  cursor: 'WyJpZCIsWyIxMDAiXV0',
};

const PAR_FORMAT: Readonly<Record<string, unknown>> = {
  date: '2025-05-28',
  'date-time': '2025-05-28T06:12:00+02:00',
  uuid: UUID,
  email: 'marie.dupont@exemple.test',
};

type Schemas = Readonly<Record<string, Schema>>;

/**
 * A value that a schema takes: its own example where it has one.
 *
 * @param nom name of the field that it is of
 */
export function exempleDe(schema: Schema, schemas: Schemas, nom = ''): unknown {
  if (schema.$ref !== undefined) {
    return exempleDe(schemas[schema.$ref.slice(PREFIXE_SCHEMA.length)] ?? {}, schemas, nom);
  }
  const known = PAR_NOM[nom];
  // A date is an example of its kind, not of this field.
  if (known !== undefined && schema.format?.startsWith('date') && convient(known, schema)) return known;
  if (schema.examples !== undefined && schema.examples.length > 0) return schema.examples[0];
  if (schema.const !== undefined) return schema.const;
  if (schema.default !== undefined) return schema.default;
  if (schema.allOf) return Object.assign({}, ...schema.allOf.map((part) => exempleDe(part, schemas, nom)));
  const [first] = schema.anyOf ?? schema.oneOf ?? [];
  if (first) return exempleDe(first, schemas, nom);
  if (nom === 'tri' && schema.pattern !== undefined) return exempleDeTri(schema.pattern);
  if (known !== undefined && convient(known, schema)) return known;
  if (schema.enum !== undefined) return schema.enum[0];
  if (schema.format !== undefined && schema.format in PAR_FORMAT) return PAR_FORMAT[schema.format];
  return parType(schema, schemas, nom);
}

/** Of an order: by the second column there is, the first being mostly `id`. */
function exempleDeTri(pattern: string): string {
  const columns = /\(([^)]*)\)/.exec(pattern)?.[1]?.split('|') ?? [];
  return `-${columns[1] ?? columns[0] ?? 'id'}`;
}

function parType(schema: Schema, schemas: Schemas, nom: string): unknown {
  switch (typesDe(schema)[0]) {
    case 'object':
      return Object.fromEntries(
        Object.entries(schema.properties ?? {}).map(([key, property]) => [
          key,
          exempleDe(property, schemas, key),
        ]),
      );
    case 'array':
      // The name of a list is the name of what is in it, but for its « s ».
      return schema.items && schema.maxItems !== 0
        ? [exempleDe(schema.items, schemas, nom.replace(/s$/, ''))]
        : [];
    case 'integer':
    case 'number':
      return Math.max(schema.minimum ?? 1, Math.min(1, schema.maximum ?? 1));
    case 'boolean':
      return true;
    case 'string':
      return ['texte'.slice(0, schema.maxLength), SHA256, '12-345'].find((text) => convient(text, schema));
    default:
      return null;
  }
}

function typesDe(schema: Schema): string[] {
  return schema.type === undefined ? [] : [schema.type].flat();
}

/** Whether a known value is of the type, and one of the values, that the schema wants. */
function convient(value: unknown, schema: Schema): boolean {
  if (schema.enum !== undefined) return schema.enum.includes(value);
  if (schema.pattern !== undefined && !new RegExp(schema.pattern, 'u').test(String(value))) return false;
  const types = typesDe(schema);
  if (value === null) return types.includes('null');
  if (Array.isArray(value)) return types.includes('array');
  if (typeof value === 'number') {
    return types.includes('number') || (types.includes('integer') && Number.isInteger(value));
  }
  return types.includes(typeof value);
}
