import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { AtelierError, codeOf, messageOf } from '../base/errors.ts';
import { accorderDroits } from './droits.ts';
import { type Client, type Queryable, transaction } from './pool.ts';
import { exigerSansMarque } from './sauvegarde/marque.ts';
import { exigerFile, installerFile } from './taches/file-schema.ts';

const FOLDER = fileURLToPath(new URL('../../migrations/', import.meta.url));
/** Advisory lock of migrations: any constant that nobody else uses. */
const LOCK = 4_711_000_001;

/** SQLSTATE of a wait that was given up, and of one that was part of a ring. */
const OCCUPEE = ['55P03', '40P01'];

/**
 * How a migration waits for a table that somebody is using (ms): while it waits, everybody else queues behind it, so it
 * waits for a moment, steps back, and tries again. The moment is shorter than PostgreSQL's `deadlock_timeout` (1 s):
 * in a ring of locks it is the migration that gives way, not somebody's request.
 */
export interface Patience {
  readonly attente: number;
  readonly pause: number;
  readonly essais: number;
}
const PATIENCE: Patience = { attente: 300, pause: 2_000, essais: 30 };

export interface Migration {
  readonly id: number;
  readonly nom: string;
  readonly sql: string;
  readonly sha256: string;
}

/** The migrations of this program, in order. */
export function readMigrations(folder = FOLDER): Migration[] {
  return readdirSync(folder)
    .filter((name) => /^\d{4}_[a-z0-9_]+\.sql$/.test(name))
    .sort()
    .map((name) => {
      const sql = readFileSync(`${folder}/${name}`, 'utf8');
      return {
        id: Number(name.slice(0, 4)),
        nom: name,
        sql,
        sha256: createHash('sha256').update(sql).digest('hex'),
      };
    });
}

/**
 * Brings the schema up to date, each migration in a transaction of its own. Any number of processes may call
 * it at once: a transaction-level advisory lock lets one after the other look (also behind a pooler). The queue of
 * tasks, which has a schema of its own, comes next, and last the rights of the roles that there are.
 *
 * @returns names of the migrations that were applied now
 * @throws AtelierError ATL_D302 when an applied migration was edited, the database is newer than the program, or
 *   somebody does not let go of a table
 */
export async function migrate(
  client: Client,
  migrations = readMigrations(),
  patience = PATIENCE,
): Promise<string[]> {
  const applied: string[] = [];
  for (let essai = 1; ; ) {
    const name = await suivante(client, migrations, patience).catch(async (error: unknown) => {
      if (!(error instanceof AtelierError) || !OCCUPEE.includes(codeOf(error.cause) ?? '')) throw error;
      if (essai++ >= patience.essais) throw await occupee(client, error);
      await sleep(patience.pause);
      return null;
    });
    if (name === undefined) break;
    if (name === null) continue;
    applied.push(name);
    essai = 1;
  }
  await installerFile(client);
  await accorderDroits(client);
  return applied;
}

/** Applies the next migration, in one transaction. @returns its name; undefined when there is none */
async function suivante(
  client: Client,
  migrations: readonly Migration[],
  { attente }: Patience,
): Promise<string | undefined> {
  return await transaction(client, async () => {
    await client.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
    // Only now: for another process that migrates, one waits as long as it takes.
    await client.query("SELECT set_config('lock_timeout', $1, true)", [String(attente)]);
    await ensureTable(client);
    const pending = await nextMigration(client, migrations);
    if (!pending) return undefined;
    // The id goes first: whoever raced us stops here, not in the middle of the text.
    await client.query('INSERT INTO migration (id, nom, sha256) VALUES ($1, $2, $3)', [
      pending.id,
      pending.nom,
      pending.sha256,
    ]);
    try {
      await client.query(pending.sql);
    } catch (cause) {
      throw new AtelierError('ATL_D302', `Migration ${pending.nom} : ${messageOf(cause)}`, { cause });
    }
    return pending.nom;
  });
}

/** Says who has been in a transaction for longest: most likely whoever holds the table. */
async function occupee(client: Client, error: AtelierError): Promise<AtelierError> {
  const { rows } = await client.query<{ qui: string }>(
    `SELECT format('processus %s, %s', pid, coalesce(nullif(application_name, ''), usename)) AS qui
       FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
        AND backend_type = 'client backend' AND xact_start IS NOT NULL ORDER BY xact_start LIMIT 1`,
  );
  const qui = rows[0] ? ` La plus ancienne : ${rows[0].qui}.` : '';
  return new AtelierError(
    'ATL_D302',
    `${error.message} : une transaction ouverte tient une table, rien n’a été changé.${qui} Terminez-la et relancez.`,
    { cause: error },
  );
}

/** Made only when it is not there: a role that may not create may still look whether something is to be done. */
async function ensureTable(client: Client): Promise<void> {
  const { rows } = await client.query("SELECT to_regclass('migration') IS NOT NULL AS present");
  if (rows[0].present) return;
  try {
    await client.query(`CREATE TABLE IF NOT EXISTS migration (
      id integer PRIMARY KEY, nom text NOT NULL, sha256 text NOT NULL, date_application timestamptz NOT NULL DEFAULT now())`);
  } catch (cause) {
    throw new AtelierError('ATL_D302', `Création de la table « migration » : ${messageOf(cause)}`, { cause });
  }
}

/**
 * Refuses to go on with a schema that is older than the program, or in the middle of a restoration.
 *
 * @param options `plusRecent`: a newer schema is good, too. A program that runs while the next version migrates goes on
 *   (O3): migrations take nothing away that the version before them uses. It does not start on it, though.
 * @throws AtelierError ATL_D302, ATL_D303, ATL_B906
 */
export async function requireSchema(
  client: Queryable,
  migrations = readMigrations(),
  options: { readonly plusRecent?: boolean } = {},
): Promise<void> {
  await exigerSansMarque(client);
  const { rows } = await client.query("SELECT to_regclass('migration') IS NOT NULL AS present");
  const pending = rows[0].present ? await nextMigration(client, migrations, options) : migrations[0];
  if (pending) throw new AtelierError('ATL_D303', `Il manque au schéma la migration ${pending.nom}.`);
  await exigerFile(client, options);
}

/** Names of the migrations that were applied, in order. */
export async function migrationsAppliquees(client: Queryable): Promise<string[]> {
  const { rows } = await client.query<{ nom: string }>('SELECT nom FROM migration ORDER BY id');
  return rows.map((row) => row.nom);
}

async function nextMigration(
  client: Queryable,
  migrations: readonly Migration[],
  { plusRecent = false }: { readonly plusRecent?: boolean } = {},
): Promise<Migration | undefined> {
  const { rows } = await client.query<{ id: number; nom: string; sha256: string }>(
    'SELECT id, nom, sha256 FROM migration ORDER BY id',
  );
  const last = migrations.at(-1)?.id ?? 0;
  for (const row of rows) {
    const known = migrations.find((migration) => migration.id === row.id);
    if (!known && plusRecent && row.id > last) continue;
    if (!known) {
      throw new AtelierError(
        'ATL_D302',
        `La base connaît la migration ${row.nom}, ce programme non : il est plus ancien qu’elle.`,
      );
    }
    if (known.sha256 !== row.sha256) {
      throw new AtelierError('ATL_D302', `La migration ${row.nom} a changé depuis qu’elle a été appliquée.`);
    }
  }
  const done = new Set(rows.map((row) => row.id));
  return migrations.find((migration) => !done.has(migration.id));
}
