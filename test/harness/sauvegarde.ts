// What the tests of backups share: a workshop with rows of every kind, and looks at whole databases.

import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Depot, type Sauvegarde } from '../../src/archives/sauvegarde/depot.ts';
import { loadConfig } from '../../src/base/config.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { type BilanRestauration, type RestaurationOptions, restaurer } from '../../src/jobs/restauration.ts';
import { clesDeSauvegarde } from '../../src/jobs/sauvegarde/cles.ts';
import {
  type BilanSauvegarde,
  type SauvegardeContext,
  type SauvegardeOptions,
  sauvegarder,
} from '../../src/jobs/sauvegarde.ts';
import { createPool, type Pool } from '../../src/postgres/pool.ts';
import { createWorkshop, type Workshop } from './ingest.ts';
import { createDatabase, type TestDatabase } from './postgres.ts';
import { growTree, writeTree } from './tree.ts';

/** Planted in the logs: to be found where it may be, and nowhere else. */
export const MARQUEUR = 'Piece-Marquee-7c2f';
/** Texts that a careless dump would spoil. */
const TEXTES = [
  'a\tb\nc\\d\r\\.',
  '\\.',
  'l’été, 10 €, ½, 🪟, \'quote\' "double"',
  '-- atelier copie piece_production\nCOPY x FROM stdin;\n\\.\n',
  '\\N',
  '',
  '{"a": [1, "\\u00e9"]}',
  '$$ $fonction$ ; BEGIN; ROLLBACK;',
];

export interface Etabli {
  readonly atelier: Workshop;
  /** SAUVEGARDE_DIR */
  readonly depot: string;
  readonly home: string;
  /** context of a backup; settings as in the environment */
  contexte(settings?: Readonly<Record<string, string>>): SauvegardeContext;
  sauvegarder(
    options?: SauvegardeOptions,
    settings?: Readonly<Record<string, string>>,
  ): Promise<Exclude<BilanSauvegarde, { etat: 'ignoree' }>>;
  /** an empty database, dropped at the end */
  base(options?: { template?: boolean }): Promise<TestDatabase & { readonly pool: Pool }>;
  restaurer(
    nom: string,
    options: Partial<RestaurationOptions> & { url: string },
    settings?: Readonly<Record<string, string>>,
  ): Promise<BilanRestauration>;
  close(): Promise<void>;
}

export async function monter(): Promise<Etabli> {
  const atelier = await createWorkshop();
  const home = await mkdtemp(join(tmpdir(), 'atelier-sauvegarde-'));
  const depot = join(home, 'sauvegardes');
  const closers: (() => Promise<unknown>)[] = [];
  const config = (settings: Readonly<Record<string, string>> = {}) =>
    loadConfig({
      DATABASE_URL: atelier.url,
      LOGS_DIR: atelier.logs,
      ARCHIVES_DIR: atelier.archives,
      SAUVEGARDE_DIR: depot,
      ...settings,
    });
  const contexte: Etabli['contexte'] = (settings) => ({ ...atelier.context, config: config(settings) });
  return {
    ...{ atelier, depot, home, contexte },
    async sauvegarder(options, settings) {
      const bilan = await sauvegarder(contexte(settings), options);
      if (bilan.etat === 'ignoree') throw new Error('backup ignored');
      return bilan;
    },
    async base(options = { template: false }) {
      const database = await createDatabase(options);
      const pool = createPool(database.url, { logger: silentLogger(), max: 2 });
      // Not one of those who are in the way of a restoration.
      pool.options.application_name = 'lecteur';
      closers.push(async () => {
        await pool.end();
        await database.drop();
      });
      return { ...database, pool };
    },
    async restaurer(nom, options, settings = {}) {
      const own = config({ ARCHIVES_DIR: join(home, 'archives-restaurees'), ...settings });
      const cles = clesDeSauvegarde(own);
      const opened = await ouvrir(depot, nom, cles);
      const ctx = { ...atelier.context, config: own };
      return await restaurer(ctx, new Depot(depot, cles), opened, {
        cles,
        ...options,
      });
    },
    async close() {
      for (const close of closers.reverse()) await close();
      await atelier.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}

export async function ouvrir(depot: string, nom: string, cles: readonly Buffer[] = []): Promise<Sauvegarde> {
  return await new Depot(depot, cles).ouvrir(nom);
}

/** Imports logs of two centres, and puts rows into every other table that takes some by hand. */
export async function peupler({ atelier }: Etabli): Promise<void> {
  await writeTree(atelier.logs, 5, 30);
  await mkdir(join(atelier.logs, 'DEMALU'), { recursive: true });
  await writeFile(
    join(atelier.logs, 'DEMALU', '20251026.LOG'),
    `20251026 01:30:00|@StukUitgevoerd: ${MARQUEUR}\r\n20251026 02:30:00|@StukUitgevoerd: avant\r\n20251026 02:10:00|@StukUitgevoerd: après\r\nligne \\ cassée\t${MARQUEUR}\r\n`,
  );
  await atelier.import();
  await growTree(atelier.logs, 4, 9);
  await atelier.import();
  const pool = atelier.reader;
  const sql = async (text: string, values: unknown[] = []): Promise<void> =>
    void (await pool.query(text, values));
  for (const [i, texte] of TEXTES.entries()) {
    await sql(
      `INSERT INTO commandes_volets_roulants (numero_commande, extension, status, date_modification, coffre, coffres, gestion_en_stock)
       VALUES ($1, $2, $2, '2025-05-28', $2, ARRAY[$2, 'x'], 1)`,
      [`C${i}`, texte],
    );
    await sql(
      `INSERT INTO commande_historique (execution_id, commande_id, numero_commande, extension, motif, ancien_status) VALUES (1, $1, 'C', '', 'ajoutee', $2)`,
      [i, texte],
    );
    await sql(`INSERT INTO journal_audit (evenement, user_id, details) VALUES ('export', $1, $2)`, [
      randomUUID(),
      JSON.stringify({ texte }),
    ]);
  }
  await sql(`INSERT INTO cle_chiffrement (id, temoin) VALUES ('k1', $1)`, [randomBytes(60)]);
  for (const role of ['admin', 'lecteur']) {
    const id = randomUUID();
    await sql(
      `INSERT INTO "user" (id, username_chiffre, username_index, email_chiffre, email_index, cle_id, mot_de_passe, role)
       VALUES ($1, $2, $3, $4, $5, 'k1', '$argon2id$x', $6)`,
      [id, ancienne(40), randomBytes(32), ancienne(50), randomBytes(32), role],
    );
    await sql(
      `INSERT INTO cle_api (id, user_id, nom, empreinte, portees, date_fin) VALUES ($1, $2, 'Excel', $3, '{*:lire}', now() + interval '1 year')`,
      [randomUUID(), id, randomBytes(32)],
    );
    await sql(
      `INSERT INTO jeton_rafraichissement (id, user_id, famille, empreinte, version_jetons, expire) VALUES ($1, $2, $1, $3, 1, now() + interval '1 day')`,
      [randomUUID(), id, randomBytes(32)],
    );
  }
  await sql(
    `INSERT INTO tentative_connexion (cle, genre, echecs, dernier_echec, bloquee_jusqua) VALUES ($1, 'compte', 3, now(), 'infinity')`,
    [randomBytes(32)],
  );
  const centre = await pool.query<{ id: number }>('SELECT id FROM centre_usinage ORDER BY id LIMIT 1');
  await sql(
    `INSERT INTO session_production (centre_usinage_id, date_production, duree_production_totale, taux_occupation) VALUES ($1, '2024-02-29', 1.2345, 99.99)`,
    [centre.rows[0]!.id],
  );
}

/** As long as a name encrypted with the master key, and begins like one. */
function ancienne(length: number): Buffer {
  return Buffer.concat([Buffer.of(1), randomBytes(length - 1)]);
}

/** Tables that a restoration does not leave as they were saved, on purpose. */
export const CHANGEES = new Set([
  'audit_maillon',
  'execution',
  'journal_audit',
  'jeton_rafraichissement',
  'user',
  'installation',
  // A backup has no rows of these.
  'compte_cle',
  'reseau_connu',
  'tentative_connexion',
]);

/** Every row of every table, as text; by table. */
export async function toutesLesLignes(pool: Pool, schema = 'public'): Promise<Record<string, string[]>> {
  const { rows } = await pool.query<{ nom: string }>(
    `SELECT relname AS nom FROM pg_class WHERE relnamespace = $1::regnamespace AND relkind = 'r' ORDER BY 1`,
    [schema],
  );
  const all: Record<string, string[]> = {};
  for (const { nom } of rows) {
    const table = await pool.query<{ r: string }>(
      `SELECT to_jsonb(t)::text AS r FROM ${schema}."${nom}" t ORDER BY 1`,
    );
    all[nom] = table.rows.map((row) => row.r);
  }
  return all;
}

/** The bytes of every file below a folder, by path. */
export async function tousLesFichiers(dir: string): Promise<Map<string, Buffer>> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(
    await Promise.all(
      files
        .sort()
        .map(async (path): Promise<[string, Buffer]> => [path.slice(dir.length + 1), await readFile(path)]),
    ),
  );
}
