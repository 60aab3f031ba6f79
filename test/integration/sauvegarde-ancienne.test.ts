// O15, P10: a backup of an older atelier comes back in a newer one: its migrations follow, its figures are the same.

import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Depot, LISTE_ARCHIVES } from '../../src/archives/sauvegarde/depot.ts';
import { ecrire } from '../../src/archives/sauvegarde/fichiers.ts';
import { JOURNAUX, lireJournal } from '../../src/archives/sauvegarde/journaux.ts';
import {
  ecrireManifeste,
  FORMAT,
  MANIFESTE,
  type Manifeste,
} from '../../src/archives/sauvegarde/manifeste.ts';
import { ingest } from '../../src/jobs/ingest.ts';
import { restaurer } from '../../src/jobs/restauration.ts';
import { verifierSauvegarde } from '../../src/jobs/sauvegarde/verification.ts';
import { type Migration, migrate, migrationsAppliquees, readMigrations } from '../../src/postgres/migrate.ts';
import { type Pool, transaction, withClient } from '../../src/postgres/pool.ts';
import { type EmpreinteDeTable, ecrireBase, surInstantane } from '../../src/postgres/sauvegarde/copie.ts';
import { dumpSchema } from '../../src/postgres/schema-dump.ts';
import { makeContext } from '../harness/context.ts';
import { checkInvariants } from '../harness/invariants.ts';
import { type Etabli, monter, peupler } from '../harness/sauvegarde.ts';
import { dumpState } from '../harness/state.ts';

/** What there was before schedule, alerts and retention. */
const ALORS = readMigrations().slice(0, 4);
const DEPUIS = readMigrations().slice(4);

let etabli: Etabli;
let ancienne: Pool;
beforeAll(async () => {
  etabli = await monter();
  await peupler(etabli);
  ancienne = (await etabli.base()).pool;
  await vieillir(etabli.atelier.reader, ancienne, ALORS);
}, 120_000);
afterAll(() => etabli.close());

/** Columns that can be written, by table, of a database. */
async function colonnes(pool: Pool): Promise<Map<string, string[]>> {
  const { rows } = await pool.query<{ nom: string; colonnes: string[] }>(
    `SELECT quote_ident(table_name) AS nom, array_agg(quote_ident(column_name)::text ORDER BY ordinal_position) AS colonnes
       FROM information_schema.columns WHERE table_schema = 'public' AND is_generated = 'NEVER'
         AND table_name NOT IN ('migration', 'planification') GROUP BY 1 ORDER BY 1`,
  );
  return new Map(rows.map((row) => [row.nom, row.colonnes]));
}

/** Gives an empty database an older schema, and the rows of `from` as far as it has a place for them. */
async function vieillir(from: Pool, to: Pool, migrations: readonly Migration[]): Promise<void> {
  await withClient(to, (client) => migrate(client, [...migrations]));
  const here = await colonnes(from);
  await withClient(to, (client) =>
    transaction(client, async () => {
      await client.query('SET LOCAL session_replication_role = replica');
      for (const [table, all] of await colonnes(to)) {
        const names = all.filter((name) => here.get(table)?.includes(name)).join(', ');
        const { rows } = await from.query(
          `SELECT coalesce(jsonb_agg(to_jsonb(t)), '[]')::text AS lignes FROM ${table} t`,
        );
        await client.query(`DELETE FROM ${table}`);
        await client.query(
          `INSERT INTO ${table} (${names}) OVERRIDING SYSTEM VALUE SELECT ${names} FROM jsonb_populate_recordset(NULL::${table}, $1)`,
          [rows[0].lignes],
        );
        if (all.includes('id'))
          await client.query(
            `SELECT setval(s, (SELECT max(id::text::bigint) FROM ${table})) FROM pg_get_serial_sequence($1, 'id') s WHERE s IS NOT NULL`,
            [table],
          );
      }
    }),
  );
}

/** A backup as the program of that time made it. @returns its name */
async function sauvegarderAlors(pool: Pool): Promise<string> {
  const { atelier } = etabli;
  const depot = new Depot(etabli.depot, []);
  const draft = await depot.commencer();
  const fichiers: Manifeste['fichiers'] = [];
  const add = async (nom: string, source: AsyncIterable<Buffer>): Promise<void> => {
    const how = { compresser: nom.endsWith('.zst'), cle: undefined, nom };
    fichiers.push({ nom, ...(await ecrire(join(draft, nom), source, how)) });
  };
  const tables = new Map<string, EmpreinteDeTable>();
  const vue = await surInstantane(pool, async ({ instant, serveur, schema, ...rest }) => {
    await add('base.sql.zst', ecrireBase({ instant, serveur, schema, ...rest }, tables));
    return { instant, serveur, schema };
  });
  const { rows } = await pool.query<{ centre: number; sha256: string }>(
    `SELECT centre_usinage_id AS centre, encode(sha256, 'hex') AS sha256 FROM fichier_log_version ORDER BY 1, 2`,
  );
  let text = '';
  for (const row of rows)
    text += `${JSON.stringify({ ...row, fichier: (await depot.deposer(atelier.archives, row)).fichier })}\n`;
  await add(LISTE_ARCHIVES, un(Buffer.from(text)));
  for (const nom of JOURNAUX) await add(nom, un(await lireJournal(atelier.archives, nom)));
  const manifeste: Omit<Manifeste, 'sceau'> = {
    ...{ format: FORMAT, programme: '0.0.4', instant: vue.instant, fichiers },
    base: {
      ...{ serveur: vue.serveur, schema: vue.schema, migrations: await migrationsAppliquees(pool) },
      ...{ tables: Object.fromEntries(tables), nonSauvegardes: [] },
    },
    archives: { nombre: rows.length, octets: 0, manquantes: 0 },
    ...{ chiffrement: null, aGarderAPart: [] },
  };
  await writeFile(join(draft, MANIFESTE), ecrireManifeste(manifeste, undefined));
  return await depot.achever(draft, vue.instant);
}

async function* un(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

it('O15, P10: of the fourth migration: every row it had, the schema of today, the same figures, and imports go on', async () => {
  const { atelier } = etabli;
  const nom = await sauvegarderAlors(ancienne);
  const cible = await etabli.base();
  const archives = join(etabli.home, 'archives-anciennes');
  const bilan = await etabli.restaurer(nom, { url: cible.url }, { ARCHIVES_DIR: archives });
  expect(bilan.migrations).toEqual(DEPUIS.map((migration) => migration.nom));
  const wanted = await atelier.state();
  expect(wanted.sessions.length).toBeGreaterThan(5);
  expect(await dumpState(cible.pool)).toEqual(wanted);
  const tables = await colonnes(ancienne);
  expect(tables.size).toBeGreaterThan(15);
  for (const [table, names] of tables) {
    // Changed on purpose: everybody signs in again, counts of failed sign-ins are in no backup, runs are ended, the restoration is noted.
    if (
      /^("user"|jeton_rafraichissement|tentative_connexion|execution|journal_audit|audit_maillon)$/.test(
        table,
      )
    )
      continue;
    const rows = async (pool: Pool): Promise<unknown> =>
      (await pool.query(`SELECT to_jsonb(t)::text AS r FROM (SELECT ${names} FROM ${table}) t ORDER BY 1`))
        .rows;
    expect(await rows(cible.pool), table).toEqual(await rows(ancienne));
  }
  const schema = async (pool: Pool): Promise<string> => (await dumpSchema(pool)).replaceAll(/[()]/g, '');
  expect(await schema(cible.pool)).toBe(await schema(atelier.reader));
  const ctx = makeContext({ url: cible.url, logs: atelier.logs, archives });
  try {
    await ingest(ctx);
    expect(await dumpState(cible.pool)).toEqual(wanted);
    await checkInvariants(cible.pool, ctx.archive);
  } finally {
    await ctx.pool.end();
  }
}, 120_000);

it('R25: one that an older program made (format 1, no seal) comes back when somebody insists, not otherwise', async () => {
  const ancien = join(etabli.home, 'format-1');
  await mkdir(ancien);
  execFileSync('tar', [
    '-xf',
    join(import.meta.dirname, '../fixtures/sauvegarde-format-1.tar'),
    '-C',
    ancien,
  ]);
  const depot = new Depot(ancien, []);
  const [nom] = await depot.noms();
  const opened = await depot.ouvrir(nom!);
  expect(opened).toMatchObject({ sceau: 'aucun', manifeste: { format: 1 } });
  await expect(verifierSauvegarde(depot, opened, [])).rejects.toMatchObject({ code: 'ATL_B909' });
  expect((await verifierSauvegarde(depot, opened, [], undefined, true)).defauts).toEqual([]);
  const cible = await etabli.base();
  const ctx = etabli.contexte({ ARCHIVES_DIR: join(etabli.home, 'archives-format-1') });
  const options = { url: cible.url, cles: [] };
  await expect(restaurer(ctx, depot, opened, options)).rejects.toMatchObject({ code: 'ATL_B909' });
  const bilan = await restaurer(ctx, depot, opened, { ...options, sansSceau: true });
  expect(bilan).toMatchObject({ sceau: 'aucun', archives: 1, archivesManquantes: [] });
  const { rows } = await cible.pool.query('SELECT details FROM piece_production ORDER BY numero_piece');
  expect(rows.map(({ details }) => details)).toEqual(['P1', 'P2', 'P3']);
  const schema = async (pool: Pool): Promise<string> => (await dumpSchema(pool)).replaceAll(/[()]/g, '');
  expect(await schema(cible.pool)).toBe(await schema(etabli.atelier.reader));
}, 60_000);
