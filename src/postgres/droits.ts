import { type Client, type Queryable, transaction } from './pool.ts';

/** Advisory lock of this file: GRANTs of several processes at once would trip over one another. */
const LOCK = 4_711_000_013;

/** Roles of deploy/postgres/roles.sql; a database without them has one account for everything. */
type Role = 'atelier_service' | 'atelier_api' | 'atelier_lecture';

/** What a reader of figures may see, with the columns when not all of them. Anything not named here stays hidden. */
const LECTURE: Readonly<Record<string, readonly string[] | 'tout'>> = {
  centre_usinage: 'tout',
  session_production: 'tout',
  piece_production: 'tout',
  job_profil: 'tout',
  periode_attente: 'tout',
  periode_arret: 'tout',
  commandes_volets_roulants: 'tout',
  commande_historique: 'tout',
  type_evenement: 'tout',
  fichier_log: 'tout',
  fichier_log_contenu: 'tout',
  fichier_log_version: 'tout',
  fichier_log_jour: 'tout',
  jour_a_recalculer: 'tout',
  // Never the text of a line, which nobody has looked at, nor who asked for a run.
  ligne_rejetee: ['version_id', 'centre_usinage_id', 'ligne', 'octet', 'raison', 'longueur'],
  execution: ['id', 'tache', 'etat', 'debut', 'fin', 'compteurs', 'declencheur', 'echeance', 'tentative'],
  alerte: ['id', 'regle', 'objet', 'gravite', 'etat', 'message', 'debut', 'derniere_vue', 'fin'],
  planification: 'tout',
  purge: 'tout',
};

/**
 * Gives each role of deploy/postgres/roles.sql its rights on the tables that are there now: to be called by the owner
 * of the schema after migrations. Does nothing for roles that do not exist, nor when someone else calls it.
 */
export async function accorderDroits(client: Client): Promise<void> {
  await transaction(client, async () => {
    await client.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
    const { rows } = await client.query<{ nom: Role }>(
      `SELECT rolname AS nom FROM pg_roles
        WHERE rolname IN ('atelier_service', 'atelier_api', 'atelier_lecture')
          AND rolname <> current_user
          AND (SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass('public.migration'))
        ORDER BY 1`,
    );
    const roles = rows.map((row) => row.nom);
    const writers = roles.filter((role) => role !== 'atelier_lecture');
    if (writers.length > 0) {
      await grantWriters(client, writers);
      await keepAudit(client, writers);
    }
    if (roles.includes('atelier_lecture')) await grantReader(client);
  });
}

async function grantWriters(client: Client, writers: readonly Role[]): Promise<void> {
  const to = writers.join(', ');
  const { rows } = await client.query<{ nom: string }>(
    "SELECT nspname AS nom FROM pg_namespace WHERE nspname IN ('public', 'pgboss') ORDER BY 1",
  );
  for (const { nom } of rows) {
    await client.query(`GRANT USAGE ON SCHEMA ${nom} TO ${to}`);
    await client.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${nom} TO ${to}`);
    await client.query(`GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA ${nom} TO ${to}`);
  }
  // PostgreSQL lets everybody call a new function.
  for (const { nom } of await ownRoutines(client)) {
    await client.query(`REVOKE ALL ON ROUTINE ${nom} FROM PUBLIC`);
    await client.query(`GRANT EXECUTE ON ROUTINE ${nom} TO ${to}`);
  }
  // What was applied is the migrator's to say.
  await client.query(`REVOKE INSERT, UPDATE, DELETE ON migration FROM ${to}`);
}

/** Who may call functions that have the owner's rights (migration 0011), when not all writers. */
const SERVICE_ONLY = ['oublier_audit(uuid, uuid, uuid[])', 'purger_audit(timestamptz, integer)'];

/**
 * Nobody but the owner writes into the audit log or its chain: programs ask functions for it, which say when it was, and
 * the API can neither cut lines from their account nor purge them.
 */
async function keepAudit(client: Client, writers: readonly Role[]): Promise<void> {
  const to = writers.join(', ');
  await client.query(`REVOKE INSERT, UPDATE, DELETE ON journal_audit, audit_maillon FROM ${to}`);
  // A backup still reads it.
  await client.query(`REVOKE USAGE, UPDATE ON SEQUENCE journal_audit_id_seq FROM ${to}`);
  if (!writers.includes('atelier_api')) return;
  for (const nom of SERVICE_ONLY) await client.query(`REVOKE ALL ON FUNCTION ${nom} FROM atelier_api`);
}

async function grantReader(client: Client): Promise<void> {
  await client.query('REVOKE ALL ON ALL TABLES IN SCHEMA public FROM atelier_lecture');
  await client.query('GRANT USAGE ON SCHEMA public TO atelier_lecture');
  const { rows } = await client.query<{ table: string; colonnes: string[] }>(
    `SELECT table_name AS table, array_agg(column_name::text) AS colonnes
       FROM information_schema.columns WHERE table_schema = 'public' AND table_name = ANY($1) GROUP BY 1 ORDER BY 1`,
    [Object.keys(LECTURE)],
  );
  for (const { table, colonnes } of rows) {
    const shown = LECTURE[table]!;
    const there = shown === 'tout' ? shown : shown.filter((name) => colonnes.includes(name));
    if (there.length === 0) continue;
    const columns = there === 'tout' ? '' : ` (${there.join(', ')})`;
    await client.query(`GRANT SELECT${columns} ON ${table} TO atelier_lecture`);
  }
}

/** Functions of ours in both schemas, as SQL writes them. */
async function ownRoutines(client: Client): Promise<readonly { readonly nom: string }[]> {
  const { rows } = await client.query<{ nom: string }>(
    `SELECT oid::regprocedure::text AS nom FROM pg_proc
      WHERE pronamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('public', 'pgboss')) AND prokind IN ('f', 'p')
        AND pg_has_role(proowner, 'USAGE')
        AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid AND deptype = 'e')
      ORDER BY 1`,
  );
  return rows;
}

/** What the reader's role may do although it only reads, by how a person would say it. */
const TROP: readonly (readonly [quoi: string, condition: string])[] = [
  ['prendre des verrous nommés', callable('pg_(try_)?advisory_.*')],
  ['faire de grands objets', callable('lo_.*|loread|lowrite')],
  ['annoncer par pg_notify', callable('pg_notify')],
  ['écrire au journal des transactions', callable('pg_logical_emit_message')],
  ['lancer des programmes (DO)', "has_language_privilege('atelier_lecture', 'plpgsql', 'USAGE')"],
  [
    'faire des tables temporaires',
    "has_database_privilege('atelier_lecture', current_database(), 'TEMPORARY')",
  ],
  ['faire des objets dans public', "has_schema_privilege('atelier_lecture', 'public', 'CREATE')"],
  [
    'écrire dans des tables',
    `EXISTS (SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
        AND has_table_privilege('atelier_lecture', oid, 'INSERT, UPDATE, DELETE, TRUNCATE'))`,
  ],
  ['ouvrir autant de connexions qu’il veut', 'r.rolconnlimit < 0'],
  ['remplir le disque de fichiers temporaires', unset('temp_file_limit')],
  ['lire sans limite de temps', unset('statement_timeout')],
  [
    'prendre les droits d’un autre rôle',
    'r.rolsuper OR r.rolcreaterole OR EXISTS (SELECT FROM pg_auth_members WHERE member = r.oid)',
  ],
  [
    'entrer dans d’autres bases de ce serveur',
    `EXISTS (SELECT FROM pg_database WHERE datallowconn AND datname <> current_database()
        AND has_database_privilege('atelier_lecture', datname, 'CONNECT'))`,
  ],
];

function callable(names: string): string {
  return `EXISTS (SELECT FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND proname ~ '^(${names})$'
    AND has_function_privilege('atelier_lecture', oid, 'EXECUTE'))`;
}

function unset(setting: string): string {
  return `NOT EXISTS (SELECT FROM unnest(r.rolconfig) c WHERE c LIKE '${setting}=%')`;
}

/**
 * What the role that reads for dashboards could still do to others; undefined when there is no such role.
 *
 * @returns French infinitives
 */
export async function lectureEnTrop(db: Queryable): Promise<string[] | undefined> {
  const checks = TROP.map(([, condition]) => `(${condition})`).join(', ');
  const { rows } = await db.query<{ trop: boolean[] }>(
    `SELECT ARRAY[${checks}] AS trop FROM pg_roles r WHERE r.rolname = 'atelier_lecture'`,
  );
  return rows[0] && TROP.flatMap(([quoi], i) => (rows[0]!.trop[i] ? [quoi] : []));
}
