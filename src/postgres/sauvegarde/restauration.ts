import { once } from 'node:events';
import { from as copyFrom } from 'pg-copy-streams';
import { AtelierError, messageOf } from '../../base/errors.ts';
import { fermerPorte } from '../comptes/installation.ts';
import type { Client } from '../pool.ts';
import {
  type EmpreinteDeTable,
  empreinteDeTable,
  fixerEcriture,
  quoted,
  schemaCourant,
  TABLE_DE_MARQUE,
} from './copie.ts';
import { LecteurDeBase } from './lecture.ts';
import { tablesDuSchema } from './schema.ts';

/** Tables whose rows come back by themselves: with nothing else in it, a database is a new one. */
const SANS_VALEUR = new Set([
  ...['migration', 'planification', 'cle_chiffrement', 'execution', 'installation'],
  TABLE_DE_MARQUE,
]);

/** What stands in the way of a restoration into a database. */
export interface Occupation {
  /** tables of any kind, also empty ones */
  readonly tables: number;
  /** tables with rows worth keeping, and about how many */
  readonly remplies: readonly { readonly nom: string; readonly lignes: number }[];
  /** other programs of ours that are connected: API, worker, imports */
  readonly connexions: number;
}

/** What a database holds, for whoever wants to put something else there. */
export async function occupation(client: Client): Promise<Occupation> {
  const tables = await tablesDuSchema(client, await schemaCourant(client));
  const remplies: { nom: string; lignes: number }[] = [];
  for (const { nom } of tables) {
    if (SANS_VALEUR.has(nom)) continue;
    const { rows } = await client.query<{ lignes: number }>(`SELECT count(*) AS lignes FROM ${quoted(nom)}`);
    if (rows[0]!.lignes > 0) remplies.push({ nom, lignes: rows[0]!.lignes });
  }
  const { rows } = await client.query<{ nombre: number }>(
    `SELECT count(*) AS nombre FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'atelier'`,
  );
  return { tables: tables.length, remplies, connexions: rows[0]!.nombre };
}

/**
 * Puts what is in the schema into another one, so that it is free; nothing is lost. In the caller's transaction.
 *
 * @returns name of the schema where it is now; undefined when it was free
 */
export async function mettreDeCote(client: Client, schema: string, nom: string): Promise<string | undefined> {
  const { rows } = await client.query<{ genre: string; objet: string }>(
    `SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS genre,
            format('%I.%I', $1::text, c.relname) AS objet
       FROM pg_class c
      WHERE c.relnamespace = quote_ident($1)::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('e', 'i', 'a')
                         AND (d.deptype = 'e' OR c.relkind = 'S'))
     UNION ALL
     SELECT CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END, p.oid::regprocedure::text
       FROM pg_proc p WHERE p.pronamespace = quote_ident($1)::regnamespace AND p.prokind IN ('f', 'p')
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
     UNION ALL
     SELECT 'TYPE', format('%I.%I', $1::text, t.typname)
       FROM pg_type t WHERE t.typnamespace = quote_ident($1)::regnamespace AND t.typtype = 'e'
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')`,
    [schema],
  );
  if (rows.length === 0) return undefined;
  await client.query(`CREATE SCHEMA ${quoted(nom)}`);
  for (const { genre, objet } of rows)
    await client.query(`ALTER ${genre} ${objet} SET SCHEMA ${quoted(nom)}`);
  return nom;
}

/**
 * Plays a dump ({@link ecrireBase}) in the caller's transaction, then reads every table again and compares it with what
 * the dump was made of.
 *
 * @param attendues what each table must hold in the end
 * @throws AtelierError ATL_B902 (not a dump, cut), ATL_B910 (a statement that atelier does not write), ATL_B908 (not the
 *   same rows)
 */
export async function jouerBase(
  client: Client,
  schema: string,
  dump: AsyncIterable<Buffer>,
  attendues: Readonly<Record<string, EmpreinteDeTable>>,
  onTable: (nom: string) => void = () => undefined,
  lecteur = new LecteurDeBase(schema),
): Promise<void> {
  await client.query(`SET LOCAL maintenance_work_mem = '256MB'`);
  await new Joueur(client, lecteur, attendues, onTable).jouer(dump);
  await fixerEcriture(client);
  const tables = new Map((await tablesDuSchema(client, schema)).map((table) => [table.nom, table]));
  tables.delete(TABLE_DE_MARQUE);
  for (const [nom, attendue] of Object.entries(attendues)) {
    const table = tables.get(nom);
    const found = table && (await empreinteDeTable(client, schema, table));
    if (found?.sha256 === attendue.sha256 && found.lignes === attendue.lignes) continue;
    throw new AtelierError(
      'ATL_B908',
      `Table ${nom} : ${found?.lignes ?? 'pas de'} lignes après restauration, ${attendue.lignes} dans la sauvegarde, ou d’autres valeurs.`,
    );
  }
}

/** Plays the parts of a dump: statements as they were admitted, COPY blocks as COPY. */
class Joueur {
  readonly #client: Client;
  readonly #lecteur: LecteurDeBase;
  readonly #attendues: Readonly<Record<string, unknown>>;
  readonly #onTable: (nom: string) => void;

  constructor(
    client: Client,
    lecteur: LecteurDeBase,
    attendues: Readonly<Record<string, unknown>>,
    onTable: (nom: string) => void,
  ) {
    this.#client = client;
    this.#lecteur = lecteur;
    this.#attendues = attendues;
    this.#onTable = onTable;
  }

  async jouer(dump: AsyncIterable<Buffer>): Promise<void> {
    const { rows } = await this.#client.query<{ nom: string }>('SELECT rolname AS nom FROM pg_roles');
    const roles = new Set(rows.map(({ nom }) => nom));
    for await (const partie of this.#lecteur.lire(dump)) {
      if (partie.genre === 'instructions') {
        const sql = partie.instructions.filter(({ role }) => role === undefined || roles.has(role));
        if (sql.length > 0) await this.#query(sql.map((one) => one.sql).join(';\n'));
      } else {
        if (!(partie.table in this.#attendues))
          throw new AtelierError('ATL_B902', `Le manifeste ne nomme pas la table ${partie.table}.`);
        this.#onTable(partie.table);
        await this.#copier(partie.ordre, partie.lignes);
      }
    }
  }

  async #query(statements: string): Promise<void> {
    try {
      await this.#client.query(statements);
    } catch (cause) {
      throw new AtelierError('ATL_D304', `Restauration du schéma : ${messageOf(cause)}`, { cause });
    }
  }

  async #copier(statement: string, lines: AsyncIterable<Buffer>): Promise<void> {
    const stream = this.#client.query(copyFrom(statement));
    const done = new Promise<void>((resolve, reject) => {
      stream.on('finish', resolve);
      stream.on('error', reject);
    });
    done.catch(() => undefined);
    try {
      for await (const piece of lines) {
        if (!stream.write(piece)) await Promise.race([once(stream, 'drain'), done]);
      }
    } catch (error) {
      stream.destroy(error instanceof Error ? error : new Error(String(error)));
      throw error;
    }
    stream.end();
    try {
      await done;
    } catch (cause) {
      throw new AtelierError('ATL_D304', `${statement} : ${messageOf(cause)}`, { cause });
    }
  }
}

/** Number by which {@link finirRestauration} makes tokens of before void: more than accounts change in their life. */
const JETONS = 100_000;

/**
 * What must not come back with the rows: runs that were under way when the backup was made count as broken off, those that
 * waited as passed over, and whoever was signed in signs in again (a token that was void since would be good again). The
 * backup itself was under way too, and that it is being restored shows that it succeeded.
 *
 * @param instant of the backup's snapshot, ISO 8601
 */
export async function finirRestauration(client: Client, nom: string, instant: string): Promise<void> {
  await client.query(
    `UPDATE execution SET etat = 'reussie', fin = greatest(debut, $2::timestamptz), compteurs = jsonb_build_object('nom', $1::text)
      WHERE id = (SELECT max(id) FROM execution WHERE tache = 'sauvegarde' AND etat = 'en_cours')`,
    [nom, instant],
  );
  await client.query(
    `UPDATE execution SET etat = CASE etat WHEN 'en_attente' THEN 'ignoree' ELSE 'echouee' END, fin = now(), erreur = $1
      WHERE etat IN ('en_cours', 'en_attente')`,
    [`interrompue : base restaurée de ${nom}`],
  );
  // Whoever restores a database that had no account yet makes the first by command: the door over the network was for
  // a new installation.
  await fermerPorte(client);
  await client.query('DELETE FROM jeton_rafraichissement');
  await client.query(`UPDATE "user" SET version_jetons = version_jetons + ${JETONS}`);
}

/** Drops a schema that {@link mettreDeCote} made and nobody needs. */
export async function supprimerSchema(client: Client, nom: string): Promise<void> {
  await client.query(`DROP SCHEMA ${quoted(nom)} CASCADE`);
}

/** Lets nobody migrate, or restore twice, until the end of the transaction. */
export async function verrouillerSchema(client: Client): Promise<void> {
  await client.query('SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0');
  await client.query('SELECT pg_advisory_xact_lock(4711000001)');
}
