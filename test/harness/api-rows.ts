import type { z } from 'zod';
import { centreUsinage } from '../../src/api/schemas/centres.ts';
import { commandeVolet } from '../../src/api/schemas/commandes.ts';
import { jobProfil } from '../../src/api/schemas/job-profils.ts';
import { periodeArret, periodeAttente } from '../../src/api/schemas/periodes.ts';
import { pieceProduction } from '../../src/api/schemas/pieces.ts';
import { sessionProduction } from '../../src/api/schemas/sessions.ts';
import type { ApiDEssai } from './api.ts';
import type { Json, Requests, Row } from './api-requests.ts';

/** A resource of the contract, as tests write and read it. */
export interface Noun {
  readonly nom: string;
  readonly row: z.ZodObject;
  /** fields of an answer, in the order of the specification */
  readonly fields: readonly string[];
  /** a body that can be posted; `n` tells several of a kind apart */
  readonly body: (places: Places, n: number) => Json;
  /** a change, and a field of free text with its longest length */
  readonly change: Json;
  readonly text: { readonly field: string; readonly max: number };
}

/** Rows entered by hand that others hang on. */
export interface Places {
  readonly centre: number;
  readonly session: number;
}

const at = (n: number, minutes = 0): string =>
  new Date(Date.UTC(2025, 4, 28, 4, 10 + n * 2 + minutes)).toISOString();
const period = {
  fields: ['id', 'session_id', 'timestamp_debut', 'timestamp_fin', 'duree_secondes', 'date_creation'],
  body: ({ session }: Places, n: number): Json => ({
    session_id: session,
    timestamp_debut: at(n),
    timestamp_fin: at(n, 1),
  }),
  change: { timestamp_fin: '2025-05-28T23:00:00+02:00' },
};

export const NOUNS: readonly (Omit<Noun, 'text'> & { text?: Noun['text'] })[] = [
  {
    nom: 'centres',
    row: centreUsinage,
    fields: ['id', 'nom', 'type_cu', 'description', 'actif', 'date_creation'],
    body: (_places, n) => ({ nom: `CENTRE ${n}`, type_cu: 'PVC', description: null }),
    change: { actif: false },
    text: { field: 'description', max: 2000 },
  },
  {
    nom: 'sessions',
    row: sessionProduction,
    fields: [
      ...['id', 'centre_usinage_id', 'date_production', 'heure_premiere_piece', 'heure_derniere_piece'],
      ...['heure_premier_machine_start', 'heure_dernier_machine_stop', 'total_pieces'],
      ...['duree_production_totale', 'temps_attente', 'temps_arret_volontaire', 'temps_production_effectif'],
      ...['taux_occupation', 'taux_attente', 'taux_arret_volontaire'],
      ...['fichier_log_source', 'origine', 'date_creation'],
    ],
    body: ({ centre }, n) => ({
      centre_usinage_id: centre,
      date_production: new Date(Date.UTC(2025, 5, 1 + n)).toISOString().slice(0, 10),
      total_pieces: n,
    }),
    change: { total_pieces: 99 },
    text: { field: 'fichier_log_source', max: 1000 },
  },
  {
    nom: 'job-profils',
    row: jobProfil,
    fields: ['id', 'session_id', 'reference', 'longueur', 'couleur', 'timestamp_debut', 'date_creation'],
    body: ({ session }, n) => ({
      ...{ session_id: session, reference: `21502${n % 10}`, longueur: 3359.25 + n },
      timestamp_debut: at(n),
    }),
    change: { longueur: 2000 },
    text: { field: 'couleur', max: 200 },
  },
  { nom: 'periodes-attente', row: periodeAttente, ...period },
  { nom: 'periodes-arret', row: periodeArret, ...period },
  {
    nom: 'pieces-production',
    row: pieceProduction,
    fields: [
      ...['id', 'session_id', 'numero_piece', 'timestamp_production', 'details', 'job_profil_id'],
      'date_creation',
    ],
    body: ({ session }, n) => ({ session_id: session, timestamp_production: at(n), details: `A${n}` }),
    change: { timestamp_production: '2025-05-28T07:00:00.123456+02:00' },
    text: { field: 'details', max: 2000 },
  },
  {
    nom: 'commandes-volets',
    row: commandeVolet,
    fields: [
      ...['id', 'numero_commande', 'extension', 'status', 'date_modification', 'coffre', 'coffres'],
      ...['gestion_en_stock', 'origine', 'date_creation', 'date_synchronisation'],
    ],
    body: (_places, n) => ({
      ...{ numero_commande: `2500${n}`, extension: 'A', status: 'Planifiée' },
      ...{ date_modification: '2025-05-28', coffre: 'CF180' },
    }),
    change: { gestion_en_stock: 1 },
    text: { field: 'status', max: 200 },
  },
];

/** The resource of that name. */
export function noun(nom: string): (typeof NOUNS)[number] {
  return NOUNS.find((one) => one.nom === nom)!;
}

/** A centre with a session entered by hand. */
export async function makePlaces(requests: Requests, nom: string): Promise<Places> {
  const centre = await requests.post<Row>('/centres/', { nom, type_cu: 'PVC' });
  const session = await requests.post<Row>('/sessions/', {
    centre_usinage_id: centre.id,
    date_production: '2025-05-28',
  });
  return { centre: centre.id, session: session.id };
}

/** Ids of rows as an import would have made them: a session with two of each detail, and an order of the ERP. */
export interface Derived {
  readonly centre: number;
  readonly session: number;
  /** the first row of each resource */
  readonly rows: Readonly<Record<string, number>>;
}

export async function makeDerived({ pool }: ApiDEssai, nom: string): Promise<Derived> {
  const id = async (sql: string, values: unknown[]): Promise<number> =>
    (await pool.query<{ id: number }>(sql, values)).rows[0]!.id;
  const centre = await id("INSERT INTO centre_usinage (nom, type_cu) VALUES ($1, 'ALU') RETURNING id", [nom]);
  const session = await id(
    `INSERT INTO session_production (centre_usinage_id, date_production, total_pieces, origine)
     VALUES ($1, '2025-05-28', 2, 'log') RETURNING id`,
    [centre],
  );
  const many = async (table: string, columns: string, values: string): Promise<number> =>
    id(
      `WITH faites AS (
         INSERT INTO ${table} (centre_usinage_id, session_id, ${columns})
         SELECT $1, $2, ${values} FROM generate_series(1, 2) n RETURNING id) SELECT min(id) AS id FROM faites`,
      [centre, session],
    );
  const debut = "timestamptz '2025-05-28 06:12:00+02' + n * interval '1 minute'";
  const profil = await many(
    'job_profil',
    'numero, reference, longueur, timestamp_debut',
    `n, '215023', 3359, ${debut}`,
  );
  const attente = await many(
    'periode_attente',
    'numero, timestamp_debut, timestamp_fin, duree_secondes',
    `n, ${debut}, ${debut} + interval '30 s', 30`,
  );
  const arret = await many(
    'periode_arret',
    'numero, timestamp_debut, timestamp_fin, duree_secondes',
    `n, ${debut}, ${debut} + interval '30 s', 30`,
  );
  const piece = await many('piece_production', 'numero_piece, timestamp_production', `n, ${debut}`);
  const commande = await id(
    `INSERT INTO commandes_volets_roulants (numero_commande, status, date_modification, coffre, coffres, origine, date_synchronisation)
     VALUES ($1, 'Planifiée', '2025-05-28', 'CF1', '{CF1}', 'erp', now()) RETURNING id`,
    [`erp ${nom}`],
  );
  return {
    centre,
    session,
    rows: {
      ...{ sessions: session, 'job-profils': profil, 'periodes-attente': attente, 'periodes-arret': arret },
      ...{ 'pieces-production': piece, 'commandes-volets': commande },
    },
  };
}
